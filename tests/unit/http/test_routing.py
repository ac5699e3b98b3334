from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from vedette.http.routing import Access, Route, Router, RouteTable


async def handler(_request: Request) -> Response:
    return Response()


def table(*routes: Route) -> RouteTable:
    return RouteTable([Router("test", routes)])


def test_a_route_without_an_access_decision_cannot_be_written_down() -> None:
    make: Any = Route

    with pytest.raises(TypeError, match="access"):
        make("/x", ("GET",), handler)
    with pytest.raises(TypeError, match="must be an Access"):
        make("/x", ("GET",), handler, "public")


@pytest.mark.parametrize(("path", "methods"), [("x", ("GET",)), ("/x", ()), ("/x", ("get",))])
def test_a_route_that_could_never_match_is_refused(path: str, methods: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="route"):
        Route(path, methods, handler, Access.READ)


def test_a_method_of_a_path_is_registered_once() -> None:
    route = Route("/x", ("GET",), handler, Access.READ)

    with pytest.raises(ValueError, match="GET /x is registered twice"):
        RouteTable([Router("one", (route,)), Router("other", (route,))])


def test_methods_of_one_path_may_have_different_access() -> None:
    routes = table(Route("/x", ("GET",), handler, Access.READ), Route("/x", ("POST",), handler, Access.ADMIN))

    found = [routes.match("/x", method) for method in ("GET", "HEAD", "POST")]

    assert [match.route.access for match in found if match and match.route] == [Access.READ, Access.READ, Access.ADMIN]


def test_a_path_for_other_methods_says_which() -> None:
    match = table(Route("/x", ("GET",), handler, Access.READ)).match("/x", "DELETE")

    assert match is not None
    assert match.route is None
    assert match.allowed == {"GET", "HEAD"}


def test_parameters_are_taken_from_the_path() -> None:
    routes = table(Route("/label/{name}/values", ("GET",), handler, Access.READ))

    match = routes.match("/label/job/values", "GET")

    assert match is not None
    assert match.params == {"name": "job"}


@pytest.mark.parametrize("path", ["/label//values", "/label/a/b/values", "/x/label/a/values", "/label/a/values/", "/"])
def test_a_parameter_is_one_segment(path: str) -> None:
    assert table(Route("/label/{name}/values", ("GET",), handler, Access.READ)).match(path, "GET") is None


def test_a_fixed_path_goes_before_a_pattern() -> None:
    fixed = Route("/users/me", ("GET",), handler, Access.ACCOUNT)

    match = table(Route("/users/{name}", ("GET",), handler, Access.ADMIN), fixed).match("/users/me", "GET")

    assert match is not None
    assert match.route is fixed
