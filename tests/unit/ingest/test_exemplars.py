from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.ingest.exemplars import MAX_LABEL_CHARACTERS, ExemplarStore
from vedette.model.labels import label_set
from vedette.model.samples import Exemplar


def exemplar(time_ms: int | None, value: float = 1.0, trace: str = "abc") -> Exemplar:
    return Exemplar(label_set({"trace_id": trace}), value, time_ms)


def test_exemplars_are_found_by_series_and_time() -> None:
    store = ExemplarStore()

    assert store.add(1, exemplar(10), sample_time_ms=99)
    assert store.add(1, exemplar(20), sample_time_ms=99)
    assert store.add(2, exemplar(15), sample_time_ms=99)

    assert [e.time_ms for e in store.of(1, 0, 100)] == [10, 20]
    assert [e.time_ms for e in store.of(1, 20, 20)] == [20]
    assert store.of(3, 0, 100) == []
    assert len(store) == 3


def test_one_without_a_time_gets_its_samples_and_is_new_only_if_it_says_something_new() -> None:
    store = ExemplarStore()

    assert store.add(1, exemplar(None), sample_time_ms=10)
    assert not store.add(1, exemplar(None), sample_time_ms=20)
    assert store.add(1, exemplar(None, value=2.0), sample_time_ms=30)

    assert [e.time_ms for e in store.of(1, 0, 100)] == [10, 30]


def test_one_that_repeats_or_is_older_than_the_latest_is_not_kept() -> None:
    store = ExemplarStore()
    store.add(1, exemplar(10), sample_time_ms=0)

    assert not store.add(1, exemplar(10), sample_time_ms=0)
    assert store.refused == 0
    assert not store.add(1, exemplar(10, value=2.0), sample_time_ms=0)
    assert not store.add(1, exemplar(5), sample_time_ms=0)
    assert store.refused == 2
    assert len(store) == 1


def test_labels_longer_than_openmetrics_allows_are_refused() -> None:
    store = ExemplarStore()
    longest = "x" * (MAX_LABEL_CHARACTERS - len("trace_id"))

    assert store.add(1, exemplar(1, trace=longest), sample_time_ms=0)
    assert not store.add(1, exemplar(2, trace=longest + "x"), sample_time_ms=0)
    assert store.refused == 1


def test_none_is_kept_where_none_is_wanted() -> None:
    store = ExemplarStore(max_exemplars=0)

    assert not store.add(1, exemplar(1), sample_time_ms=0)


def test_forgotten_series_take_their_exemplars_with_them_and_make_room() -> None:
    store = ExemplarStore(max_exemplars=3)
    for slot in (1, 2, 1):
        store.add(slot, exemplar(10 * len(store) + 1), sample_time_ms=0)

    store.forget([1, 7])

    assert store.of(1, 0, 1000) == []
    assert len(store) == 1
    for time_ms in (100, 101, 102):
        assert store.add(3, exemplar(time_ms), sample_time_ms=0)
    assert store.of(2, 0, 1000) == []
    assert len(store.of(3, 0, 1000)) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=60), st.integers(1, 8))
def test_the_ring_holds_the_newest_of_all_series_and_no_more(events: list[tuple[int, int]], most: int) -> None:
    store = ExemplarStore(max_exemplars=most)
    kept: list[tuple[int, int]] = []

    for slot, time_ms in events:
        newest = max((time for series, time in kept[-most:] if series == slot), default=-1)
        added = store.add(slot, exemplar(time_ms, value=float(len(kept))), sample_time_ms=0)
        assert added == (time_ms > newest)
        if added:
            kept.append((slot, time_ms))

    for slot in range(4):
        assert [e.time_ms for e in store.of(slot, 0, 100)] == [t for series, t in kept[-most:] if series == slot]
    assert len(store) == min(len(kept), most)


def test_what_is_kept_is_yet_to_be_written_and_what_is_loaded_is_not() -> None:
    store = ExemplarStore(max_exemplars=3)

    store.load([(1, exemplar(10)), (2, exemplar(20))], complete_from_ms=5)
    store.add(1, exemplar(10), sample_time_ms=0)  # on the disk already
    store.add(1, exemplar(30), sample_time_ms=0)

    assert [(slot, e.time_ms) for slot, e in store.unwritten] == [(1, 30)]
    assert [e.time_ms for e in store.of(1, 0, 100)] == [10, 30]
    assert store.complete_from_ms == 5


def test_memory_is_complete_from_after_the_last_one_that_made_room() -> None:
    store = ExemplarStore(max_exemplars=2)

    for time_ms in (10, 20, 30):
        store.add(time_ms, exemplar(time_ms), sample_time_ms=0)

    assert store.complete_from_ms == 11
    assert len(store) == 2


def test_a_time_that_cannot_be_stored_is_refused() -> None:
    store = ExemplarStore()

    assert not store.add(1, exemplar(-1), sample_time_ms=0)
    assert not store.add(1, exemplar(1 << 60), sample_time_ms=0)

    assert store.refused == 2
    assert not store.unwritten


def test_nothing_waits_to_be_written_of_series_that_are_gone() -> None:
    store = ExemplarStore()
    store.add(1, exemplar(10), sample_time_ms=0)
    store.add(2, exemplar(10), sample_time_ms=0)

    store.forget([1])

    assert [slot for slot, _ in store.unwritten] == [2]
