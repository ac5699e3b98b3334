from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
from starlette.requests import Request
from starlette.responses import StreamingResponse

from harness.intake import NOW_MS, Intake, series
from vedette.http.admin.export import Export
from vedette.model.frames import QuerySymbols
from vedette.model.matchers import Matcher
from vedette.query.source import Selection
from vedette.query.stored import StoredSource


class Watched(StoredSource):
    """Remembers in which threads it was asked."""

    threads: set[int]

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, symbols: QuerySymbols, *, max_series: int
    ) -> Selection:
        self.threads.add(threading.get_ident())
        return super().select(matchers, start_ms, end_ms, symbols, max_series=max_series)


def request(**parameters: Any) -> Request:
    query = urlencode(parameters, doseq=True).encode()
    return Request({"type": "http", "method": "GET", "query_string": query, "headers": []})


async def test_the_samples_of_a_selection_are_found_and_selected_off_the_event_loop() -> None:
    intake = Intake()
    slots, _ = intake.writer.resolve("test", [series("a", x="1"), series("b", x="1")])
    intake.writer.take("test", slots, np.full(2, NOW_MS), np.array([0.0, 1.0]), patience_ms=1)
    source = Watched(intake.index, intake.memory, None)
    source.threads = set()

    answer = await Export(lambda: source, max_series=10).answer(request(**{"match[]": '{x=~"1|2"}'}))

    assert isinstance(answer, StreamingResponse)
    body = b"".join([bytes(piece) async for piece in answer.body_iterator])  # pyright: ignore[reportArgumentType]
    rows = pa.ipc.open_stream(body).read_all().to_pylist()
    assert {dict(row["labels"])["__name__"]: row["value"] for row in rows} == {"a": 0.0, "b": 1.0}
    assert source.threads.isdisjoint({threading.get_ident()})
