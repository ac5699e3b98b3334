"""Attempts to deliver as rows for the disk, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from vedette.alerting.delivery import Attempt
from vedette.alerting.notification_log import Address
from vedette.store.state import AttemptRow

_FIELDS: Final = (
    "group_key",
    "reason",
    "number",
    "latency_ms",
    "status",
    "error",
    "permanent",
    "note",
    "body_bytes",
    "body",
)


class Notes(Protocol):
    """Takes rows down: `vedette.alerting.service.AlertingService`."""

    def note_attempt(self, row: AttemptRow) -> None:
        """Take down an attempt."""
        ...


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """Keeps attempts on the disk: an `Attempts` of delivery."""

    notes: Notes

    def record(self, attempt: Attempt) -> None:
        """Take down an attempt."""
        self.notes.note_attempt(encode_attempt(attempt))


def encode_attempt(attempt: Attempt) -> AttemptRow:
    """An attempt as a row."""
    content: dict[str, Any] = {name: getattr(attempt, name) for name in _FIELDS}
    content["kind"], content["place"] = attempt.address.kind, attempt.address.number
    return AttemptRow(attempt.at_ms, attempt.message, attempt.address.receiver, orjson.dumps(content).decode())


def decode_attempt(row: AttemptRow) -> Attempt:
    """The attempt that a row holds.

    Raises:
        ValueError, KeyError, TypeError: it holds none.
    """
    content = orjson.loads(row.content)
    address = Address(row.receiver, str(content["kind"]), int(content["place"]))
    fields = {name: content[name] for name in _FIELDS}
    return Attempt(message=row.message, address=address, at_ms=row.at_ms, **fields)
