"""Paths, who may use them, and what answers.

A route cannot be written down without its `access`: that is a required field, so there is no endpoint
whose protection was forgotten, and `vedette.http.testing` walks all of them with every kind of caller.

Paths that are fixed are found by one dictionary look-up; those with parameters (`/api/v1/label/{name}/values`)
by their patterns, in the order of registration.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.convertors import Convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from vedette.http.errors import Problem, render_problem
from vedette.http.head import RequestHead

_AT_ONCE_METHODS = frozenset({"GET", "POST"})

Handler = Callable[[Request], Awaitable[Response]]
ErrorRenderer = Callable[[Problem, Request], Response]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, as far as a handler needs it that never waits.

    Attributes:
        query: the query string.
        form: the form in the body; empty where there is none.
    """

    head: RequestHead
    query: bytes
    form: bytes


@dataclass(frozen=True, slots=True)
class Later:
    """It must wait after all: `handler` goes on where the first one stopped, in place of the route's other one."""

    handler: Handler


AtOnceHandler = Callable[[Ask], bytes | Later]


class Access(enum.Enum):
    """Who may use a route.

    PUBLIC: anybody; the handler learns who it is. HEALTH: anybody, and nobody is looked up, so that it
    answers when the state database does not. PASSWORD: a logged-in person, even one who has only followed a
    one-time link. ACCOUNT: a logged-in person, or an administrator's token. The others: who has that scope.
    """

    PUBLIC = "public"
    HEALTH = "health"
    PASSWORD = "password"  # noqa: S105 - a kind of access
    ACCOUNT = "account"
    READ = "read"
    WRITE_METRICS = "write:metrics"
    WRITE_ALERTS = "write:alerts"
    EDIT = "edit"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Route:
    """One path.

    Attributes:
        path: fixed, or with parameters as Starlette writes them: `{name}`, `{name:path}`.
        methods: upper-case; HEAD comes with GET.
        access: who may use it.
        max_body_bytes: of a request; None for the setting's default.
        at_once: a handler that never waits, tried first (`vedette.http.at_once`): gives the JSON of a 200, or raises
            what the other one would. For fixed paths, GET and POST.
    """

    path: str
    methods: tuple[str, ...]
    handler: Handler
    access: Access
    max_body_bytes: int | None = None
    at_once: AtOnceHandler | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.access, Access):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped callers
            raise TypeError(f"route {self.path}: access must be an Access, not {self.access!r}")
        if not self.path.startswith("/"):
            raise ValueError(f"route {self.path!r}: a path begins with a slash")
        if not self.methods or any(method != method.upper() for method in self.methods):
            raise ValueError(f"route {self.path}: methods must be given, in upper case; found {self.methods!r}")
        if self.at_once is not None and ("{" in self.path or not _AT_ONCE_METHODS.issuperset(self.methods)):
            raise ValueError(f"route {self.path}: only a fixed path for GET or POST can be answered at once")


def _as_problem(problem: Problem, _request: Request) -> Response:
    return render_problem(problem)


@dataclass(frozen=True, slots=True)
class Router:
    """The routes of one dialect, and how it says errors."""

    name: str
    routes: tuple[Route, ...]
    render_error: ErrorRenderer = field(default=_as_problem)


@dataclass(frozen=True, slots=True)
class Match:
    """What a path led to.

    Attributes:
        route: None where the path exists for other methods only.
        allowed: the methods that it exists for.
    """

    router: Router
    route: Route | None
    params: dict[str, Any]
    allowed: frozenset[str]


class RouteTable:
    """All routers' routes, looked up by path and method."""

    def __init__(self, routers: Sequence[Router]) -> None:
        self.routers = tuple(routers)
        self._fixed: dict[str, _Endpoint] = {}
        self._patterns: dict[str, _Endpoint] = {}
        for router in routers:
            for route in router.routes:
                endpoints = self._patterns if "{" in route.path else self._fixed
                endpoint = endpoints.setdefault(route.path, _Endpoint(route.path, router))
                endpoint.add(router, route)

    def match(self, path: str, method: str) -> Match | None:
        """What answers this path; None where nothing does."""
        endpoint = self._fixed.get(path)
        if endpoint is not None:
            return endpoint.match(method, {})
        for endpoint in self._patterns.values():
            found = endpoint.pattern.match(path)
            if found is not None:
                return endpoint.match(method, found.groupdict())
        return None


class _Endpoint:
    def __init__(self, path: str, router: Router) -> None:
        self.router = router
        self.pattern: re.Pattern[str]
        self._convertors: dict[str, Convertor[Any]]
        self.pattern, _, self._convertors = compile_path(path)
        self._by_method: dict[str, Match] = {}
        self._allowed: frozenset[str] = frozenset()

    def add(self, router: Router, route: Route) -> None:
        for method in route.methods:
            if method in self._by_method:
                raise ValueError(f"{method} {route.path} is registered twice")
            self._by_method[method] = Match(router, route, {}, frozenset())
        self._allowed = frozenset(self._by_method) | ({"HEAD"} if "GET" in self._by_method else frozenset())

    def match(self, method: str, found: dict[str, str]) -> Match:
        hit = self._by_method.get(method) or (self._by_method.get("GET") if method == "HEAD" else None)
        if hit is None:
            return Match(self.router, None, {}, self._allowed)
        if not found:
            return hit
        params = {name: self._convertors[name].convert(value) for name, value in found.items()}
        return Match(hit.router, hit.route, params, self._allowed)
