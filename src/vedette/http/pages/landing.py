"""The page at `/` where the web interface was left out: what there is, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.auth.principals import Proof, permits, principal_of
from vedette.http.pages.errors import render_page_error
from vedette.http.pages.layout import notice, page
from vedette.http.routing import Access, Route, Router

_LEFT_OUT = (
    "The web interface is not part of this installation. In a clone of the source, `make ui` builds it, and a restart "
    "shows it; everything else works without."
)


def landing_router(routers: Sequence[Router], *, version: str) -> Router:
    """`/`, listing what the other routers serve.

    Args:
        routers: the others.
        version: shown to people who are logged in.
    """

    async def show(request: Request) -> Response:
        caller = principal_of(request)
        known = caller.proof is not Proof.NONE
        sections = [_section(router, request) for router in routers]
        if caller.proof is Proof.SESSION:
            who = (
                f"<p>Logged in as <strong>{escape(caller.name)}</strong>. "
                '<a href="/set-password">Change the password</a></p>'
                '<form class="inline" method="post" action="/logout"><button type="submit">Log out</button></form>'
            )
        else:
            who = '<p><a href="/login">Log in</a></p>'
        about = f'<p class="dim">Version {escape(version)}</p>' if known else ""
        return page("Vedette", notice(_LEFT_OUT) + who + "".join(sections) + about, wide=True)

    return Router("landing", (Route("/", ("GET",), show, Access.PUBLIC, max_body_bytes=0),), render_page_error)


def _section(router: Router, request: Request) -> str:
    caller = principal_of(request)
    items = [_item(route) for route in router.routes if permits(route.access, caller)]
    return f"<h2>{escape(router.name.capitalize())}</h2><ul>{''.join(items)}</ul>" if items else ""


def _item(route: Route) -> str:
    path = escape(route.path)
    if "GET" in route.methods and "{" not in route.path:
        return f'<li><a href="{path}">{path}</a></li>'
    return f"<li><code>{' '.join(route.methods)} {path}</code></li>"
