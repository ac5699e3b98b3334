from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.durations import Duration, Size, format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "ms", "printed"),
    [
        pytest.param("0", 0, "0s", id="zero needs no unit"),
        pytest.param("15s", 15_000, "15s", id="seconds"),
        pytest.param("1h30m", 5_400_000, "1h30m", id="several units"),
        pytest.param("14d", 1_209_600_000, "2w", id="whole weeks are printed as weeks"),
        pytest.param("90d", 7_776_000_000, "90d", id="days that are no whole weeks stay days"),
        pytest.param("1y", 31_536_000_000, "1y", id="a year has 365 days"),
        pytest.param("250ms", 250, "250ms", id="milliseconds"),
    ],
)
def test_a_duration_is_read_and_printed_as_prometheus_does(text: str, ms: int, printed: str) -> None:
    assert parse_duration(text) == ms
    assert format_duration(ms) == printed


@pytest.mark.parametrize("text", ["", "5", "1.5d", "1y1m1d", "-1h", "1 h", "1h ", "\uff12h", "300y", "9" * 5000 + "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_a_negative_duration_is_read_only_where_it_is_allowed() -> None:
    assert parse_duration("-1h", allow_negative=True) == -3_600_000
    assert str(Duration(-1_990_800_000)) == "-23d1h"


@given(st.integers(min_value=0, max_value=(2**63 - 1) // 1_000_000))
def test_a_printed_duration_is_read_back(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("0", 0, id="zero needs no unit"),
        pytest.param("15MB", 15 << 20, id="powers of 1024"),
        pytest.param("1KiB", 1024, id="a KiB is a KB"),
        pytest.param("1.5GB", 3 << 29, id="fractions"),
        pytest.param("1GB512MB", 3 << 29, id="a sum"),
        pytest.param("-1GB", -(1 << 30), id="negative, for the caller to refuse"),
    ],
)
def test_a_size_is_read_in_units_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "15", "MB", "1XB", "1 MB", "1mb", "9EB9EB", "9" * 400 + "B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_a_printed_size_is_read_back(size: int) -> None:
    assert parse_size(format_size(size)) == size
    assert str(Size(size)) == format_size(size)
