"""The envelope of Prometheus' HTTP API, for success and for errors.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.errors import Problem

MAX_ANNOTATIONS: Final = 10
"""So many warnings and infos are listed; the rest is counted."""

_WHOLE_BYTES: Final = 16 << 20
"""Up to here an answer is made at once and sent with its length; a larger one is made while it is sent."""

_ERROR_TYPES: Final = {
    "bad-data": "bad_data",
    "execution": "execution",
    "limit-exceeded": "execution",
    "timeout": "timeout",
    "cancelled": "canceled",
    "not-found": "not_found",
    "unavailable": "unavailable",
    "overloaded": "unavailable",
    "storage": "unavailable",
    "unauthorized": "unauthorized",
    "forbidden": "forbidden",
    "internal": "internal",
}


def render_error(problem: Problem, _request: Request) -> Response:
    """An error as Prometheus says it: `{"status":"error","errorType":"bad_data","error":"..."}`."""
    kind = _ERROR_TYPES.get(problem.kind, "bad_data" if problem.status < 500 else "internal")
    body = {"status": "error", "errorType": kind, "error": problem.detail}
    return Response(
        orjson.dumps(body), status_code=problem.status, headers=dict(problem.headers), media_type="application/json"
    )


def answer(data: Any, *, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """A success whose data are plain objects."""
    return Response(b"".join(envelope([orjson.dumps(data)], warnings, infos)), media_type="application/json")


def stream_answer(pieces: Iterator[bytes], warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """A success whose data come in pieces of JSON. A short one is sent whole, with its length."""
    chunks = envelope(pieces, warnings, infos)
    gathered: list[bytes] = []
    size = 0
    for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size > _WHOLE_BYTES:
            return StreamingResponse(_rest(b"".join(gathered), chunks), media_type="application/json")
    return Response(b"".join(gathered), media_type="application/json")


def envelope(pieces: Iterable[bytes], warnings: Sequence[str], infos: Sequence[str]) -> Iterator[bytes]:
    """The envelope around pieces of JSON."""
    yield b'{"status":"success","data":'
    yield from pieces
    if warnings:
        yield b',"warnings":' + orjson.dumps(_capped(warnings, "warning"))
    if infos:
        yield b',"infos":' + orjson.dumps(_capped(infos, "info"))
    yield b"}"


def _rest(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _capped(texts: Sequence[str], kind: str) -> list[str]:
    if len(texts) <= MAX_ANNOTATIONS:
        return list(texts)
    return [*texts[:MAX_ANNOTATIONS], f"{len(texts) - MAX_ANNOTATIONS} more {kind} annotations omitted"]
