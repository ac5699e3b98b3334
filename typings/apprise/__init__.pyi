"""The parts of Apprise that notifications use: its own annotations leave types open."""

import io
from enum import Enum
from types import TracebackType

class NotifyType(Enum):
    SUCCESS = "success"
    FAILURE = "failure"

class Apprise:
    def add(self, servers: str) -> bool: ...
    def notify(
        self, body: str, title: str = "", notify_type: NotifyType = ..., body_format: str | None = None
    ) -> object: ...
    def __len__(self) -> int: ...

class LogCapture:
    def __init__(self, *, level: int) -> None: ...
    def __enter__(self) -> io.StringIO: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
