"""Writing CSV files."""

from types import TracebackType
from typing import IO, Self

from . import RecordBatch, Schema

class CSVWriter:
    def __init__(self, sink: IO[bytes], schema: Schema) -> None: ...
    def write_batch(self, batch: RecordBatch) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
