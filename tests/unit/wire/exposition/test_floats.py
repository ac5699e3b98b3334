from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.wire.exposition.float_reading import parse_float, read_float
from vedette.wire.exposition.float_writing import format_float, format_openmetrics_float


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@kernel("Tuple((float64, int64, boolean))(uint8[::1])")
def read(data: NDArray[np.uint8]) -> tuple[float, int, bool]:
    return read_float(data, 0)


def read_text(text: str, behind: bytes = b"\n") -> tuple[float, int, bool]:
    return read(np.array(bytearray(text.encode() + behind + bytes(16)), np.uint8))


floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**30), 10**30).map(str),
    st.tuples(st.integers(-(10**25), 10**25), st.integers(-345, 330)).map(lambda p: f"{p[0]}e{p[1]}"),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda d: f"{d:E}"),
    # Half-way between two floats.
    st.integers(2**52, 2**53 - 1).map(lambda mantissa: str(2 * mantissa + 1)),
)


@given(floats)
def test_the_kernel_reads_a_number_to_the_bits_that_python_reads(text: str) -> None:
    value, end, known = read_text(text)

    if known:
        assert end == len(text)
        assert bits(value) == bits(float(text))


@given(st.integers(-(10**15), 10**15), st.integers(-290, 290), st.integers(0, 3))
def test_the_kernel_knows_numbers_of_up_to_fifteen_digits(digits: int, power: int, zeros: int) -> None:
    text = f"{digits}.{'0' * zeros}e{power}"

    value, end, known = read_text(text)

    assert known
    assert end == len(text)
    assert bits(value) == bits(float(text))


@given(st.text("0123456789.eE+-naif ", max_size=12))
def test_the_kernel_knows_no_number_that_the_reference_refuses(text: str) -> None:
    value, end, known = read_text(text)

    if known and end == len(text):
        assert bits(parse_float(text)) == bits(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1.", 1.0, id="no digit behind the point"),
        pytest.param(".5", 0.5, id="no digit before the point"),
        pytest.param("+Inf", math.inf, id="infinity"),
        pytest.param("-infinity", -math.inf, id="infinity in full"),
        pytest.param("iNf", math.inf, id="infinity in any case"),
        pytest.param("-0", -0.0, id="minus zero"),
        pytest.param("1e-400", 0.0, id="too small is zero"),
        pytest.param("5e-324", 5e-324, id="the smallest number"),
        pytest.param("1" + "0" * 400 + "e-400", 1.0, id="digits beyond the range, exponent that brings them back"),
    ],
)
def test_numbers_are_read_as_go_reads_them(text: str, value: float) -> None:
    assert bits(parse_float(text)) == bits(value)


@pytest.mark.parametrize(
    "text", ["", "+", ".", "1e", "1e+", "+nan", "1_0", "0x1", "0x1p-2", "infin", "1e309", " 1", "٣"]
)
def test_what_go_refuses_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid syntax|unsupported character|out of range"):
        parse_float(text)


@pytest.mark.parametrize(
    ("value", "text", "openmetrics"),
    [
        (0.0, "0", "0.0"),
        (-0.0, "0", "0.0"),
        (1.0, "1", "1.0"),
        (1.5, "1.5", "1.5"),
        (999999.0, "999999", "999999.0"),
        (1e6, "1e+06", "1e+06"),
        (1234567.5, "1.2345675e+06", "1.2345675e+06"),
        (-1e23, "-1e+23", "-1e+23"),
        (1e100, "1e+100", "1e+100"),
        (0.0001, "0.0001", "0.0001"),
        (0.00001, "1e-05", "1e-05"),
        (4.9351e-05, "4.9351e-05", "4.9351e-05"),
        (5e-324, "5e-324", "5e-324"),
        (math.inf, "+Inf", "+Inf"),
        (-math.inf, "-Inf", "-Inf"),
        (math.nan, "NaN", "NaN"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str, openmetrics: str) -> None:
    assert format_float(value) == text
    assert format_openmetrics_float(value) == openmetrics


@given(st.floats(allow_nan=False).filter(lambda value: value != 0))
def test_a_number_that_is_written_reads_back_the_same(value: float) -> None:
    assert bits(parse_float(format_float(value))) == bits(value)
    assert bits(parse_float(format_openmetrics_float(value))) == bits(value)
