"""Store what a rule gives: its series by slot, and their end where they are not given any more.

Source: Prometheus' `rules/group.go` (`Eval`, `cleanupStaleSeries`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.model.labels import LabelSet
from vedette.rules.numbering import SeriesNumbers
from vedette.rules.outcome import Samples

Int64s = NDArray[np.int64]

_UNKNOWN: Final = -2


class SampleWriter(Protocol):
    """Where samples go (`vedette.ingest.writer`)."""

    @property
    def generation(self) -> int:
        """Rises when slots were taken back: those known until then mean nothing any more."""
        ...

    def resolve(self, label_sets: Sequence[LabelSet]) -> tuple[Int64s, str]:
        """Slots of series, negative where one is refused, and a sentence about the first refusal."""
        ...

    def write(self, slots: Int64s, time_ms: int, values: NDArray[np.float64]) -> str:
        """Take samples of one time; returns a sentence about the first that was not taken, if any.

        Raises:
            OverloadedError: none were taken.
        """
        ...

    def end(self, slots: Int64s, time_ms: int) -> None:
        """Mark series as stale; where one has a sample at that time or later already, that one stays.

        Raises:
            OverloadedError: none were marked.
        """
        ...


class SeriesWriter:
    """Writes for one rule, and knows which of its series are alive."""

    def __init__(self, writer: SampleWriter) -> None:
        self._writer = writer
        self._generation = writer.generation
        self._numbers: SeriesNumbers | None = None
        self._slots: Int64s = np.zeros(0, np.int64)
        self._alive: Int64s = np.zeros(0, np.int64)

    def write(self, samples: Samples, time_ms: int) -> tuple[str, Int64s]:
        """Store samples, and stale markers for the series that were there the last time and are not now.

        Returns:
            A sentence about a sample that was not taken, if any; and the numbers of the series that have ended.

        Raises:
            OverloadedError: not all was stored; what is alive stays as it was.
        """
        numbers = self._numbers = samples.numbers
        if not len(samples.series) and not len(self._alive):
            return "", self._alive
        same = np.array_equal(self._alive, samples.series)
        ended = np.zeros(0, np.int64) if same else np.setdiff1d(self._alive, samples.series)
        refusal = self._resolve(numbers, np.concatenate([samples.series, ended]))
        slots = self._slots[samples.series]
        taken = slots >= 0
        problem = self._writer.write(slots[taken], time_ms, samples.values[taken]) if taken.any() else ""
        if len(ended):
            ending = self._slots[ended]
            self._writer.end(ending[ending >= 0], time_ms)
            self._slots[ended] = _UNKNOWN
        self._alive = samples.series.copy()
        return refusal or problem, ended

    def alive(self) -> list[LabelSet]:
        """The series that have not ended."""
        if self._numbers is None:
            return []
        return [self._numbers.labels(number) for number in self._alive.tolist()]

    def _resolve(self, numbers: SeriesNumbers, wanted: Int64s) -> str:
        if self._writer.generation != self._generation:
            self._slots[:] = _UNKNOWN
            self._generation = self._writer.generation
        grown = numbers.size - len(self._slots)
        if grown > 0:
            self._slots = np.concatenate([self._slots, np.full(grown, _UNKNOWN, np.int64)])
        # Refused ones are asked again: the limit may have been raised.
        new = wanted[self._slots[wanted] < 0]
        if not len(new):
            return ""
        self._slots[new], problem = self._writer.resolve([numbers.labels(number) for number in new.tolist()])
        return problem


def end_series(writer: SampleWriter, label_sets: Sequence[LabelSet], time_ms: int) -> None:
    """Stale markers for series that nobody writes any more.

    Raises:
        OverloadedError: none were stored.
    """
    if not label_sets:
        return
    slots, _ = writer.resolve(label_sets)
    writer.end(slots[slots >= 0], time_ms)
