"""Which days go: those that are too old, and the oldest where the disk has a limit.

Pure: `plan` says what is due, `MetricsStore.apply_retention` drops it. A partition is a UTC day and goes as a
whole once all of it is too old, so a sample may stay a day longer than it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class PartitionUsage:
    """What one partition of a table takes.

    Attributes:
        table: its name.
        partition: the partition's id: `20260131`, or `all` where a table has no days.
        rows: in it.
        disk_bytes: of its files.
    """

    table: str
    partition: str
    rows: int
    disk_bytes: int

    @property
    def day(self) -> int | None:
        """Days since the epoch; None where the table has no days."""
        text = self.partition
        if len(text) != len("20260131") or not text.isdigit():
            return None
        return (date(int(text[:4]), int(text[4:6]), int(text[6:])) - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Retention:
    """How long metrics are kept.

    Attributes:
        keep_ms: a sample's age when it may go.
        max_bytes: what all tables may take together; 0 for no limit. Today is kept in any case.
    """

    keep_ms: int
    max_bytes: int = 0


def plan(usage: Sequence[PartitionUsage], retention: Retention, *, now_ms: int) -> list[PartitionUsage]:
    """The partitions to drop now, oldest first."""
    today = now_ms // 86_400_000
    oldest_kept = (now_ms - retention.keep_ms) // 86_400_000
    days = sorted({part.day for part in usage if part.day is not None})
    total = sum(part.disk_bytes for part in usage)
    due: list[PartitionUsage] = []
    for day in days:
        of_day = [part for part in usage if part.day == day]
        too_old = day < oldest_kept
        too_much = 0 < retention.max_bytes < total and day < today
        if too_old or too_much:
            due += of_day
            total -= sum(part.disk_bytes for part in of_day)
    return due
