"""The pages on which people log in, follow a one-time link, and set a password. Plain forms, no script."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.application import head_of
from vedette.http.auth.accounts import Accounts
from vedette.http.auth.logins import Login
from vedette.http.auth.principals import Proof, principal_of
from vedette.http.errors import ProblemError
from vedette.http.inputs import read_form
from vedette.http.pages.errors import render_page_error
from vedette.http.pages.layout import notice, page, see_other
from vedette.http.routing import Access, Handler, Route, Router

_MAX_BODY_BYTES = 16 * 1024


def login_router(accounts: Accounts) -> Router:
    """/login, /logout, /set-password."""
    pages = _LoginPages(accounts)

    def route(path: str, method: str, handler: Handler, access: Access) -> Route:
        return Route(path, (method,), handler, access, max_body_bytes=_MAX_BODY_BYTES)

    return Router(
        "login",
        (
            route("/login", "GET", pages.show_login, Access.PUBLIC),
            route("/login", "POST", pages.log_in, Access.PUBLIC),
            route("/logout", "POST", pages.log_out, Access.PASSWORD),
            route("/set-password", "GET", pages.show_password, Access.PASSWORD),
            route("/set-password", "POST", pages.set_password, Access.PASSWORD),
        ),
        render_page_error,
    )


class _LoginPages:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def show_login(self, request: Request) -> Response:
        once = request.query_params.get("once")
        if once is not None:
            return await self._follow_link(once, request)
        if principal_of(request).proof is Proof.SESSION:
            return see_other("/")
        return _login_page(next_path=request.query_params.get("next", ""))

    async def log_in(self, request: Request) -> Response:
        fields = await read_form(request)
        name, next_path = fields.get("username", ""), fields.get("next", "")
        try:
            login = await self._accounts.logins.log_in(
                name,
                fields.get("password", ""),
                address=head_of(request).address,
                replaces=principal_of(request),
            )
        except ProblemError as exc:
            return _login_page(next_path=next_path, name=name, error=exc)
        return self._begun(login, request, own_path(next_path))

    async def log_out(self, request: Request) -> Response:
        head = head_of(request)
        await self._accounts.logins.log_out(principal_of(request), address=head.address)
        return see_other("/login", headers={"Set-Cookie": self._accounts.cookie.clear(secure=head.secure)})

    async def show_password(self, request: Request) -> Response:
        return _password_page(request)

    async def set_password(self, request: Request) -> Response:
        fields = await read_form(request)
        new = fields.get("new", "")
        if new != fields.get("again", ""):
            error = ProblemError(422, "the two passwords differ", kind="unfit-password")
            return _password_page(request, error=error)
        try:
            login = await self._accounts.logins.set_password(
                principal_of(request),
                current=fields.get("current", ""),
                new=new,
                address=head_of(request).address,
            )
        except ProblemError as exc:
            return _password_page(request, error=exc)
        return self._begun(login, request, "/")

    async def _follow_link(self, secret: str, request: Request) -> Response:
        # A browser that fetches ahead, or a chat that looks for a preview, must not use the link up.
        ahead = request.headers.get("sec-purpose") or request.headers.get("purpose") or request.headers.get("x-moz")
        if request.method != "GET" or ahead:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        login = await self._accounts.logins.redeem_link(
            secret, address=head_of(request).address, replaces=principal_of(request)
        )
        if login is None:
            error = ProblemError(
                403,
                "this link is not good any more: it was used, it has expired, or Vedette has been restarted; "
                "a start without a password prints a new one, and an administrator can make one",
                kind="link-used",
            )
            return _login_page(next_path="", error=error)
        # On to a clean address at once: the secret, worthless by now, does not even stay in the address bar.
        return self._begun(login, request, "/set-password")

    def _begun(self, login: Login, request: Request, location: str) -> Response:
        cookie = self._accounts.cookie.set(login.session_id, secure=head_of(request).secure)
        return see_other(location, headers={"Set-Cookie": cookie})


def own_path(path: str) -> str:
    """Where to go after a login: a path of this site, or `/` for anything that may lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _login_page(*, next_path: str, name: str = "", error: ProblemError | None = None) -> Response:
    body = (
        _notice(error) + '<form method="post" action="/login">'
        f'<input type="hidden" name="next" value="{escape(own_path(next_path))}">'
        '<label for="username">Name</label>'
        f'<input id="username" name="username" value="{escape(name[:128])}" autocomplete="username" required '
        'autocapitalize="none" spellcheck="false" autofocus>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required>'
        '<button type="submit">Log in</button></form>'
        '<p class="dim">The first start of Vedette prints a link with which the administrator sets a password.</p>'
    )
    return _page("Log in", body, error)


def _password_page(request: Request, *, error: ProblemError | None = None) -> Response:
    caller = principal_of(request)
    current = (
        ""
        if caller.setup_only
        else '<label for="current">Current password</label>'
        '<input id="current" name="current" type="password" autocomplete="current-password" required>'
    )
    body = (
        _notice(error) + f"<p>For the account <strong>{escape(caller.name)}</strong>.</p>"
        '<form method="post" action="/set-password">'
        f'<input type="hidden" name="username" value="{escape(caller.name)}" autocomplete="username">{current}'
        '<label for="new">New password</label>'
        '<input id="new" name="new" type="password" autocomplete="new-password" required>'
        '<label for="again">New password, once more</label>'
        '<input id="again" name="again" type="password" autocomplete="new-password" required>'
        '<button type="submit">Set password</button></form>'
    )
    return _page("Set a password", body, error)


def _notice(error: ProblemError | None) -> str:
    return notice(f"{str(error)[:1].upper()}{str(error)[1:]}.") if error else ""


def _page(title: str, body: str, error: ProblemError | None) -> Response:
    if error is None:
        return page(title, body)
    return page(title, body, status=error.problem.status, headers=error.problem.headers)
