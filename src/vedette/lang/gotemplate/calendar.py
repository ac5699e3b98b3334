"""Instants and their places on the calendar: any year, to the nanosecond, in any time zone.

Python's own dates end with the year 9999 and count microseconds; Go's do neither.

Source: Go's package `time`; days are counted as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

SECOND: Final = 1_000_000_000
DAY_S: Final = 86_400
_ERA_DAYS: Final = 146_097
_EPOCH_FROM_ERA: Final = 719_468
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_YEARS: Final = range(-62_000_000_000, 253_000_000_000)
"""Seconds for which Python knows offsets; the nearest ones stand for all others."""
ZERO_S: Final = -62_135_596_800
"""Go's zero time: the first second of the year 1."""
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Date(NamedTuple):
    """A day of the proleptic Gregorian calendar."""

    year: int
    month: int
    day: int


def days_of(date: Date) -> int:
    """How many days a date is after 1970-01-01."""
    year = date.year - (date.month <= 2)
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((date.month + 9) % 12) + 2) // 5 + date.day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _ERA_DAYS + day_of_era - _EPOCH_FROM_ERA


def date_of(days: int) -> Date:
    """The date that is so many days after 1970-01-01."""
    era, day_of_era = divmod(days + _EPOCH_FROM_ERA, _ERA_DAYS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return Date(year_of_era + era * 400 + (month <= 2), month, day)


def is_leap(year: int) -> bool:
    """Whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in(year: int, month: int) -> int:
    """How many days a month has."""
    return 28 + is_leap(year) if month == 2 else 30 + (month in (1, 3, 5, 7, 8, 10, 12))


class Zone:
    """A time zone: a fixed offset, or one of the tz database.

    Attributes:
        name: as people write it: `UTC`, `Europe/Paris`.
    """

    __slots__ = ("_fixed_s", "_rules", "name")

    def __init__(self, name: str, *, offset_s: int = 0, rules: ZoneInfo | None = None) -> None:
        self.name = name
        self._fixed_s = offset_s
        self._rules = rules

    def at(self, seconds: int) -> tuple[str, int]:
        """Abbreviation (empty if there is none) and offset in seconds at a time since the epoch."""
        if self._rules is None:
            return self.name, self._fixed_s
        nearest = min(max(seconds, _ZONE_YEARS.start), _ZONE_YEARS.stop)
        local = (_EPOCH + timedelta(seconds=nearest)).astimezone(self._rules)
        return local.tzname() or "", round((local.utcoffset() or timedelta()).total_seconds())

    def is_summer_time(self, seconds: int) -> bool:
        """Whether clocks are put forward."""
        if self._rules is None:
            return False
        nearest = min(max(seconds, _ZONE_YEARS.start), _ZONE_YEARS.stop)
        return bool((_EPOCH + timedelta(seconds=nearest)).astimezone(self._rules).dst())


UTC_ZONE: Final = Zone("UTC")


@functools.lru_cache(maxsize=1024)
def load_zone(name: str) -> Zone:
    """A zone by its name in the tz database; "" and "UTC" are UTC, and so is "Local".

    Raises:
        ValueError: there is none.
    """
    if name in ("", "UTC", "Local"):
        return UTC_ZONE
    problem = f"unknown time zone {name}"
    if name.startswith(("/", "\\", ".")) or ".." in name or "\\" in name or not name.isascii():
        raise ValueError(problem)
    try:
        return Zone(name, rules=ZoneInfo(name))
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(problem) from exc


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time as people at some place see it.

    Attributes:
        ns: nanoseconds since 1970, negative before.
        zone: where.
    """

    ns: int
    zone: Zone = UTC_ZONE

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970."""
        return self.ns // SECOND

    @property
    def nanosecond(self) -> int:
        """Of the second."""
        return self.ns % SECOND

    def local(self) -> tuple[int, int]:
        """Days since 1970 and seconds of the day, there."""
        return divmod(self.seconds + self.zone.at(self.seconds)[1], DAY_S)

    def date(self) -> Date:
        """The date there."""
        return date_of(self.local()[0])

    def clock(self) -> tuple[int, int, int]:
        """Hour, minute and second there."""
        second_of_day = self.local()[1]
        return second_of_day // 3600, second_of_day // 60 % 60, second_of_day % 60

    def weekday(self) -> int:
        """0 for Sunday."""
        return (self.local()[0] + 4) % 7

    def year_day(self) -> int:
        """1 for the first of January."""
        days = self.local()[0]
        return days - days_of(Date(date_of(days).year, 1, 1)) + 1

    def iso_week(self) -> tuple[int, int]:
        """Year and number of the week that has this day's Thursday."""
        days = self.local()[0]
        thursday = days + 3 - (days + 3) % 7
        year = date_of(thursday).year
        return year, (thursday - days_of(Date(year, 1, 1))) // 7 + 1


ZERO_INSTANT: Final = Instant(ZERO_S * SECOND)


def instant_of(date: Date, second_of_day: int, nanosecond: int, zone: Zone) -> Instant:
    """The instant when clocks in a zone show this; where they never do or do twice, one that is near."""
    unix = days_of(date) * DAY_S + second_of_day
    offset = zone.at(unix - zone.at(unix)[1])[1]
    return Instant((unix - offset) * SECOND + nanosecond, zone)
