"""A real server against clients that do not behave."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gzip
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvloop
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from vedette.http import (
    Access,
    Application,
    Exchange,
    HttpSettings,
    ListenAddress,
    Route,
    Router,
    RunningServer,
    TlsSettings,
    build_application,
    serve_http,
)
from vedette.http.auth.principals import NOBODY, Principal
from vedette.http.limits import unless_disconnected
from vedette.model.errors import UnavailableError

HERE = (ListenAddress(port=0),)
KIB, MIB = 1024, 1024 * 1024


class Stage:
    """Handlers whose progress a test can follow and steer."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.seen: list[Exchange] = []
        self.headers: list[tuple[bytes, bytes]] = []

    async def hello(self, request: Request) -> Response:
        self.headers = list(request.scope["headers"])
        return PlainTextResponse("hello")

    async def length(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def refuse(self, _request: Request) -> Response:
        return PlainTextResponse("no", status_code=403)

    async def wait(self, request: Request) -> Response:
        self.entered.set()
        try:
            await unless_disconnected(request, self.release.wait())
        finally:
            if not self.release.is_set():
                self.cancelled.set()
        return PlainTextResponse("done")

    async def stubborn(self, _request: Request) -> Response:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return PlainTextResponse("never")

    async def large(self, _request: Request) -> Response:
        return PlainTextResponse("x" * MIB)

    async def flood(self, _request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * MIB
            finally:
                self.cancelled.set()

        return StreamingResponse(pieces(), media_type="application/octet-stream")

    async def fail(self, _request: Request) -> Response:
        raise ZeroDivisionError("the secret inside")

    async def fail_later(self, _request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"half"
            raise ZeroDivisionError("the secret inside")

        return StreamingResponse(pieces(), media_type="text/plain")

    def application(self, settings: HttpSettings) -> Application:
        async def nobody(*_: object) -> Principal:
            return NOBODY

        def route(path: str, method: str, handler: object, **more: int) -> Route:
            return Route(path, (method,), handler, Access.PUBLIC, **more)  # type: ignore[arg-type]

        routes = (
            route("/hello", "GET", self.hello),
            route("/length", "POST", self.length, max_body_bytes=MIB),
            route("/refuse", "POST", self.refuse, max_body_bytes=100 * MIB),
            route("/wait", "GET", self.wait),
            route("/stubborn", "GET", self.stubborn),
            route("/large", "GET", self.large),
            route("/flood", "GET", self.flood),
            route("/fail", "GET", self.fail),
            route("/fail-later", "GET", self.fail_later),
            Route("/health", ("GET",), self.hello, Access.HEALTH),
        )
        return build_application([Router("test", routes)], identify=nobody, settings=settings, observe=self.seen.append)


@asynccontextmanager
async def serving(stage: Stage, **settings: object) -> AsyncIterator[RunningServer]:
    chosen = HttpSettings(**{"listen": HERE, "access_log": False, **settings})  # type: ignore[arg-type]
    async with serve_http(stage.application(chosen), chosen) as server:
        yield server


@asynccontextmanager
async def connected(server: RunningServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(server.addresses[0].host, server.addresses[0].port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answer(server: RunningServer, *pieces: bytes) -> bytes:
    """Send these bytes and read until the server hangs up."""
    async with asyncio.timeout(20), connected(server) as (reader, writer):
        received = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while data := await reader.read(65536):
                received += data
        except ConnectionError:
            pass
        return received


def get(path: str, *headers: str, close: bool = True) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, *(["Connection: close"] if close else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def test_a_request_is_answered_with_the_headers_that_every_answer_has() -> None:
    async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
        response = await client.get("/hello")

    assert response.text == "hello"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert "date" in response.headers
    assert "server" not in response.headers


async def test_a_connection_serves_many_requests() -> None:
    stage = Stage()
    async with serving(stage) as server, connected(server) as (reader, writer):
        for _ in range(3):
            writer.write(get("/hello", close=False))
            await reader.readuntil(b"hello")

    assert [exchange.status for exchange in stage.seen] == [200, 200, 200]


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async with serving(Stage()) as server:
        received = await answer(server, get("/hello", close=False) + get("/nothing", close=False) + get("/hello"))

    assert re.findall(rb"HTTP/1.1 (\d+) ", received) == [b"200", b"404", b"200"]


async def test_more_pipelined_requests_than_are_bearable_end_the_connection() -> None:
    stage = Stage()
    async with serving(stage) as server:
        await answer(server, get("/hello", close=False) * 5000)

    assert len(stage.seen) < 5000


class TestHeads:
    @pytest.mark.parametrize(
        "request_bytes",
        [
            pytest.param(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000, id="an endless header"),
            pytest.param(b"GET /" + b"a" * 100_000, id="an endless path"),
            pytest.param(get("/hello", *(f"X-{number}: a" for number in range(500))), id="many headers"),
            pytest.param(get("/hello", *(f"X-{number}: {'a' * 1000}" for number in range(50))), id="large headers"),
            pytest.param(b"GET /hello HTTP/1.1\r\n" + b"a: b\r\n" * 100_000, id="headers without end"),
        ],
    )
    async def test_a_head_that_is_too_large_is_refused(self, request_bytes: bytes) -> None:
        async with serving(Stage()) as server:
            received = await answer(server, request_bytes)

        assert received.startswith(b"HTTP/1.1 431 ") or received == b""

    async def test_a_head_within_the_limit_is_not_refused(self) -> None:
        async with serving(Stage()) as server:
            received = await answer(server, get("/hello", f"X: {'a' * 30 * KIB}"))

        assert received.startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize(
        "request_bytes",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nHost : localhost\r\n\r\n",
            b"GET /h\xffllo HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"GET /%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"NONSENSE\r\n\r\n",
        ],
    )
    async def test_a_malformed_head_is_refused(self, request_bytes: bytes) -> None:
        stage = Stage()
        async with serving(stage) as server:
            received = await answer(server, request_bytes)

        assert received.startswith(b"HTTP/1.1 400 ")

    @pytest.mark.parametrize(
        "path", ["/../hello", "/hello/..", "//hello", "/%2e%2e/hello", "/..%2fhello", "/hello/", "/HELLO", "/hello%00"]
    )
    async def test_a_path_that_only_resembles_one_leads_nowhere(self, path: str) -> None:
        async with serving(Stage()) as server:
            received = await answer(server, get(path))

        assert received[9:12] in (b"404", b"400")

    async def test_a_head_that_dribbles_in_is_cut_off(self) -> None:
        async with serving(Stage(), head_timeout_s=0.05) as server:
            received = await answer(server, b"GET /hello HTTP/1.1\r\nHo")

        assert received.startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize("silence", [b"", b"\r\n\r\n"])
    async def test_a_connection_that_says_nothing_is_closed(self, silence: bytes) -> None:
        async with serving(Stage(), head_timeout_s=0.05) as server:
            assert await answer(server, silence) == b""

    async def test_an_idle_connection_is_closed(self) -> None:
        async with serving(Stage(), keep_alive_s=0.05) as server:
            assert (await answer(server, get("/hello", close=False))).endswith(b"hello")

    async def test_the_next_head_on_a_connection_must_arrive_in_time_too(self) -> None:
        async with serving(Stage(), head_timeout_s=0.05) as server:
            received = await answer(server, get("/hello", close=False) + b"GET /hel")

        assert b"HTTP/1.1 408 " in received

    async def test_more_connections_than_allowed_are_refused(self) -> None:
        async with serving(Stage(), max_connections=1) as server, connected(server) as (reader, writer):
            writer.write(get("/hello", close=False))
            await reader.readuntil(b"hello")

            assert (await answer(server, get("/hello"))).startswith(b"HTTP/1.1 503 ")

    async def test_an_offer_of_another_protocol_is_passed_over(self) -> None:
        async with serving(Stage()) as server:
            received = await answer(
                server, get("/hello", "Upgrade: h2c", "Connection: Upgrade", close=False), get("/hello")
            )

        assert received.count(b"HTTP/1.1 200 ") == 2


class TestBodies:
    async def test_a_body_is_read_whole(self) -> None:
        async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
            response = await client.post("/length", content=b"x" * MIB)

        assert response.text == str(MIB)

    @pytest.mark.parametrize("chunked", [False, True])
    async def test_a_body_that_is_too_large_is_refused_and_the_client_learns_it(self, chunked: bool) -> None:  # noqa: FBT001
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b"x" * (64 * KIB)

        async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
            content = pieces() if chunked else b"x" * (MIB + 1)
            response = await client.post("/length", content=content)

        assert response.status_code == 413
        assert "1,048,576 bytes" in response.json()["detail"]

    async def test_a_declared_size_that_is_too_large_is_refused_before_it_is_sent(self) -> None:
        head = b"POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        async with serving(Stage()) as server, connected(server) as (reader, writer):
            writer.write(head)
            status = await reader.readline()

        assert status.startswith(b"HTTP/1.1 413 ")

    async def test_a_large_upload_that_nobody_wants_is_answered_and_then_cut(self) -> None:
        head = b"POST /refuse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
        async with serving(Stage()) as server:
            received = await answer(server, head, *[b"x" * MIB] * 40)

        assert received == b"" or received.startswith(b"HTTP/1.1 403 ")

    async def test_a_connection_goes_on_after_a_small_body_that_nobody_read(self) -> None:
        head = b"POST /refuse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
        async with serving(Stage()) as server, connected(server) as (reader, writer):
            writer.write(head)
            assert (await reader.readuntil(b"\r\n\r\nno")).startswith(b"HTTP/1.1 403 ")
            writer.write(b"x" * 10 + get("/hello"))

            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize("limit", ["body_timeout_s", "body_idle_timeout_s"])
    async def test_a_body_that_dribbles_in_is_cut_off(self, limit: str) -> None:
        head = b"POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nxxx"
        async with serving(Stage(), **{limit: 0.05}) as server, connected(server) as (reader, writer):
            writer.write(head)

            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")

    async def test_trailers_do_not_become_headers(self) -> None:
        body = b"5\r\nhello\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer x\r\n\r\n"
        head = b"POST /length HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        stage = Stage()
        async with serving(stage) as server:
            received = await answer(server, head + body)

        assert received.endswith(b"5")

    @pytest.mark.parametrize(
        "rest", [b"5;" + b"a" * 200_000, b"0\r\nX: " + b"a" * 200_000, b"0\r\n" + b"a: b\r\n" * 50_000]
    )
    async def test_endless_chunk_extensions_and_trailers_are_cut_off(self, rest: bytes) -> None:
        head = b"POST /length HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with serving(Stage()) as server:
            received = await answer(server, head, rest)

        assert b" 200 " not in received


class TestAnswers:
    async def test_a_large_answer_is_compressed_for_who_takes_it(self) -> None:
        async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
            plain = await client.get("/large", headers={"Accept-Encoding": "identity"})
            async with client.stream("GET", "/large", headers={"Accept-Encoding": "gzip"}) as response:
                raw = b"".join([piece async for piece in response.aiter_raw()])

        assert gzip.decompress(raw) == plain.content
        assert "content-encoding" not in plain.headers

    async def test_head_has_the_headers_of_get_and_no_body(self) -> None:
        async with serving(Stage()) as server:
            received = await answer(server, b"HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

        assert b"content-length: 5" in received
        assert received.endswith(b"\r\n\r\n")

    async def test_a_method_that_a_path_does_not_have_is_named_with_those_it_has(self) -> None:
        async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
            response = await client.delete("/hello")

        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD"

    async def test_a_bug_is_answered_without_telling_about_it(self) -> None:
        async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
            response = await client.get("/fail")

        assert response.status_code == 500
        assert "secret" not in response.text
        assert "ZeroDivision" not in response.text

    async def test_an_answer_that_fails_half_way_is_not_mistaken_for_a_whole_one(self) -> None:
        async with serving(Stage()) as server, httpx.AsyncClient(base_url=server.url) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/fail-later")

    async def test_a_client_that_does_not_read_is_cut_off(self) -> None:
        stage = Stage()
        async with serving(stage, send_stall_timeout_s=0.05) as server, connected(server) as (_reader, writer):
            writer.write(get("/flood"))
            async with asyncio.timeout(20):
                await stage.cancelled.wait()

    async def test_work_ends_when_the_client_leaves(self) -> None:
        stage = Stage()
        async with serving(stage) as server:
            async with connected(server) as (_reader, writer):
                writer.write(get("/wait", close=False))
                await stage.entered.wait()
            async with asyncio.timeout(20):
                await stage.cancelled.wait()

        assert [exchange.status for exchange in stage.seen] == [499]

    async def test_more_requests_than_can_be_answered_are_told_to_come_back(self) -> None:
        stage = Stage()
        async with (
            serving(stage, max_requests=1) as server,
            httpx.AsyncClient(base_url=server.url) as client,
            asyncio.TaskGroup() as group,
        ):
            first = group.create_task(client.get("/wait"))
            await stage.entered.wait()
            refused, health = await client.get("/hello"), await client.get("/health")
            stage.release.set()

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert health.status_code == 200
        assert first.result().text == "done"


class TestStopping:
    async def test_requests_that_are_under_way_are_answered(self) -> None:
        stage = Stage()
        async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group, serving(stage) as server:
            response = group.create_task(client.get(f"{server.url}/wait"))
            await stage.entered.wait()
            group.create_task(_set_when_refused(server, stage.release))

        assert response.result().text == "done"
        assert response.result().headers["connection"] == "close"

    async def test_idle_connections_do_not_hold_it_up(self) -> None:
        async with asyncio.timeout(20), serving(Stage(), drain_s=1000) as server:
            reader, writer = await asyncio.open_connection(server.addresses[0].host, server.addresses[0].port)
            writer.write(get("/hello", close=False))
            await reader.readuntil(b"hello")

        assert await reader.read() == b""
        writer.close()

    async def test_a_request_that_does_not_end_is_cancelled_after_the_bound(self) -> None:
        stage = Stage()
        async with serving(stage, drain_s=0.05) as server:
            reader, writer = await asyncio.open_connection(server.addresses[0].host, server.addresses[0].port)
            writer.write(get("/stubborn"))
            await stage.entered.wait()

        assert stage.cancelled.is_set()
        assert b" 200 " not in await reader.read()
        writer.close()

    async def test_an_error_in_the_block_stops_at_once(self) -> None:
        stage = Stage()

        async def serve_and_fail() -> None:
            async with serving(stage, drain_s=1000) as server:
                _, writer = await asyncio.open_connection(server.addresses[0].host, server.addresses[0].port)
                writer.write(get("/stubborn"))
                await stage.entered.wait()
                writer.transport.abort()
                raise KeyError("x")

        async with asyncio.timeout(20):
            with pytest.raises(KeyError):
                await serve_and_fail()

        assert stage.cancelled.is_set()


async def _set_when_refused(server: RunningServer, event: asyncio.Event) -> None:
    """Set the event as soon as the server takes no new connections: it is stopping."""
    while True:
        try:
            _, writer = await asyncio.open_connection(server.addresses[0].host, server.addresses[0].port)
        except ConnectionError:
            event.set()
            return
        writer.close()


class TestListening:
    async def test_a_port_that_is_in_use_is_named(self) -> None:
        async with serving(Stage()) as server:
            with pytest.raises(UnavailableError, match=f"port {server.addresses[0].port}: .*in use"):
                async with serving(Stage(), listen=(server.addresses[0],)):
                    pass

    async def test_a_name_that_does_not_exist_is_named(self) -> None:
        with pytest.raises(UnavailableError, match=r"nowhere\.invalid"):
            async with serving(Stage(), listen=(ListenAddress("nowhere.invalid", 0),)):
                pass

    async def test_several_addresses_are_served_by_one_server(self) -> None:
        listen = (ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.2", 0))
        async with serving(Stage(), listen=listen) as server, httpx.AsyncClient() as client:
            texts = [(await client.get(f"http://{a.host}:{a.port}/hello")).text for a in server.addresses]

        assert texts == ["hello", "hello"]

    async def test_the_url_of_a_server_that_listens_everywhere_is_one_that_can_be_called(self) -> None:
        async with serving(Stage(), listen=(ListenAddress("0.0.0.0", 0),)) as server:
            assert server.url.startswith("http://127.0.0.1:")

    async def test_tls_is_served_and_its_certificate_replaced_while_running(self, tmp_path: Path) -> None:
        tls = TlsSettings(tmp_path / "cert.pem", tmp_path / "key.pem")
        _make_certificate(tls, "first.example")
        async with serving(Stage(), tls=tls) as server:
            async with httpx.AsyncClient(verify=_trusting(tls)) as client:
                response = await client.get(f"{server.url}/hello")
            _make_certificate(tls, "second.example")
            server.reload_certificate()
            async with httpx.AsyncClient(verify=_trusting(tls)) as client:
                again = await client.get(f"{server.url}/hello")

        assert (response.text, again.text) == ("hello", "hello")
        assert "strict-transport-security" in response.headers

    async def test_clients_must_show_a_certificate_where_authorities_are_named(self, tmp_path: Path) -> None:
        own = TlsSettings(tmp_path / "client.pem", tmp_path / "client.key")
        tls = TlsSettings(tmp_path / "cert.pem", tmp_path / "key.pem", client_ca=own.certificate)
        _make_certificate(own, "client.example")
        _make_certificate(tls, "server.example")
        known = _trusting(tls)
        known.load_cert_chain(own.certificate, own.key)
        async with serving(Stage(), tls=tls) as server:
            async with httpx.AsyncClient(verify=known) as client:
                response = await client.get(f"{server.url}/hello")
            async with httpx.AsyncClient(verify=_trusting(tls)) as client:
                with pytest.raises(httpx.TransportError):
                    await client.get(f"{server.url}/hello")

        assert response.text == "hello"

    async def test_a_certificate_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        tls = TlsSettings(tmp_path / "cert.pem", tmp_path / "key.pem")
        with pytest.raises(UnavailableError, match=r"cert\.pem"):
            async with serving(Stage(), tls=tls):
                pass

    def test_it_runs_on_uvloop(self) -> None:
        async def scenario() -> list[int]:
            stage = Stage()
            async with serving(stage) as server, httpx.AsyncClient(base_url=server.url) as client:
                return [
                    (await client.get("/hello")).status_code,
                    (await client.post("/length", content=b"x" * (MIB + 1))).status_code,
                    int((await answer(server, b"NONSENSE\r\n\r\n"))[9:12]),
                ]

        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            statuses = thread.submit(uvloop.run, scenario()).result()

        assert statuses == [200, 413, 400]


def _make_certificate(tls: TlsSettings, name: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", f"/CN={name}", "-keyout", str(tls.key), "-out", str(tls.certificate)]
    try:
        subprocess.run([*command, *subject], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no `openssl` on the path (Debian: apt install openssl)")


def _trusting(tls: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.check_hostname = False
    return context
