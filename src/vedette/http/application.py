"""The ASGI application: routers in, protected endpoints out.

Every request goes the same way: read the head, find the route, admit, find out who asks, check where the
request began and what the caller may, hand it to the route's handler, dress the answer. There is no other way
to a handler. Errors on this way are rendered by the router that owns the path.

Made of Starlette's requests and responses, and without its middleware stack and router: a request passes here
in a few microseconds (docs/decisions/0007-http-application.md).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable, Sequence
from email.utils import formatdate

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from vedette.http.access_log import Exchange, log_exchange
from vedette.http.auth.principals import NOBODY, Principal, Proof, attach_principal, permits
from vedette.http.compression import accepts_gzip, compress
from vedette.http.connection import CONNECTION, ConnectionFacts
from vedette.http.cors import CrossOrigin, Headers
from vedette.http.errors import CLIENT_LEFT, Problem, ProblemError, problem_of, render_problem
from vedette.http.head import RequestHead, parse_networks, read_head
from vedette.http.limits import BoundedBody, InFlight
from vedette.http.routing import Access, ErrorRenderer, Match, Route, Router, RouteTable
from vedette.http.security import SAFE_METHODS, Origin, request_origin, security_headers
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
    observe: Observe | None = None,
    render_unmatched: ErrorRenderer | None = None,
) -> Application:
    """Put the application together.

    Args:
        routers: one per dialect.
        identify: finds out who asks (`Authenticator.identify`).
        settings: limits and the access log.
        observe: is told of every request that has ended (metrics).
        render_unmatched: says errors of paths that no router owns; RFC 9457 by default.

    Raises:
        ValueError: a path and method are registered twice, or a trusted proxy is no network.
    """
    return Application(RouteTable(routers), identify, settings, observe, render_unmatched)


def head_of(request: Request) -> RequestHead:
    """The request's head, for a handler."""
    head: RequestHead = request.scope[HEAD]
    return head


class Application:
    """An ASGI application. `routes` is what it serves."""

    def __init__(
        self,
        routes: RouteTable,
        identify: Identify,
        settings: HttpSettings,
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
            finished = exchange.finish()
            if self._settings.access_log:
                log_exchange(finished)
            if self._observe is not None:
                self._observe(finished)

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
            _require_own_page(head, principal, scope["method"], self._settings.external_url)
            if not permits(match.route.access, principal):
                raise _refusal(match.route.access, principal)
            attach_principal(request, principal)
            response = await self._handle(match, match.route, request, receive, head)
            if accepts_gzip(head.get(b"accept-encoding")):
                await compress(response, min_bytes=self._settings.compress_min_bytes)
            return response

    async def _handle(
        self, match: Match, route: Route, request: Request, receive: Receive, head: RequestHead
    ) -> Response:
        request.scope["path_params"] = match.params
        length = head.fields.get(b"content-length")
        if length is None and b"transfer-encoding" not in head.fields:
            return await route.handler(request)
        limit = self._settings.max_body_bytes if route.max_body_bytes is None else route.max_body_bytes
        body = BoundedBody(
            receive, self._settings, max_bytes=limit, declared_bytes=None if length is None else int(length)
        )
        return await route.handler(Request(request.scope, body))

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
            headers.append((b"date", _http_date(int(time.time()))))
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


def _require_own_page(head: RequestHead, principal: Principal, method: str, external_url: str) -> None:
    """Refuse to change anything for another site's page that uses this browser's credentials."""
    if method in SAFE_METHODS or head.fields.get(b"authorization", b"")[:7].lower() == b"bearer ":
        return  # no page can make a browser send a Bearer token that it does not have
    origin = request_origin(head, external_url)
    if origin is Origin.FOREIGN:
        raise ProblemError(403, "the request began on another site's page", kind="cross-site")
    if origin is Origin.UNKNOWN and principal.proof is Proof.SESSION:
        raise ProblemError(
            403, "with a session's cookie, an Origin or Sec-Fetch-Site header is needed", kind="cross-site"
        )


def _refusal(access: Access, principal: Principal) -> ProblemError:
    if principal.proof in (Proof.NONE, Proof.LOOPBACK):
        because = f" ({principal.hint})" if principal.hint else ""
        return ProblemError(
            401,
            f"this needs a token{because}: send `Authorization: Bearer …`, or Basic with the token as password",
            kind="unauthorized",
            headers={"WWW-Authenticate": 'Bearer realm="vedette"'},
        )
    if principal.setup_only:
        return ProblemError(403, "set a password first", kind="password-needed")
    return ProblemError(403, f"this needs `{access.value}` access, which you do not have", kind="forbidden")


@functools.lru_cache(maxsize=1)
def _http_date(now_s: int) -> bytes:
    return formatdate(now_s, usegmt=True).encode()
