"""Samples as rows that keep their numbers from one round to the next.

A collector says which family, which label values, which value; a row number is given to each series
when it is first seen and stays with it until it is gone. So whoever stores the samples looks a label
set up once in a series' life and afterwards only copies two columns. The result is the one that parsing a
target's exposition has, so that both are stored in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.model.samples import Metadata, MetricType
from vedette.wire.exposition.layout import ParsedScrape
from vedette.wire.exposition.walk import NO_TIME

_FORGET_AFTER: Final = 20
"""A series that is missing for so many rounds gives its row back."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A metric family that a collector reports. Compared by identity: make one and keep it.

    Attributes:
        name: as node_exporter names it.
        type: what its samples are.
        help: one sentence, as node_exporter writes it.
        labels: names of its labels; the values are given in this order, an empty one is absent.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()


Key = tuple[Family, tuple[str, ...]] | LabelSet


class RowTable:
    """The series of all collectors, and the samples of the round that is under way."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._rows: dict[Key, int] = {}
        self._keys: dict[int, list[Key]] = {}
        self._labels: dict[LabelSet, int] = {}
        self._label_sets: dict[int, LabelSet] = {}
        self._free: list[int] = []
        self._rounds = 0
        self._seen: dict[int, int] = {}
        self._last: dict[int, float] = {}
        self._values: dict[int, float] = {}
        self._new: list[tuple[int, LabelSet]] = []
        self._families: set[str] = set()
        self._metadata: list[Metadata] = []

    def begin(self, now_ms: int) -> None:
        """Start a round."""
        self.now_ms = now_ms
        self._values = {}
        self._new = []
        self._metadata = []

    def put(self, family: Family, value: float, labels: tuple[str, ...] = ()) -> None:
        """Add a sample. Of two samples of one series in a round the first one counts."""
        key = (family, labels)
        row = self._rows.get(key)
        if row is None:
            pairs = zip(family.labels, map(_well_formed, labels), strict=True)
            row = self._assign(key, label_set([*pairs, (METRIC_NAME, family.name)]))
            self.describe(family.name, family.type, family.help)
        self._values.setdefault(row, float(value))

    def put_series(self, labels: LabelSet, value: float) -> None:
        """Add a sample whose label set, name included, comes from elsewhere."""
        row = self._rows.get(labels)
        if row is None:
            row = self._assign(labels, labels)
        self._values.setdefault(row, float(value))

    def describe(self, family: str, kind: MetricType, text: str, unit: str = "") -> None:
        """Report a family's metadata, if it is new; the first to describe a family is believed."""
        if family not in self._families:
            self._families.add(family)
            self._metadata.append(Metadata(family, kind, unit, text))

    def finish(self) -> ParsedScrape:
        """End the round."""
        values = self._values
        last = self._last
        self._rounds += 1
        for row in values:
            self._seen[row] = self._rounds
        forgotten = [row for row, seen in self._seen.items() if seen <= self._rounds - _FORGET_AFTER]
        result = ParsedScrape(
            rows=np.fromiter(values.keys(), np.int32, len(values)),
            values=np.fromiter(values.values(), np.float64, len(values)),
            times_ms=np.full(len(values), NO_TIME, np.int64),
            exemplars=(),
            metadata=tuple(self._metadata),
            new_rows=tuple((row, labels) for row, labels in self._new if row in values),
            missing_rows=np.array([row for row in last if row not in values], np.int32),
            forgotten_rows=np.array(forgotten, np.int32),
            duplicates=0,
        )
        # A row that was made for a value that could not be taken was never told of: it goes quietly.
        for row in forgotten + [row for row, _ in self._new if row not in values]:
            self._forget(row)
        self._last = values
        return result

    def _forget(self, row: int) -> None:
        for key in self._keys.pop(row):
            del self._rows[key]
        del self._labels[self._label_sets.pop(row)]
        self._seen.pop(row, None)
        self._free.append(row)

    def _assign(self, key: Key, labels: LabelSet) -> int:
        row = self._labels.get(labels)
        if row is None:
            row = self._free.pop() if self._free else len(self._labels)
            self._labels[labels] = row
            self._label_sets[row] = labels
            self._keys[row] = []
            self._new.append((row, labels))
        self._rows[key] = row
        self._keys[row].append(key)
        return row


def _well_formed(text: str) -> str:
    """A label value that can be encoded: file and device names may hold bytes that are not UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
