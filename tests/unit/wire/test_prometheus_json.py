from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.labels import LabelSet
from vedette.model.samples import SampleRuns
from vedette.wire.prometheus_json import matrix_json, point_json, runs_json, vector_json


def frame(label_sets: Sequence[LabelSet]) -> LabelFrame:
    return LabelFrame.of(SymbolTable().overlay(), label_sets)


def as_a_point(value: float) -> str:
    return json.loads(point_json(0, value))[1]


def in_a_vector(value: float, size: int) -> str:
    rows = json.loads(
        b"[" + b"".join(vector_json(frame([(("n", str(i)),) for i in range(size)]), 0, np.full(size, value))) + b"]"
    )
    assert len({row["value"][1] for row in rows}) == 1
    return rows[-1]["value"][1]


def in_a_matrix(value: float, size: int) -> str:
    values = np.full((size, 3), value)
    labels = frame([(("n", str(i)),) for i in range(size)])
    rows = json.loads(
        b"[" + b"".join(matrix_json(labels, np.arange(3) * 1000, values, np.ones_like(values, np.bool_))) + b"]"
    )
    assert len({text for row in rows for _, text in row["values"]}) == 1
    return rows[-1]["values"][-1][1]


def in_a_run(value: float) -> str:
    runs = SampleRuns(np.array([0, 1]), np.array([0]), np.array([value]))
    return json.loads(b"[" + b"".join(runs_json(frame([()]), runs, 1)) + b"]")[0]["values"][0][1]


WRITERS = [
    pytest.param(as_a_point, id="a point"),
    pytest.param(lambda value: in_a_vector(value, 2), id="a short vector"),
    pytest.param(lambda value: in_a_vector(value, 20), id="a long vector"),
    pytest.param(lambda value: in_a_matrix(value, 1), id="a short matrix"),
    pytest.param(lambda value: in_a_matrix(value, 5), id="a long matrix"),
    pytest.param(in_a_run, id="a range vector"),
]


def significant_digits(text: str) -> str:
    return text.lstrip("+-").lower().split("e")[0].replace(".", "").strip("0")


@pytest.mark.parametrize("write", WRITERS)
@given(
    st.floats()
    | st.integers(0, 2**64 - 1).map(lambda bits: float(np.uint64(bits).view(np.float64)))
    | st.decimals(-(10**6), 10**6, places=4).map(float)
    | st.integers(-(2**60), 2**60).map(float)
    | st.integers(-1074, 1023).map(lambda power: math.ldexp(1.0, power))
)
def test_a_value_reads_back_bit_by_bit_and_no_shorter_text_would(write: Callable[[float], str], value: float) -> None:
    text = write(value)

    assert np.float64(text).view(np.uint64) == np.float64(value).view(np.uint64) or math.isnan(value)
    assert len(significant_digits(text)) == len(significant_digits(repr(value)))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.0, "0", id="zero"),
        pytest.param(-0.0, "-0", id="negative zero"),
        pytest.param(100.0, "100", id="whole"),
        pytest.param(-2.5, "-2.5", id="negative"),
        pytest.param(1234567890.5, "1234567890.5", id="more digits before the point than behind it"),
        pytest.param(0.1 + 0.2, "0.30000000000000004", id="seventeen digits"),
        pytest.param(-1.7976931348623157e308, "-1.7976931348623157e+308", id="the longest with an exponent"),
        pytest.param(-0.0000012345678901234567, "-0.0000012345678901234567", id="the longest without one"),
        pytest.param(9007199254740991.0, "9007199254740991", id="the largest whole number of 53 bits"),
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
def test_a_value_is_written_as_prometheus_writes_it(write: Callable[[float], str], value: float, expected: str) -> None:
    assert write(value) == expected


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
    for size in (1, 5):
        matrix = matrix_json(frame([()] * size), np.array([time_ms]), np.ones((size, 1)), np.ones((size, 1), np.bool_))
        assert b"".join(matrix).count(expected) == size


