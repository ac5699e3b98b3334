"""Serves the web interface: its files, and its start page for every path that a browser may have a page at.

Everything here is public, as it holds no data: the pages ask the API, which asks who is there. The policy that goes
with the start page lets a browser run and show what came from this server alone: no inline script, no inline style,
no other host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.compression import accepts_coding
from vedette.http.errors import Problem, ProblemError
from vedette.http.pages import render_page_error
from vedette.http.routing import Access, ErrorRenderer, Route, Router
from vedette.http.ui.files import INDEX, WebFile

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ASSETS: Final = "assets/"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def ui_router(files: Mapping[str, WebFile]) -> Router:
    """`/`, `/assets/…` and the few files that browsers expect at the top.

    Args:
        files: by name, with a start page among them.
    """

    async def show_index(request: Request) -> Response:
        return _answer(files[INDEX], request)

    async def show_asset(request: Request) -> Response:
        return _found(_ASSETS + request.path_params["name"], request)

    async def show_top(request: Request) -> Response:
        return _found(request.url.path[1:], request)

    def _found(name: str, request: Request) -> Response:
        file = files.get(name)
        if file is None:
            raise ProblemError(404, "there is no such file; reload the page if it is an old one", kind="not-found")
        return _answer(file, request)

    tops = [name for name in files if "/" not in name and name != INDEX]
    return Router(
        "ui",
        (
            Route("/", ("GET",), show_index, Access.PUBLIC, max_body_bytes=0),
            Route("/assets/{name}", ("GET",), show_asset, Access.PUBLIC, max_body_bytes=0),
            *(Route(f"/{name}", ("GET",), show_top, Access.PUBLIC, max_body_bytes=0) for name in tops),
        ),
        render_page_error,
    )


def page_renderer(files: Mapping[str, WebFile], routers: Iterable[Router]) -> ErrorRenderer:
    """What paths are answered with that no route has: pages of the web interface for browsers, errors for others.

    Args:
        files: by name, with a start page among them.
        routers: all; below the first parts of their paths (`/api/…`) there are no pages.
    """
    taken = {route.path.split("/", 2)[1] for router in routers for route in router.routes} - {""}

    def render(problem: Problem, request: Request) -> Response:
        is_page = (
            problem.status == 404
            and request.method in ("GET", "HEAD")
            and "text/html" in request.headers.get("accept", "")
            and request.scope["path"].split("/", 2)[1] not in taken
        )
        return _answer(files[INDEX], request) if is_page else render_page_error(problem, request)

    return render


def _answer(file: WebFile, request: Request) -> Response:
    accepted = request.headers.get("accept-encoding", "")
    coding = next(
        (name for name in ("br", "gzip") if name in file.forms and accepts_coding(accepted, name)), "identity"
    )
    etag = f'"{file.etag}-{coding}"'
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": _FOR_EVER if file.immutable else "no-cache",
        "Content-Security-Policy": POLICY,
    }
    if etag in (known.strip() for known in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return Response(file.forms[coding], headers=headers, media_type=file.media_type)
