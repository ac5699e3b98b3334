from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from vedette.http.compression import accepts_gzip, compress

LARGE = "all work and no play " * 10_000


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("deflate, br", False),
        ("", False),
    ],
)
def test_gzip_is_used_for_clients_that_take_it(header: str, accepted: bool) -> None:  # noqa: FBT001
    assert accepts_gzip(header) is accepted


async def test_a_large_answer_is_compressed() -> None:
    response = PlainTextResponse(LARGE)

    await compress(response, min_bytes=1000)

    assert gzip.decompress(bytes(response.body)).decode() == LARGE
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(response.body))
    assert response.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(PlainTextResponse("short"), id="a short one"),
        pytest.param(JSONResponse({"token": LARGE}, headers={"Cache-Control": "no-store"}), id="one with secrets"),
        pytest.param(Response(LARGE, headers={"Content-Encoding": "zstd"}), id="one that is compressed already"),
        pytest.param(Response(LARGE, media_type="image/png"), id="a picture"),
        pytest.param(PlainTextResponse(LARGE, status_code=206), id="a part"),
    ],
)
async def test_these_answers_are_left_alone(response: Response) -> None:
    before = bytes(response.body)

    await compress(response, min_bytes=1000)

    assert response.body == before


async def test_a_stream_is_compressed_piece_by_piece() -> None:
    async def pieces() -> AsyncIterator[str | bytes]:
        yield "first "
        yield LARGE.encode()

    response = StreamingResponse(pieces(), media_type="text/plain")
    await compress(response, min_bytes=1000)

    sent = [bytes(piece) if not isinstance(piece, str) else b"" async for piece in response.body_iterator]

    assert len(sent) == 3
    assert gzip.decompress(b"".join(sent)).decode() == "first " + LARGE
