"""Export: the raw samples of a selection, as an Arrow stream, in pieces that fit into memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.prometheus.parameters import MAX_TIME_MS, MIN_TIME_MS, Parameters
from vedette.model.errors import QueryError
from vedette.model.frames import LabelFrame
from vedette.model.samples import SampleRuns, is_stale
from vedette.query.source import SampleSource, Selection
from vedette.wire.arrow_answer import CONTENT_TYPE, encode_runs

_SERIES_PER_BATCH = 256


@dataclass(frozen=True, slots=True)
class Export:
    """The handler."""

    make_source: Callable[[], SampleSource]
    max_series: int

    async def answer(self, request: Request) -> Response:
        """`match[]`, `start` and `end` as for `/api/v1/series`; columns labels, time, value.

        Raises:
            QueryError: a parameter is missing or wrong.
            LimitExceededError: too many series.
        """
        parameters = await Parameters.of(request)
        selectors = parameters.selectors()
        if not selectors:
            raise QueryError("no match[] parameter provided")
        start_ms = parameters.time_ms("start", MIN_TIME_MS)
        end_ms = parameters.time_ms("end", MAX_TIME_MS)
        source = self.make_source()

        def select() -> list[Selection]:
            symbols = source.symbols()
            return [source.select(m, start_ms, end_ms, symbols, max_series=self.max_series) for m in selectors]

        # A pattern is run over all values of its label, which may be many.
        found = await asyncio.to_thread(select)

        def parts() -> Iterator[tuple[LabelFrame, SampleRuns]]:
            for selection in found:
                for first in range(0, len(selection.handles), _SERIES_PER_BATCH):
                    rows = np.arange(first, min(first + _SERIES_PER_BATCH, len(selection.handles)))
                    runs = source.read(selection.handles[rows], start_ms, end_ms)
                    yield selection.labels.take(rows), _within(runs, start_ms, end_ms)

        return StreamingResponse(encode_runs(parts()), media_type=CONTENT_TYPE)


def _within(runs: SampleRuns, start_ms: int, end_ms: int) -> SampleRuns:
    """Without stale markers and what a source hands out beyond the window."""
    wanted = (runs.times >= start_ms) & (runs.times <= end_ms) & ~is_stale(runs.values)
    before: NDArray[np.int64] = np.concatenate([np.zeros(1, np.int64), np.cumsum(wanted, dtype=np.int64)])
    return SampleRuns(before[runs.offsets], runs.times[wanted], runs.values[wanted])
