"""The protocol without sockets: what arrives is cut as a test likes, and the time is driven by hand."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from uvicorn import Config
from uvicorn.server import ServerState

from vedette.http import Access, HttpSettings, Route, Router, build_application
from vedette.http.auth.principals import LOOPBACK_PEER, Principal
from vedette.http.protocol import BoundedProtocol, ServerContext
from vedette.http.routing import Ask

SETTINGS = HttpSettings(access_log=False, keep_alive_s=75, head_timeout_s=10)


class HandLoop:
    """The timers of an event loop."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.timers: list[tuple[float, int, Any]] = []
        self.made = 0

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, call: Callable[[], None]) -> Any:
        self.made += 1
        handle = asyncio.TimerHandle(when_s, call, (), cast("Any", self))
        heapq.heappush(self.timers, (when_s, self.made, handle))
        return handle

    def call_later(self, within_s: float, call: Callable[[], None]) -> Any:
        return self.call_at(self.now_s + within_s, call)

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, _handle: object) -> None:
        pass

    def advance(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.timers and self.timers[0][0] <= until_s:
            self.now_s, _, handle = heapq.heappop(self.timers)
            if not handle.cancelled():
                handle._callback()
        self.now_s = until_s


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"sockname": ("127.0.0.1", 7300), "peername": ("127.0.0.1", 5000)}.get(name, default)

    def write(self, data: bytes) -> None:
        self.sent += data

    def writelines(self, pieces: list[bytes]) -> None:
        self.sent += b"".join(pieces)

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    @property
    def statuses(self) -> list[bytes]:
        return [part[:3] for part in self.sent.split(b"HTTP/1.1 ")[1:]]


class Stage:
    """A connection to an application with one quick path and one that waits."""

    def __init__(self) -> None:
        self.ways: list[str] = []
        self.forms: list[bytes] = []
        self.release = asyncio.Event()
        self.loop = HandLoop()
        self.wire = Wire()
        self.protocol = cast("BoundedProtocol", None)

    async def usual(self, request: Request) -> Response:
        self.ways.append("usual")
        self.forms.append(await request.body())
        return Response(b"{}", media_type="application/json")

    def at_once(self, asked: Ask) -> bytes:
        self.ways.append("at once")
        self.forms.append(asked.form)
        return b"{}"

    async def wait(self, _request: Request) -> Response:
        self.ways.append("wait")
        await self.release.wait()
        return Response(b"{}")

    def receive(self, data: bytes) -> None:
        self.protocol.data_received(data)

    async def settle(self) -> None:
        """Let the requests that have started get as far as they can."""
        for _ in range(20):
            await asyncio.sleep(0)


@asynccontextmanager
async def connected() -> AsyncIterator[Stage]:
    stage = Stage()

    async def identify(*_: object) -> Principal:
        return LOOPBACK_PEER

    routes = (
        Route("/quick", ("GET", "POST"), stage.usual, Access.READ, at_once=stage.at_once),
        Route("/wait", ("GET",), stage.wait, Access.READ),
    )
    application = build_application(
        [Router("test", routes)], identify=identify, recall=lambda *_: LOOPBACK_PEER, settings=SETTINGS
    )
    config = Config(cast("Any", application), lifespan="off", ws="none", interface="asgi3", log_config=None)
    config.load()
    async with asyncio.TaskGroup() as requests:
        context = ServerContext(config, ServerState(), SETTINGS, requests, asyncio.Event(), application.directly)
        stage.protocol = BoundedProtocol(context)
        stage.protocol.loop = cast("Any", stage.loop)
        stage.protocol.connection_made(cast("Any", stage.wire))
        yield stage
        stage.release.set()
        await stage.settle()
        stage.protocol.connection_lost(None)


GET = b"GET /quick?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    b"POST /quick HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 8\r\n\r\nquery=up"
)
WAIT = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"


@given(st.lists(st.integers(1, len(GET + POST) - 1), max_size=6))
async def test_requests_are_answered_alike_however_they_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(GET + POST)]
    async with connected() as stage:
        for start, end in pairwise(places):
            stage.receive((GET + POST)[start:end])
        await stage.settle()

    assert stage.wire.statuses == [b"200", b"200"]
    assert stage.forms == [b"", b"query=up"]
    assert stage.ways[0] == "at once"


async def test_a_form_that_comes_later_than_its_head_takes_the_usual_way() -> None:
    async with connected() as stage:
        stage.receive(POST[:-3])
        stage.receive(POST[-3:])
        await stage.settle()
        stage.receive(POST)

    assert stage.ways == ["usual", "at once"]


async def test_a_quick_request_waits_for_the_slow_one_before_it() -> None:
    async with connected() as stage:
        stage.receive(WAIT)
        stage.receive(GET)
        await stage.settle()
        before = list(stage.ways)
        stage.release.set()
        await stage.settle()

    assert before == ["wait"]
    assert stage.ways == ["wait", "usual"]
    assert stage.wire.statuses == [b"200", b"200"]


async def test_a_client_that_does_not_read_is_not_answered_at_once() -> None:
    async with connected() as stage:
        stage.receive(GET)
        stage.protocol.pause_writing()
        stage.receive(GET)
        await stage.settle()
        sent = stage.wire.statuses
        stage.protocol.resume_writing()
        await stage.settle()

    assert stage.ways == ["at once", "usual"]
    assert sent == [b"200"]
    assert stage.wire.statuses == [b"200", b"200"]


@pytest.mark.parametrize("request_bytes", [GET, POST, WAIT])
async def test_a_connection_is_kept_from_request_to_request_and_no_longer(request_bytes: bytes) -> None:
    async with connected() as stage:
        stage.release.set()
        for _ in range(20):
            stage.receive(request_bytes)
            await stage.settle()
            stage.loop.advance(74)
        kept = not stage.wire.closed
        stage.loop.advance(2)

        assert kept
        assert stage.wire.closed


async def test_the_deadlines_of_a_busy_connection_need_no_timer_for_each() -> None:
    async with connected() as stage:
        for _ in range(1000):
            stage.receive(GET)
            stage.loop.advance(0.5)

    assert len(stage.ways) == 1000
    assert stage.loop.made < 30


@pytest.mark.parametrize("before", [b"", GET, WAIT])
async def test_a_head_has_ten_seconds_from_its_first_byte(before: bytes) -> None:
    async with connected() as stage:
        stage.release.set()
        if before:
            stage.receive(before)
            await stage.settle()
            stage.loop.advance(60)
        stage.receive(GET[:10])
        stage.loop.advance(5)
        stage.receive(GET[10:20])
        stage.loop.advance(4.9)
        open_until_then = not stage.wire.closed
        stage.loop.advance(0.2)

        assert open_until_then
        assert stage.wire.closed
        assert stage.wire.statuses[-1] == b"408"


async def test_a_request_that_is_being_answered_has_no_deadline_of_the_connection() -> None:
    async with connected() as stage:
        stage.receive(GET)
        stage.receive(WAIT)
        await stage.settle()
        stage.loop.advance(1000)

        assert not stage.wire.closed
