from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.prometheus_json import matrix_json, point_json, vector_json


def written(value: float) -> str:
    return json.loads(point_json(0, value))[1]


def significant_digits(text: str) -> str:
    return text.lstrip("+-").lower().split("e")[0].replace(".", "").strip("0")


@given(
    st.floats()
    | st.integers(0, 2**64 - 1).map(lambda bits: float(np.uint64(bits).view(np.float64)))
    | st.decimals(-(10**6), 10**6, places=4).map(float)
    | st.integers(-(2**60), 2**60).map(float)
    | st.integers(-1074, 1023).map(lambda power: math.ldexp(1.0, power))
)
def test_a_value_reads_back_bit_by_bit_and_no_shorter_text_would(value: float) -> None:
    text = written(value)

    assert np.float64(text).view(np.uint64) == np.float64(value).view(np.uint64) or math.isnan(value)
    assert len(significant_digits(text)) == len(significant_digits(repr(value)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.0, "0", id="zero"),
        pytest.param(-0.0, "-0", id="negative zero"),
        pytest.param(100.0, "100", id="whole"),
        pytest.param(-2.5, "-2.5", id="negative"),
        pytest.param(0.000001, "0.000001", id="the smallest without an exponent"),
        pytest.param(9.99e-7, "9.99e-07", id="smaller takes an exponent of two digits"),
        pytest.param(1.5e300, "1.5e+300", id="an exponent of three digits"),
        pytest.param(123456789012345680000.0, "123456789012345680000", id="the largest without an exponent"),
        pytest.param(1e21, "1e+21", id="larger takes an exponent"),
        pytest.param(math.nan, "NaN", id="NaN"),
        pytest.param(math.inf, "+Inf", id="infinity"),
        pytest.param(-math.inf, "-Inf", id="negative infinity"),
    ],
)
def test_a_value_is_written_as_prometheus_writes_it(value: float, expected: str) -> None:
    assert written(value) == expected


@pytest.mark.parametrize(
    ("time_ms", "expected"),
    [
        pytest.param(1435781451781, b'[1435781451.781,"1"]', id="milliseconds"),
        pytest.param(1435781451000, b'[1435781451,"1"]', id="whole seconds have no point"),
        pytest.param(1435781451007, b'[1435781451.007,"1"]', id="zeros before the milliseconds"),
        pytest.param(1435781451700, b'[1435781451.700,"1"]', id="zeros behind them"),
        pytest.param(-1500, b'[-1.500,"1"]', id="before the epoch"),
    ],
)
def test_a_time_is_written_in_seconds_with_three_decimals_or_none(time_ms: int, expected: bytes) -> None:
    assert point_json(time_ms, 1.0) == expected


def test_a_matrix_leaves_out_what_is_not_present() -> None:
    labels = [(("__name__", "up"),), (("a", 'quo"te\n'),)]
    values, present = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, True], [False, True]])

    text = b"".join(matrix_json(labels, np.array([0, 15_000]), values, present))

    assert json.loads(b"[" + text + b"]") == [
        {"metric": {"__name__": "up"}, "values": [[0, "1"], [15, "2"]]},
        {"metric": {"a": 'quo"te\n'}, "values": [[15, "4"]]},
    ]


def test_large_results_come_in_pieces_that_join_to_one() -> None:
    series, steps = 3000, 700
    labels = [(("n", str(i)),) for i in range(series)]
    values = np.arange(series * steps, dtype=np.float64).reshape(series, steps)

    pieces = list(matrix_json(labels, np.arange(steps) * 1000, values, np.ones(values.shape, np.bool_)))

    assert len(pieces) > 1
    rows = json.loads(b"[" + b"".join(pieces) + b"]")
    assert [float(value) for row in rows for _, value in row["values"]] == values.ravel().tolist()


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000])
def test_a_vector_of_any_size_is_one_list(count: int) -> None:
    labels = [(("n", str(i)),) for i in range(count)]

    text = b"".join(vector_json(labels, 1000, np.arange(count, dtype=np.float64)))

    assert [row["value"][1] for row in json.loads(b"[" + text + b"]")] == [str(i) for i in range(count)]
