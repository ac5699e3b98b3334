"""What tests of discovery share: a place for groups, a hand-driven pause, a loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from vedette.collect.discovery import Discoverer, TargetGroup

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serving = Callable[..., AbstractAsyncContextManager[str]]


class Found:
    """The groups in force, as whoever scrapes them sees it.

    Attributes:
        groups: by source.
        publishes: how often something was published.
    """

    def __init__(self) -> None:
        self.groups: dict[str, TargetGroup] = {}
        self.publishes = 0
        self._event = asyncio.Event()

    def publish(self, groups: Sequence[TargetGroup]) -> None:
        for group in groups:
            if group.targets:
                self.groups[group.source] = group
            else:
                self.groups.pop(group.source, None)
        self.publishes += 1
        self._event.set()

    @property
    def addresses(self) -> set[str]:
        return {target["__address__"] for group in self.groups.values() for target in group.targets}

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that changes with what is published."""
        async with asyncio.timeout(20):
            while not holds():
                self._event.clear()
                await self._event.wait()


class HandPause:
    """A pause that lasts until it is ended; records how long it should have been."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[float] = asyncio.Queue()
        self._ended: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        self.begun.put_nowait(seconds)
        await self._ended.get()

    async def begins(self) -> float:
        async with asyncio.timeout(20):
            return await self.begun.get()

    def end(self) -> None:
        self._ended.put_nowait(None)


@pytest.fixture
def found() -> Found:
    return Found()


@pytest.fixture
def pause() -> HandPause:
    return HandPause()


@asynccontextmanager
async def _running(discoverer: Discoverer, found: Found) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(discoverer.run(found.publish))
        try:
            yield
        finally:
            task.cancel()


@pytest.fixture
def running() -> Callable[[Discoverer, Found], AbstractAsyncContextManager[None]]:
    return _running


@asynccontextmanager
async def _serving(handler: Handler, *, unix_socket: Path | None = None) -> AsyncGenerator[str]:
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.UnixSite(runner, unix_socket) if unix_socket else web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    try:
        yield str(unix_socket) if unix_socket else f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def serving() -> Serving:
    return _serving
