"""Label frames: the labels of many series as columns, without a Python object per series.

A `SymbolTable` numbers strings. A `LabelFrame` holds, for each label name that occurs, one int32 column
with the symbol of each series' value; 0 is the empty string and means that the label is absent. Dropping
a label is dropping a column, grouping is `group_rows` over some columns, and label sets are built only
for what is shown in the end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.model.labels import LabelSet

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

_LOCAL = 1 << 30
"""Symbols from here on belong to one query's overlay."""


class SymbolTable:
    """Strings by number and numbers by string; 0 is the empty string. Only grows; thread-safe."""

    def __init__(self) -> None:
        self._texts: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._texts)

    def intern(self, text: str) -> int:
        """The number of a string, given now if it has none."""
        number = self._numbers.get(text)
        if number is not None:
            return number
        with self._lock:
            number = self._numbers.get(text)
            if number is None:
                number = len(self._texts)
                self._texts.append(text)
                self._numbers[text] = number
            return number

    def find(self, text: str) -> int | None:
        """The number of a string, or None if no series ever held it."""
        return self._numbers.get(text)

    def text(self, number: int) -> str:
        """The string with this number."""
        return self._texts[number]

    def overlay(self) -> QuerySymbols:
        """A view to which one query can add strings without growing this table."""
        return QuerySymbols(self)


class QuerySymbols:
    """A symbol table's strings plus those that one query makes up (`label_replace` and the like)."""

    def __init__(self, base: SymbolTable) -> None:
        self._base = base
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def intern(self, text: str) -> int:
        """The number of a string; a new one belongs to this query only."""
        number = self._base.find(text)
        if number is None:
            number = self._numbers.get(text)
        if number is None:
            number = _LOCAL + len(self._texts)
            self._texts.append(text)
            self._numbers[text] = number
        return number

    def text(self, number: int) -> str:
        """The string with this number."""
        return self._base.text(number) if number < _LOCAL else self._texts[number - _LOCAL]

    @property
    def base(self) -> SymbolTable:
        """The table below: its numbers mean the same to all queries."""
        return self._base

    def lasting(self, numbers: Int32s) -> bool:
        """Whether all of these numbers are the table's, and none this query's own."""
        return bool((numbers < _LOCAL).all())


@dataclass(frozen=True, slots=True, eq=False)
class LabelFrame:
    """The label sets of `size` series.

    Attributes:
        symbols: what the numbers mean.
        columns: by label name, int32[size] symbols; 0 where a series has not got the label.
        size: how many series there are.
    """

    symbols: QuerySymbols
    columns: Mapping[str, Int32s]
    size: int

    def take(self, rows: Int64s) -> LabelFrame:
        """The frame of the series at `rows`, in that order."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return LabelFrame(self.symbols, columns, len(rows))

    def keep(self, names: Iterable[str]) -> LabelFrame:
        """Only these labels (`by`, `on`)."""
        wanted = set(names)
        columns = {name: column for name, column in self.columns.items() if name in wanted}
        return LabelFrame(self.symbols, columns, self.size)

    def drop(self, names: Iterable[str]) -> LabelFrame:
        """All but these labels (`without`, `ignoring`)."""
        unwanted = set(names)
        columns = {name: column for name, column in self.columns.items() if name not in unwanted}
        return LabelFrame(self.symbols, columns, self.size)

    def replace(self, name: str, column: Int32s) -> LabelFrame:
        """With one label's column set."""
        return LabelFrame(self.symbols, {**self.columns, name: column}, self.size)

    def group_rows(self) -> tuple[Int64s, Int64s]:
        """Rows by equal label sets.

        Returns:
            int64[size], the group of each row, numbered by first appearance; and int64[groups], the
            first row of each group.
        """
        columns = [column for _, column in sorted(self.columns.items())]
        columns = [column for column in columns if column.any()]
        if not columns or not self.size:
            return np.zeros(self.size, np.int64), np.zeros(min(self.size, 1), np.int64)
        groups = columns[0].astype(np.int64)
        for column in columns[1:]:
            # Renumbered densely before each step, so that the pair fits into 64 bits.
            _, dense = np.unique(groups, return_inverse=True)
            groups = (dense << 32) | column
        _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank[inverse], first[order].astype(np.int64)

    def label_set(self, row: int) -> LabelSet:
        """One series' label set."""
        text = self.symbols.text
        return tuple((name, text(int(c[row]))) for name, c in sorted(self.columns.items()) if c[row])

    def label_sets(self) -> list[LabelSet]:
        """All label sets, as Python objects: for what leaves the process."""
        text = self.symbols.text
        pairs: list[list[tuple[str, str]]] = [[] for _ in range(self.size)]
        for name, column in sorted(self.columns.items()):
            texts = {number: text(number) for number in np.unique(column).tolist()}
            for row, number in enumerate(column.tolist()):
                if number:
                    pairs[row].append((name, texts[number]))
        return [tuple(labels) for labels in pairs]

    @classmethod
    def of(cls, symbols: QuerySymbols, label_sets: Sequence[LabelSet]) -> LabelFrame:
        """The frame of some label sets."""
        columns: dict[str, Int32s] = {}
        for row, labels in enumerate(label_sets):
            for name, value in labels:
                column = columns.get(name)
                if column is None:
                    column = columns[name] = np.zeros(len(label_sets), np.int32)
                column[row] = symbols.intern(value)
        return cls(symbols, columns, len(label_sets))

    @classmethod
    def concat(cls, frames: Sequence[LabelFrame]) -> LabelFrame:
        """The series of several frames of one query, one after the other."""
        size = sum(frame.size for frame in frames)
        names = {name for frame in frames for name in frame.columns}
        columns = {
            name: np.concatenate([f.columns.get(name, np.zeros(f.size, np.int32)) for f in frames]) for name in names
        }
        return cls(frames[0].symbols, columns, size)
