"""Which rows of the table a read asks for. Pure.

A query's series are often most of a metric's: then asking for the metric, or for a range of its ids, and leaving out
what was not wanted is several times cheaper than having the engine look every row up in a list of ids. Where they are
a few out of many, the list lets the engine skip what lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.store.engine.protocol import Parameter

Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]

_LISTED: Final = 4_000
"""So many names and ids in one query: bounds its text (80 kB)."""
_RANGES: Final = 16
"""So many ranges of ids in one query: each row is compared with all of them."""
_WORTH_SKIPPING: Final = 3
"""A list of ids pays where not even one row in so many is wanted."""
_IDS: Final = 2.0**64


@dataclass(frozen=True, slots=True, eq=False)
class SeriesKeys:
    """Series in the order of the table.

    Attributes:
        metrics: names, rising.
        codes: int64[series], rising: series i is of the metric metrics[codes[i]].
        ids: uint64[series], rising within a metric.
        totals: int64[metrics], how many series each metric has in all; 0 where that is not known.
    """

    metrics: Sequence[str]
    codes: Int64s
    ids: UInt64s
    totals: Int64s

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, first: int, after: int) -> SeriesKeys:
        """The series from `first` to before `after`."""
        return SeriesKeys(self.metrics, self.codes[first:after], self.ids[first:after], self.totals)


def series_keys(
    codes: NDArray[np.integer], names: Sequence[str], ids: UInt64s, totals: Int64s | None = None
) -> tuple[SeriesKeys, Int64s]:
    """Series put in the order of the table.

    Args:
        codes: int[series]; series i is of the metric names[codes[i]].
        names: of metrics, all different.
        ids: uint64[series], all different.
        totals: as in `SeriesKeys`, by the numbers of `names`; None if not known.

    Returns:
        The keys, and int64[series]: which of the series given each one is.
    """
    # As the engine compares them: by their bytes in UTF-8, which is how Python compares strings.
    by_name = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), np.int64)
    rank[by_name] = np.arange(len(names))
    ranks = rank[codes]
    order = np.lexsort((ids, ranks))
    known = np.zeros(len(names), np.int64) if totals is None else totals[by_name]
    return SeriesKeys([names[i] for i in by_name], ranks[order], ids[order], known), order


@dataclass(frozen=True, slots=True)
class Read:
    """One query.

    Attributes:
        first: the first one of the series that it is for...
        after: ... and the one behind the last.
        condition: SQL over `metric` and `series_id`. Rows of other series may pass.
        parameters: of the condition.
    """

    first: int
    after: int
    condition: str
    parameters: dict[str, Parameter]


def plan_reads(keys: SeriesKeys) -> list[Read]:
    """The queries that together read these series, each of them by one."""
    reads: list[Read] = []
    draft = _Draft(0)
    starts = np.flatnonzero(np.diff(keys.codes, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(keys)]):
        at = start
        while at < end:
            room = draft.take(keys, at, end)
            at += room
            if at < end:
                reads.append(draft.finish(at))
                draft = _Draft(at)
    if draft.has_terms:
        reads.append(draft.finish(len(keys)))
    return reads


class _Draft:
    """A query to which metrics are added."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._whole: list[str] = []
        self._ranges: list[tuple[str, int, int]] = []
        self._names: list[str] = []
        self._ids: list[int] = []

    @property
    def has_terms(self) -> bool:
        return bool(self._whole or self._ranges or self._names)

    def take(self, keys: SeriesKeys, start: int, end: int) -> int:
        """Add the series of one metric, or as many of them as there is room for; returns how many."""
        room = _LISTED - len(self._whole) - len(self._names) - len(self._ids)
        if room < 2:
            return 0
        metric, total = keys.metrics[int(keys.codes[start])], int(keys.totals[keys.codes[start]])
        low, high, wanted = int(keys.ids[start]), int(keys.ids[end - 1]), end - start
        if wanted >= total > 0:
            self._whole.append(metric)
            return wanted
        # Ids are hashes: a part of their range holds that part of the series.
        between = total * (high - low) / _IDS
        if (wanted == 1 or 0 < between < _WORTH_SKIPPING * wanted) and len(self._ranges) < _RANGES:
            self._ranges.append((metric, low, high))
            return wanted
        listed = min(wanted, room - 1)
        self._names.append(metric)
        self._ids += keys.ids[start : start + listed].tolist()
        return listed

    def finish(self, after: int) -> Read:
        terms: list[str] = []
        parameters: dict[str, Parameter] = {}
        if self._whole:
            terms.append("metric IN {whole:Array(String)}")
            parameters["whole"] = self._whole
        for i, (metric, low, high) in enumerate(self._ranges):
            ids = f"series_id BETWEEN {{low{i}:UInt64}} AND {{high{i}:UInt64}}"
            terms.append(f"(metric = {{metric{i}:String}} AND {ids})")
            parameters |= {f"metric{i}": metric, f"low{i}": low, f"high{i}": high}
        if self._names:
            terms.append("(metric IN {metrics:Array(String)} AND series_id IN {ids:Array(UInt64)})")
            parameters |= {"metrics": self._names, "ids": self._ids}
        return Read(self._first, after, f"({' OR '.join(terms)})", parameters)
