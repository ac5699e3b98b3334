from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.query.promql.group_kernels import find_groups, quantile_of
from vedette.query.promql.row_kernels import Window, fill_windows
from vedette.query.promql.runs import NOT_PACKED
from vedette.query.promql.window_orders import sort_lanes
from vedette.query.promql.windows import count_at_steps, count_until, even_stretch, spacing


@given(
    times=st.lists(st.integers(-1000, 1000), unique=True, max_size=60).map(sorted),
    first=st.integers(-1500, 1500),
    step=st.integers(0, 70),
)
def test_counting_at_steps_is_the_same_for_even_and_uneven_times(times: list[int], first: int, step: int) -> None:
    run = np.array(times, np.int64)
    even = np.arange(len(times), dtype=np.int64) * 15 - 300
    for sampled in (run, even):
        counts = np.empty(20, np.int64)

        count_at_steps(sampled, sampled.size, spacing(sampled, sampled.size), first, step, counts)

        assert counts.tolist() == [int((sampled <= first + i * step).sum()) for i in range(20)]


def test_counting_starts_from_what_is_known() -> None:
    times = np.array([1, 2, 3, 10, 20], np.int64)

    assert count_until(times, 5, 2, 10) == 4
    assert count_until(times, 5, 4, 10) == 4
    assert count_until(times, 5, 0, 0) == 0
    assert count_until(times, 5, 0, 99) == 5


def test_a_stretch_ends_where_windows_change_their_size_or_their_pace() -> None:
    lows = np.array([0, 4, 8, 12, 17], np.int64)
    highs = np.array([9, 13, 17, 20, 25], np.int64)

    assert even_stretch(lows, highs, 0) == 3
    assert even_stretch(lows, highs, 2) == 3
    assert even_stretch(lows, highs, 4) == 5


@pytest.mark.parametrize("size", [*range(1, 20), 31, 32, 33, 63, 64])
def test_the_network_sorts_columns_of_every_size(size: int) -> None:
    columns = np.random.default_rng(size).integers(0, 9, (64, 64)).astype(np.float64)
    expected = np.sort(columns[:size], axis=0)

    sort_lanes(columns, size, 64)

    assert (columns[:size] == expected).all()


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(allow_nan=True)), min_size=1, max_size=90),
    st.floats(0, 1),
)
def test_a_quantile_by_selection_is_the_one_by_sorting(values: list[float], q: float) -> None:
    array = np.array(values)
    ordered = np.concatenate([array[np.isnan(array)], np.sort(array[~np.isnan(array)])])
    rank = q * (len(values) - 1)
    low = int(np.floor(rank))
    weight = rank - low
    with np.errstate(all="ignore"):
        expected = ordered[low] * (1 - weight) + ordered[min(low + 1, len(values) - 1)] * weight

    found = quantile_of(array.copy(), q)

    assert found == expected or (np.isnan(found) and np.isnan(expected))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=80))
def test_groups_are_numbered_in_the_order_of_their_first_rows(rows: list[tuple[int, int]]) -> None:
    columns = np.ascontiguousarray(np.array(rows, np.int32).T)
    groups, firsts = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)

    count = find_groups(columns, groups, firsts)

    seen = list(dict.fromkeys(rows))
    assert count == len(seen)
    assert groups.tolist() == [seen.index(row) for row in rows]
    assert firsts[:count].tolist() == [rows.index(row) for row in seen]


def test_runs_with_other_times_than_the_one_before_get_windows_of_their_own() -> None:
    offsets = np.array([0, 3, 3, 6, 9], np.int64)
    times = np.array([10, 20, 30, 10, 20, 30, 11, 21, 31], np.int64)
    values = np.arange(9, dtype=np.float64)
    rows, present = np.empty((4, 1)), np.empty((4, 1), np.bool_)

    fill_windows(
        int(Window.SUM),
        offsets,
        times,
        values,
        NOT_PACKED,
        *(30, 1, 30),
        np.zeros(1, np.int64),
        np.zeros((2, 1)),
        rows,
        present,
    )

    assert present[:, 0].tolist() == [True, False, True, True]
    assert rows[[0, 2, 3], 0].tolist() == [3.0, 12.0, 13.0]
