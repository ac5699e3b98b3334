"""Export: the raw samples of a selection, as an Arrow stream, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.prometheus.parameters import MAX_TIME_MS, MIN_TIME_MS, Parameters
from vedette.model.errors import QueryError
from vedette.model.samples import is_stale
from vedette.query.source import SampleSource

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

_SERIES_PER_BATCH = 256
_SCHEMA = pa.schema(
    [
        ("labels", pa.dictionary(pa.int32(), pa.map_(pa.string(), pa.string()))),
        ("time", pa.timestamp("ms", "UTC")),
        ("value", pa.float64()),
    ]
)


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
        symbols = source.symbols()
        found = [source.select(m, start_ms, end_ms, symbols, max_series=self.max_series) for m in selectors]

        def chunks() -> Iterator[bytes]:
            sink = _Chunks()
            with pa.ipc.new_stream(sink, _SCHEMA) as writer:
                for selection in found:
                    for first in range(0, len(selection.handles), _SERIES_PER_BATCH):
                        rows = np.arange(first, min(first + _SERIES_PER_BATCH, len(selection.handles)))
                        runs = source.read(selection.handles[rows], start_ms, end_ms)
                        wanted = (runs.times >= start_ms) & (runs.times <= end_ms) & ~is_stale(runs.values)
                        owners = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(runs.offsets))[wanted]
                        labels = pa.array(
                            [list(pairs) for pairs in selection.labels.take(rows).label_sets()],
                            pa.map_(pa.string(), pa.string()),
                        )
                        columns = {
                            "labels": pa.DictionaryArray.from_arrays(pa.array(owners), labels),
                            "time": pa.array(runs.times[wanted]).view(pa.timestamp("ms", "UTC")),
                            "value": pa.array(runs.values[wanted]),
                        }
                        writer.write_batch(pa.record_batch(columns))
                        yield from sink.take()
            yield from sink.take()

        return StreamingResponse(chunks(), media_type=MEDIA_TYPE)


class _Chunks:
    """A file that hands out what was written to it."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take a piece."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to close."""

    def take(self) -> list[bytes]:
        """What was written since the last call."""
        parts, self._parts = self._parts, []
        return parts
