"""Numbers for the series that one rule deals with, so that what repeats from evaluation to evaluation is looked up.

A rule gives nearly the same series each time. Their labels come as columns of symbols; where a row is one of the last
evaluation's rows its number is found by comparing symbols, and no label set is made. Numbers of series that are
forgotten are given away again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.labels import LabelSet

Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


class SeriesNumbers:
    """Label sets by number and numbers by label set."""

    def __init__(self) -> None:
        self._labels: list[LabelSet | None] = []
        self._numbers: dict[LabelSet, int] = {}
        self._free: list[int] = []
        # The last frame: its symbols and their meaning, one row of symbols per series, and the series' numbers.
        self._table: SymbolTable | None = None
        self._names: tuple[str, ...] = ()
        self._rows: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._known: Int64s = np.zeros(0, np.int64)

    @property
    def size(self) -> int:
        """All numbers are below it."""
        return len(self._labels)

    def labels(self, number: int) -> LabelSet:
        """The label set with this number."""
        return self._labels[number] or ()

    def of_sets(self, label_sets: Iterable[LabelSet]) -> Int64s:
        """int64[n]: the numbers of some label sets, given now where they have none."""
        return np.array([self._number(labels) for labels in label_sets], np.int64)

    def of_frame(self, frame: LabelFrame) -> Int64s:
        """int64[series]: the numbers of a frame's rows."""
        names = tuple(sorted(name for name, column in frame.columns.items() if column.any()))
        if not frame.size or not names:
            return self.of_sets([()] * frame.size)
        rows = np.stack([frame.columns[name] for name in names], axis=1)
        if not frame.symbols.lasting(rows):
            # Strings that only this query knows. Once they are stored they are everybody's.
            self._table = None
            return self.of_sets(frame.label_sets())
        same_meaning = frame.symbols.base is self._table and names == self._names
        if same_meaning and np.array_equal(rows, self._rows):
            return self._known
        numbers = self._match(rows) if same_meaning else np.full(frame.size, -1, np.int64)
        new = np.flatnonzero(numbers < 0)
        if len(new):
            numbers[new] = self.of_sets(frame.take(new).label_sets())
        self._table, self._names, self._rows, self._known = frame.symbols.base, names, rows, numbers
        return numbers

    def forget(self, numbers: Sequence[int]) -> None:
        """These series are gone."""
        for number in numbers:
            labels = self._labels[number]
            if labels is not None:
                del self._numbers[labels]
                self._labels[number] = None
                self._free.append(number)
        if np.isin(self._known, numbers).any():
            self._table = None

    def _number(self, labels: LabelSet) -> int:
        number = self._numbers.get(labels)
        if number is None:
            if self._free:
                number = self._free.pop()
                self._labels[number] = labels
            else:
                number = len(self._labels)
                self._labels.append(labels)
            self._numbers[labels] = number
        return number

    def _match(self, rows: NDArray[np.int32]) -> Int64s:
        """Numbers of rows that the last frame had too; -1 for the others."""
        if not len(self._rows):
            return np.full(len(rows), -1, np.int64)
        hashes = _hashes(self._rows)
        order = np.argsort(hashes)
        places = np.searchsorted(hashes, _hashes(rows), sorter=order)
        candidates = order[np.minimum(places, len(order) - 1)]
        equal = (self._rows[candidates] == rows).all(axis=1)
        return np.where(equal, self._known[candidates], -1)


def _hashes(rows: NDArray[np.int32]) -> UInt64s:
    """uint64 per row; equal rows have equal ones. Others may collide: the caller compares."""
    found = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        found = (found ^ column.astype(np.uint64)) * _MIX
        found ^= found >> np.uint64(29)
    return found
