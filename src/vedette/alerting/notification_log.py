"""What has been told to whom: the memory that keeps a message from being sent twice, or not at all.

One entry for each group and integration holds the alerts of the last message that went out. It is written once the
message is out, and kept for twice the repeat interval, at most for the retention time.

Source: Alertmanager's `nflog` and `notify/dedup_stage.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

RETENTION_MS: Final = 120 * 3_600_000
"""How long an entry is kept at most, as in Alertmanager."""


class Address(NamedTuple):
    """An integration of a receiver.

    Attributes:
        receiver: name of the receiver.
        kind: kind of the integration.
        number: its place among those of its kind, from 0.
    """

    receiver: str
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.receiver}/{self.kind}[{self.number}]"


class Reason(StrEnum):
    """Why a message is due."""

    FIRST = "first notification"
    NEW_ALERTS = "new alerts in group"
    ALL_RESOLVED = "all alerts resolved"
    NEW_RESOLVED = "new resolved alerts"
    REPEAT = "repeat interval elapsed"


@dataclass(frozen=True, slots=True)
class Entry:
    """The last message about a group to an integration.

    Attributes:
        at_ms: when it was out.
        firing: fingerprints of the alerts that were firing then.
        resolved: of those that had ended.
        expires_ms: when the entry is forgotten.
    """

    at_ms: int
    firing: frozenset[str]
    resolved: frozenset[str]
    expires_ms: int


class NotificationLog:
    """The entries, by group key and integration."""

    def __init__(self, *, retention_ms: int = RETENTION_MS) -> None:
        self._entries: dict[tuple[str, Address], Entry] = {}
        self._retention_ms = retention_ms

    def __iter__(self) -> Iterator[tuple[tuple[str, Address], Entry]]:
        return iter(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, group_key: str, address: Address) -> Entry | None:
        """The last message about a group to an integration; None if there was none."""
        return self._entries.get((group_key, address))

    def put(
        self, group_key: str, address: Address, *, firing: frozenset[str], resolved: frozenset[str], now_ms: int,
        repeat_ms: int,
    ) -> Entry:  # fmt: skip
        """Note that a message is out."""
        keep_ms = min(self._retention_ms, 2 * repeat_ms) if repeat_ms else self._retention_ms
        entry = Entry(now_ms, firing, resolved, now_ms + keep_ms)
        self._entries[group_key, address] = entry
        return entry

    def forget(self, group_key: str, address: Address) -> None:
        """Forget that a message was out."""
        self._entries.pop((group_key, address), None)

    def restore(self, group_key: str, address: Address, entry: Entry) -> None:
        """Take an entry as it was kept."""
        self._entries[group_key, address] = entry

    def collect(self, now_ms: int) -> list[tuple[str, Address]]:
        """Forget what is too old; the keys of what is gone."""
        gone = [key for key, entry in self._entries.items() if entry.expires_ms <= now_ms]
        for key in gone:
            del self._entries[key]
        return gone


def decide(
    entry: Entry | None,
    firing: frozenset[str],
    resolved: frozenset[str],
    *,
    now_ms: int,
    repeat_ms: int,
    send_resolved: bool,
) -> Reason | None:
    """Why a message about a group is due; None if none is.

    That all alerts have ended is a reason even where nobody wants to hear it: the log has to learn of it, so that the
    next alert is news again.
    """
    if entry is None:
        return Reason.FIRST if firing else None
    if not firing <= entry.firing:
        return Reason.NEW_ALERTS if entry.firing else Reason.FIRST
    if not firing:
        return Reason.ALL_RESOLVED if entry.firing else None
    if send_resolved and not resolved <= entry.resolved:
        return Reason.NEW_RESOLVED
    return Reason.REPEAT if entry.at_ms < now_ms - repeat_ms else None
