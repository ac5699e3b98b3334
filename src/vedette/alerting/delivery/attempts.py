"""What is kept of every attempt to deliver a message."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from vedette.alerting.notification_log import Address

_LONGEST_SECRET: Final = 4096


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver one message. It holds no secrets.

    Attributes:
        message: the message, as in `Notify.id`; 0 for a test.
        address: to which integration.
        group_key: what the message is about.
        reason: why it was sent: the decision's reason, `digest`, `summary` or `test`.
        number: 1 for the first attempt at this message.
        at_ms: when it began, milliseconds since the epoch.
        latency_ms: how long it took.
        status: the last status of HTTP or SMTP that the receiver answered; None if it did not.
        error: why the message did not arrive; empty if it did.
        permanent: whether it will not be tried again because that would not help.
        note: what is worth knowing although the message arrived.
        body_bytes: how much was sent, all requests together, without headers.
        body: the beginning of it, as far as it is kept.
    """

    message: int
    address: Address
    group_key: str
    reason: str
    number: int
    at_ms: int
    latency_ms: int
    status: int | None = None
    error: str = ""
    permanent: bool = False
    note: str = ""
    body_bytes: int = 0
    body: str = ""

    @property
    def ok(self) -> bool:
        """Whether the message arrived."""
        return not self.error


class Attempts(Protocol):
    """Keeps attempts."""

    def record(self, attempt: Attempt) -> None:
        """Keep an attempt. Must not wait: it is called between two messages."""
        ...


@dataclass(slots=True)
class LatestAttempts:
    """The latest attempts, in memory.

    Attributes:
        kept: oldest first.
    """

    kept: deque[Attempt] = field(default_factory=lambda: deque[Attempt](maxlen=1000))

    def record(self, attempt: Attempt) -> None:
        """Keep an attempt, and forget the oldest one where there are too many."""
        self.kept.append(attempt)


class Exchange:
    """What goes over the wire during one attempt, for its record."""

    def __init__(self, *, kept_bytes: int) -> None:
        self.status: int | None = None
        self.note = ""
        self.body_bytes = 0
        self._kept_bytes = kept_bytes
        self._bodies: list[bytes] = []

    def sends(self, body: bytes) -> None:
        """Something is being sent."""
        # More than is kept, so that a secret is whole when it is looked for, and not cut at the end.
        room = self._kept_bytes + _LONGEST_SECRET - sum(map(len, self._bodies)) if self._kept_bytes else 0
        self.body_bytes += len(body)
        if room > 0:
            self._bodies.append(body[:room])

    def body(self, clean: Callable[[str], str]) -> str:
        """The beginning of what was sent, without what `clean` takes out."""
        text = clean(b"\n".join(self._bodies).decode("utf-8", "replace"))
        return text.encode()[: self._kept_bytes].decode("utf-8", "ignore")
