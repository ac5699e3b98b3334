"""One client's connection: uvicorn's HTTP/1.1 protocol, with bounds on what a client may do to us.

uvicorn leaves these to a proxy in front; Vedette has none. Added here:

- the head of a request may have so many bytes and headers, and take so long (slow loris);
- the rest of a body that nobody wants any more (the request was refused early) is read for some seconds and
  bytes, so that the client sees the refusal, and then the connection is cut;
- a client that does not read its answer is cut off;
- pipelined requests have a bound, and chunked bodies' trailers never become headers;
- requests run in the server's task group, but for those that the application answers at once (`at_once`): such a one
  is held back until it is complete, or until all that has arrived is read. Of what arrives together only the first
  request is answered so; the others of a pipeline take the usual way, with its bound and its turns.

The states: between requests, in a head, in a body. Each method below says which it enters. One timer serves all that
must arrive in time; when it rings it looks what is awaited by then, so that moving a deadline costs nothing.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from dataclasses import dataclass
from typing import Any, cast

import httptools
import structlog
from typing_extensions import override
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from vedette.http.at_once import Directly
from vedette.http.connection import CONNECTION, ConnectionFacts
from vedette.http.settings import HttpSettings

_MAX_PIPELINED = 16
_LINGER_S = 5.0
_LINGER_BYTES = 4 * 1024 * 1024
_TIMER_SLACK_S = 0.005
_AT_ONCE = frozenset({b"GET", b"POST"})

log = structlog.get_logger()


class _Reading(enum.Enum):
    NOTHING = 0
    HEAD = 1
    BODY = 2


class _Awaited(enum.Enum):
    """What has to arrive in time: nothing, the rest of a head, or the next request of a client that may pause."""

    NOTHING = 0
    HEAD = 1
    REQUEST = 2


@dataclass(slots=True, eq=False)
class ServerContext:
    """What the connections of one server share.

    Attributes:
        requests: runs the requests.
        directly: answers some requests at once; None where the application cannot.
        changed: set whenever a connection has closed; the draining server waits for it.
    """

    config: Config
    state: ServerState
    settings: HttpSettings
    requests: asyncio.TaskGroup
    changed: asyncio.Event
    directly: Directly | None = None
    draining: bool = False


class _RefusedError(Exception):
    """Raised within the parser's callbacks; ends up in `data_received`."""

    def __init__(self, status: bytes) -> None:
        super().__init__(status)
        self.status = status


