"""Errors for people: a page where a browser asks for one, RFC 9457 otherwise."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.errors import Problem, render_problem
from vedette.http.pages.layout import notice, page, see_other

_UNAUTHORIZED = 401


def render_page_error(problem: Problem, request: Request) -> Response:
    """Say it in the way the client understands; who is not logged in is sent to do so."""
    if "text/html" not in request.headers.get("accept", ""):
        return render_problem(problem)
    if problem.kind == "password-needed":
        return see_other("/set-password")
    if problem.status == _UNAUTHORIZED and request.method in ("GET", "HEAD"):
        return see_other(f"/login?next={quote(request.scope['path'], safe='/')}")
    body = notice(problem.detail[:1].upper() + problem.detail[1:] + ".") + '<p><a href="/">To the start page</a></p>'
    return page(problem.title, body, status=problem.status, headers=problem.headers)
