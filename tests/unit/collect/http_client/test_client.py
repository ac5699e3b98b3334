from __future__ import annotations

import asyncio
import base64
import gzip
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from vedette.collect.http_client import Fetcher, FetchError
from vedette.config import (
    Authorization,
    BasicAuth,
    HeaderValues,
    HttpClient,
    OAuth2,
    Secret,
    TlsConfig,
    TlsVersion,
)
from vedette.model.errors import DecodeError, LimitExceededError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LIMIT = 1 << 20


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def echo_headers(request: web.Request) -> web.Response:
    return web.json_response({name: request.headers.getall(name) for name in request.headers})


async def headers_seen(url: str, settings: HttpClient) -> dict[str, list[str]]:
    async with Fetcher(settings) as fetcher:
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)
    found: dict[str, list[str]] = json.loads(response.body)
    return found


async def test_a_body_comes_as_it_is_and_unpacks_on_demand() -> None:
    async def packed(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "gzip"
        return web.Response(body=gzip.compress(b"up 1\n"), headers={"Content-Encoding": "gzip"})

    async with serving(packed) as url, Fetcher(HttpClient()) as fetcher:
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT, headers={"Accept-Encoding": "gzip"})

    assert response.status == 200
    assert response.body[:2] == b"\x1f\x8b"
    assert response.content(limit_bytes=LIMIT) == b"up 1\n"


async def test_a_small_body_that_unpacks_beyond_the_limit_is_refused() -> None:
    async def bomb(_request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(bytes(10 << 20)), headers={"Content-Encoding": "gzip"})

    async with serving(bomb) as url, Fetcher(HttpClient()) as fetcher:
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    with pytest.raises(LimitExceededError, match="body_size_limit"):
        response.content(limit_bytes=LIMIT)


async def test_an_encoding_that_nobody_asked_for_is_an_error() -> None:
    async def strange(_request: web.Request) -> web.Response:
        return web.Response(body=b"x", headers={"Content-Encoding": "compress"})

    async with serving(strange) as url, Fetcher(HttpClient()) as fetcher:
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    with pytest.raises(DecodeError, match="compress"):
        response.content(limit_bytes=LIMIT)


@pytest.mark.parametrize("chunked", [False, True], ids=["told by Content-Length", "found while reading"])
async def test_a_body_beyond_the_limit_is_refused(chunked: bool) -> None:  # noqa: FBT001
    async def large(request: web.Request) -> web.StreamResponse:
        if not chunked:
            return web.Response(body=bytes(LIMIT + 1))
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(LIMIT // 1000 + 2):
            await response.write(bytes(1000))
        return response

    async with serving(large) as url, Fetcher(HttpClient()) as fetcher:
        with pytest.raises(LimitExceededError, match="raise `max_size`"):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT, limit="max_size")


async def test_a_server_that_stalls_times_out() -> None:
    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"beginning")
        await asyncio.Event().wait()
        return response

    async with serving(stall) as url, Fetcher(HttpClient()) as fetcher:
        with pytest.raises(FetchError, match=r"no complete answer within 0\.2 s") as caught:
            await fetcher.fetch(url, timeout_s=0.2, body_bytes_limit=LIMIT)

    assert caught.value.timed_out


async def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with Fetcher(HttpClient()) as fetcher:
            with pytest.raises(FetchError, match=f"cannot connect to 127.0.0.1:{port}"):
                await fetcher.fetch(f"http://127.0.0.1:{port}/", timeout_s=5, body_bytes_limit=LIMIT)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", id="less than announced"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="bad chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\n", id="an endless header"),
    ],
)
async def test_a_broken_answer_is_an_error(answer: bytes) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Fetcher(HttpClient()) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.fetch(f"http://127.0.0.1:{port}/", timeout_s=5, body_bytes_limit=LIMIT)


async def test_nobody_is_told_credentials_that_are_not_set() -> None:
    async with serving(echo_headers) as url:
        seen = await headers_seen(url, HttpClient())

    assert "Authorization" not in seen
    assert "Accept-Encoding" not in seen
    assert seen["User-Agent"][0].startswith("Vedette/")


async def test_basic_authentication_encodes_user_and_password() -> None:
    async with serving(echo_headers) as url:
        seen = await headers_seen(url, HttpClient(basic_auth=BasicAuth(username="né", password=Secret("s:3"))))

    assert base64.b64decode(seen["Authorization"][0].removeprefix("Basic ")) == "né:s:3".encode()


