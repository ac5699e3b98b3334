"""For tests: call every route as every kind of caller, and see that the right ones are let in.

`verdicts` replaces each route's handlers by ones that only say "let in" and leaves everything else as it is:
router, admission, authentication, access. A test compares its result with the table that it expects, so that
a new route without an entry there fails. Where a route can be answered at once, both ways to it must agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.application import build_application
from vedette.http.auth.principals import LOOPBACK_PEER, NOBODY, ROLE_SCOPES, Principal, Proof, effective_scopes
from vedette.http.head import RequestHead
from vedette.http.routing import Ask, Route, Router
from vedette.http.settings import HttpSettings
from vedette.store.state import Role, Scope, UserId

_LET_IN = 299

CALLERS: Mapping[str, Principal] = {
    "nobody": NOBODY,
    "local program": LOOPBACK_PEER,
    "local token": Principal(Proof.LOCAL_TOKEN, "local", frozenset(Scope)),
    "one-time link": Principal(Proof.SESSION, "new", user_id=UserId("u"), credential="s", setup_only=True),
    **{
        f"{role.value}'s session": Principal(Proof.SESSION, role.value, scopes, UserId("u"), "s")
        for role, scopes in ROLE_SCOPES.items()
    },
    **{
        f"token for {scope.value}": Principal(
            Proof.TOKEN, "agent", effective_scopes(frozenset({scope}), Role.ADMIN), UserId("u"), "t"
        )
        for scope in Scope
    },
}


async def verdicts(routers: Sequence[Router]) -> dict[tuple[str, str], frozenset[str]]:
    """Which of `CALLERS` each route lets in, by method and path.

    Raises:
        AssertionError: a caller is let in on one way to a route and not on the other.
    """
    replaced = [
        dataclasses.replace(router, routes=tuple(_replaced(route) for route in router.routes)) for router in routers
    ]
    caller = NOBODY

    async def identify(_head: RequestHead, _scope: Any) -> Principal:
        return caller

    def recall(_head: RequestHead, _scope: Any) -> Principal:
        return caller

    application = build_application(replaced, identify=identify, recall=recall, settings=HttpSettings(access_log=False))
    found: dict[tuple[str, str], set[str]] = {}
    for route, method in _all(routers):
        admitted = found.setdefault((method, route.path), set())
        for name, principal in CALLERS.items():
            caller = principal
            let_in = await _status(application, method, route.path) == _LET_IN
            if let_in:
                admitted.add(name)
            if route.at_once is not None:
                at_once = application.directly.answer(_scope(method, route.path), b"") is not None
                if at_once != let_in:
                    raise AssertionError(f"{method} {route.path}: {name} is judged differently at once")
    return {key: frozenset(names) for key, names in found.items()}


def _all(routers: Sequence[Router]) -> list[tuple[Route, str]]:
    return [(route, method) for router in routers for route in router.routes for method in route.methods]


def _replaced(route: Route) -> Route:
    return dataclasses.replace(route, handler=_let_in, at_once=None if route.at_once is None else _let_in_at_once)


def _let_in_at_once(_asked: Ask) -> bytes:
    return b"{}"


async def _let_in(_request: Request) -> Response:
    return Response(status_code=_LET_IN)


async def _status(application: Any, method: str, template: str) -> int:
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(_scope(method, template), receive, send)
    return statuses[0]


def _scope(method: str, template: str) -> dict[str, Any]:
    path = "/".join("1" if part.startswith("{") else part for part in template.split("/"))
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"sec-fetch-site", b"same-origin")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 7300),
    }
