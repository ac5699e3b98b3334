"""The samples that Vedette stores, as a query sees them: the newest from memory, the rest from the engine.

A query whose window lies in memory never touches the engine. One that reaches further back has its series in the
order of the table, reads the older part of them from the engine in slices, each once, however many threads ask, and
joins it with the newer part. One `StoredSource` serves one query.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import LimitExceededError
from vedette.model.frames import QuerySymbols
from vedette.model.kernels import MachineInt, inline, kernel
from vedette.model.matchers import Matcher
from vedette.model.samples import SampleRuns
from vedette.query.source import Selection
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.head.unpacking import Packed
from vedette.store.metrics import SeriesKeys, series_keys

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_NUMBER_BITS: Final = 40
_NUMBER_MASK: Final = (1 << _NUMBER_BITS) - 1

_SLICE_SAMPLES: Final = 1_000_000
"""About how many samples one read from the engine should bring: 16 MB of columns."""
_WORTH_TWO: Final = 20_000
"""So many samples are read in two slices, so that two threads do it."""
_ASSUMED_INTERVAL_MS: Final = 15_000
_SLICES_KEPT: Final = 4
_MARGIN_MS: Final = 60_000
"""Memory lets go of its oldest samples while a query runs: so much of what it still has is read too."""
_WORTH_COUNTING: Final = 500
"""For fewer series it does not matter how many others their metrics have."""


class EngineNeededError(Exception):
    """What is asked for is not all in memory."""


class ColdSamples(Protocol):
    """What is kept on disk (`vedette.store.metrics`)."""

    def read_samples(self, keys: SeriesKeys, start_ms: int, end_ms: int) -> SampleRuns:
        """Samples with start_ms <= time <= end_ms, in the order of the keys."""
        ...


@dataclass(slots=True, eq=False)
class _Slice:
    """Some of a cold selection's series; loaded by whoever needs it first.

    Attributes:
        runs: their samples before `until_ms`.
        until_ms: meaningless before that.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    runs: SampleRuns | None = None
    until_ms: int = 0


@dataclass(slots=True, eq=False)
class _ColdSelection:
    """A selection whose window begins before what memory holds.

    Attributes:
        keys: its series, in the order of the table.
        slots: int64[series].
        start_ms: where its window begins...
        end_ms: ... and ends.
        bounds: int64[slices + 1]: slice i has the series from bounds[i] to before bounds[i + 1].
    """

    keys: SeriesKeys
    slots: Int64s
    start_ms: int
    end_ms: int
    bounds: Int64s
    lock: threading.Lock = field(default_factory=threading.Lock)
    slices: OrderedDict[int, _Slice] = field(default_factory=OrderedDict[int, _Slice])


