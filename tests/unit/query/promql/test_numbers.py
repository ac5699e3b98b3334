from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.query.promql.numbers import format_general, format_open_metrics, format_plain, parse_float


@pytest.mark.parametrize(
    ("value", "plain", "general"),
    [
        (0.0, "0", "0"),
        (-0.0, "-0", "-0"),
        (1.0, "1", "1"),
        (0.1, "0.1", "0.1"),
        (1e21, "1000000000000000000000", "1e+21"),
        (1e20, "100000000000000000000", "100000000000000000000"),
        (1.5e-7, "0.00000015", "1.5e-07"),
        (0.0001, "0.0001", "0.0001"),
        (123456.789, "123456.789", "123456.789"),
        (math.inf, "+Inf", "+Inf"),
        (-math.inf, "-Inf", "-Inf"),
        (math.nan, "NaN", "NaN"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, plain: str, general: str) -> None:
    assert format_plain(value) == plain
    assert format_general(value) == general


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_reads_as_the_same_number(value: float) -> None:
    assert parse_float(format_plain(value)) == value
    assert parse_float(format_general(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("+Inf", math.inf), ("-inf", -math.inf), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("0x1p-2", 0.25)],
)
def test_bounds_are_read_as_go_reads_them(text: str, value: float) -> None:
    assert parse_float(text) == value


@pytest.mark.parametrize("text", ["", "Hello", "1 ", " 1", "1_0", "1e400", "0x", "--1", "٣"])
def test_what_go_does_not_read_is_no_number(text: str) -> None:
    assert parse_float(text) is None


def test_open_metrics_writes_whole_numbers_with_a_point() -> None:
    assert [format_open_metrics(v) for v in (1.0, 0.5, math.nan, 1e30)] == ["1.0", "0.5", "NaN", "1e+30"]