async def test_credentials_in_the_options_count_more_than_those_in_the_url() -> None:
    async with serving(echo_headers) as url:
        with_user = url.replace("http://", "http://u:p@")
        seen = await headers_seen(with_user, HttpClient(authorization=Authorization(credentials=Secret("t"))))
        by_url = await headers_seen(with_user, HttpClient())

    assert seen["Authorization"] == ["Bearer t"]
    assert by_url["Authorization"] == ["Basic dTpw"]


async def test_a_credentials_file_is_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    settings = HttpClient(authorization=Authorization(type="Token", credentials_file=str(token)))
    async with serving(echo_headers) as url, Fetcher(settings) as fetcher:
        first = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)
        new = tmp_path / "new"
        new.write_text("second\n")
        new.replace(token)
        second = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)
        token.unlink()
        with pytest.raises(FetchError, match=r"credentials_file .* cannot be read: No such file"):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert b"Token first" in first.body
    assert b"Token second" in second.body


async def test_extra_headers_come_from_values_secrets_and_files(tmp_path: Path) -> None:
    file = tmp_path / "header"
    file.write_text("three")
    values = HeaderValues(values=("one",), secrets=(Secret("two"),), files=(str(file),))
    async with serving(echo_headers) as url:
        seen = await headers_seen(url, HttpClient(http_headers=(("X-Tenant", values),)))

    assert seen["X-Tenant"] == ["one", "two", "three"]


async def test_a_secret_that_may_not_be_a_header_is_not_quoted() -> None:
    settings = HttpClient(authorization=Authorization(credentials=Secret("geheim\r\nX-Evil: 1")))
    async with serving(echo_headers) as url, Fetcher(settings) as fetcher:
        with pytest.raises(FetchError, match="may not be sent") as caught:
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert "geheim" not in str(caught.value)


async def test_redirects_are_followed_with_credentials_on_the_same_server_only() -> None:
    seen: list[tuple[str, str | None]] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(("elsewhere", request.headers.get("Authorization")))
        return web.Response(text="done")

    async with serving(elsewhere) as other:

        async def redirect(request: web.Request) -> web.Response:
            seen.append((request.path, request.headers.get("Authorization")))
            location = "/second" if request.path == "/first" else other
            return web.Response(status=302, headers={"Location": location})

        settings = HttpClient(authorization=Authorization(credentials=Secret("t")))
        async with serving(redirect) as url, Fetcher(settings) as fetcher:
            response = await fetcher.fetch(f"{url}/first", timeout_s=5, body_bytes_limit=LIMIT)

    assert response.body == b"done"
    assert seen == [("/first", "Bearer t"), ("/second", "Bearer t"), ("elsewhere", None)]


async def test_redirects_are_handed_out_where_they_are_not_to_be_followed() -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/"})

    async with serving(redirect) as url, Fetcher(HttpClient(follow_redirects=False)) as fetcher:
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert response.status == 302


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        pytest.param("/", "10 redirects", id="in a circle"),
        pytest.param("file:///etc/passwd", "not HTTP", id="to a file"),
    ],
)
async def test_redirects_that_lead_nowhere_are_errors(location: str, problem: str) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async with serving(redirect) as url, Fetcher(HttpClient()) as fetcher:
        with pytest.raises(FetchError, match=problem):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)


async def test_a_connection_serves_one_request_after_the_other() -> None:
    peers: set[object] = set()

    async def remember(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="x")

    async with serving(remember) as url, Fetcher(HttpClient()) as fetcher:
        for _ in range(5):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert len(peers) == 1


async def test_a_proxy_gets_requests_and_its_headers() -> None:
    seen: list[tuple[str, str]] = []

    async def proxy(request: web.Request) -> web.Response:
        seen.append((str(request.url), request.headers.get("Proxy-Authorization", "")))
        return web.Response(text="through")

    async with serving(proxy) as url:
        settings = HttpClient(proxy_url=url.replace("http://", "http://u:p@"))
        async with Fetcher(settings) as fetcher:
            response = await fetcher.fetch("http://app.invalid:9100/metrics", timeout_s=5, body_bytes_limit=LIMIT)

    assert response.body == b"through"
    assert seen == [("http://app.invalid:9100/metrics", "Basic dTpw")]


