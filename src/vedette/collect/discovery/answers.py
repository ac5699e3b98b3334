"""Answers of the services that are asked for targets: JSON, of bounded size, or an error that says why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from vedette.collect.http_client import Fetcher, FetchError, Response

BODY_LIMIT: Final = 64 << 20
"""The most that one answer may hold: a list of some 50,000 targets."""

_OK: Final = 200
_QUOTED: Final = 200


async def fetch_body(
    fetcher: Fetcher, url: str, *, timeout_s: float, headers: Mapping[str, str] | None = None
) -> tuple[Response, bytes]:
    """A successful answer and its unpacked body.

    Raises:
        FetchError: there is none, or its status is not 200.
        LimitExceededError: it is too large.
        DecodeError: it cannot be unpacked.
    """
    response = await fetcher.fetch(
        url,
        timeout_s=timeout_s,
        body_bytes_limit=BODY_LIMIT,
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})},
    )
    body = await asyncio.to_thread(response.content, limit_bytes=BODY_LIMIT)
    if response.status != _OK:
        raise FetchError(f"the server answered {response.status} {response.reason}{quoted(body)}")
    return response, body


def quoted(body: bytes) -> str:
    """The beginning of an error's body, for the log."""
    text = " ".join(body[:_QUOTED].decode("utf-8", "replace").split())
    return f": {text}" if text else ""
