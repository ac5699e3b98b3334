"""The ASGI application: routers in, protected endpoints out.

Every request goes the same way: read the head, find the route, admit, find out who asks, check where the
request began and what the caller may, hand it to the route's handler, dress the answer. There is no other way
to a handler. Errors on this way are rendered by the router that owns the path.

Made of Starlette's requests and responses, and without its middleware stack and router: a request passes here
in a few microseconds (docs/decisions/0007-http-application.md). Routes with a handler that never waits are answered
without a task and without an ASGI conversation (`at_once`), after the same decisions.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from vedette.http.access_log import Exchange, log_exchange
from vedette.http.admission import require_access
from vedette.http.at_once import LATER, Directly, Recall
from vedette.http.auth.principals import NOBODY, Principal, attach_principal
from vedette.http.clock import http_date
from vedette.http.compression import accepts_gzip, compress
from vedette.http.connection import CONNECTION, ConnectionFacts
from vedette.http.cors import CrossOrigin, Headers
from vedette.http.errors import CLIENT_LEFT, Problem, ProblemError, problem_of, render_problem
from vedette.http.head import RequestHead, parse_networks, read_head
from vedette.http.limits import BoundedBody, InFlight
from vedette.http.routing import Access, ErrorRenderer, Match, Route, Router, RouteTable
from vedette.http.security import security_headers
from vedette.http.settings import HttpSettings
from vedette.model.errors import StorageError

Identify = Callable[[RequestHead, Scope], Awaitable[Principal]]
Observe = Callable[[Exchange], None]

HEAD = "vedette.head"
_SERVER_ERROR = 500

log = structlog.get_logger()


def build_application(
    routers: Sequence[Router],
    *,
    identify: Identify,
    settings: HttpSettings,
    recall: Recall | None = None,
    observe: Observe | None = None,
    render_unmatched: ErrorRenderer | None = None,
) -> Application:
    """Put the application together.

    Args:
        routers: one per dialect.
        identify: finds out who asks (`Authenticator.identify`).
        settings: limits and the access log.
        recall: finds out who asks if that takes no waiting (`Authenticator.recall`); without it nothing is answered
            at once.
        observe: is told of every request that has ended (metrics).
        render_unmatched: says errors of paths that no router owns; RFC 9457 by default.

    Raises:
        ValueError: a path and method are registered twice, or a trusted proxy is no network.
    """
    return Application(
        RouteTable(routers),
        settings,
        identify=identify,
        recall=recall,
        observe=observe,
        render_unmatched=render_unmatched,
    )


def head_of(request: Request) -> RequestHead:
    """The request's head, for a handler."""
    head: RequestHead = request.scope[HEAD]
    return head


