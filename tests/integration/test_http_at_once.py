"""Requests that are answered within the call that brings them: the same answers, decisions and bounds as all others."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from vedette.http import (
    Access,
    AuthMode,
    AuthSettings,
    Exchange,
    HttpSettings,
    ListenAddress,
    ProblemError,
    Route,
    Router,
    build_application,
    serve_http,
)
from vedette.http.auth.principals import LOOPBACK_PEER, Principal
from vedette.http.routing import Ask, Later
from vedette.http.testing import CALLERS, Site, open_site
from vedette.http.testing.site import CHEAP_PASSWORDS
from vedette.store.state import Role, Scope

KIB, MIB = 1024, 1024 * 1024
HERE = (ListenAddress(port=0),)
REQUIRED = AuthSettings(mode=AuthMode.REQUIRED, passwords=CHEAP_PASSWORDS)


@dataclass
class Stage:
    """Handlers that note which way a request took."""

    ways: list[str] = field(default_factory=list)
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)
    seen: list[Exchange] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def usual(self, request: Request) -> Response:
        self.ways.append("usual")
        self.asked.append((request.scope["query_string"], await request.body()))
        return Response(b'{"a":1}', media_type="application/json")

    def at_once(self, asked: Ask) -> bytes:
        self.ways.append("at once")
        self.asked.append((asked.query, asked.form))
        return b'{"a":1}'

    async def wait(self, _request: Request) -> Response:
        self.entered.set()
        await self.release.wait()
        return Response(b'{"waited":1}', media_type="application/json")

    def later(self, asked: Ask) -> Later:
        self.ways.append("began")

        async def go_on(request: Request) -> Response:
            self.ways.append("went on")
            return Response(asked.query + request.scope["query_string"], media_type="text/plain")

        return Later(go_on)

    def refuse(self, _asked: Ask) -> bytes:
        self.ways.append("at once")
        raise ProblemError(422, "the handler's own problem", kind="mine")

    def fail(self, _asked: Ask) -> bytes:
        self.ways.append("at once")
        raise ZeroDivisionError("the secret inside")

    def long(self, asked: Ask) -> bytes:
        self.ways.append("at once")
        return b'"' + b"x" * (int(asked.query) - 2) + b'"'

    def router(self) -> Router:
        read, methods = Access.READ, ("GET", "POST")
        return Router(
            "test",
            (
                Route("/quick", methods, self.usual, read, at_once=self.at_once),
                Route("/later", methods, self.usual, read, at_once=self.later),
                Route("/refuse", methods, self.usual, read, at_once=self.refuse),
                Route("/fail", methods, self.usual, read, at_once=self.fail),
                Route("/long", methods, self.usual, read, at_once=self.long),
                Route("/wait", ("GET",), self.wait, read),
                Route("/slow", methods, self.usual, read),
                Route("/write", ("POST",), self.usual, Access.WRITE_METRICS, at_once=self.at_once),
                Route("/admin", methods, self.usual, Access.ADMIN, at_once=self.at_once),
            ),
        )


@pytest.fixture
def stage() -> Stage:
    return Stage()


@asynccontextmanager
async def serving(stage: Stage, **settings: object) -> AsyncIterator[Client]:
    """The stage, for everybody."""
    chosen = HttpSettings(**{"listen": HERE, "access_log": False, **settings})  # type: ignore[arg-type]

    async def identify(*_: object) -> Principal:
        return LOOPBACK_PEER

    application = build_application(
        [stage.router()],
        identify=identify,
        recall=lambda *_: LOOPBACK_PEER,
        settings=chosen,
        observe=stage.seen.append,
    )
    async with serve_http(application, chosen) as server, connected(server.addresses[0].port) as client:
        yield client


@asynccontextmanager
async def site_of(folder: Path, stage: Stage, auth: AuthSettings = REQUIRED) -> AsyncIterator[tuple[Site, Client]]:
    """The stage behind the real decisions."""
    async with (
        open_site(folder, [stage.router()], auth=auth) as site,
        connected(site.server.addresses[0].port) as client,
    ):
        yield site, client


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, path: str, *headers: str, method: str = "GET", form: bytes | None = None) -> Answer:
        self.writer.write(request(path, *headers, method=method, form=form))
        return await self.answer()

    async def answer(self) -> Answer:
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name: value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split()[1]), headers, body)

    async def rest(self) -> bytes:
        received = b""
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                while data := await self.reader.read(1 << 20):
                    received += data
        return received


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def request(path: str, *headers: str, method: str = "GET", form: bytes | None = None, version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *headers]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (form or b"")


class TestAnswers:
    async def test_an_answer_at_once_is_the_one_that_the_usual_way_gives(self, stage: Stage) -> None:
        async with serving(stage) as client:
            quick = await client.ask("/quick?a=1")
            usual = await client.ask("/slow?a=1")

        assert stage.ways == ["at once", "usual"]
        assert quick.headers.pop("date")[:-9] == usual.headers.pop("date")[:-9]
        assert quick == usual
        assert stage.asked[0] == stage.asked[1]

    async def test_every_request_is_observed_with_its_facts(self, stage: Stage) -> None:
        async with serving(stage) as client:
            await client.ask("/quick?a=1", "User-Agent: me")
            await client.ask("/slow?a=1", "User-Agent: me")

        (quick, usual) = stage.seen
        assert quick.duration_s >= 0
        assert (quick.route, usual.route) == ("/quick", "/slow")
        for name in ("method", "query", "status", "received_bytes", "sent_bytes", "caller", "address", "user_agent"):
            assert getattr(quick, name) == getattr(usual, name), name

    async def test_a_form_is_taken(self, stage: Stage) -> None:
        async with serving(stage) as client:
            answered = await client.ask("/quick?a=1", method="POST", form=b"query=up")

        assert answered.body == b'{"a":1}'
        assert (stage.ways, stage.asked) == (["at once"], [(b"a=1", b"query=up")])

    async def test_a_chunked_form_is_taken(self, stage: Stage) -> None:
        head = request(
            "/quick",
            "Transfer-Encoding: chunked",
            "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
            method="POST",
        )
        async with serving(stage) as client:
            client.writer.write(head + b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
            await client.answer()

        assert stage.asked == [(b"", b"abcdef")]

    async def test_a_body_that_is_no_form_is_not_taken_for_one(self, stage: Stage) -> None:
        async with serving(stage) as client:
            client.writer.write(request("/quick", "Content-Length: 2", method="POST") + b"{}")
            assert (await client.answer()).status == 200

        assert stage.asked[0][1] != b"{}" or stage.ways == ["usual"]

    async def test_a_form_that_is_too_large_is_refused(self, stage: Stage) -> None:
        async with serving(stage, max_body_bytes=10) as client:
            assert (await client.ask("/quick", method="POST", form=b"x" * 11)).status == 413

        assert stage.ways == []

    async def test_a_large_form_that_takes_many_reads_is_taken(self, stage: Stage) -> None:
        async with serving(stage, max_body_bytes=4 * MIB) as client:
            assert (await client.ask("/quick", method="POST", form=b"x" * 3 * MIB)).status == 200
            assert (await client.ask("/quick")).status == 200

        assert len(stage.asked[0][1]) == 3 * MIB

    @pytest.mark.parametrize(
        ("method", "version", "header", "status"),
        [
            pytest.param("HEAD", "1.1", "X: y", 200, id="HEAD"),
            pytest.param("OPTIONS", "1.1", "X: y", 405, id="OPTIONS"),
            pytest.param("DELETE", "1.1", "X: y", 405, id="a method that the path does not have"),
            pytest.param("GET", "1.0", "X: y", 200, id="HTTP/1.0"),
            pytest.param("GET", "1.1", "Connection: close", 200, id="the connection's last request"),
            pytest.param("GET", "1.1", "Upgrade: h2c\r\nConnection: Upgrade", 200, id="an offer of another protocol"),
            pytest.param("GET", "1.1", "Content-Length: 2\r\n\r\nxx", 200, id="GET with a body"),
        ],
    )
    async def test_what_is_not_plain_takes_the_usual_way(
        self, stage: Stage, method: str, version: str, header: str, status: int
    ) -> None:
        async with serving(stage) as client:
            client.writer.write(request("/quick", header, method=method, version=version).removesuffix(b"\r\n\r\n"))
            client.writer.write(b"" if "\r\n\r\n" in header else b"\r\n\r\n")
            line = await client.reader.readline()

        assert line.startswith(b"HTTP/1.1 %d " % status)
        assert "at once" not in stage.ways

    async def test_a_client_that_waits_for_leave_to_send_its_form_gets_it(self, stage: Stage) -> None:
        whole = request("/quick", "Expect: 100-continue", method="POST", form=b"a=1")
        async with serving(stage) as client:
            client.writer.write(whole.removesuffix(b"a=1"))
            assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            client.writer.write(b"a=1")
            assert (await client.answer()).status == 200

        assert stage.asked == [(b"", b"a=1")]

    @pytest.mark.parametrize("path", ["/%71uick", "/quick#x", "http://localhost/quick", "//quick", "/quick/"])
    async def test_a_path_that_is_written_differently_is_left_to_the_usual_way(self, stage: Stage, path: str) -> None:
        async with serving(stage) as client:
            assert (await client.ask(path)).status in (200, 404)

        assert "at once" not in stage.ways

    @pytest.mark.parametrize("size", [100, 10 * KIB, 500 * KIB])
    async def test_an_answer_is_compressed_for_who_takes_it(self, stage: Stage, size: int) -> None:
        async with serving(stage) as client:
            plain = await client.ask(f"/long?{size}")
            packed = await client.ask(f"/long?{size}", "Accept-Encoding: gzip")

        assert stage.ways == ["at once", "at once"]
        assert plain.headers["content-type"] == packed.headers["content-type"] == "application/json"
        if size < 1000:
            assert "content-encoding" not in packed.headers
        else:
            assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
            packed.body = gzip.decompress(packed.body)
        assert packed.body == plain.body

    async def test_a_page_that_may_call_is_told_so(self, stage: Stage) -> None:
        async with serving(stage, cors_origins=("https://dash.example",)) as client:
            listed = await client.ask("/quick", "Origin: https://dash.example")
            other = await client.ask("/quick", "Origin: https://other.example")

        assert listed.headers["access-control-allow-origin"] == "https://dash.example"
        assert "access-control-allow-origin" not in other.headers
        assert stage.ways == ["at once", "at once"]


class TestWhatMustWait:
    async def test_what_must_wait_goes_on_where_it_stopped(self, stage: Stage) -> None:
        async with serving(stage) as client:
            answered = await client.ask("/later?x")

        assert answered.body == b"xx"
        assert stage.ways == ["began", "went on"]

    @pytest.mark.parametrize(("path", "status"), [("/refuse", 422), ("/fail", 500)])
    async def test_an_error_is_raised_once_and_said_in_the_usual_way(
        self, stage: Stage, path: str, status: int
    ) -> None:
        async with serving(stage) as client:
            answered = await client.ask(path)
            assert (await client.ask("/quick")).status == 200

        assert answered.status == status
        assert answered.headers["content-type"] == "application/problem+json"
        assert b"secret" not in answered.body
        assert stage.ways == ["at once", "at once"]
        assert [exchange.status for exchange in stage.seen] == [status, 200]

    async def test_more_requests_than_can_be_answered_are_told_to_come_back(self, stage: Stage) -> None:
        async with serving(stage, max_requests=1) as client:
            port = client.writer.get_extra_info("peername")[1]
            async with connected(port) as other:
                other.writer.write(request("/wait"))
                await stage.entered.wait()
                refused = await client.ask("/quick")
                stage.release.set()
                await other.answer()
            after = await client.ask("/quick")

        assert (refused.status, after.status) == (503, 200)
        assert "retry-after" in refused.headers


class TestConnections:
    async def test_pipelined_requests_are_answered_in_their_order(self, stage: Stage) -> None:
        paths = ["/quick?1", "/slow?2", "/quick?3", "/nothing", "/quick?5", "/gone", "/quick?7"]
        async with serving(stage) as client:
            client.writer.write(
                b"".join(request(path) for path in paths[:-1]) + request(paths[-1], "Connection: close")
            )
            received = await client.rest()

        assert re.findall(rb"HTTP/1.1 (\d+) ", received) == [b"200", b"200", b"200", b"404", b"200", b"404", b"200"]
        assert [query for query, _ in stage.asked] == [b"1", b"2", b"3", b"5", b"7"]

    async def test_of_what_arrives_together_one_request_is_answered_at_once(self, stage: Stage) -> None:
        async with serving(stage) as client:
            client.writer.write(request("/quick") * 5)
            for _ in range(5):
                await client.answer()

        assert stage.ways == ["at once"] + ["usual"] * 4

    async def test_more_pipelined_requests_than_are_bearable_end_the_connection(self, stage: Stage) -> None:
        async with serving(stage) as client:
            client.writer.write(request("/quick") * 5000)
            await client.rest()

        assert len(stage.ways) < 5000

    async def test_a_client_that_does_not_read_is_cut_off(self, stage: Stage) -> None:
        async with serving(stage, send_stall_timeout_s=0.05) as client, asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                while True:  # until the server hangs up
                    client.writer.write(request(f"/long?{MIB}"))
                    await client.writer.drain()

        assert len(stage.ways) < 1000

    async def test_an_idle_connection_is_closed(self, stage: Stage) -> None:
        async with serving(stage, keep_alive_s=0.05) as client:
            await client.ask("/quick")

            assert await client.rest() == b""

    async def test_the_next_head_must_arrive_in_time(self, stage: Stage) -> None:
        async with serving(stage, head_timeout_s=0.05) as client:
            client.writer.write(request("/quick") + b"GET /qui")

            assert (await client.rest()).count(b"HTTP/1.1 408 ") == 1

    async def test_a_form_that_never_comes_is_cut_off(self, stage: Stage) -> None:
        async with serving(stage, body_idle_timeout_s=0.05) as client:
            client.writer.write(request("/quick", method="POST", form=b"query=up")[:-3])

            assert (await client.answer()).status == 408


@contextlib.contextmanager
def always_judged(stage: Stage) -> Iterator[None]:
    """Fail if a request was answered that should not have been."""
    before = len(stage.ways)
    yield
    assert len(stage.ways) == before


class TestDecisions:
    async def test_a_token_is_looked_up_in_the_usual_way_and_then_known(self, tmp_path: Path, stage: Stage) -> None:
        async with site_of(tmp_path, stage) as (site, client):
            header = f"Authorization: Bearer {await site.token(Scope.READ)}"
            statuses = [(await client.ask("/quick", header)).status for _ in range(3)]

        assert statuses == [200] * 3
        assert stage.ways == ["usual", "at once", "at once"]

    async def test_a_revoked_token_is_refused_with_the_very_next_request(self, tmp_path: Path, stage: Stage) -> None:
        async with site_of(tmp_path, stage) as (site, client):
            token = await site.token(Scope.READ)
            header = f"Authorization: Bearer {token}"
            for _ in range(3):
                await client.ask("/quick", header)
            await site.accounts.administration.revoke_token(
                token.split("_")[1], caller=CALLERS["local token"], address=""
            )

            with always_judged(stage):
                assert (await client.ask("/quick", header)).status == 401

    async def test_a_token_that_has_expired_is_refused(self, tmp_path: Path, stage: Stage) -> None:
        async with site_of(tmp_path, stage) as (site, client):
            header = (
                f"Authorization: Bearer {await site.token(Scope.READ, expires_ms=int(site.time.now_s + 10) * 1000)}"
            )
            for _ in range(2):
                assert (await client.ask("/quick", header)).status == 200
            site.time.advance(10)

            with always_judged(stage):
                assert (await client.ask("/quick", header)).status == 401

    async def test_an_account_that_is_disabled_is_refused_with_the_very_next_request(
        self, tmp_path: Path, stage: Stage
    ) -> None:
        async with site_of(tmp_path, stage) as (site, client):
            users, admin = site.accounts.administration, CALLERS["local token"]
            await users.create_user("ada", Role.VIEWER, caller=admin, address="")
            header = f"Authorization: Bearer {await site.token(Scope.READ, owner='ada')}"
            for _ in range(2):
                assert (await client.ask("/quick", header)).status == 200
            await users.change_user("ada", role=None, disabled=True, caller=admin, address="")

            with always_judged(stage):
                assert (await client.ask("/quick", header)).status == 401

    async def test_a_token_opens_what_its_scopes_open(self, tmp_path: Path, stage: Stage) -> None:
        async with site_of(tmp_path, stage) as (site, client):
            header = f"Authorization: Bearer {await site.token(Scope.READ)}"
            await client.ask("/quick", header)
            statuses = [
                (await client.ask("/quick", header)).status,
                (await client.ask("/write", header, method="POST", form=b"")).status,
                (await client.ask("/admin", header)).status,
                (await client.ask("/quick", header + "x")).status,
                (await client.ask("/quick")).status,
            ]

        assert statuses == [200, 403, 403, 401, 401]

    async def test_a_session_is_known_until_it_ends(self, tmp_path: Path, stage: Stage) -> None:
        async with site_of(tmp_path, stage) as (site, client):
            await site.accounts.administration.create_user(
                "ada", Role.VIEWER, caller=CALLERS["local token"], address=""
            )
            user = await site.accounts.administration.user("ada")
            link = await site.accounts.logins.issue_link(user, actor="test", address="")
            first = await site.accounts.logins.redeem_link(link, address="", replaces=CALLERS["nobody"])
            assert first is not None
            head = await client.ask("/quick", f"Cookie: vedette_session={first.session_id}")
            assert head.status == 403  # a password must be set first
            caller = await site.accounts.authenticator._by_session(first.session_id)
            assert caller is not None
            login = await site.accounts.logins.set_password(caller, current="", new="correct horse", address="")
            cookie = f"Cookie: vedette_session={login.session_id}"
            for _ in range(3):
                assert (await client.ask("/quick", cookie)).status == 200
            caller = await site.accounts.authenticator._by_session(login.session_id)
            assert caller is not None
            await site.accounts.logins.log_out(caller, address="")

            assert stage.ways[-1] == "at once"
            with always_judged(stage):
                assert (await client.ask("/quick", cookie)).status == 401

    async def test_a_session_that_was_idle_for_too_long_is_over(self, tmp_path: Path, stage: Stage) -> None:
        auth = AuthSettings(mode=AuthMode.REQUIRED, passwords=CHEAP_PASSWORDS, session_idle_s=60, verified_for_s=1e6)
        async with site_of(tmp_path, stage, auth) as (site, client):
            link = await site.accounts.logins.issue_link(
                await site.accounts.administration.user("admin"), actor="test", address=""
            )
            first = await site.accounts.logins.redeem_link(link, address="", replaces=CALLERS["nobody"])
            assert first is not None
            caller = await site.accounts.authenticator._by_session(first.session_id)
            assert caller is not None
            login = await site.accounts.logins.set_password(caller, current="", new="correct horse", address="")
            cookie = f"Cookie: vedette_session={login.session_id}"
            for _ in range(3):
                site.time.advance(59)
                assert (await client.ask("/quick", cookie)).status == 200
            site.time.advance(60)

            with always_judged(stage):
                assert (await client.ask("/quick", cookie)).status == 401

    @pytest.mark.parametrize(
        "header",
        [
            "X-Forwarded-For: 203.0.113.9",
            "Via: 1.1 proxy",
            "Origin: http://evil.example",
            "Sec-Fetch-Site: cross-site",
        ],
    )
    async def test_a_local_program_is_judged_anew_when_its_headers_change(
        self, tmp_path: Path, stage: Stage, header: str
    ) -> None:
        async with site_of(tmp_path, stage, AuthSettings(passwords=CHEAP_PASSWORDS)) as (_, client):
            before = [(await client.ask("/quick")).status for _ in range(2)]
            with always_judged(stage):
                refused = await client.ask("/quick", header)
            after = await client.ask("/quick")

        assert (before, refused.status, after.status) == ([200, 200], 401, 200)
        assert set(stage.ways) == {"at once"}

    async def test_a_name_that_is_not_ours_is_refused_on_a_connection_that_was_trusted(
        self, tmp_path: Path, stage: Stage
    ) -> None:
        async with site_of(tmp_path, stage, AuthSettings(passwords=CHEAP_PASSWORDS)) as (_, client):
            await client.ask("/quick")
            client.writer.write(request("/quick").replace(b"Host: localhost", b"Host: evil.example"))
            with always_judged(stage):
                assert (await client.answer()).status == 401

    async def test_another_user_of_the_machine_is_refused(self, tmp_path: Path, stage: Stage) -> None:
        async with (
            open_site(tmp_path, [stage.router()], find_user=lambda _client, _server: os.geteuid() + 1) as site,
            connected(site.server.addresses[0].port) as client,
        ):
            for _ in range(2):
                with always_judged(stage):
                    assert (await client.ask("/quick")).status == 401
