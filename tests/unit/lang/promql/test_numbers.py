from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.promql.numbers import format_number, format_short, parse_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("5.", 5.0, id="a dot at the end"),
        pytest.param(".5", 0.5, id="a dot at the beginning"),
        pytest.param("1e3", 1000.0, id="an exponent"),
        pytest.param("0xC", 12.0, id="hex"),
        pytest.param("0755", 493.0, id="a leading zero is octal"),
        pytest.param("089", 89.0, id="unless the digits are not"),
        pytest.param("1_000.5", 1000.5, id="underscores between digits"),
        pytest.param("0x_ff", 255.0, id="an underscore after the prefix"),
        pytest.param("INF", math.inf, id="infinity in any case"),
        pytest.param("9007199254740993", 9007199254740992.0, id="an integer that a float does not hold is rounded"),
    ],
)
def test_a_number_has_the_value_that_go_gives_it(text: str, expected: float) -> None:
    assert parse_number(text) == expected


@pytest.mark.parametrize(
    "text", ["1__0", "_1", "1_", "0x", "0xg", ".5.5", "1e999", "0xffffffffffffffff", "1e", "\u0661"]
)
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="error parsing number"):
        parse_number(text)


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_a_printed_number_is_read_back_and_has_no_exponent(value: float) -> None:
    text = format_number(value)

    assert "e" not in text
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1048576.0, "1048576"),
        (1.5e-7, "0.00000015"),
        (-1e21, "-1000000000000000000000"),
        (0.1, "0.1"),
        (-0.0, "-0"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_number_is_printed_without_exponent(value: float, expected: str) -> None:
    assert format_number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(5.0, "5"), (-23.0, "-23"), (1e6, "1e+06"), (1.25e-5, "1.25e-05"), (123456.5, "123456.5")]
)
def test_a_short_number_has_an_exponent_where_go_prints_one(value: float, expected: str) -> None:
    assert format_short(value) == expected
