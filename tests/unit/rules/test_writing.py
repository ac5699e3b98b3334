from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.rules import labels_of
from vedette.model.errors import OverloadedError
from vedette.model.labels import LabelSet
from vedette.rules.numbering import SeriesNumbers
from vedette.rules.outcome import Samples
from vedette.rules.writing import SeriesWriter, end_series

A, B = labels_of(name="a"), labels_of(name="b")

Int64s = NDArray[np.int64]


class Store:
    """Remembers what it was told; slots are given from 10 on."""

    def __init__(self) -> None:
        self.generation = 0
        self.slots: dict[LabelSet, int] = {}
        self.resolved: list[LabelSet] = []
        self.told: list[tuple[str, int, list[int]]] = []
        self.refused: set[LabelSet] = set()
        self.full = False

    def resolve(self, label_sets: Sequence[LabelSet]) -> tuple[Int64s, str]:
        self.resolved.extend(label_sets)
        slots = [
            -1 if labels in self.refused else self.slots.setdefault(labels, 10 + len(self.slots))
            for labels in label_sets
        ]
        return np.array(slots, np.int64), "too many series" if -1 in slots else ""

    def write(self, slots: Int64s, time_ms: int, values: NDArray[np.float64]) -> str:
        if self.full:
            raise OverloadedError("full", retry_after_s=1)
        self.told.append(("write", time_ms, slots.tolist()))
        return "" if (values >= 0).all() else "a value is negative"

    def end(self, slots: Int64s, time_ms: int) -> None:
        if self.full:
            raise OverloadedError("full", retry_after_s=1)
        self.told.append(("end", time_ms, slots.tolist()))


def samples(numbers: SeriesNumbers, *label_sets: LabelSet, value: float = 1.0) -> Samples:
    return Samples(numbers.of_sets(label_sets), np.full(len(label_sets), value), numbers)


def test_series_that_are_not_given_any_more_end() -> None:
    store, numbers = Store(), SeriesNumbers()
    writer = SeriesWriter(store)

    writer.write(samples(numbers, A, B), 1)
    _, ended = writer.write(samples(numbers, B), 2)
    writer.write(samples(numbers), 3)
    writer.write(samples(numbers), 4)

    assert store.told == [("write", 1, [10, 11]), ("write", 2, [11]), ("end", 2, [10]), ("end", 3, [11])]
    assert ended.tolist() == numbers.of_sets([A]).tolist()


def test_slots_are_looked_up_once() -> None:
    store, numbers = Store(), SeriesNumbers()
    writer = SeriesWriter(store)

    for time in range(3):
        writer.write(samples(numbers, A, B), time)

    assert store.resolved == [A, B]


def test_slots_are_looked_up_again_when_they_were_taken_back() -> None:
    store, numbers = Store(), SeriesNumbers()
    writer = SeriesWriter(store)
    writer.write(samples(numbers, A), 1)
    store.slots = {A: 99}
    store.generation += 1

    writer.write(samples(numbers, A), 2)

    assert store.told[-1] == ("write", 2, [99])


def test_a_refused_series_is_told_of_and_asked_for_again() -> None:
    store, numbers = Store(), SeriesNumbers()
    writer = SeriesWriter(store)
    store.refused = {A}

    problem, _ = writer.write(samples(numbers, A, B), 1)
    store.refused = set()
    later, _ = writer.write(samples(numbers, A, B), 2)

    assert (problem, later) == ("too many series", "")
    assert store.told == [("write", 1, [10]), ("write", 2, [11, 10])]


def test_a_sample_that_is_not_taken_is_told_of() -> None:
    problem, _ = SeriesWriter(Store()).write(samples(SeriesNumbers(), A, value=-1), 1)

    assert problem == "a value is negative"


def test_what_could_not_be_stored_leaves_all_as_it_was() -> None:
    store, numbers = Store(), SeriesNumbers()
    writer = SeriesWriter(store)
    writer.write(samples(numbers, A), 1)
    store.full = True

    with pytest.raises(OverloadedError):
        writer.write(samples(numbers, B), 2)
    store.full = False
    writer.write(samples(numbers, B), 3)

    assert store.told[1:] == [("write", 3, [11]), ("end", 3, [10])]
    assert writer.alive() == [B]


def test_former_series_can_be_ended_by_their_labels() -> None:
    store = Store()
    store.refused = {B}

    end_series(store, [A, B], 7)
    end_series(store, [], 8)

    assert store.told == [("end", 7, [10])]
