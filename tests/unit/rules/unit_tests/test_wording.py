from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.rules.unit_tests.wording import exponent_text, go_duration, labels_text, quoted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0E+00"),
        (-0.0, "-0E+00"),
        (1.0, "1E+00"),
        (-1.5, "-1.5E+00"),
        (0.1, "1E-01"),
        (1234.5, "1.2345E+03"),
        (1e22, "1E+22"),
        (1.7976931348623157e308, "1.7976931348623157E+308"),
        (5e-324, "5E-324"),
        (100.0, "1E+02"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_with_an_exponent(value: float, expected: str) -> None:
    assert exponent_text(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_number_is_lost(value: float) -> None:
    assert float(exponent_text(value)) == value


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "0s"),
        (250, "250ms"),
        (1_000, "1s"),
        (1_500, "1.5s"),
        (60_000, "1m0s"),
        (3_600_000, "1h0m0s"),
        (3_661_001, "1h1m1.001s"),
        (-60_000, "-1m0s"),
    ],
)
def test_spans_of_time_are_written_as_go_does(ms: int, expected: str) -> None:
    assert go_duration(ms) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("a\n\t\x01", '"a\\n\\t\\x01"'),
        ("über", '"über"'),
        ("\u200b", '"\\u200b"'),
    ],
)
def test_strings_are_quoted_as_go_does(text: str, expected: str) -> None:
    assert quoted(text) == expected


def test_labels_are_written_in_braces() -> None:
    assert labels_text((("__name__", "up"), ("a.b", "c"), ("job", "x"))) == '{__name__="up", "a.b"="c", job="x"}'
