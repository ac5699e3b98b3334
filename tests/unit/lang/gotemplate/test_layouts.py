"""Times by Go's layouts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.gotemplate import Instant, format_time, parse_time
from vedette.lang.gotemplate.calendar import load_zone
from vedette.lang.gotemplate.layouts import RFC3339_NANO

_MOMENT = Instant(1_709_647_327_012_345_678)
"""2024-03-05 14:02:07.012345678 UTC, a Tuesday."""


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        pytest.param("2006-01-02 15:04:05", "2024-03-05 14:02:07", id="digits"),
        pytest.param("Mon Jan _2 15:04:05 2006", "Tue Mar  5 14:02:07 2024", id="ANSI C"),
        pytest.param("Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 05-Mar-24 14:02:07 UTC", id="RFC 850"),
        pytest.param("3:04PM 03pm", "2:02PM 02pm", id="twelve hours"),
        pytest.param("January 2 002 __2", "March 5 065  65", id="days of the year"),
        pytest.param("05.000 05.999999 05,00", "07.012 07.012345 07,01", id="fractions"),
        pytest.param("2006-01-02T15:04:05Z07:00", "2024-03-05T14:02:07Z", id="RFC 3339"),
        pytest.param("-0700 -07:00 -07", "+0000 +00:00 +00", id="offsets"),
        pytest.param("Janet said Mondays", "Janet said Tuesdays", id="names in words"),
        pytest.param("x7 6", "x7 6", id="what is no part stays"),
    ],
)
def test_a_layout_shows_a_time(layout: str, text: str) -> None:
    assert format_time(_MOMENT, layout) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        pytest.param("Europe/Berlin", "15:02 CET +0100", id="winter in Berlin"),
        pytest.param("America/New_York", "09:02 EST -0500", id="winter in New York"),
        pytest.param("Asia/Kolkata", "19:32 IST +0530", id="half an hour"),
    ],
)
def test_a_zone_moves_the_clock(zone: str, text: str) -> None:
    assert format_time(Instant(_MOMENT.ns, load_zone(zone)), "15:04 MST -0700") == text


@pytest.mark.parametrize(
    ("layout", "text", "problem"),
    [
        pytest.param("2006-01-02", "2024-13-01", 'parsing time "2024-13-01": month out of range', id="month 13"),
        pytest.param("2006-01-02", "2024-02-30", 'parsing time "2024-02-30": day out of range', id="February 30"),
        pytest.param("15:04", "25:00", 'parsing time "25:00": hour out of range', id="hour 25"),
        pytest.param("2006", "2024x", 'parsing time "2024x": extra text: "x"', id="more text"),
        pytest.param(
            "2006-01", "2024/01", 'parsing time "2024/01" as "2006-01": cannot parse "/01" as "-"', id="another sign"
        ),
        pytest.param("Jan", "Foo", 'parsing time "Foo" as "Jan": cannot parse "Foo" as "Jan"', id="no month"),
    ],
)
def test_a_text_without_the_layout_is_refused(layout: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match="parsing time") as refused:
        parse_time(layout, text)

    assert str(refused.value) == problem


def test_texts_that_are_far_too_long_are_not_read() -> None:
    with pytest.raises(ValueError, match="more than 1,000 characters"):
        parse_time("x" * 1001, "x" * 1001)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - made UTC below
def test_what_was_written_is_read_again(moment: datetime) -> None:
    since = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    ns = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000

    text = format_time(Instant(ns), RFC3339_NANO)

    assert parse_time(RFC3339_NANO, text).ns == ns
    assert text.startswith(moment.strftime("-%m-%dT%H:%M:%S"), 4)


@given(st.text(alphabet="20061502Jan Mon.0,9Z07:-_PMST3", max_size=25), st.text(max_size=20))
def test_any_layout_is_taken(layout: str, text: str) -> None:
    assert isinstance(format_time(_MOMENT, layout), str)
    try:
        parse_time(layout, text)
    except ValueError as exc:
        assert "parsing time" in str(exc)  # noqa: PT017 - either is right
