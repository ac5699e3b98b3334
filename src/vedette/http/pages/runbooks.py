"""The bundled runbooks at `/runbooks/<alert>`, where the alerts' `runbook_url` points."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from vedette.http.errors import ProblemError
from vedette.http.pages.errors import render_page_error
from vedette.http.routing import Access, Route, Router


def runbooks_router(pages: Mapping[str, str]) -> Router:
    """`/runbooks/{name}`, the page as it is written: Markdown reads well without being drawn.

    Args:
        pages: Markdown by the alert's name.
    """

    async def show(request: Request) -> Response:
        name = request.path_params["name"]
        text = pages.get(name)
        if text is None:
            raise ProblemError(404, f"there is no bundled runbook named {name[:200]!r}", kind="not-found")
        return PlainTextResponse(text)

    route = Route("/runbooks/{name}", ("GET",), show, Access.READ, max_body_bytes=0)
    return Router("runbooks", (route,), render_page_error)
