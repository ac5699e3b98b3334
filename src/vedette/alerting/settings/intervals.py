"""`time_intervals`: named sets of times for routes to be muted or active in.

Source: Alertmanager's `timeinterval` and `config.TimeInterval`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from vedette.alerting.intervals import (
    ParseError,
    TimeInterval,
    parse_days_of_month,
    parse_location,
    parse_months,
    parse_times,
    parse_weekdays,
    parse_years,
)
from vedette.config.settings import Problem, Settings, wrong


def _checked(parse: Callable[[str], object], hint: str) -> AfterValidator:
    def check(found: str) -> str:
        try:
            parse(found)
        except ParseError as exc:
            raise wrong(str(exc), hint) from exc
        return found

    return AfterValidator(check)


Weekdays = Annotated[str, _checked(parse_weekdays, "Write it like saturday or monday:friday; a week starts on Sunday.")]
DaysOfMonth = Annotated[str, _checked(parse_days_of_month, "Write it like 15, 1:7 or -7:-1 (the last week).")]
Months = Annotated[str, _checked(parse_months, "Write it like january, 1 or january:march.")]
Years = Annotated[str, _checked(parse_years, "Write it like 2026 or 2026:2030.")]
LocationName = Annotated[str, _checked(parse_location, "Write it like Europe/Berlin, UTC or Local.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRangeSettings(Settings):
    """A part of the day."""

    start_time: str = ""
    """From: HH:MM. Required."""
    end_time: str = ""
    """To, not included: HH:MM, up to 24:00. Required."""

    def problems(self) -> Iterable[Problem]:
        """Two times, the first one before the second."""
        try:
            parse_times(self.start_time, self.end_time)
        except ParseError as exc:
            yield Problem((), str(exc), "Write it like start_time: '09:00' and end_time: '17:00'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeIntervalSettings(Settings):
    """Times that fit every field that is given."""

    times: tuple[TimeRangeSettings, ...] = ()
    """Parts of the day."""
    weekdays: tuple[Weekdays, ...] = ()
    """Days of the week: saturday, monday:friday."""
    days_of_month: tuple[DaysOfMonth, ...] = ()
    """Days of the month: 1:7; negative ones count from its end."""
    months: tuple[Months, ...] = ()
    """Months, by name or number."""
    years: tuple[Years, ...] = ()
    """Years."""
    location: LocationName = ""
    """Time zone, e.g. Europe/Berlin; UTC where it is not set."""

    def interval(self) -> TimeInterval:
        """The same, ready for use."""
        return TimeInterval(
            times=tuple(parse_times(one.start_time, one.end_time) for one in self.times),
            weekdays=tuple(map(parse_weekdays, self.weekdays)),
            days_of_month=tuple(map(parse_days_of_month, self.days_of_month)),
            months=tuple(map(parse_months, self.months)),
            years=tuple(map(parse_years, self.years)),
            location=self.location,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedIntervals(Settings):
    """Time intervals under one name; a time that is in one of them is in all."""

    name: str = ""
    """Name for routes to refer to. Required."""
    time_intervals: tuple[TimeIntervalSettings, ...] = ()
    """The intervals."""

    def problems(self) -> Iterable[Problem]:
        """A name."""
        if not self.name:
            yield Problem((), "missing name in time interval", "Add `name`.")
