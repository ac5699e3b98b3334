"""Cron expressions: when a digest is due, and when a recurring silence starts.

Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). Each is `*`, a number, a
name (`mon`, `jan`), a range `a-b`, a step `*/n` or `a-b/n`, or a list of these. If both days are restricted, either
of them suffices, as in every cron. `@hourly`, `@daily`, `@weekly` and `@monthly` stand for their usual expressions.

Times are those of a location's clocks. What falls into the hour that a change to summer time skips happens at
the end of the gap, so that a daily digest comes every day; what falls into the repeated hour happens once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vedette.alerting.intervals import MONTHS, WEEKDAYS, local_time, zone

_SHORT: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...], int], ...]] = (
    ("minute", 0, 59, (), 0),
    ("hour", 0, 23, (), 0),
    ("day of the month", 1, 31, (), 0),
    ("month", 1, 12, tuple(name[:3] for name in MONTHS), 1),
    ("day of the week", 0, 7, tuple(name[:3] for name in WEEKDAYS), 0),
)
_HORIZON_DAYS: Final = 366 * 9
"""29 February comes at the latest after eight years and a day (1896, 1904)."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression as read; make it with `parse_cron`.

    Attributes:
        text: as it was written.
        location: whose clocks count; empty for UTC.
        any_day: days of the month and of the week are not both restricted: both have to fit.
    """

    text: str
    location: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool

    def next_after(self, at_ms: int) -> int:
        """The first time after `at_ms` that fits, in milliseconds since the epoch."""
        local = local_time(at_ms, self.location).replace(tzinfo=None, fold=0)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(_HORIZON_DAYS):
            if self._fits(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = self._instant(day.replace(hour=hour, minute=minute))
                        if found > at_ms:
                            return found
            day += timedelta(days=1)
        raise AssertionError("an expression without any date is refused when it is read")

    def _fits(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_month and by_week if self.any_day else by_month or by_week

    def _instant(self, wall: datetime) -> int:
        aware = wall.replace(tzinfo=zone(self.location))
        at = aware.astimezone(UTC)
        back = at.astimezone(zone(self.location)).replace(tzinfo=None)
        if back != wall:
            # In the gap: Python maps it as far behind the gap's end as it lies behind the gap's start.
            before = aware.replace(fold=1).astimezone(UTC)
            at = _gap_end(min(at, before), max(at, before), self.location)
        return int(at.timestamp()) * 1000


def parse_cron(text: str, location: str = "") -> Cron:
    """Read an expression.

    Raises:
        ValueError: it is none, or no date fits it; the message says what was expected.
    """
    fields = _SHORT.get(text.strip().lower(), text).split()
    if len(fields) != len(_FIELDS) or len(text) > 1000:
        raise ValueError(f'"{text[:80]}" is not a cron expression: minute, hour, day, month and weekday are expected')
    minutes, hours, days, months, weekdays = (
        _field(field, *known) for field, known in zip(fields, _FIELDS, strict=True)
    )
    weekdays = frozenset(day % 7 for day in weekdays)
    any_day = fields[2].startswith("*") or fields[4].startswith("*")
    longest = max(31 if month in (1, 3, 5, 7, 8, 10, 12) else 30 if month != 2 else 29 for month in months)
    if any_day and min(days) > longest:
        raise ValueError(f'"{text}" never happens: no such month has {min(days)} days')
    return Cron(text, location, tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, any_day)


def _field(field: str, what: str, low: int, high: int, names: tuple[str, ...], first: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.lower().split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, what) if slash else 1
        if span == "*":
            start, end = low, (6 if high == 7 else high)
        else:
            left, dash, right = span.partition("-")
            start = _member(left, what, names, first)
            end = _member(right, what, names, first) if dash else (high if slash else start)
        if not low <= start <= end <= high or step < 1:
            raise ValueError(f'"{part}" is no {what}: {low} to {high} are')
        found.update(range(start, end + 1, step))
    return frozenset(found)


def _member(text: str, what: str, names: tuple[str, ...], first: int) -> int:
    return names.index(text) + first if text in names else _number(text, what)


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ValueError(f'"{text}" is no {what}')
    return int(text)


def _gap_end(low: datetime, high: datetime, location: str) -> datetime:
    """The instant between two at which a location's clocks jump."""
    before = low.astimezone(zone(location)).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone(location)).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
