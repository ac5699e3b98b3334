"""The samples of one unit test: put in beforehand and seen as time passes, or written by rules.

A `SampleSource` for expressions and a `SampleWriter` for rules, small and plain: a test has some dozen series.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.lang.promql.series_notation import SequenceValue
from vedette.model.errors import LimitExceededError
from vedette.model.frames import LabelFrame, QuerySymbols, SymbolTable
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import STALE, SampleRuns
from vedette.query.source import Selection

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_NO_INPUT: Final = (np.zeros(0, np.int64), np.zeros(0))


class UnitTestStore:
    """Series of a test.

    Attributes:
        now_ms: samples that were put in for later times cannot be seen yet.
    """

    def __init__(self) -> None:
        self.now_ms = -(1 << 62)
        self._table = SymbolTable()
        self._labels: list[LabelSet] = []
        self._slots: dict[LabelSet, int] = {}
        self._by_name: dict[str, list[int]] = {}
        # Of each series: what was put in, and what rules have written.
        self._input: list[tuple[Int64s, Float64s]] = []
        self._times: list[array[int]] = []
        self._values: list[array[float]] = []
        self._selections: dict[tuple[Matcher, ...], tuple[Int64s, dict[str, NDArray[np.int32]]]] = {}

    def put(self, labels: LabelSet, values: Sequence[SequenceValue], *, start_ms: int, interval_ms: int) -> None:
        """Put a series in, one value for each interval. Native histograms are left out.

        Raises:
            ValueError: the series is there already.
        """
        if labels in self._slots:
            raise ValueError("the series is there twice")
        there = [number for number, value in enumerate(values) if isinstance(value, float)]
        times = np.array(there, np.int64) * interval_ms + start_ms
        taken = np.array([values[number] for number in there], np.float64)
        self._input[self._slot(labels)] = (times, taken)

    @property
    def series_count(self) -> int:
        """How many series there are, also those without a sample that can be seen."""
        return len(self._labels)

    def has(self, matchers: Sequence[Matcher]) -> bool:
        """Whether there is any series that passes these matchers."""
        return any(self._matches(slot, matchers) for slot in self._candidates(matchers))

    # A source

    def symbols(self) -> QuerySymbols:
        """See `SampleSource.symbols`."""
        return self._table.overlay()

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, symbols: QuerySymbols, *, max_series: int
    ) -> Selection:
        """See `SampleSource.select`."""
        del start_ms, end_ms
        key = tuple(matchers)
        found = self._selections.get(key)
        if found is None:
            slots = [slot for slot in self._candidates(matchers) if self._matches(slot, matchers)]
            if len(slots) > max_series:
                raise LimitExceededError(limit="query.max_series", allowed=max_series, found=len(slots), what="series")
            frame = LabelFrame.of(symbols, [self._labels[slot] for slot in slots])
            found = self._selections[key] = np.array(slots, np.int64), dict(frame.columns)
        handles, columns = found
        return Selection(LabelFrame(symbols, columns, len(handles)), handles)

    def read(self, handles: Int64s, start_ms: int, end_ms: int) -> SampleRuns:
        """See `SampleSource.read`."""
        until = min(end_ms, self.now_ms)
        offsets, times, values = [0], [np.zeros(0, np.int64)], [np.zeros(0)]
        for slot in handles.tolist():
            length = 0
            for some_times, some_values in self._samples(slot):
                low, high = np.searchsorted(some_times, (start_ms, until + 1))
                times.append(some_times[low:high])
                values.append(some_values[low:high])
                length += int(high - low)
            offsets.append(offsets[-1] + length)
        return SampleRuns(np.array(offsets, np.int64), np.concatenate(times), np.concatenate(values))

    # A writer

    @property
    def generation(self) -> int:
        """See `SampleWriter.generation`: slots stay."""
        return 0

    def resolve(self, label_sets: Sequence[LabelSet]) -> tuple[Int64s, str]:
        """See `SampleWriter.resolve`."""
        return np.array([self._slot(labels) for labels in label_sets], np.int64), ""

    def write(self, slots: Int64s, time_ms: int, values: Float64s) -> str:
        """See `SampleWriter.write`."""
        problem = ""
        for slot, value in zip(map(int, slots), values, strict=True):
            last = self._last(slot)
            if last is None or last[0] < time_ms:
                self._times[slot].append(time_ms)
                self._values[slot].append(float(value))
            elif last[0] > time_ms:
                problem = problem or "out of order sample"
            elif last[1].tobytes() != value.tobytes():
                problem = problem or "duplicate sample for timestamp"
        return problem

    def end(self, slots: Int64s, time_ms: int) -> None:
        """See `SampleWriter.end`."""
        self.write(slots, time_ms, np.full(len(slots), STALE))

    def _slot(self, labels: LabelSet) -> int:
        slot = self._slots.get(labels)
        if slot is None:
            slot = self._slots[labels] = len(self._labels)
            self._labels.append(labels)
            self._by_name.setdefault(dict(labels).get(METRIC_NAME, ""), []).append(slot)
            self._input.append(_NO_INPUT)
            self._times.append(array("q"))
            self._values.append(array("d"))
            for _, text in labels:
                self._table.intern(text)
            self._selections.clear()
        return slot

    def _last(self, slot: int) -> tuple[int, np.float64] | None:
        """The newest sample that can be seen."""
        input_times, input_values = self._input[slot]
        seen = int(np.searchsorted(input_times, self.now_ms, "right"))
        if self._times[slot]:
            time_ms = self._times[slot][-1]
            if not seen or input_times[seen - 1] <= time_ms:
                return time_ms, np.float64(self._values[slot][-1])
        return (int(input_times[seen - 1]), input_values[seen - 1]) if seen else None

    def _samples(self, slot: int) -> list[tuple[Int64s, Float64s]]:
        """The samples of a series, in pieces that follow each other."""
        written = self._times[slot]
        if not written:
            return [self._input[slot]]
        # Copies: a view would keep the arrays from growing.
        times, values = np.array(written, np.int64), np.frombuffer(self._values[slot].tobytes())
        given_times, given_values = self._input[slot]
        if not len(given_times):
            return [(times, values)]
        times, values = np.concatenate([given_times, times]), np.concatenate([given_values, values])
        order = np.argsort(times, kind="stable")
        return [(times[order], values[order])]

    def _candidates(self, matchers: Sequence[Matcher]) -> Sequence[int]:
        for matcher in matchers:
            if matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL:
                return self._by_name.get(matcher.value, ())
        return range(len(self._labels))

    def _matches(self, slot: int, matchers: Sequence[Matcher]) -> bool:
        labels = dict(self._labels[slot])
        return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
