"""The short way: requests that are answered within the call that brings them. No task, no queue, one write.

A route may have a second handler, `Route.at_once`, for what takes less time than a task takes to start. The way to it
has the same decisions as the way to the other one. Where a request has to wait for something, be it a look-up of its
token, or is refused, or fails, it is left to the usual way, which decides anew and says why.

`vedette.http.protocol` hands requests over, and takes care that no client has more than one in a row answered so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from vedette.http.access_log import Exchange
from vedette.http.admission import require_access
from vedette.http.auth.principals import Principal
from vedette.http.clock import http_date
from vedette.http.compression import IN_THREAD_BYTES, accepts_gzip, gzip_bytes
from vedette.http.cors import CrossOrigin
from vedette.http.head import RequestHead, parse_networks, read_head
from vedette.http.limits import InFlight
from vedette.http.routing import Ask, AtOnceHandler, Handler, Later, Route, RouteTable
from vedette.http.security import security_headers
from vedette.http.settings import HttpSettings

LATER = "vedette.later"
"""Where a scope holds the handler that goes on."""

FORM_TYPE = b"application/x-www-form-urlencoded"
_START = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: application/json\r\n"
_GZIPPED = ((b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"))

Recall = Callable[[RequestHead, Scope], Principal | None]


class Directly:
    """The short way of one application.

    Attributes:
        paths: where it may lead to an answer.
    """

    def __init__(
        self,
        routes: RouteTable,
        settings: HttpSettings,
        *,
        recall: Recall | None,
        in_flight: InFlight,
        cross_origin: CrossOrigin,
        ended: Callable[[Exchange], None],
    ) -> None:
        all_routes = [route for router in routes.routers for route in router.routes if recall is not None]
        self._routes = {
            (method, route.path.encode()): (route, route.at_once)
            for route in all_routes
            if route.at_once is not None
            for method in route.methods
        }
        self.paths = frozenset(path for _, path in self._routes)
        self._settings = settings
        self._trusted_proxies = parse_networks(settings.trusted_proxies)
        self._recall = recall
        self._in_flight = in_flight
        self._cross_origin = cross_origin
        self._ended = ended
        self._dress = {secure: _lines(security_headers(secure=secure)) for secure in (False, True)}

    def answer(self, scope: Scope, form: bytes) -> Sequence[bytes] | None:
        """What to write to the client; None to have the request answered in the usual way. Raises nothing.

        Args:
            scope: of a GET without a body or a POST, in HTTP/1.1, on a connection that is to be kept.
            form: the POST's body.
        """
        began_s = time.perf_counter()
        route, handler = self._routes.get((scope["method"], scope["raw_path"]), (None, None))
        if route is None or handler is None:
            return None
        try:
            head = read_head(scope, self._trusted_proxies)
            principal = self._admitted(route, head, scope)
            asked = _ask(route, head, scope, form, self._settings.max_body_bytes)
        except Exception:  # noqa: BLE001 - the usual way runs into it too, and says it
            return None
        if principal is None or asked is None:
            return None
        body = _outcome(handler, asked)
        added = self._cross_origin.headers(head)
        if not isinstance(body, Later) and self._is_compressed(body, head):
            added = (*_GZIPPED, *added)
            body = gzip_bytes(body) if len(body) < IN_THREAD_BYTES else Later(_giving(body))
        if isinstance(body, Later):
            scope[LATER] = body.handler
            return None
        self._ended(_exchange(scope, route, head, principal, began_s, len(form), len(body)))
        end = b"%bdate: %b\r\n\r\n" % (_lines(added) if added else b"", http_date())
        return (_START % len(body) + self._dress[head.secure] + end, body)

    def _is_compressed(self, body: bytes, head: RequestHead) -> bool:
        return len(body) >= self._settings.compress_min_bytes and accepts_gzip(head.get(b"accept-encoding"))

    def _admitted(self, route: Route, head: RequestHead, scope: Scope) -> Principal | None:
        if self._in_flight.is_full or self._recall is None:
            return None
        principal = self._recall(head, scope)
        if principal is not None:
            require_access(route.access, principal, head, scope["method"], self._settings.external_url)
        return principal


def _ask(route: Route, head: RequestHead, scope: Scope, form: bytes, max_form_bytes: int) -> Ask | None:
    if scope["method"] == "GET":
        return None if form else Ask(head, scope["query_string"], b"")
    limit = max_form_bytes if route.max_body_bytes is None else route.max_body_bytes
    if len(form) > limit:
        return None
    kind = head.fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return Ask(head, scope["query_string"], form if kind == FORM_TYPE else b"")


def _outcome(handler: AtOnceHandler, asked: Ask) -> bytes | Later:
    try:
        return handler(asked)
    except Exception as exc:  # noqa: BLE001 - raised again where errors are rendered
        failure = exc

    async def fail(_request: Request) -> Response:
        raise failure

    return Later(fail)


def _giving(body: bytes) -> Handler:
    async def give(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    return give


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def _exchange(
    scope: Scope, route: Route, head: RequestHead, principal: Principal, began_s: float, received: int, sent: int
) -> Exchange:
    return Exchange(
        method=scope["method"],
        route=route.path,
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        status=200,
        duration_s=time.perf_counter() - began_s,
        received_bytes=received,
        sent_bytes=sent,
        caller=principal.name,
        address=head.address,
        user_agent=head.get(b"user-agent"),
    )
