"""gzip for large answers: the fastest level, in a thread where the answer is large enough to be felt.

Answers that say `no-store` themselves are left alone: they hold secrets (a new token, a form), and the size
of a compressed answer that mixes a secret with what an attacker sends tells about the secret.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

_LEVEL = 1
_GZIP_FORMAT = 16 + zlib.MAX_WBITS
IN_THREAD_BYTES: Final = 64 * 1024
_COMPRESSIBLE = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg")
_OK = 200


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the client takes gzip, by its Accept-Encoding."""
    return accepts_coding(accept_encoding, "gzip")


def accepts_coding(accept_encoding: str, coding: str) -> bool:
    """Whether the client takes a content coding, by its Accept-Encoding."""
    for choice in accept_encoding.split(","):
        name, _, weight = choice.partition(";")
        if name.strip().lower() in (coding, "*"):
            return weight.replace(" ", "").rstrip("0.") != "q="
    return False


async def compress(response: Response, *, min_bytes: int) -> None:
    """Compress an answer in place, if it gains by it."""
    headers = response.headers
    if (
        response.status_code != _OK
        or "content-encoding" in headers
        or "no-store" in headers.get("cache-control", "")
        or not headers.get("content-type", "").startswith(_COMPRESSIBLE)
    ):
        return
    if isinstance(response, StreamingResponse):
        response.body_iterator = _compressed_stream(response.body_iterator)
        if "content-length" in headers:
            del headers["content-length"]
    elif hasattr(response, "body"):
        body = response.body
        if len(body) < min_bytes:
            return
        response.body = await asyncio.to_thread(gzip_bytes, body) if len(body) >= IN_THREAD_BYTES else gzip_bytes(body)
        headers["content-length"] = str(len(response.body))
    else:
        return
    headers["content-encoding"] = "gzip"
    headers.add_vary_header("Accept-Encoding")


def gzip_bytes(body: bytes | memoryview) -> bytes:
    """Compress it; not in the event loop's thread from `IN_THREAD_BYTES` on."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
    return compressor.compress(body) + compressor.flush()


async def _compressed_stream(pieces: AsyncIterable[str | bytes | memoryview]) -> AsyncIterator[bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)

    def squeeze(piece: bytes | memoryview) -> bytes:
        # Flushed, so that what has been sent can be read while the rest is still being made.
        return compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH)

    try:
        async for piece in pieces:
            data = piece.encode() if isinstance(piece, str) else piece
            yield await asyncio.to_thread(squeeze, data) if len(data) >= IN_THREAD_BYTES else squeeze(data)
        yield compressor.flush()
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
