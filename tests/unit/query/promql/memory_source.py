"""Stores for tests: series in a dictionary, handed out through the same seam as the real one's, plain or packed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import LimitExceededError
from vedette.model.frames import LabelFrame, QuerySymbols, SymbolTable
from vedette.model.labels import LabelSet
from vedette.model.matchers import Matcher
from vedette.model.samples import SampleRuns
from vedette.query.source import Selection
from vedette.store.head import SampleMemory
from vedette.store.head.unpacking import Packed

Sample = tuple[int, float]


@dataclass
class MemorySource:
    """Series and their samples.

    Attributes:
        generous: hand out samples outside the range asked for, as the seam allows.
    """

    series: dict[LabelSet, dict[int, float]] = field(default_factory=dict)
    starts: dict[LabelSet, dict[int, int]] = field(default_factory=dict)
    generous: bool = True
    table: SymbolTable = field(default_factory=SymbolTable)

    @classmethod
    def of(cls, series: Mapping[str, Iterable[Sample]] | Mapping[LabelSet, Iterable[Sample]]) -> MemorySource:
        source = cls()
        for labels, samples in series.items():
            key = (("__name__", labels),) if isinstance(labels, str) else labels
            source.series[key] = dict(samples)
        return source

    def add(self, labels: LabelSet, time_ms: int, value: float, start_ms: int | None = None) -> None:
        self.series.setdefault(labels, {})[time_ms] = value
        if start_ms is not None:
            self.starts.setdefault(labels, {})[time_ms] = start_ms

    def symbols(self) -> QuerySymbols:
        for labels in self.series:
            for _, value in labels:
                self.table.intern(value)
        return self.table.overlay()

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, symbols: QuerySymbols, *, max_series: int
    ) -> Selection:
        del start_ms, end_ms
        found = [
            (number, labels)
            for number, labels in enumerate(self.series)
            if all(matcher.matches(dict(labels).get(matcher.name, "")) for matcher in matchers)
        ]
        if len(found) > max_series:
            raise LimitExceededError(limit="query.max_series", allowed=max_series, found=len(found), what="series")
        frame = LabelFrame.of(symbols, [labels for _, labels in found])
        return Selection(frame, np.array([number for number, _ in found], np.int64))

    def read(self, handles: NDArray[np.int64], start_ms: int, end_ms: int) -> SampleRuns:
        keys = list(self.series)
        offsets, times, values, starts = [0], [], [], []
        for handle in handles.tolist():
            labels = keys[handle]
            for time_ms, value in sorted(self.series[labels].items()):
                if self.generous or start_ms <= time_ms <= end_ms:
                    times.append(time_ms)
                    values.append(value)
                    starts.append(self.starts.get(labels, {}).get(time_ms, 0))
            offsets.append(len(times))
        known = np.array(starts, np.int64) if self.starts else None
        # Bits of stale markers survive a copy through a list of Python floats.
        return SampleRuns(np.array(offsets, np.int64), np.array(times, np.int64), np.array(values, np.float64), known)


@dataclass
class PackedSource(MemorySource):
    """The same, whose samples lie packed in memory.

    Attributes:
        sealed: whether all of them are in chunks, and none in tails.
        memory: where they are, once they have been asked for.
    """

    sealed: bool = False
    memory: SampleMemory | None = None

    def read_packed(
        self, handles: NDArray[np.int64], start_ms: int, end_ms: int, use: Callable[[Packed], int]
    ) -> int | None:
        if self.memory is None:
            self.memory = SampleMemory(max_bytes=1 << 20)
            for slot, samples in enumerate(self.series.values()):
                times = np.array(sorted(samples), np.int64)
                values = np.array([samples[time] for time in sorted(samples)], np.float64)
                self.memory.append(np.full(len(times), slot, np.int64), times, values, window_ms=0)
            if self.sealed:
                self.memory.seal_idle(1 << 60)
        found, _ = self.memory.read_packed(handles, start_ms, end_ms, use)
        return found
