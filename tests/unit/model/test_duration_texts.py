from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.durations import MAX_DURATION_MS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        pytest.param("1ms", 1, id="milliseconds are the smallest unit"),
        pytest.param("1h30m", 5_400_000, id="units add up"),
        pytest.param("1y2w3d4h5m6s7ms", 33_019_506_007, id="every unit in its order"),
        pytest.param("0", 0, id="zero needs no unit"),
        pytest.param("90m", 5_400_000, id="a unit may count more than the next one holds"),
    ],
)
def test_a_duration_is_the_sum_of_its_units(text: str, expected_ms: int) -> None:
    assert parse_duration(text) == expected_ms


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("1", id="a number without a unit"),
        pytest.param("1m1h", id="units out of order"),
        pytest.param("1m1m", id="a unit twice"),
        pytest.param("-1m", id="negative where that is not allowed"),
        pytest.param("1.5h", id="a fraction"),
        pytest.param("1h ", id="a space"),
        pytest.param("\u0661h", id="digits other than ASCII"),
        pytest.param("9" * 100_000 + "s", id="more digits than any duration has"),
        pytest.param("300y", id="longer than can be stored"),
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_a_refusal_quotes_no_more_than_the_beginning() -> None:
    with pytest.raises(ValueError, match="duration") as caught:
        parse_duration("x" * 1_000_000)

    assert len(str(caught.value)) < 300


@given(st.integers(-MAX_DURATION_MS, MAX_DURATION_MS))
def test_a_printed_duration_is_read_back_exactly(duration_ms: int) -> None:
    assert parse_duration(format_duration(duration_ms), allow_negative=True) == duration_ms


def test_weeks_and_years_are_printed_only_where_nothing_is_left_over() -> None:
    assert format_duration(90 * 86_400_000) == "90d"
    assert format_duration(14 * 86_400_000) == "2w"
    assert format_duration(365 * 86_400_000) == "1y"
