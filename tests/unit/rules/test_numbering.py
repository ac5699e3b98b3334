from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.labels import LabelSet
from vedette.rules.numbering import SeriesNumbers


class CountingNumbers(SeriesNumbers):
    """Counts the label sets that were made."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def of_sets(self, label_sets: Iterable[LabelSet]) -> NDArray[np.int64]:
        found = list(label_sets)
        self.made += len(found)
        return super().of_sets(found)


def table_of(label_sets: list[LabelSet]) -> SymbolTable:
    table = SymbolTable()
    for labels in label_sets:
        for _, text in labels:
            table.intern(text)
    return table


def series(*names: str) -> list[LabelSet]:
    return [(("job", "node"), ("name", name)) for name in names]


def test_the_same_series_keep_their_numbers_and_no_label_set_is_made() -> None:
    found = series("a", "b", "c")
    table, numbers = table_of(found), CountingNumbers()
    first = numbers.of_frame(LabelFrame.of(table.overlay(), found))

    again = numbers.of_frame(LabelFrame.of(table.overlay(), found))
    turned = numbers.of_frame(LabelFrame.of(table.overlay(), found[::-1]))
    fewer = numbers.of_frame(LabelFrame.of(table.overlay(), found[1:2]))

    assert again.tolist() == first.tolist()
    assert turned.tolist() == first.tolist()[::-1]
    assert fewer.tolist() == first.tolist()[1:2]
    assert numbers.made == 3


def test_a_label_that_comes_or_goes_makes_another_series() -> None:
    numbers = SeriesNumbers()
    plain, more = series("a"), [(("job", "node"), ("name", "a"), ("zone", "x"))]
    table = table_of(plain + more)

    first = numbers.of_frame(LabelFrame.of(table.overlay(), plain))
    second = numbers.of_frame(LabelFrame.of(table.overlay(), more))
    third = numbers.of_frame(LabelFrame.of(table.overlay(), plain))

    assert first.tolist() != second.tolist()
    assert first.tolist() == third.tolist()


def test_strings_that_only_one_query_knows_are_told_apart_by_their_text() -> None:
    numbers, table = SeriesNumbers(), SymbolTable()
    one, other = series("a"), series("b")

    first = numbers.of_frame(LabelFrame.of(table.overlay(), one))
    second = numbers.of_frame(LabelFrame.of(table.overlay(), other))
    third = numbers.of_frame(LabelFrame.of(table.overlay(), one))

    assert first.tolist() == third.tolist()
    assert first.tolist() != second.tolist()


def test_symbols_of_another_table_are_not_taken_for_the_same() -> None:
    numbers = SeriesNumbers()
    one, other = series("a"), series("b")

    first = numbers.of_frame(LabelFrame.of(table_of(one).overlay(), one))
    second = numbers.of_frame(LabelFrame.of(table_of(other).overlay(), other))

    assert first.tolist() != second.tolist()


def test_a_series_without_labels_has_a_number() -> None:
    numbers = SeriesNumbers()

    found = numbers.of_frame(LabelFrame(SymbolTable().overlay(), {}, 1))

    assert numbers.labels(int(found[0])) == ()


def test_numbers_of_forgotten_series_are_given_away_again() -> None:
    numbers = SeriesNumbers()
    found = series("a", "b")
    table = table_of(found + series("c"))
    first = numbers.of_frame(LabelFrame.of(table.overlay(), found))

    numbers.forget([int(first[0])])
    again = numbers.of_frame(LabelFrame.of(table.overlay(), series("c", "b")))

    assert again.tolist() == first.tolist()
    assert numbers.labels(int(again[0])) == series("c")[0]
    assert numbers.size == 2


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), unique=True, max_size=8),
            st.lists(st.integers(0, 11), max_size=3),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_numbers_are_those_of_a_dictionary_of_label_sets(
    rounds: list[tuple[list[tuple[int, int]], list[int], bool]],
) -> None:
    numbers, table = SeriesNumbers(), SymbolTable()
    known: dict[LabelSet, int] = {}

    for pairs, forgotten, stored in rounds:
        found = [tuple((name, f"{name}{v}") for name, v in (("a", a), ("b", b)) if v) for a, b in pairs]
        if stored:
            for labels in found:
                for _, text in labels:
                    table.intern(text)

        given_numbers = numbers.of_frame(LabelFrame.of(table.overlay(), found)).tolist()

        for labels, number in zip(found, given_numbers, strict=True):
            assert known.setdefault(labels, number) == number
            assert numbers.labels(number) == labels
        assert len(set(known.values())) == len(known)
        gone = [number for number in forgotten if number in known.values()]
        numbers.forget(gone)
        known = {labels: number for labels, number in known.items() if number not in gone}
        assert numbers.size >= len(known)
        assert np.array_equal(sorted(known.values()), sorted(set(known.values())))
