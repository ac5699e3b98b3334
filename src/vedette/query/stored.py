"""The samples that Vedette stores, as a query sees them: the newest from memory, the rest from the engine.

A query whose window lies in memory never touches the engine. One that reaches further back reads the older part
from the engine in slices of some thousand series, once, however many threads ask, and joins it with the newer part.
One `StoredSource` serves one query.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import LimitExceededError
from vedette.model.frames import QuerySymbols
from vedette.model.kernels import kernel
from vedette.model.matchers import Matcher
from vedette.model.samples import SampleRuns
from vedette.query.source import Selection
from vedette.store.head import SampleMemory, SeriesIndex

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_SLOT_BITS: Final = 40
_SLOT_MASK: Final = (1 << _SLOT_BITS) - 1

_SLICE_SAMPLES: Final = 4_000_000
"""About how many samples one read from the engine should bring: 64 MB of columns."""
_ASSUMED_INTERVAL_MS: Final = 15_000
_SLICES_KEPT: Final = 4
_METRICS_NAMED: Final = 100
"""So many names help the engine to find its rows; more only make the query long."""


class EngineNeededError(Exception):
    """What is asked for is not all in memory."""


class ColdSamples(Protocol):
    """What is kept on disk (`vedette.store.metrics`)."""

    def read_samples(
        self, metrics: Sequence[str] | None, ids: NDArray[np.uint64], start_ms: int, end_ms: int
    ) -> SampleRuns:
        """Samples with start_ms <= time <= end_ms, in the order of `ids`."""
        ...


@dataclass(slots=True, eq=False)
class _Slice:
    """Some of a cold selection's series; loaded by whoever needs it first."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    runs: SampleRuns | None = None


@dataclass(slots=True, eq=False)
class _ColdSelection:
    """A selection whose window begins before what memory holds.

    Attributes:
        slots: int64[series], rising.
        metrics: names of the metrics it touches, or None for too many to list.
        start_ms: where its window begins.
        until_ms: memory is complete from here on.
        per_slice: how many series a slice has.
    """

    slots: Int64s
    metrics: Sequence[str] | None
    start_ms: int
    until_ms: int
    per_slice: int
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
            _, names = self._index.metrics(slots)
            samples_each = max(1, (min(end_ms, complete_from) - start_ms) // _ASSUMED_INTERVAL_MS)
            self._selections.append(
                _ColdSelection(
                    slots=slots,
                    metrics=names if len(names) <= _METRICS_NAMED else None,
                    start_ms=start_ms,
                    until_ms=complete_from,
                    per_slice=int(max(64, _SLICE_SAMPLES // samples_each)),
                )
            )
            handles = slots | np.int64(len(self._selections) << _SLOT_BITS)
        return Selection(self._index.frame(slots, symbols), handles)

    def read(self, handles: Int64s, start_ms: int, end_ms: int) -> SampleRuns:
        """See `SampleSource.read`."""
        slots = handles & _SLOT_MASK
        number = int(handles[0]) >> _SLOT_BITS if len(handles) else 0
        hot, complete_from = self._memory.read(slots, start_ms, end_ms)
        if self._cold is None or start_ms >= complete_from:
            return hot
        self._refuse_engine()
        selection = self._selections[number - 1] if number else None
        if selection is not None and complete_from == selection.until_ms and start_ms >= selection.start_ms:
            positions = np.searchsorted(selection.slots, slots)
            cold, rows = self._cold_rows(self._cold, selection, positions)
        else:
            # Memory has let go of something since the selection was made.
            until = min(end_ms, complete_from - 1)
            cold = self._cold.read_samples(None, self._index.ids(slots), start_ms, until)
            rows = np.arange(len(slots))
        return self._join(cold, rows, hot, start_ms, complete_from)

    def _refuse_engine(self) -> None:
        if self._memory_only:
            raise EngineNeededError

    def _cold_rows(self, cold: ColdSamples, selection: _ColdSelection, positions: Int64s) -> tuple[SampleRuns, Int64s]:
        """Runs that hold the series at these positions, and their rows in them."""
        wanted = np.unique(positions // selection.per_slice).tolist()
        if len(wanted) == 1:
            return self._slice(cold, selection, wanted[0]), positions - wanted[0] * selection.per_slice
        parts = [self._slice(cold, selection, number) for number in wanted]
        sizes = np.array([len(part.offsets) - 1 for part in parts])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        shifts = np.concatenate([[0], np.cumsum([len(part.times) for part in parts])[:-1]])
        offsets = np.concatenate([[0], *(part.offsets[1:] + shift for part, shift in zip(parts, shifts, strict=True))])
        joined = SampleRuns(
            offsets, np.concatenate([part.times for part in parts]), np.concatenate([part.values for part in parts])
        )
        part_of = np.searchsorted(np.array(wanted), positions // selection.per_slice)
        return joined, starts[part_of] + positions % selection.per_slice

    def _slice(self, cold: ColdSamples, selection: _ColdSelection, number: int) -> SampleRuns:
        with selection.lock:
            piece = selection.slices.get(number)
            if piece is None:
                piece = selection.slices[number] = _Slice()
                while len(selection.slices) > _SLICES_KEPT:
                    selection.slices.popitem(last=False)
        with piece.lock:
            if piece.runs is None:
                slots = selection.slots[number * selection.per_slice : (number + 1) * selection.per_slice]
                piece.runs = cold.read_samples(
                    selection.metrics, self._index.ids(slots), selection.start_ms, selection.until_ms - 1
                )
            return piece.runs

    def _join(self, cold: SampleRuns, rows: Int64s, hot: SampleRuns, start_ms: int, until_ms: int) -> SampleRuns:
        room = len(hot.times) + int((cold.offsets[rows + 1] - cold.offsets[rows]).sum())
        times: Int64s | None = getattr(self._local, "times", None)
        values: Float64s | None = getattr(self._local, "values", None)
        if times is None or values is None or len(times) < room:
            times = self._local.times = np.empty(room + room // 2, np.int64)
            values = self._local.values = np.empty(room + room // 2, np.float64)
        offsets = np.empty(len(rows) + 1, np.int64)
        _join_runs(
            cold.offsets,
            cold.times,
            cold.values,
            rows,
            hot.offsets,
            hot.times,
            hot.values,
            start_ms,
            until_ms,
            offsets,
            times,
            values,
        )
        total = int(offsets[-1])
        return SampleRuns(offsets, times[:total], values[:total])


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
    until_ms: int,
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
) -> None:
    """For each series its cold samples with start_ms <= time < until_ms, then its hot ones from until_ms on."""
    out = 0
    offsets[0] = 0
    for i in range(len(rows)):
        for j in range(cold_offsets[rows[i]], cold_offsets[rows[i] + 1]):
            if start_ms <= cold_times[j] < until_ms:
                times[out] = cold_times[j]
                values[out] = cold_values[j]
                out += 1
        for j in range(hot_offsets[i], hot_offsets[i + 1]):
            if hot_times[j] >= until_ms:
                times[out] = hot_times[j]
                values[out] = hot_values[j]
                out += 1
        offsets[i + 1] = out
