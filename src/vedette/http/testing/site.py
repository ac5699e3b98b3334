"""For tests: a real server on a loopback port, with accounts, pages and whatever routers a test brings.

Passwords are hashed with the least cost, and the time is driven by hand.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vedette.http.application import Application, build_application
from vedette.http.auth.accounts import Accounts, open_accounts
from vedette.http.auth.api import accounts_router
from vedette.http.auth.local_access import local_access
from vedette.http.auth.principals import Principal, Proof
from vedette.http.auth.secrets import LOCAL_ID, hash_secret, new_token
from vedette.http.clock import Clock
from vedette.http.health import Readiness, health_router
from vedette.http.pages import landing_router, login_router, render_page_error
from vedette.http.routing import Router
from vedette.http.server import RunningServer, serve_http
from vedette.http.settings import AuthSettings, HttpSettings, ListenAddress, PasswordSettings
from vedette.http.ui import WebFile, page_renderer, ui_router
from vedette.store.state import Scope, StateDatabase, open_state

CHEAP_PASSWORDS = PasswordSettings(time_cost=1, memory_kib=64)
_SYSTEM = Principal(Proof.LOCAL_TOKEN, "test", frozenset(Scope))


@dataclass(slots=True)
class HandClock:
    """A clock that stands still until it is told to go on."""

    now_s: float = 1_700_000_000.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds

    def clock(self) -> Clock:
        """What the code under test reads."""
        return Clock(now_ms=lambda: int(self.now_s * 1000), monotonic_s=lambda: self.now_s)


@dataclass(slots=True)
class Site:
    """A running server and what it is made of.

    Attributes:
        local_token: with all rights.
        routers: all that are served, for walking them.
    """

    server: RunningServer
    application: Application
    accounts: Accounts
    database: StateDatabase
    readiness: Readiness
    local_token: str
    routers: Sequence[Router]
    time: HandClock = field(default_factory=HandClock)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    async def token(self, *scopes: Scope, owner: str = "admin", expires_ms: int | None = None) -> str:
        """A new API token."""
        made = await self.accounts.administration.create_token(
            "test", frozenset(scopes), expires_ms=expires_ms, owner=owner, caller=_SYSTEM, address=""
        )
        return made.text


@asynccontextmanager
async def open_site(
    folder: Path,
    routers: Sequence[Router] = (),
    *,
    http: HttpSettings | None = None,
    auth: AuthSettings | None = None,
    find_user: Callable[[tuple[str, int], tuple[str, int]], int | None] | None = None,
    files: Mapping[str, WebFile] | None = None,
) -> AsyncGenerator[Site]:
    """Serve the routers, the accounts' API, the pages and the health endpoints.

    Args:
        folder: for the state database.
        routers: of the test.
        http: on a free port of 127.0.0.1 unless said otherwise.
        auth: with cheap passwords unless said otherwise.
        find_user: instead of asking the kernel whose the other end of a connection is.
        files: of the web interface; it is left out unless there are some.
    """
    http = http or HttpSettings(listen=(ListenAddress(port=0),))
    auth = auth or AuthSettings(passwords=CHEAP_PASSWORDS)
    local = local_access(auth.mode, http.listen)
    if find_user is not None:
        local = type(local)(enabled=local.enabled, find_user=find_user)
    token = new_token(LOCAL_ID)
    time = HandClock()
    readiness = Readiness()
    async with (
        open_state(folder / "state.db") as database,
        open_accounts(
            database, auth, local_access=local, local_token_hash=hash_secret(token.secret), clock=time.clock()
        ) as accounts,
    ):
        served = [health_router(readiness), accounts_router(accounts), login_router(accounts), *routers]
        served.append(ui_router(files) if files else landing_router(served, version="1.2.3"))
        application = build_application(
            served,
            identify=accounts.authenticator.identify,
            recall=accounts.authenticator.recall,
            settings=http,
            render_unmatched=page_renderer(files, served) if files else render_page_error,
        )
        async with serve_http(application, http) as server:
            readiness.now_ready()
            yield Site(server, application, accounts, database, readiness, token.full, served, time)
