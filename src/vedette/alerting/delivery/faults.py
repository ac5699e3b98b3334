"""What goes wrong on the way to a receiver, and whether trying again may help.

Source: Alertmanager's `notify/util.go`: 5xx is tried again, as are the statuses that a kind names; other answers than
2xx are not. Vedette also tries again after 408 and 429, whose meaning is to come back later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vedette.model.errors import VedetteError

_SHOWN_CHARS: Final = 500
_COME_BACK: Final = frozenset({408, 429})


class Reason(StrEnum):
    """Why a message was not delivered, as `alertmanager_notifications_failed_total` counts it."""

    OTHER = "other"
    CLIENT_ERROR = "clientError"
    SERVER_ERROR = "serverError"
    RATE_LIMITED = "rateLimited"
    CANCELED = "contextCanceled"
    DEADLINE_EXCEEDED = "contextDeadlineExceeded"


class DeliveryError(VedetteError):
    """A message did not arrive.

    Attributes:
        problem: why.
        permanent: trying again will not help.
        reason: its kind.
        retry_after_s: the receiver does not want to hear of it before; 0 where it did not say.
    """

    def __init__(
        self, problem: str, *, permanent: bool = False, reason: Reason = Reason.OTHER, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(problem, permanent, reason, retry_after_s)
        self.problem = problem
        self.permanent = permanent
        self.reason = reason
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.problem


def refused(problem: str) -> DeliveryError:
    """The error for a message that cannot be sent as it is."""
    return DeliveryError(problem, permanent=True, reason=Reason.CLIENT_ERROR)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a kind's answers mean.

    Attributes:
        again: statuses besides 5xx, 408 and 429 after which to try again.
        explain: what the body of a bad answer says, from its status and its text.
    """

    again: frozenset[int] = frozenset()
    explain: Callable[[int, str], str] = lambda _, text: text


def status_error(
    status: int, text: str, *, retry_after_s: float = 0.0, verdicts: Verdicts | None = None
) -> DeliveryError | None:
    """What an answer of HTTP means: None where it says that the message has arrived.

    Args:
        status: its code.
        text: its body, or the beginning of it.
        retry_after_s: what its `Retry-After` asks for.
        verdicts: what is special about the kind.
    """
    if 200 <= status < 300:
        return None
    verdicts = verdicts or Verdicts()
    again = status >= 500 or status in _COME_BACK or status in verdicts.again
    said = shown(verdicts.explain(status, text))
    return DeliveryError(
        f"unexpected status code {status}" + (f": {said}" if said else ""),
        permanent=not again,
        reason=reason_of(status),
        retry_after_s=retry_after_s if again else 0.0,
    )


def reason_of(status: int) -> Reason:
    """The kind of failure that a status tells of."""
    if status == 429:
        return Reason.RATE_LIMITED
    if 400 <= status < 500:
        return Reason.CLIENT_ERROR
    return Reason.SERVER_ERROR if 500 <= status < 600 else Reason.OTHER


def shown(text: str) -> str:
    """What others say, on one line and not too long."""
    flat = " ".join(text[: 4 * _SHOWN_CHARS].split())
    return flat if len(flat) <= _SHOWN_CHARS else flat[: _SHOWN_CHARS - 1] + "…"