@given(st.integers(-(2**62), 2**62))
def test_all_ways_to_write_a_time_agree(time_ms: int) -> None:
    labels, times, ones, present = frame([()] * 9), np.array([time_ms]), np.ones((9, 1)), np.ones((9, 1), np.bool_)

    point = point_json(time_ms, 1.0)

    assert b"".join(matrix_json(labels, times, ones[:1], present[:1])).endswith(b'"values":[%b]}' % point)
    assert b"".join(matrix_json(labels, times, ones, present)).endswith(b'"values":[%b]}' % point)
    assert b"".join(vector_json(labels, time_ms, ones[:, 0])).endswith(b'"value":%b}' % point)


def test_a_matrix_leaves_out_what_is_not_present() -> None:
    labels = frame([(("__name__", "up"),), (("a", 'quo"te\n'),)])
    values, present = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, True], [False, True]])

    text = b"".join(matrix_json(labels, np.array([0, 15_000]), values, present))

    assert json.loads(b"[" + text + b"]") == [
        {"metric": {"__name__": "up"}, "values": [[0, "1"], [15, "2"]]},
        {"metric": {"a": 'quo"te\n'}, "values": [[15, "4"]]},
    ]


@pytest.mark.parametrize("helpers", [0, 1, 2])
def test_large_results_come_in_pieces_that_join_to_one(helpers: int) -> None:
    series, steps = 3000, 150
    labels = frame([(("n", str(i)),) for i in range(series)])
    values = np.arange(series * steps, dtype=np.float64).reshape(series, steps)

    with ThreadPoolExecutor(helpers or 1) as pool:
        helper = pool if helpers else None
        pieces = list(
            matrix_json(labels, np.arange(steps) * 1000, values, np.ones(values.shape, np.bool_), helper=helper)
        )

    assert len(pieces) > 1
    rows = json.loads(b"[" + b"".join(pieces) + b"]")
    assert [float(value) for row in rows for _, value in row["values"]] == values.ravel().tolist()


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000])
def test_a_vector_of_any_size_is_one_list(count: int) -> None:
    labels = frame([(("n", str(i)),) for i in range(count)])

    text = b"".join(vector_json(labels, 1000, np.arange(count, dtype=np.float64)))

    assert [row["value"][1] for row in json.loads(b"[" + text + b"]")] == [str(i) for i in range(count)]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["__name__", "job", "le", "z"]), st.text(min_size=1, max_size=5)), max_size=8
    ),
    st.sampled_from([1, 20]),
)
def test_label_sets_read_back_in_the_order_of_names(label_sets: list[dict[str, str]], times: int) -> None:
    sets = [tuple(sorted(labels.items())) for labels in label_sets] * times

    text = b"".join(vector_json(frame(sets), 0, np.zeros(len(sets))))

    rows = json.loads(b"[" + text + b"]")
    assert [list(row["metric"].items()) for row in rows] == [list(labels) for labels in sets]


def test_only_as_many_elements_are_written_as_there_are_values() -> None:
    labels = frame([(("n", "a"),), (("n", "b"),)])

    vector = b"".join(vector_json(labels, 0, np.zeros(1)))
    matrix = b"".join(matrix_json(labels, np.zeros(1, np.int64), np.zeros((1, 1)), np.ones((1, 1), np.bool_)))

    assert vector == b'{"metric":{"n":"a"},"value":[0,"0"]}'
    assert matrix == b'{"metric":{"n":"a"},"values":[[0,"0"]]}'


def test_the_runs_of_a_range_vector_have_times_of_their_own() -> None:
    runs = SampleRuns(np.array([0, 2, 2, 3]), np.array([1000, 2500, -1]), np.array([1.5, math.inf, math.nan]))

    text = b"".join(runs_json(frame([(("n", "a"),), (), (("n", "c"),)]), runs, 3))

    assert json.loads(b"[" + text + b"]") == [
        {"metric": {"n": "a"}, "values": [[1, "1.5"], [2.5, "+Inf"]]},
        {"metric": {}, "values": []},
        {"metric": {"n": "c"}, "values": [[-0.001, "NaN"]]},
    ]


def test_values_that_must_not_be_written_to_are_taken() -> None:
    values = np.broadcast_to(np.array([[1.0, 2.0]]), (2, 2))
    present = np.broadcast_to(np.ones((1, 2), np.bool_), (2, 2))

    text = b"".join(matrix_json(frame([(), (("n", "b"),)]), np.array([0, 1000]), values, present))

    assert [row["values"] for row in json.loads(b"[" + text + b"]")] == [[[0, "1"], [1, "2"]]] * 2
