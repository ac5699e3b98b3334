"""Where an evaluator gets its samples from: the one seam between query languages and the store.

`select` says which series there are, `read` hands out their samples in pieces that fit into a core's
cache. Both are called from worker threads, several at once; neither holds the GIL for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame, QuerySymbols
from vedette.model.matchers import Matcher
from vedette.model.samples import SampleRuns


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The series that a selector finds.

    Attributes:
        labels: their label sets, `__name__` included, all different; row i is series i.
        handles: int64[series], the source's own names for them, to be given back to `read`.
    """

    labels: LabelFrame
    handles: NDArray[np.int64]


class SampleSource(Protocol):
    """What a query is evaluated over."""

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, symbols: QuerySymbols, *, max_series: int
    ) -> Selection:
        """Series that pass all matchers and may hold samples in [start_ms, end_ms].

        Raises:
            LimitExceededError: more than `max_series` do.
        """
        ...

    def read(self, handles: NDArray[np.int64], start_ms: int, end_ms: int) -> SampleRuns:
        """The samples of these series with start_ms <= time <= end_ms, stale markers included.

        May return more than asked for at both ends of a run; runs without samples are empty. The arrays
        belong to the caller until its next call of `read` from the same thread: they are reused.
        """
        ...

    def symbols(self) -> QuerySymbols:
        """A fresh overlay over the source's symbol table, for one query."""
        ...
