from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model.errors import LimitExceededError
from vedette.model.labels import LabelSet, label_set, series_id
from vedette.model.matchers import Matcher, MatchOp
from vedette.store.head import SeriesIndex
from vedette.store.head import index as index_module
from vedette.store.head.index import SeriesCollisionError

names = st.sampled_from(["__name__", "job", "instance", "code"])
values = st.sampled_from(["", "a", "b", "ab", "a|b", "500"])
label_sets = st.lists(st.dictionaries(names, values, max_size=4).map(label_set), max_size=25, unique=True)
matchers = st.lists(
    st.builds(
        Matcher,
        names,
        st.sampled_from(MatchOp),
        st.sampled_from(["", "a", "b", "a|b", ".+", ".*", "5..", "a|b|zz", "a?", "nope", "(a|)b"]),
    ),
    max_size=3,
)


def loaded(series: list[LabelSet], *, at_once: bool) -> SeriesIndex:
    index = SeriesIndex()
    if not at_once:
        for labels in series:
            index.resolve(labels, max_series=1000)
        return index
    pairs = [pair for labels in series for pair in labels]
    texts = sorted({text for pair in pairs for text in pair})
    number = {text: i for i, text in enumerate(texts)}
    index.add_many(
        np.array([series_id(labels) for labels in series], np.uint64),
        np.cumsum([0, *(len(labels) for labels in series)]),
        texts,
        np.array([number[name] for name, _ in pairs], np.int32),
        texts,
        np.array([number[value] for _, value in pairs], np.int32),
    )
    return index


@given(series=label_sets, tests=matchers, at_once=st.booleans(), removed=st.sets(st.integers(0, 24)))
@settings(deadline=None)
def test_a_selection_is_what_testing_every_series_would_find(
    series: list[LabelSet], tests: list[Matcher], *, at_once: bool, removed: set[int]
) -> None:
    index = loaded(series, at_once=at_once)
    index.remove(slot for slot in removed if slot < len(series))
    left = [labels for slot, labels in enumerate(series) if slot not in removed]

    slots = index.select(tests)

    expected = [labels for labels in left if all(m.matches(dict(labels).get(m.name, "")) for m in tests)]
    assert [index.labels(slot) for slot in slots.tolist()] == expected
    assert index.frame(slots, index.symbols.overlay()).label_sets() == expected
    assert len(index) == len(left)
    assert index.label_names(slots) == sorted({name for labels in expected for name, _ in labels})
    assert index.label_values("job", slots) == sorted({dict(s)["job"] for s in expected if "job" in dict(s)})
    codes, metrics = index.metrics(slots)
    assert [metrics[code] for code in codes] == [dict(labels).get("__name__", "") for labels in expected]


def test_a_known_series_keeps_its_slot_and_a_new_one_gets_the_next() -> None:
    index = SeriesIndex()
    up, down = label_set({"__name__": "up"}), label_set({"__name__": "down"})

    found = [index.resolve(labels, max_series=10) for labels in (up, down, up)]

    assert found == [(0, True), (1, True), (0, False)]


def test_the_series_limit_refuses_new_series_only() -> None:
    index = SeriesIndex()
    index.resolve(label_set({"__name__": "up"}), max_series=1)

    with pytest.raises(LimitExceededError, match=r"limits\.series"):
        index.resolve(label_set({"__name__": "down"}), max_series=1)

    assert index.resolve(label_set({"__name__": "up"}), max_series=1) == (0, False)


def test_two_label_sets_with_one_identity_are_never_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "series_id", lambda _labels: 7)
    index = SeriesIndex()
    index.resolve(label_set({"__name__": "up"}), max_series=10)

    with pytest.raises(SeriesCollisionError):
        index.resolve(label_set({"__name__": "down"}), max_series=10)


def test_a_selection_leaves_out_series_without_samples_in_its_window() -> None:
    index = loaded([label_set({"__name__": name}) for name in ("old", "new", "never")], at_once=False)
    index.touch(np.array([0, 1, 1]), np.array([100, 500, 300]), np.array([100, 500, 300]))

    assert index.select([], start_ms=101, end_ms=1000).tolist() == [1]
    assert index.select([], start_ms=0, end_ms=299).tolist() == [0]
    assert index.select([], start_ms=300, end_ms=300).tolist() == [1]
    assert index.ended_before(200) == [0]


def test_series_begin_before_a_time_if_any_of_them_does() -> None:
    index = loaded([label_set({"__name__": name}) for name in ("a", "b", "c")], at_once=False)
    slots = np.arange(3)
    index.touch(slots, np.array([100, 200, 300]), np.array([400, 400, 400]))

    assert index.begin_before(slots, 101)
    assert not index.begin_before(slots, 100)
    assert not index.begin_before(slots[1:], 200)


def test_slots_are_given_again_only_with_a_new_generation() -> None:
    index = loaded([label_set({"__name__": name}) for name in ("a", "b")], at_once=False)
    before = index.generation

    index.remove([0])
    slot, new = index.resolve(label_set({"__name__": "c"}), max_series=10)

    assert (slot, new) == (0, True)
    assert index.generation > before
    assert index.labels(0) == label_set({"__name__": "c"})
    assert index.select([Matcher("__name__", MatchOp.EQUAL, "a")]).tolist() == []


def test_removing_many_series_gives_their_memory_back() -> None:
    index = SeriesIndex()
    for n in range(4000):
        index.resolve(label_set({"__name__": "up", "pod": str(n)}), max_series=10_000)

    index.remove(range(3000))

    assert index._pairs == 2000
    assert index.labels(3999) == label_set({"__name__": "up", "pod": "3999"})


def test_cardinality_names_the_biggest_first() -> None:
    index = SeriesIndex()
    for n in range(5):
        index.resolve(label_set({"__name__": "big", "pod": str(n)}), max_series=100)
    index.resolve(label_set({"__name__": "small"}), max_series=100)

    found = index.cardinality(2)

    assert found["metrics"] == [("big", 5), ("small", 1)]
    assert found["labels"] == [("pod", 5), ("__name__", 2)]
    assert found["pairs"] == [("__name__=big", 5), ("__name__=small", 1)]
