from __future__ import annotations

from vedette.ingest.metadata import MAX_VARIANTS, MetadataStore
from vedette.model.samples import Metadata, MetricType


def told(family: str, text: str = "") -> Metadata:
    return Metadata(family, MetricType.GAUGE, "", text)


def test_the_latest_description_comes_first_and_earlier_ones_stay() -> None:
    store = MetadataStore()

    store.describe([told("a", "old"), told("b")])
    store.describe([told("a", "new")])

    assert [(name, [entry.help for entry in entries]) for name, entries in store.families()] == [
        ("a", ["new", "old"]),
        ("b", [""]),
    ]
    assert list(store.families("b")) == [("b", (told("b"),))]
    assert list(store.families("c")) == []


def test_equal_descriptions_are_kept_once_and_handed_out_as_one_object() -> None:
    store = MetadataStore()
    (first,) = store.describe([told("a", "x")])
    store.take_changes()

    (second,) = store.describe([told("a", "x")])

    assert second is first
    assert store.take_changes() == []


def test_a_family_has_so_many_descriptions_and_no_more() -> None:
    store = MetadataStore()

    for number in range(MAX_VARIANTS + 5):
        store.describe([told("a", str(number))])

    ((_, entries),) = store.families()
    assert [entry.help for entry in entries] == [str(number) for number in range(MAX_VARIANTS + 4, 4, -1)]


def test_families_beyond_the_limit_are_counted_and_not_kept() -> None:
    store = MetadataStore(max_families=1)

    kept = store.describe([told("a"), told("b"), told("a", "again")])

    assert [entry.family for entry in kept] == ["a", "a"]
    assert store.refused == 1
    assert len(store) == 1


def test_changes_are_taken_once_and_wait_again_when_they_could_not_be_written() -> None:
    store = MetadataStore()
    store.describe([told("a", "1"), told("b", "1")])
    taken = store.take_changes()
    assert store.take_changes() == []

    store.describe([told("b", "2")])
    store.put_back(taken)

    assert store.take_changes() == [told("a", "1"), told("b", "2")]


def test_what_is_loaded_is_not_written_again() -> None:
    store = MetadataStore()

    store.load([told("a")])

    assert len(store) == 1
    assert store.take_changes() == []
