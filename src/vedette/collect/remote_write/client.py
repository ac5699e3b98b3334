"""One request to another store, and what became of it."""

from __future__ import annotations

import asyncio
from typing import Final

from vedette.collect.http_client import Fetcher, FetchError, ResponseStream
from vedette.collect.remote_write.delivery import Fate, Outcome, judge
from vedette.config import RemoteWrite, WriteMessage
from vedette.model.clock import Clock
from vedette.wire.remote_write import Version, request_headers

_SHOWN_BYTES: Final = 1024
_DRAINED_BYTES: Final = 65_536
_VERSIONS: Final = {WriteMessage.V1: Version.V1, WriteMessage.V2: Version.V2}


class StoreClient:
    """Sends requests to one store."""

    def __init__(self, fetcher: Fetcher, config: RemoteWrite, clock: Clock) -> None:
        self._fetcher = fetcher
        self._url = config.url
        self._timeout_s = config.remote_timeout.s
        self._clock = clock
        self._headers = {name: secret.value for name, secret in config.headers}
        self._headers |= request_headers(_VERSIONS[config.protobuf_message])

    async def post(self, body: bytes, *, attempt: int = 0) -> Outcome:
        """Send a packed body."""
        headers = self._headers | ({"Retry-Attempt": str(attempt)} if attempt else {})
        timer = asyncio.timeout(self._timeout_s)
        try:
            async with timer, self._fetcher.stream(self._url, method="POST", headers=headers, body=body) as answer:
                text = await _beginning(answer)
                return judge(answer.status, answer.headers, text, self._clock.now_ms() / 1000)
        except FetchError as exc:
            return Outcome(Fate.TRY_AGAIN, str(exc))
        except TimeoutError:
            if not timer.expired():
                raise
            return Outcome(Fate.TRY_AGAIN, f"no answer within {self._timeout_s:g} s (`remote_timeout`)")


async def _beginning(answer: ResponseStream) -> str:
    """The first line of an answer. A short one is read to its end, which keeps the connection."""
    text = b""
    size = 0
    async for chunk in answer.chunks():
        size += len(chunk)
        text = (text + chunk)[:_SHOWN_BYTES]
        if size > _DRAINED_BYTES:
            break
    return text.decode(errors="replace").strip().partition("\n")[0]