class Application:
    """An ASGI application.

    Attributes:
        routes: what it serves.
        directly: the short way for those of them that can be answered at once.
    """

    def __init__(
        self,
        routes: RouteTable,
        settings: HttpSettings,
        *,
        identify: Identify,
        recall: Recall | None,
        observe: Observe | None,
        render_unmatched: ErrorRenderer | None,
    ) -> None:
        self.routes = routes
        self.in_flight = InFlight(settings.max_requests)
        self._identify = identify
        self._settings = settings
        self._observe = observe
        self._render_unmatched = render_unmatched
        self._trusted_proxies = parse_networks(settings.trusted_proxies)
        self._cross_origin = CrossOrigin(settings.cors_origins)
        self._headers = {secure: security_headers(secure=secure) for secure in (False, True)}
        self.directly = Directly(
            routes,
            settings,
            recall=recall,
            in_flight=self.in_flight,
            cross_origin=self._cross_origin,
            ended=self._ended,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']!r}")
        exchange = _Exchange(scope, send)
        try:
            await self._answer(scope, receive, exchange)
        except ClientDisconnect:
            exchange.status = CLIENT_LEFT
        except Exception as exc:  # noqa: BLE001 - a request is a unit of failure
            self._log_failure(exc, problem_of(exc), exchange)
        finally:
            self._ended(exchange.finish())

    async def _answer(self, scope: Scope, receive: Receive, exchange: _Exchange) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request, receive, exchange)
        except ClientDisconnect:
            raise
        except Exception as exc:  # noqa: BLE001 - a request is a unit of failure
            problem = problem_of(exc)
            self._log_failure(exc, problem, exchange)
            response = self._render(problem, request, exchange.match)
        head = exchange.head
        exchange.headers = self._headers[head is not None and head.secure]
        exchange.added = () if head is None else self._cross_origin.headers(head)
        try:
            await response(scope, receive, exchange.send)
        finally:
            if isinstance(response, StreamingResponse):
                await _close(response)

    async def _respond(self, request: Request, receive: Receive, exchange: _Exchange) -> Response:
        scope = request.scope
        head = exchange.head = scope[HEAD] = read_head(scope, self._trusted_proxies)
        preflight = self._cross_origin.preflight(head, scope["method"])
        if preflight is not None:
            return preflight
        match = exchange.match = self.routes.match(scope["path"], scope["method"])
        if match is None:
            raise ProblemError(404, "there is nothing at this path", kind="not-found")
        if match.route is None:
            allowed = ", ".join(sorted(match.allowed))
            raise ProblemError(
                405, f"this path is for {allowed}", kind="method-not-allowed", headers={"Allow": allowed}
            )
        if match.route.access is Access.HEALTH:
            return await self._handle(match, match.route, request, receive, head)
        with self.in_flight.admitted():
            principal = exchange.principal = await self._caller(match.route, head, scope)
            require_access(match.route.access, principal, head, scope["method"], self._settings.external_url)
            attach_principal(request, principal)
            response = await self._handle(match, match.route, request, receive, head)
            if accepts_gzip(head.get(b"accept-encoding")):
                await compress(response, min_bytes=self._settings.compress_min_bytes)
            return response

    async def _handle(
        self, match: Match, route: Route, request: Request, receive: Receive, head: RequestHead
    ) -> Response:
        request.scope["path_params"] = match.params
        handler = request.scope.get(LATER, route.handler)
        length = head.fields.get(b"content-length")
        if length is None and b"transfer-encoding" not in head.fields:
            return await handler(request)
        limit = self._settings.max_body_bytes if route.max_body_bytes is None else route.max_body_bytes
        body = BoundedBody(
            receive, self._settings, max_bytes=limit, declared_bytes=None if length is None else int(length)
        )
        return await handler(Request(request.scope, body))

    async def _caller(self, route: Route, head: RequestHead, scope: Scope) -> Principal:
        if route.access is not Access.PUBLIC:
            return await self._identify(head, scope)
        try:
            return await self._identify(head, scope)
        except (ProblemError, StorageError):
            return NOBODY

    def _render(self, problem: Problem, request: Request, match: Match | None) -> Response:
        if match is not None:
            return match.router.render_error(problem, request)
        return self._render_unmatched(problem, request) if self._render_unmatched else render_problem(problem)

    def _ended(self, exchange: Exchange) -> None:
        if self._settings.access_log:
            log_exchange(exchange)
        if self._observe is not None:
            self._observe(exchange)

    def _log_failure(self, exc: Exception, problem: Problem, exchange: _Exchange) -> None:
        if problem.incident:
            log.error("request failed", incident=problem.incident, route=exchange.route, exc_info=exc)
        elif isinstance(exc, StorageError):
            log.error("request failed", error=str(exc), route=exchange.route)


class _Exchange:
    """Follows one answer on its way out, and adds the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._connection: ConnectionFacts | None = scope.get(CONNECTION)
        self._started_s = time.perf_counter()
        self._sent_bytes = 0
        self.status = _SERVER_ERROR
        self.headers: Headers = ()
        self.added: Headers = ()
        self.head: RequestHead | None = None
        self.match: Match | None = None
        self.principal = NOBODY

    @property
    def route(self) -> str:
        return self.match.route.path if self.match is not None and self.match.route is not None else ""

    async def send(self, message: Message) -> None:
        if self._connection is not None and self._connection.lost:
            # The server would swallow the rest without a pause, however much a stream still makes.
            raise ClientDisconnect
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = message["headers"]
            present = {name for name, _ in headers}
            headers.extend(header for header in self.headers if header[0] not in present)
            headers.extend(self.added)
            headers.append((b"date", http_date()))
        else:
            self._sent_bytes += len(message.get("body", b""))
        await self._send(message)

    def finish(self) -> Exchange:
        scope = self._scope
        head = self.head
        length = head.fields.get(b"content-length", b"") if head else b""
        return Exchange(
            method=scope["method"],
            route=self.route,
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            status=self.status,
            duration_s=time.perf_counter() - self._started_s,
            received_bytes=int(length) if length.isdigit() else 0,
            sent_bytes=self._sent_bytes,
            caller=self.principal.name,
            address=head.address if head else str((scope.get("client") or ("",))[0]),
            user_agent=head.get(b"user-agent") if head else "",
        )


async def _close(response: StreamingResponse) -> None:
    """End a stream that may not have been read to its end, now and not when it is collected as garbage."""
    close = getattr(response.body_iterator, "aclose", None)
    if close is not None:
        await close()
