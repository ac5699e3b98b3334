"""Imitates the services that notifications go to: remembers what it was sent, and answers, fails or stalls as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that came in.

    Attributes:
        path: with its query.
        headers: names in lower case.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        cut_after: how many bytes of the body to send before the connection is closed; None for all of it.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cut_after: int | None = None


def json_reply(content: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(content).encode(), "application/json; charset=utf-8")


Answering = Callable[[Sent], Reply | Awaitable[Reply]]


class ReceiverServer:
    """A service on a loopback port."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[Sent] = []
        self.released = asyncio.Event()
        self._answers: dict[str, Answering] = {}
        self._scripted: list[Reply] = []
        self._came = asyncio.Condition()

    def answer(self, answering: Answering | Reply, path: str = "") -> None:
        """Answer a path (or all for which nothing else is said) from now on."""
        self._answers[path] = answering if callable(answering) else lambda _sent: answering

    def script(self, *replies: Reply) -> None:
        """Give these answers first, whatever is asked."""
        self._scripted.extend(replies)

    def stall(self, path: str = "") -> None:
        """Do not answer before `released` is set."""

        async def stalled(_sent: Sent) -> Reply:
            await self.released.wait()
            return Reply()

        self.answer(stalled, path)

    async def wait_for(self, count: int) -> list[Sent]:
        """Wait until so many requests have come in; all of them."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.sent) >= count)
        return self.sent

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        sent = Sent(request.method, request.raw_path, headers, await request.read())
        async with self._came:
            self.sent.append(sent)
            self._came.notify_all()
        reply = await self._reply(sent)
        if reply.cut_after is not None:
            return await self._cut(request, reply)
        return web.Response(
            status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type, **reply.headers}
        )

    async def _reply(self, sent: Sent) -> Reply:
        if self._scripted:
            return self._scripted.pop(0)
        answering = self._answers.get(sent.path.partition("?")[0]) or self._answers.get("")
        if answering is None:
            return Reply()
        found = answering(sent)
        return found if isinstance(found, Reply) else await found

    async def _cut(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        """Promise more than is sent, and close the connection."""
        assert reply.cut_after is not None
        response = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type})
        response.content_length = len(reply.body)
        await response.prepare(request)
        await response.write(reply.body[: reply.cut_after])
        assert request.transport is not None
        request.transport.close()
        return response


@asynccontextmanager
async def serve_receiver() -> AsyncGenerator[ReceiverServer]:
    """A `ReceiverServer` for as long as the block lasts."""
    server = ReceiverServer()
    application = web.Application(client_max_size=64 << 20)
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.released.set()
        await runner.cleanup()
