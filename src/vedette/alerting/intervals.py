"""Time intervals: which instants are office hours, the last week of a quarter or a maintenance window.

A time interval has up to five fields and a location. A field that is left out allows everything; a time is in
the interval if every field allows it, on the clocks and calendars of the location. Around the change to
summer time the clock decides: `02:00-03:00` does not happen on the night when that hour is skipped, and
lasts two hours on the night when it is repeated.

Source: Alertmanager's `timeinterval`, with its messages. Its own `ParseError` names what is wrong.
"""

from __future__ import annotations

import calendar
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

Range = tuple[int, int]
"""From and to, both included (times: the end is not)."""

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,9}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ParseError(ValueError):
    """A text that is no part of a time interval."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A set of instants.

    Attributes:
        times: minutes of the day, the last one not included.
        weekdays: 0 is Sunday.
        days_of_month: from 1; negative ones count from the end of the month, -1 being its last day.
        months: from 1.
        years: of our era.
        location: IANA name of the time zone, `Local` for that of this machine; empty for UTC.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = ""

    def contains(self, at_ms: int) -> bool:
        """Whether a time, in milliseconds since the epoch, is in the interval."""
        local = local_time(at_ms, self.location)
        minute = local.hour * 60 + local.minute
        return (
            (not self.times or any(start <= minute < end for start, end in self.times))
            and _in(self.months, local.month)
            and _in(self.weekdays, local.isoweekday() % 7)
            and _in(self.years, local.year)
            and (not self.days_of_month or _in_month(self.days_of_month, local))
        )


def parse_time(text: str) -> int:
    """Minutes since midnight of `HH:MM`; `24:00` is the end of the day.

    Raises:
        ParseError: it is no such time.
    """
    if _TIME.fullmatch(text) is None:
        raise ParseError(f"couldn't parse timestamp {text}, invalid format")
    return int(text[:2]) * 60 + int(text[3:])


def parse_times(start: str, end: str) -> Range:
    """A range of minutes.

    Raises:
        ParseError: a time is missing or none, or the range is empty.
    """
    if not start or not end:
        raise ParseError("both start and end times must be provided")
    first, last = parse_time(start), parse_time(end)
    if first >= last:
        raise ParseError("start time cannot be equal or greater than end time")
    return first, last


def parse_weekdays(text: str) -> Range:
    """`saturday` or `monday:friday`; a week starts on Sunday.

    Raises:
        ParseError: it is neither.
    """
    first, last = (_member(part, WEEKDAYS, 0, "weekday") for part in _ends(text))
    if first > last:
        raise ParseError("start day cannot be before end day")
    return first, last


def parse_days_of_month(text: str) -> Range:
    """`15`, `1:7` or `-7:-1`.

    Raises:
        ParseError: it is none of these, or never a day.
    """
    first, last = (_number(part, "day of the month") for part in _ends(text))
    for day in (first, last):
        if day == 0 or abs(day) > 31:
            raise ParseError(f"{day} is not a valid day of the month: out of range")
    if first < 0 < last:
        raise ParseError("end day must be negative if start day is negative")
    # No month is shorter than 28 days: what is empty there may still be a range in longer ones.
    if (28 + first if first < 0 else first) > (28 + last if last < 0 else last):
        raise ParseError(f"end day {last} is always before start day {first}")
    return first, last


def parse_months(text: str) -> Range:
    """`january`, `1` or `january:3`.

    Raises:
        ParseError: it is none of these.
    """
    first, last = (_member(part, MONTHS, 1, "month") for part in _ends(text))
    if first > last:
        raise ParseError(f"end month {MONTHS[last - 1]} is before start month {MONTHS[first - 1]}")
    return first, last


def parse_years(text: str) -> Range:
    """`2026` or `2026:2030`.

    Raises:
        ParseError: it is neither.
    """
    first, last = (_number(part, "year") for part in _ends(text))
    if first > last:
        raise ParseError(f"end year {last} is before start year {first}")
    return first, last


def parse_location(text: str) -> str:
    """A name of the IANA time zone database, `UTC` or `Local`.

    Raises:
        ParseError: there is no such zone.
    """
    try:
        zone(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ParseError(f"unknown time zone {text}") from exc
    return text


@lru_cache(maxsize=512)
def zone(location: str) -> tzinfo | None:
    """The time zone of a location; None for that of this machine."""
    if location in ("", "UTC"):
        return UTC
    return None if location == "Local" else zoneinfo.ZoneInfo(location)


@lru_cache(maxsize=4096)
def local_time(at_ms: int, location: str) -> datetime:
    """What clock and calendar of a location show at a time."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone(location))


def _in(ranges: tuple[Range, ...], number: int) -> bool:
    return not ranges or any(first <= number <= last for first, last in ranges)


def _in_month(ranges: tuple[Range, ...], local: datetime) -> bool:
    length = calendar.monthrange(local.year, local.month)[1]
    for first, last in ranges:
        begin = length + first + 1 if first < 0 else first
        end = length + last + 1 if last < 0 else last
        if begin <= length and begin <= local.day <= min(end, length):
            return True
    return False


def _ends(text: str) -> tuple[str, str]:
    parts = text.lower().split(":")
    if len(parts) > 2:
        raise ParseError(f"couldn't parse range {text}, invalid format")
    return parts[0], parts[-1]


def _member(text: str, names: tuple[str, ...], first: int, what: str) -> int:
    if text in names:
        return names.index(text) + first
    if what == "month" and _NUMBER.fullmatch(text) and 1 <= int(text) <= len(names):
        return int(text)
    raise ParseError(f"{text} is not a valid {what}")


def _number(text: str, what: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise ParseError(f'"{text}" is not a valid {what}')
    return int(text)
