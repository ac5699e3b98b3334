"""Where rules' samples go: through the one way in, booked under the source `rules`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.ingest.writer import MetricsWriter
from vedette.model.labels import LabelSet

Int64s = NDArray[np.int64]

SOURCE: Final = "rules"
_PATIENCE_MS: Final = 750
"""How long samples may wait to be committed: with the time of writing, what is older than a second outlives a crash."""


class RuleSamples:
    """A `SampleWriter` that stores."""

    def __init__(self, writer: MetricsWriter) -> None:
        self._writer = writer

    @property
    def generation(self) -> int:
        """See `SampleWriter.generation`."""
        return self._writer.generation

    def resolve(self, label_sets: Sequence[LabelSet]) -> tuple[Int64s, str]:
        """See `SampleWriter.resolve`. A series that is refused is one sample less, and booked as that."""
        slots, refused = self._writer.resolve(SOURCE, label_sets)
        for _, drop, problem in refused:
            self._writer.refuse(SOURCE, drop, 1, problem)
        return slots, refused[0][2] if refused else ""

    def write(self, slots: Int64s, time_ms: int, values: NDArray[np.float64]) -> str:
        """See `SampleWriter.write`."""
        times = np.full(len(slots), time_ms, np.int64)
        return self._writer.take(SOURCE, slots, times, values, patience_ms=_PATIENCE_MS).problem

    def end(self, slots: Int64s, time_ms: int) -> None:
        """See `SampleWriter.end`."""
        self._writer.end(SOURCE, slots, time_ms, patience_ms=_PATIENCE_MS)
