"""`/api/v1/read`: raw samples for other stores, by Prometheus' remote-read protocol.

Source: Prometheus 3, `storage/remote/read_handler.go`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.errors import ProblemError
from vedette.http.limits import unless_disconnected
from vedette.http.prometheus.write import render_plainly
from vedette.http.routing import Access, Route, Router
from vedette.model.errors import LimitExceededError
from vedette.model.labels import LabelSet
from vedette.query.raw import Check, RawReads
from vedette.query.remote_read import ChunkStream, ReadJob, read_chunks, read_samples
from vedette.query.source import SampleSource
from vedette.wire.compression import Encoding, decompress
from vedette.wire.remote_read import (
    ResponseType,
    UnsupportedResponseError,
    decode_read_request,
    negotiate_response,
    response_headers,
)

MAX_BODY_BYTES: Final = 1 << 20
"""Of a request: it holds selectors."""


def read_router(reads: RawReads, external_labels: Callable[[], LabelSet], *, folder: Path | None = None) -> Router:
    """The router of the remote-read server.

    Args:
        reads: reads what is stored.
        external_labels: added to every series; asked for again with every request.
        folder: where large answers are put aside; None for the system's place for such files.
    """
    handler = _Reads(reads, external_labels, folder)
    route = Route("/api/v1/read", ("POST",), handler.read, Access.READ, MAX_BODY_BYTES)
    return Router("remote read", (route,), render_plainly)


class _Reads:
    def __init__(self, reads: RawReads, external_labels: Callable[[], LabelSet], folder: Path | None) -> None:
        self._reads = reads
        self._external_labels = external_labels
        self._folder = folder

    async def read(self, request: Request) -> Response:
        """Answer a request."""
        body = decompress(await request.body(), Encoding.SNAPPY, max_bytes=4 * MAX_BODY_BYTES)
        asked = decode_read_request(body)
        try:
            kind = negotiate_response(asked.accepted)
        except UnsupportedResponseError as exc:
            raise ProblemError(400, str(exc), kind="bad-data") from exc
        job = ReadJob(asked.queries, self._external_labels(), self._reads.limits)
        headers = response_headers(kind)
        try:
            if kind is ResponseType.SAMPLES:
                work = self._reads.run(lambda source, check: read_samples(job, source, check))
                return Response(await unless_disconnected(request, work), headers=headers)
            stream = await unless_disconnected(request, self._put_aside(job))
        except LimitExceededError as exc:
            raise ProblemError(400, str(exc), kind="limit-exceeded") from exc
        return StreamingResponse(self._pieces(stream), headers=headers)

    async def _put_aside(self, job: ReadJob) -> ChunkStream:
        made: list[ChunkStream] = []

        def work(source: SampleSource, check: Check) -> ChunkStream:
            made.append(read_chunks(job, source, check, folder=self._folder))
            return made[0]

        try:
            return await self._reads.run(work)
        except BaseException:
            for stream in made:  # it was finished when nobody waited any more
                stream.close()
            raise

    async def _pieces(self, stream: ChunkStream) -> AsyncIterator[bytes]:
        """One piece after the other, as the client takes them."""
        pieces = stream.pieces()
        try:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece
        finally:
            stream.close()