class StoredSource:
    """A `SampleSource` over memory and engine, for one query."""

    def __init__(
        self, index: SeriesIndex, memory: SampleMemory, cold: ColdSamples | None, *, memory_only: bool = False
    ) -> None:
        self._index = index
        self._memory = memory
        self._cold = cold
        self._memory_only = memory_only
        self._selections: list[_ColdSelection] = []
        self._local = threading.local()

    def from_memory(self) -> StoredSource:
        """A source that reads nothing from the disk: where it would have to, it raises `EngineNeededError`."""
        return StoredSource(self._index, self._memory, self._cold, memory_only=True)

    def symbols(self) -> QuerySymbols:
        """A fresh overlay over the index's symbols."""
        return self._index.symbols.overlay()

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, symbols: QuerySymbols, *, max_series: int
    ) -> Selection:
        """See `SampleSource.select`."""
        slots = self._index.select(matchers, start_ms=start_ms, end_ms=end_ms)
        if len(slots) > max_series:
            raise LimitExceededError(
                limit="query.max_series", allowed=max_series, found=len(slots), what="series touched by the query"
            )
        handles = slots
        complete_from = self._memory.complete_from_ms
        if self._cold is not None and start_ms < complete_from and len(slots):
            self._refuse_engine()
            selection = self._cold_selection(slots, start_ms, end_ms, complete_from)
            self._selections.append(selection)
            slots = selection.slots
            handles = np.arange(len(slots)) | np.int64(len(self._selections) << _NUMBER_BITS)
        return Selection(self._index.frame(slots, symbols), handles)

    def read(self, handles: Int64s, start_ms: int, end_ms: int) -> SampleRuns:
        """See `SampleSource.read`."""
        number = int(handles[0]) >> _NUMBER_BITS if len(handles) else 0
        selection = self._selections[number - 1] if number else None
        slots = handles if selection is None else selection.slots[handles & _NUMBER_MASK]
        if self._cold is None:
            return self._memory.read(slots, start_ms, end_ms)[0]
        complete_from = self._memory.complete_from_ms
        hot: SampleRuns | None = None
        if end_ms >= complete_from:
            hot, complete_from = self._memory.read(slots, start_ms, end_ms)
            if start_ms >= complete_from:
                return hot
        self._refuse_engine()
        # From here on memory has all, up to here the disk.
        edge_ms = min(complete_from, end_ms + 1)
        if selection is None or start_ms < selection.start_ms:
            # Memory has let go of something since the selection was made.
            keys, order = series_keys(*self._index.metrics(slots), self._index.ids(slots))
            rows = np.empty(len(order), np.int64)
            rows[order] = np.arange(len(order))
            parts = [(self._cold.read_samples(keys, start_ms, edge_ms - 1), rows)]
        else:
            parts = list(self._parts(self._cold, selection, handles & _NUMBER_MASK, edge_ms))
        return self._join(parts, hot, start_ms, edge_ms)

    def read_packed(self, handles: Int64s, start_ms: int, end_ms: int, use: Callable[[Packed], int]) -> int | None:
        """See `vedette.query.promql.rows.PackedReader`."""
        if len(handles) and int(handles[0]) >> _NUMBER_BITS:
            return None
        if self._cold is not None and start_ms < self._memory.complete_from_ms:
            return None
        samples, complete_from = self._memory.read_packed(handles, start_ms, end_ms, use)
        # Memory may have let go of something since.
        return None if self._cold is not None and start_ms < complete_from else samples

    def _refuse_engine(self) -> None:
        if self._memory_only:
            raise EngineNeededError

    def _cold_selection(self, slots: Int64s, start_ms: int, end_ms: int, complete_from: int) -> _ColdSelection:
        codes, names = self._index.metrics(slots)
        totals = None
        if len(slots) > _WORTH_COUNTING:
            others, known = self._index.metrics(self._index.select((), start_ms=start_ms, end_ms=end_ms))
            count_of = dict(zip(known, np.bincount(others).tolist(), strict=True))
            totals = np.array([count_of.get(name, 0) for name in names], np.int64)
        keys, order = series_keys(codes, names, self._index.ids(slots), totals)
        # Some ask for all of time.
        span_ms = min(end_ms, complete_from) - max(start_ms, self._index.time_range()[0])
        samples = len(slots) * max(1, span_ms // _ASSUMED_INTERVAL_MS)
        count = -(-samples // _SLICE_SAMPLES)
        if samples >= _WORTH_TWO:
            # Even, so that of two threads that take one half of the series each, none needs a slice of the other.
            count += count % 2
        count = min(count, len(slots))
        bounds = np.arange(count + 1) * len(slots) // count
        return _ColdSelection(keys, slots[order], start_ms, end_ms, bounds)

    def _parts(
        self, cold: ColdSamples, selection: _ColdSelection, positions: Int64s, edge_ms: int
    ) -> Iterator[tuple[SampleRuns, Int64s]]:
        """Runs that hold the next few of the series at these positions, and their rows in them."""
        slice_of = np.searchsorted(selection.bounds, positions, side="right") - 1
        starts = np.flatnonzero(np.diff(slice_of, prepend=-1)).tolist()
        for first, after in pairwise([*starts, len(positions)]):
            number = int(slice_of[first])
            runs = self._slice(cold, selection, number, edge_ms)
            yield runs, positions[first:after] - selection.bounds[number]

    def _slice(self, cold: ColdSamples, selection: _ColdSelection, number: int, edge_ms: int) -> SampleRuns:
        with selection.lock:
            piece = selection.slices.get(number)
            if piece is None:
                piece = selection.slices[number] = _Slice()
                while len(selection.slices) > _SLICES_KEPT:
                    selection.slices.popitem(last=False)
        with piece.lock:
            if piece.runs is None or piece.until_ms < edge_ms:
                first, after = selection.bounds[number : number + 2].tolist()
                until_ms = max(edge_ms, min(self._memory.complete_from_ms + _MARGIN_MS, selection.end_ms + 1))
                piece.runs = cold.read_samples(selection.keys.part(first, after), selection.start_ms, until_ms - 1)
                piece.until_ms = until_ms
            return piece.runs

    def _join(
        self, parts: Sequence[tuple[SampleRuns, Int64s]], hot: SampleRuns | None, start_ms: int, edge_ms: int
    ) -> SampleRuns:
        if hot is None and len(parts) == 1 and (found := _neighbours(*parts[0])) is not None:
            return found
        size = sum(len(rows) for _, rows in parts)
        hot = hot or SampleRuns(np.zeros(size + 1, np.int64), np.empty(0, np.int64), np.empty(0))
        room = len(hot.times) + sum(int((cold.offsets[rows + 1] - cold.offsets[rows]).sum()) for cold, rows in parts)
        times: Int64s | None = getattr(self._local, "times", None)
        values: Float64s | None = getattr(self._local, "values", None)
        if times is None or values is None or len(times) < room:
            times = self._local.times = np.empty(room + room // 2, np.int64)
            values = self._local.values = np.empty(room + room // 2, np.float64)
        offsets = np.zeros(size + 1, np.int64)
        done = 0
        for cold, rows in parts:
            span = slice(done, done + len(rows) + 1)
            _join_runs(
                cold.offsets,
                cold.times,
                cold.values,
                rows,
                hot.offsets[span],
                hot.times,
                hot.values,
                start_ms,
                edge_ms,
                offsets[span],
                times,
                values,
            )
            done += len(rows)
        total = int(offsets[-1])
        return SampleRuns(offsets, times[:total], values[:total])


def _neighbours(runs: SampleRuns, rows: Int64s) -> SampleRuns | None:
    """The runs at these rows where they lie one behind the other: nothing is copied. None where they do not."""
    if not len(rows) or (np.diff(rows) != 1).any():
        return None
    offsets = runs.offsets[rows[0] : rows[-1] + 2]
    span = slice(int(offsets[0]), int(offsets[-1]))
    return SampleRuns(offsets - offsets[0], runs.times[span], runs.values[span])


@inline
def _first_from(times: Int64s, low: MachineInt, high: MachineInt, bound: MachineInt) -> MachineInt:
    """The first of the places from `low` to `high` whose time is `bound` or later; `high` if there is none."""
    while low < high:
        middle = (low + high) // 2
        if times[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(
    "void(int64[::1], int64[::1], float64[::1], int64[::1], int64[::1], int64[::1], float64[::1], int64, int64,"
    " int64[::1], int64[::1], float64[::1])"
)
def _join_runs(  # noqa: PLR0913 - two runs in, one out
    cold_offsets: Int64s,
    cold_times: Int64s,
    cold_values: Float64s,
    rows: Int64s,
    hot_offsets: Int64s,
    hot_times: Int64s,
    hot_values: Float64s,
    start_ms: int,
    edge_ms: int,
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
) -> None:
    """For each series its cold samples with start_ms <= time < edge_ms, then its hot ones from edge_ms on.

    They are put behind `offsets[0]`; the other offsets are filled.
    """
    out = offsets[0]
    for i in range(len(rows)):
        row = rows[i]
        low = _first_from(cold_times, cold_offsets[row], cold_offsets[row + 1], start_ms)
        high = _first_from(cold_times, low, cold_offsets[row + 1], edge_ms)
        for j in range(high - low):
            times[out + j] = cold_times[low + j]
            values[out + j] = cold_values[low + j]
        out += high - low
        high = hot_offsets[i + 1]
        low = _first_from(hot_times, hot_offsets[i], high, edge_ms)
        for j in range(high - low):
            times[out + j] = hot_times[low + j]
            values[out + j] = hot_values[low + j]
        out += high - low
        offsets[i + 1] = out
