from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting.cron import parse_cron


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _next(expression: str, after: str, location: str = "") -> str:
    found = parse_cron(expression, location).next_after(_ms(after))
    return datetime.fromtimestamp(found / 1000, UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        pytest.param("0 * * * *", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z", id="the time itself does not count"),
        pytest.param("0 * * * *", "2026-11-21T10:59:59Z", "2026-11-21T11:00:00Z", id="the next full hour"),
        pytest.param("*/15 8-17 * * mon-fri", "2026-11-20T17:50:00Z", "2026-11-23T08:00:00Z", id="over the weekend"),
        pytest.param("0 0 29 2 *", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z", id="leap days"),
        pytest.param("0 12 13 * fri", "2026-11-21T00:00:00Z", "2026-11-27T12:00:00Z", id="either day suffices"),
        pytest.param("0 12 */2 * fri", "2026-11-21T00:00:00Z", "2026-11-27T12:00:00Z", id="a star needs both days"),
        pytest.param("0 0 * * 7", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", id="seven is Sunday too"),
        pytest.param("5,10 0 1 jan,jul *", "2026-11-21T00:00:00Z", "2027-01-01T00:05:00Z", id="names and lists"),
        pytest.param("@weekly", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", id="a short form"),
    ],
)
def test_the_next_time(expression: str, after: str, expected: str) -> None:
    assert _next(expression, after) == expected


def test_what_falls_into_the_skipped_hour_happens_at_its_end() -> None:
    assert _next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin") == "2026-03-29T01:00:00Z"
    assert _next("30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Berlin") == "2026-03-30T00:30:00Z"


def test_what_falls_into_the_repeated_hour_happens_once() -> None:
    assert _next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin") == "2026-10-25T00:30:00Z"
    assert _next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin") == "2026-10-26T01:30:00Z"


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
     "5-1 * * * *", "*/0 * * * *", "0 0 30 2 *", "0 0 31 4,6 *", "-1 * * * *", "1,,2 * * * *", "99999999999 * * * *"],
)  # fmt: skip
def test_what_is_no_expression_or_never_happens_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_cron(text)


_minutes = st.sampled_from(["*", "0", "*/20", "7,33", "10-12"])
_hours = st.sampled_from(["*", "3", "*/6", "8-10"])
_days = st.sampled_from(["*", "1", "15,31", "*/10"])
_weekdays = st.sampled_from(["*", "0", "mon-fri", "6"])


@given(_minutes, _hours, _days, _weekdays, st.integers(0, 40 * 24 * 60))
def test_the_next_time_is_the_first_minute_that_fits(
    minute: str, hour: str, day: str, weekday: str, offset: int
) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=offset)
    cron = parse_cron(f"{minute} {hour} {day} * {weekday}")

    found = datetime.fromtimestamp(cron.next_after(int(start.timestamp() * 1000)) / 1000, UTC)

    def fits(at: datetime) -> bool:
        by_day, by_week = at.day in cron.days, at.isoweekday() % 7 in cron.weekdays
        either = by_day or by_week if day != "*" and not day.startswith("*") and weekday != "*" else by_day and by_week
        return at.minute in cron.minutes and at.hour in cron.hours and either

    at = start + timedelta(minutes=1)
    while not fits(at):
        at += timedelta(minutes=1)
    assert found == at
