from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vedette.alerting.intervals import ParseError, TimeInterval, parse_days_of_month, parse_location, parse_months


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        pytest.param("2026-03-29T01:30:00+01:00", False, id="before the gap"),
        pytest.param("2026-03-29T03:00:00+02:00", False, id="the hour that is skipped does not happen"),
        pytest.param("2026-10-25T02:30:00+02:00", True, id="the repeated hour counts the first time"),
        pytest.param("2026-10-25T02:30:00+01:00", True, id="and the second time"),
        pytest.param("2026-10-25T03:00:00+01:00", False, id="until it is over"),
    ],
)
def test_around_the_change_of_summer_time_the_clock_decides(at: str, inside: bool) -> None:  # noqa: FBT001
    interval = TimeInterval(times=((120, 180),), location="Europe/Berlin")

    assert interval.contains(_ms(at)) is inside


@pytest.mark.parametrize(
    ("day", "inside"),
    [("2028-02-22", False), ("2028-02-23", True), ("2028-02-29", True), ("2027-02-22", True), ("2027-02-21", False)],
)
def test_negative_days_count_from_the_end_of_each_month(day: str, inside: bool) -> None:  # noqa: FBT001
    interval = TimeInterval(days_of_month=((-7, -1),))

    assert interval.contains(_ms(f"{day}T12:00:00+00:00")) is inside


def test_a_range_of_days_ends_with_the_month() -> None:
    interval = TimeInterval(days_of_month=((30, 31),))

    assert not any(interval.contains(_ms(f"2027-02-{day:02}T00:00:00+00:00")) for day in range(1, 29))
    assert interval.contains(_ms("2027-04-30T00:00:00+00:00"))


def test_sunday_is_the_first_day_of_the_week() -> None:
    interval = TimeInterval(weekdays=((0, 0),))

    assert interval.contains(_ms("2026-11-22T00:00:00+00:00"))
    assert not interval.contains(_ms("2026-11-21T23:59:59+00:00"))


def test_the_zone_of_this_machine_is_called_local() -> None:
    now = datetime.now(UTC).astimezone()
    interval = TimeInterval(times=((now.hour * 60 + now.minute, now.hour * 60 + now.minute + 1),), location="Local")

    assert interval.contains(int(now.timestamp() * 1000))


@pytest.mark.parametrize("text", ["Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\0b", "Europe"])
def test_what_is_no_time_zone_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="unknown time zone"):
        parse_location(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("5:3", "always before"),
        ("0", "out of range"),
        ("-3:5", "must be negative"),
        ("1:2:3", "invalid format"),
        ("x", "not a valid"),
    ],
)
def test_impossible_days_are_refused(text: str, problem: str) -> None:
    with pytest.raises(ParseError, match=problem):
        parse_days_of_month(text)


def test_months_go_by_name_or_number() -> None:
    assert parse_months("March") == parse_months("3") == (3, 3)
    assert parse_months("1:march") == (1, 3)
    with pytest.raises(ParseError):
        parse_months("13")