class BoundedProtocol(HttpToolsProtocol):
    """A connection. The methods are called by the event loop and by the parser."""

    def __init__(self, context: ServerContext) -> None:
        super().__init__(config=context.config, server_state=context.state, app_state={})
        self._context = context
        self._settings = context.settings
        self.url = b""
        self._reading = _Reading.NOTHING
        self._facts = ConnectionFacts()
        self._head_bytes = 0
        self._unexplained_bytes = 0
        self._directly = context.directly
        self._held: list[bytes] | None = None
        self._answered_at_once = False
        self._awaited = _Awaited.NOTHING
        self._deadline_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._stall_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None
        self._linger_bytes = 0
        self._close_after_linger = False

    # --- The event loop calls these.

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn has it
        super().connection_made(transport)
        if self._context.draining:
            transport.close()
        elif len(self.connections) > self._settings.max_connections:
            self._refuse(b"503 Service Unavailable")
        else:
            self._await_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._stall_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        self._facts.lost = True
        super().connection_lost(exc)
        self._context.changed.set()

    @override
    def data_received(self, data: bytes) -> None:
        # uvicorn drops the parser with the connection, and declares it as always there.
        parser = cast("httptools.HttpRequestParser | None", self.parser)
        if parser is None or self.transport.is_closing():
            return
        self._answered_at_once = False
        if self._awaited is _Awaited.REQUEST:
            self._awaited = _Awaited.NOTHING
        self._unexplained_bytes += len(data)
        try:
            self._feed(parser, data)
        except httptools.HttpParserError as exc:
            cause = exc.__context__
            self._held = None
            self._refuse(cause.status if isinstance(cause, _RefusedError) else b"400 Bad Request")
            return
        if self._held is not None:
            self._let_go()
        if self._unexplained_bytes > self._settings.max_head_bytes:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._reading is _Reading.NOTHING and self._answered_at_once and not self._answering():
            self._await_request()
        elif self._reading is not _Reading.BODY and not self._answering():
            self._await_head()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self._settings.send_stall_timeout_s, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # --- The parser calls these.

    @override
    def on_message_begin(self) -> None:
        """Enter a head."""
        super().on_message_begin()
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise _RefusedError(b"429 Too Many Requests")
        self._reading = _Reading.HEAD
        self._head_bytes = 0
        scope: Any = self.scope
        scope[CONNECTION] = self._facts

    @override
    def on_url(self, url: bytes) -> None:
        self.url += url
        self._count_head(len(url))

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        if self._reading is not _Reading.HEAD:
            return  # a trailer: nobody may add to a head that has been judged already
        if len(self.headers) >= self._settings.max_headers:
            raise _RefusedError(b"431 Request Header Fields Too Large")
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    @override
    def on_headers_complete(self) -> None:
        """Enter the body, even if there is none."""
        self._reading = _Reading.BODY
        self._unexplained_bytes = 0
        self._awaited = _Awaited.NOTHING
        if self._may_be_answered_at_once():
            self._held = []
        else:
            self._begin_cycle()

    @override
    def on_body(self, body: bytes) -> None:
        self._unexplained_bytes = 0
        if self._held is not None:
            self._held.append(body)
            return
        if self._linger_timer is not None:
            self._linger_bytes += len(body)
            if self._linger_bytes > _LINGER_BYTES:
                self.transport.abort()
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        """Leave the body: between requests."""
        self._reading = _Reading.NOTHING
        self._unexplained_bytes = 0
        if self._held is not None:
            if self._answer_at_once(b"".join(self._held)):
                return
            self._let_go()
        super().on_message_complete()
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None
            if self._close_after_linger:
                self.transport.close()

    # --- The request's cycle calls these.

    @override
    def on_response_complete(self) -> None:
        """The answer is written: the next one's turn. If the body is not there yet, wait for it, but not for ever."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._reading is _Reading.BODY:
            self._linger()
        elif self._reading is _Reading.HEAD:
            self._await_head()
        else:
            self._await_request()

    def close_when_read(self) -> None:
        """Close the connection, after the request's body if that is still on its way.

        Closing a socket with unread data resets it, and the client would lose the answer.
        """
        if self._reading is _Reading.BODY:
            self._close_after_linger = True
            self._linger()
        else:
            self.transport.close()

    @override
    def shutdown(self) -> None:
        """The server stops: close if idle, else after the answer."""
        if self._answering():
            cycle: Any = self.cycle
            cycle.keep_alive = False
        else:
            self.transport.close()

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        task = self._context.requests.create_task(_run(cycle, app))
        self.tasks.add(task)
        task.add_done_callback(self._forget_task)

    def _feed(self, parser: httptools.HttpRequestParser, data: bytes) -> None:
        while True:
            try:
                parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                # An offer of another protocol (Java's client makes one with its first request) that we do not
                # take up. This parser takes nothing more after it; the connection goes on with another.
                parser = self.parser = httptools.HttpRequestParser(self)
                data = data[offer.args[0] :]
            else:
                return

    # --- The short way.

    def _may_be_answered_at_once(self) -> bool:
        """Whether the request whose head is complete has a path for it, and nothing and nobody is before it."""
        return (
            self._directly is not None
            and self.url.partition(b"?")[0] in self._directly.paths
            and not self._answered_at_once
            and not self._answering()
            and not self.flow.write_paused
            and not self.expect_100_continue
            and b"#" not in self.url
            and self.parser.get_method() in _AT_ONCE
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _answer_at_once(self, form: bytes) -> bool:
        scope: Any = self.scope
        path, _, query = self.url.partition(b"?")
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["path"] = path.decode("ascii")
        scope["raw_path"] = path
        scope["query_string"] = query
        pieces = None if self._directly is None else self._directly.answer(scope, form)
        if pieces is None:
            return False
        self._held = None
        self._answered_at_once = True
        self.transport.writelines(pieces)
        return True

    def _let_go(self) -> None:
        """The request that was held back takes the usual way."""
        held, self._held = self._held, None
        self._begin_cycle()
        for piece in held or ():
            super().on_body(piece)

    def _begin_cycle(self) -> None:
        super().on_headers_complete()
        cycle: Any = self.cycle
        cycle.transport = _Closing(self)

    # --- Bounds.

    def _forget_task(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self._context.changed.set()

    def _answering(self) -> bool:
        # uvicorn declares it as always there.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _count_head(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > self._settings.max_head_bytes:
            raise _RefusedError(b"431 Request Header Fields Too Large")

    def _await_head(self) -> None:
        if self._awaited is not _Awaited.HEAD:
            self._await(_Awaited.HEAD, self._settings.head_timeout_s)

    def _await_request(self) -> None:
        self._await(_Awaited.REQUEST, self._settings.keep_alive_s)

    def _await(self, awaited: _Awaited, within_s: float) -> None:
        self._awaited = awaited
        self._deadline_s = deadline_s = self.loop.time() + within_s
        if self._timer is None or self._timer_s > deadline_s:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = self._deadline_s
        self._timer = self.loop.call_at(self._deadline_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._awaited is _Awaited.NOTHING:
            return
        if self.loop.time() < self._deadline_s - _TIMER_SLACK_S:  # it has moved
            self._set_timer()
        elif self._awaited is _Awaited.HEAD:
            self._head_too_slow()
        else:
            self.transport.close()

    def _head_too_slow(self) -> None:
        if self._reading is _Reading.HEAD:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _linger(self) -> None:
        if self._linger_timer is None:
            self._linger_bytes = 0
            self.flow.resume_reading()
            self._linger_timer = self.loop.call_later(_LINGER_S, self.transport.abort)

    def _refuse(self, status: bytes) -> None:
        """Answer what cannot be handed to the application, and hang up."""
        if not self._answering():  # else the answer that is being sent would be garbled
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\nx-content-type-options: nosniff\r\n\r\n"
                % status
            )
        self.transport.close()


async def _run(cycle: RequestResponseCycle, app: Any) -> None:
    try:
        await cycle.run_asgi(app)
    except Exception:  # one request is a unit of failure; an error that got out would end the whole server
        log.exception("request failed in the server")
        cycle.transport.close()


class _Closing:
    """The transport as a request's cycle sees it: closing waits for the rest of the request."""

    __slots__ = ("_protocol", "is_closing", "write")

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._protocol = protocol
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        self._protocol.close_when_read()


def quieten_uvicorn() -> None:
    """Uvicorn's own lines would repeat ours, one for every malformed request of a scanner."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
