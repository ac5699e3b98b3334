from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from vedette.store.metrics.slices import plan_slices

ALL = 2**64 - 1


def test_small_metrics_share_a_slice() -> None:
    slices = plan_slices({"a": 3, "b": 4, "c": 5}, max_samples=8)

    assert [part.metrics for part in slices] == [("a", "b"), ("c",)]


def test_a_large_metric_is_cut_into_ranges_of_ids_without_a_gap() -> None:
    slices = plan_slices({"a": 25}, max_samples=10)

    assert len(slices) == 3
    assert (slices[0].first_id, slices[-1].last_id) == (0, ALL)
    assert all(after.first_id == before.last_id + 1 for before, after in itertools.pairwise(slices))


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 100)), st.integers(1, 50))
def test_every_series_is_in_one_slice(samples: dict[str, int], max_samples: int) -> None:
    slices = plan_slices(samples, max_samples=max_samples)

    for metric in samples:
        ranges = sorted((part.first_id, part.last_id) for part in slices if metric in part.metrics)
        assert ranges[0][0] == 0
        assert ranges[-1][1] == ALL
        assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(ranges))