async def test_a_proxy_is_told_the_connect_headers_for_https() -> None:
    head = asyncio.get_running_loop().create_future()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = HttpClient(proxy_url=f"http://127.0.0.1:{port}", proxy_connect_header=(("X-Pass", (Secret("geheim"),)),))
    async with server, Fetcher(settings) as fetcher:
        with pytest.raises(FetchError, match="proxy refused with status 403") as caught:
            await fetcher.fetch("https://app.invalid/", timeout_s=5, body_bytes_limit=LIMIT)

    assert (await head).startswith(b"CONNECT app.invalid:443 HTTP/1.1")
    assert b"X-Pass: geheim" in await head
    assert "geheim" not in str(caught.value)


async def test_a_socks_proxy_is_given_the_targets_name() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="through socks")

    asked: list[bytes] = []

    async with serving(answer) as url:
        port = int(url.rpartition(":")[2])

        async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            _, methods = await reader.readexactly(2)
            await reader.readexactly(methods)
            writer.write(b"\x05\x00")
            head = await reader.readexactly(5)
            name = await reader.readexactly(head[4])
            await reader.readexactly(2)
            asked.append(name)
            there, back = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
            back.write(await reader.readuntil(b"\r\n\r\n"))
            writer.write(await there.readuntil(b"through socks"))
            back.close()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(socks, "127.0.0.1", 0)
        proxy = server.sockets[0].getsockname()[1]
        async with server, Fetcher(HttpClient(proxy_url=f"socks5://127.0.0.1:{proxy}")) as fetcher:
            response = await fetcher.fetch("http://app.invalid/", timeout_s=5, body_bytes_limit=LIMIT)

    assert response.body == b"through socks"
    assert asked == [b"app.invalid"]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server `app.example`, a client, and another authority."""
    folder = tmp_path_factory.mktemp("pki")
    for name in ("ca", "other"):
        openssl(folder, f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} "
                        f"-keyout {name}.key -out {name}.crt -addext basicConstraints=critical,CA:TRUE "
                        "-addext keyUsage=critical,keyCertSign")  # fmt: skip
    for name in ("app.example", "client"):
        (folder / "extensions").write_text(f"subjectAltName=DNS:{name}\n")
        openssl(folder, f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} "
                        f"-keyout {name}.key -out {name}.csr")  # fmt: skip
        openssl(folder, f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
                        f"-out {name}.crt -extfile extensions")  # fmt: skip
    return folder


def openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


def server_tls(pki: Path, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "app.example.crt", pki / "app.example.key")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pki / "ca.crt")
    return context


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.mark.parametrize("inline", [False, True], ids=["from files", "from the configuration"])
async def test_tls_verifies_the_server_and_shows_the_clients_certificate(pki: Path, inline: bool) -> None:  # noqa: FBT001
    if inline:
        tls = TlsConfig(
            ca=(pki / "ca.crt").read_text(),
            cert=(pki / "client.crt").read_text(),
            key=Secret((pki / "client.key").read_text()),
            server_name="app.example",
        )
    else:
        tls = TlsConfig(
            ca_file=str(pki / "ca.crt"),
            cert_file=str(pki / "client.crt"),
            key_file=str(pki / "client.key"),
            server_name="app.example",
        )
    async with (
        serving(hello, server_tls(pki, wants_client=True)) as url,
        Fetcher(HttpClient(tls_config=tls)) as fetcher,
    ):
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert response.body == b"hello"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"ca_file": "other.crt", "server_name": "app.example"}, "certificate", id="another authority"),
        pytest.param({"ca_file": "ca.crt", "server_name": "b.example"}, "certificate", id="another name"),
        pytest.param({"ca_file": "ca.crt"}, "certificate", id="an address that the certificate does not name"),
        pytest.param({"ca_file": "missing.crt"}, "tls_config: .*missing.crt cannot be used", id="no such file"),
        pytest.param({"ca_file": "ca.key"}, "tls_config: .*ca.key cannot be used", id="a file that is no certificate"),
    ],
)
async def test_tls_that_cannot_be_trusted_is_refused(pki: Path, changes: dict[str, str], problem: str) -> None:
    named = {**changes, "ca_file": str(pki / changes["ca_file"])}
    settings = HttpClient(tls_config=TlsConfig(**named))  # pyright: ignore[reportArgumentType]
    async with serving(hello, server_tls(pki)) as url, Fetcher(settings) as fetcher:
        with pytest.raises(FetchError, match=problem):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)


async def test_any_certificate_is_accepted_where_that_is_asked_for(pki: Path) -> None:
    settings = HttpClient(tls_config=TlsConfig(insecure_skip_verify=True))
    async with serving(hello, server_tls(pki)) as url, Fetcher(settings) as fetcher:
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert response.body == b"hello"


async def test_a_version_of_tls_that_is_too_low_is_refused(pki: Path) -> None:
    server = server_tls(pki)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    tls = TlsConfig(insecure_skip_verify=True, min_version=TlsVersion.TLS13)
    async with serving(hello, server) as url, Fetcher(HttpClient(tls_config=tls)) as fetcher:
        with pytest.raises(FetchError, match=r"TLS|connect"):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)


async def test_a_rotated_authority_counts_from_the_next_connection(pki: Path, tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes((pki / "other.crt").read_bytes())
    settings = HttpClient(tls_config=TlsConfig(ca_file=str(ca), server_name="app.example"))
    async with serving(hello, server_tls(pki)) as url, Fetcher(settings) as fetcher:
        with pytest.raises(FetchError, match="certificate"):
            await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)
        new = tmp_path / "new"
        new.write_bytes((pki / "ca.crt").read_bytes())
        new.replace(ca)
        response = await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert response.body == b"hello"


class TokenServer:
    """Hands out numbered tokens."""

    def __init__(self, *, in_body: bool = False, lifetime_s: int = 3600, answer: bytes | None = None) -> None:
        self.in_body = in_body
        self.lifetime_s = lifetime_s
        self.answer = answer
        self.forms: list[dict[str, str]] = []
        self.granted = 0

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        by_header = request.headers.get("Authorization") == "Basic " + base64.b64encode(b"me:geheim").decode()
        by_body = (form.get("client_id"), form.get("client_secret")) == ("me", "geheim")
        if self.answer is not None:
            return web.Response(body=self.answer)
        if not (by_body if self.in_body else by_header):
            return web.json_response({"error": "invalid_client"}, status=401)
        self.granted += 1
        return web.json_response(
            {"access_token": f"t{self.granted}", "token_type": "bearer", "expires_in": self.lifetime_s}
        )


@pytest.mark.parametrize("in_body", [False, True], ids=["credentials in the header", "credentials in the body"])
async def test_an_oauth2_token_is_fetched_once_and_used_for_many_requests(in_body: bool) -> None:  # noqa: FBT001
    tokens = TokenServer(in_body=in_body)
    async with serving(tokens.handle) as token_url, serving(echo_headers) as url:
        oauth2 = OAuth2(
            client_id="me",
            client_secret=Secret("geheim"),
            token_url=token_url,
            scopes=("a", "b"),
            endpoint_params=(("audience", Secret("x")),),
        )
        async with Fetcher(HttpClient(oauth2=oauth2)) as fetcher:
            bodies = [(await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)).body for _ in range(3)]

    assert all(b'"Bearer t1"' in body for body in bodies)
    assert tokens.granted == 1
    assert tokens.forms[-1].items() >= {"grant_type": "client_credentials", "scope": "a b", "audience": "x"}.items()


async def test_an_oauth2_token_that_is_about_to_expire_is_fetched_anew() -> None:
    tokens = TokenServer(lifetime_s=5)
    async with serving(tokens.handle) as token_url, serving(echo_headers) as url:
        oauth2 = OAuth2(client_id="me", client_secret=Secret("geheim"), token_url=token_url)
        async with Fetcher(HttpClient(oauth2=oauth2)) as fetcher:
            for _ in range(2):
                await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert tokens.granted == 2


@pytest.mark.parametrize(
    ("secret", "answer", "problem"),
    [
        pytest.param("falsch", None, "answered 401: invalid_client", id="a wrong secret"),
        pytest.param("geheim", b"<html>", "holds no access_token", id="not JSON"),
        pytest.param("geheim", b'{"access_token": 7}', "holds no access_token", id="not a token"),
    ],
)
async def test_an_oauth2_server_that_gives_no_token_is_an_error_without_the_secret(
    secret: str, answer: bytes | None, problem: str
) -> None:
    tokens = TokenServer(answer=answer)
    async with serving(tokens.handle) as token_url, serving(echo_headers) as url:
        oauth2 = OAuth2(client_id="me", client_secret=Secret(secret), token_url=token_url)
        async with Fetcher(HttpClient(oauth2=oauth2)) as fetcher:
            with pytest.raises(FetchError, match=problem) as caught:
                await fetcher.fetch(url, timeout_s=5, body_bytes_limit=LIMIT)

    assert secret not in str(caught.value)
