from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.store.metrics import SeriesKeys, series_keys
from vedette.store.metrics.keys import Read, plan_reads

METRICS = ["b", "a", "Z", "ä"]


def keys_of(wanted: dict[str, list[int]], totals: dict[str, int] | None = None) -> SeriesKeys:
    names = list(wanted)
    codes = np.array([code for code, name in enumerate(names) for _ in wanted[name]], np.int64)
    ids = np.array([key for name in names for key in wanted[name]], np.uint64)
    known = None if totals is None else np.array([totals[name] for name in names])
    return series_keys(codes, names, ids, known)[0]


def passes(read: Read, metric: str, key: int) -> bool:
    """Whether the engine would hand out a row, by the parameters' names."""
    found = read.parameters
    if metric in (found.get("whole") or ()):  # type: ignore[operator]
        return True
    for number in (name.removeprefix("metric") for name in found if re.fullmatch(r"metric\d+", name)):
        low, high = found[f"low{number}"], found[f"high{number}"]
        assert isinstance(low, int)
        assert isinstance(high, int)
        if found[f"metric{number}"] == metric and low <= key <= high:
            return True
    return metric in (found.get("metrics") or ()) and key in (found.get("ids") or ())  # type: ignore[operator]


def test_series_are_put_in_the_order_of_the_table() -> None:
    codes = np.array([0, 1, 0, 3, 2])
    ids = np.array([9, 5, 2**64 - 1, 4, 8], np.uint64)

    keys, order = series_keys(codes, METRICS, ids, np.array([20, 10, 30, 40]))

    assert [keys.metrics[code] for code in keys.codes] == ["Z", "a", "b", "b", "ä"]
    assert keys.ids.tolist() == [8, 5, 9, 2**64 - 1, 4]
    assert order.tolist() == [4, 1, 0, 2, 3]
    assert keys.totals.tolist() == [30, 10, 20, 40]


def test_a_part_keeps_the_metrics_numbers() -> None:
    part = keys_of({"a": [1, 2], "b": [3, 4]}).part(1, 3)

    assert [part.metrics[code] for code in part.codes] == ["a", "b"]
    assert part.ids.tolist() == [2, 3]


def test_all_series_of_a_metric_are_asked_for_by_its_name() -> None:
    (read,) = plan_reads(keys_of({"a": [1, 2], "b": [3]}, {"a": 2, "b": 1}))

    assert read.condition == "(metric IN {whole:Array(String)})"
    assert read.parameters == {"whole": ["a", "b"]}


def test_a_few_series_out_of_many_are_asked_for_by_their_ids() -> None:
    (read,) = plan_reads(keys_of({"a": [1, 2**63, 2**64 - 1]}, {"a": 5000}))

    assert read.condition == "((metric IN {metrics:Array(String)} AND series_id IN {ids:Array(UInt64)}))"
    assert read.parameters == {"metrics": ["a"], "ids": [1, 2**63, 2**64 - 1]}


def test_most_of_the_series_between_two_are_asked_for_by_both_ends() -> None:
    quarter = [number * 2**55 for number in range(0, 128, 2)]

    (read,) = plan_reads(keys_of({"a": quarter}, {"a": 512}))

    assert read.parameters == {"metric0": "a", "low0": 0, "high0": 126 * 2**55}


def test_one_series_is_a_range_by_itself() -> None:
    (read,) = plan_reads(keys_of({"a": [77]}))

    assert read.parameters == {"metric0": "a", "low0": 77, "high0": 77}


def test_long_lists_are_cut_into_several_queries() -> None:
    ids = [number * 2**50 for number in range(9_000)]

    reads = plan_reads(keys_of({"a": ids, "b": ids[:10]}))

    assert [(read.first, read.after) for read in reads] == [(0, 3_999), (3_999, 7_998), (7_998, 9_010)]
    assert all(len(read.parameters["ids"]) < 4_000 for read in reads)  # type: ignore[arg-type]


def test_nothing_wanted_is_nothing_asked() -> None:
    assert plan_reads(keys_of({})) == []


ids_of = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30, unique=True).map(sorted)


@given(st.dictionaries(st.text(max_size=3), st.tuples(ids_of, st.integers(0, 60)), max_size=30))
def test_every_series_is_asked_for_by_the_query_that_it_belongs_to(wanted: dict[str, tuple[list[int], int]]) -> None:
    totals = {name: total for name, (_, total) in wanted.items()}
    keys = keys_of({name: ids for name, (ids, _) in wanted.items()}, totals)

    reads = plan_reads(keys)

    assert [row for read in reads for row in range(read.first, read.after)] == list(range(len(keys)))
    for read in reads:
        for row in range(read.first, read.after):
            assert passes(read, keys.metrics[int(keys.codes[row])], int(keys.ids[row]))
