from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.promql import parse
from vedette.model.errors import LimitExceededError
from vedette.model.labels import label_set
from vedette.model.samples import STALE
from vedette.query.newest import newest_samples
from vedette.query.promql import EvalOptions, InstantResult, Vector, evaluate_instant
from vedette.query.stored import StoredSource
from vedette.store.head import SampleMemory, SeriesIndex

NOON_MS = 1_700_000_000_000
LOOKBACK_MS = 300_000

_VALUES = st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf, float(STALE)])
_SERIES = st.lists(
    st.tuples(st.integers(-LOOKBACK_MS - 2, 10), _VALUES).map(lambda sample: (NOON_MS + sample[0], sample[1])),
    min_size=1,
    max_size=5,
    unique_by=lambda sample: sample[0],
)


def source_of(series: list[list[tuple[int, float]]]) -> StoredSource:
    index, memory = SeriesIndex(), SampleMemory(max_bytes=4 << 20)
    memory.start_from(0)
    for number, samples in enumerate(series):
        slot, _ = index.resolve(label_set({"__name__": "up", "n": str(number)}), max_series=100)
        times = np.array(sorted(time for time, _ in samples), np.int64)
        values = np.array([value for _, value in sorted(samples, key=lambda sample: sample[0])])
        slots = np.full(len(times), slot, np.int64)
        index.touch(slots, times, times)
        memory.append(slots, times, values, window_ms=0)
    return StoredSource(index, memory, None)


def shown(result: InstantResult) -> object:
    assert isinstance(result.value, Vector)
    labels, values = result.value.labels.label_sets(), result.value.values
    return labels, values.view(np.uint64).tolist(), result.value.time_ms, len(result.annotations)


@given(
    st.lists(_SERIES, max_size=10),
    st.sampled_from(["up", 'up{n="1"}', 'up{n=~"[0-4]"}', "other"]),
    st.integers(NOON_MS - 20, NOON_MS + 20),
)
def test_the_answer_is_the_evaluators(series: list[list[tuple[int, float]]], query: str, at_ms: int) -> None:
    source, options = source_of(series), EvalOptions()

    newest = newest_samples(parse(query), at_ms, source, options)

    if newest is not None:
        expected = evaluate_instant(parse(query), at_ms=at_ms, source=source, options=options)
        assert shown(newest) == shown(expected)
        assert newest.stats.samples_read == expected.stats.samples_read
        assert newest.stats.series_selected == expected.stats.series_selected


@pytest.mark.parametrize("query", ["up", 'up{n="1"}'])
def test_a_few_series_are_answered_here(query: str) -> None:
    source = source_of([[(NOON_MS, 1.0)]] * 3)

    assert newest_samples(parse(query), NOON_MS, source, EvalOptions()) is not None


@pytest.mark.parametrize(
    "query", ["up offset 1m", "up @ 1", "up @ end()", "up + 1", "up[5m]", "rate(up[5m])", "1", '"up"', "-up"]
)
def test_what_is_more_than_a_selector_is_left_to_the_evaluator(query: str) -> None:
    source = source_of([[(NOON_MS, 1.0)]])

    assert newest_samples(parse(query), NOON_MS, source, EvalOptions()) is None


def test_many_series_are_left_to_the_evaluator() -> None:
    assert newest_samples(parse("up"), NOON_MS, source_of([[(NOON_MS, 1.0)]] * 20), EvalOptions()) is None


def test_the_limit_of_series_holds() -> None:
    with pytest.raises(LimitExceededError):
        newest_samples(parse("up"), NOON_MS, source_of([[(NOON_MS, 1.0)]] * 3), EvalOptions(max_series=2))


def test_what_holds_too_many_samples_is_left_to_the_evaluator_which_says_so() -> None:
    source = source_of([[(NOON_MS - offset, 1.0) for offset in range(10)]])

    assert newest_samples(parse("up"), NOON_MS, source, EvalOptions(max_samples=5)) is None


def test_the_values_stay_when_the_source_is_read_again() -> None:
    source = source_of([[(NOON_MS, 1.0)], [(NOON_MS, 2.0)]])
    first = newest_samples(parse('up{n="0"}'), NOON_MS, source, EvalOptions())

    newest_samples(parse('up{n="1"}'), NOON_MS, source, EvalOptions())

    assert first is not None
    assert isinstance(first.value, Vector)
    assert first.value.values.tolist() == [1.0]
