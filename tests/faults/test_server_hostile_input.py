"""Random bytes, oversized bodies and slow clients: refused by name, and everybody else is served meanwhile."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import cramjam
import pytest

from harness.pushing import push_samples
from harness.routes import all_routers
from harness.vedette_server import QUIET, VedetteServer

ROUNDS = 25
TYPES = ("", "application/x-protobuf", "application/x-www-form-urlencoded", "application/json", "text/plain")
CODINGS = ("", "snappy", "gzip", "zstd", "identity")
POSTS = sorted({route.path for router in all_routers() for route in router.routes if "POST" in route.methods})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    """One that lives through all of it."""
    server = VedetteServer(tmp_path_factory.mktemp("hostile") / "data", QUIET)
    try:
        server.start()
        yield server
        server.stop(expected=["configuration not reloaded; the running one stays"])
    finally:
        server.kill()


def still_serves(server: VedetteServer) -> bool:
    now_ms = time.time_ns() // 1_000_000
    return push_samples(server.client, "alive", [(now_ms, 1.0)]).status_code == 204 and server.value("alive") == 1


def chance_body(chance: random.Random) -> bytes:
    kind = chance.randrange(4)
    body = chance.randbytes(chance.choice((0, 1, 7, 300, 5_000)))
    if kind == 0:
        return body
    if kind == 1:
        return bytes(cramjam.snappy.compress_raw(body))
    if kind == 2:
        return b"match[]=" + body + b"&query=" + body[:50] + b"&time=" + body[:3]
    # Fields of a protobuf message that promise more than there is.
    return b"".join(
        bytes([chance.choice((0x0A, 0x12, 0x1A, 0x22, 0x2A))]) + struct.pack("<I", chance.getrandbits(32)).rstrip(b"\0")
        for _ in range(50)
    )


@pytest.mark.parametrize("path", POSTS)
def test_random_bytes_are_the_clients_mistake_and_no_accident(server: VedetteServer, path: str) -> None:
    chance = random.Random(path)
    for _ in range(ROUNDS):
        headers = {"Content-Type": chance.choice(TYPES), "Content-Encoding": chance.choice(CODINGS)}
        headers = {name: value for name, value in headers.items() if value}

        response = server.client.post(path, content=chance_body(chance), headers=headers)

        assert response.status_code < 500 or path == "/-/reload", (response.status_code, response.text, headers)
    assert still_serves(server)


def test_snappy_that_claims_gigabytes_is_refused_without_taking_them(server: VedetteServer) -> None:
    before = rss_bytes(server)
    claims = b"\xff\xff\xff\xff\x0f" + bytes(100)

    response = server.client.post(
        "/api/v1/write",
        content=claims,
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"},
    )

    assert response.status_code in (400, 413), response.text
    assert rss_bytes(server) - before < 64 << 20


def test_a_zip_bomb_is_refused_without_unpacking_it(server: VedetteServer) -> None:
    before = rss_bytes(server)
    bomb = bytes(cramjam.zstd.compress(bytes(1 << 30)))

    response = server.client.post(
        "/api/v1/write",
        content=bomb,
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "zstd"},
    )

    assert response.status_code in (400, 413, 415), response.text
    assert rss_bytes(server) - before < 256 << 20
    assert still_serves(server)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_larger_than_its_route_allows_is_refused_before_it_is_read(server: VedetteServer, path: str) -> None:
    with raw(server) as connection:
        connection.sendall(head(server, path, {"Content-Length": str(10 << 30)}))

        # 403 where the local token may not come in at all.
        assert status(connection) in (403, 413, 415), path


def test_a_body_without_an_end_is_refused_at_its_routes_limit(server: VedetteServer) -> None:
    with raw(server) as connection:
        connection.sendall(
            head(
                server,
                "/api/v1/query",
                {"Transfer-Encoding": "chunked", "Content-Type": "application/x-www-form-urlencoded"},
            )
        )
        piece = bytes(1 << 16)
        try:
            for _ in range(2_000):
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("128 MB of a query were taken")


def test_clients_that_send_nothing_or_little_do_not_keep_others_out(server: VedetteServer) -> None:
    slow = [raw(server) for _ in range(100)]
    try:
        for number, connection in enumerate(slow):
            if number % 2:
                connection.sendall(head(server, "/api/v1/write", {"Content-Length": "1000"}) + b"x")
            elif number % 3:
                connection.sendall(b"POST /api/v1/wr")

        assert still_serves(server)
    finally:
        for connection in slow:
            connection.close()
    assert still_serves(server)


def test_clients_that_ask_for_much_and_do_not_read_it_do_not_keep_others_out(server: VedetteServer) -> None:
    now_ms = time.time_ns() // 1_000_000
    assert push_samples(server.client, "much", [(now_ms - 5_000, 1.0)]).status_code == 204
    query = "query_range?query=much%20or%20vector(1)&step=1&start=1700000000&end=1700010000"
    slow = [raw(server) for _ in range(30)]
    try:
        for connection in slow:
            connection.sendall(
                f"GET /api/v1/{query} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\n"
                f"Authorization: Bearer {server.token}\r\n\r\n".encode()
            )

        assert still_serves(server)
    finally:
        for connection in slow:
            connection.close()


def test_a_query_that_would_take_too_much_is_refused_by_the_name_of_its_limit(server: VedetteServer) -> None:
    response = server.get("/api/v1/query_range", query="vector(1)", start=0, end=1e9, step=1)

    assert response.status_code == 400
    assert "query.max_points" in response.text


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("(" * 20_000 + "1" + ")" * 20_000, id="deep parentheses"),
        pytest.param("-" * 50_000 + "1", id="many signs"),
        pytest.param("+".join(["1"] * 20_000), id="a long sum"),
        pytest.param('{a=~"' + "(x+x+)+" * 500 + 'y"}', id="an evil regular expression"),
        pytest.param("a[" * 5_000, id="brackets that do not close"),
        pytest.param("sum(" * 5_000 + "a" + ")" * 5_000, id="deep calls"),
        pytest.param("a" + "[1d:1s]" * 1 + " offset " + "9" * 400 + "d", id="a long number"),
        pytest.param("max_over_time(vector(1)[100y:1ms])", id="a subquery of ages"),
    ],
)
def test_a_hostile_query_is_answered_or_refused_and_others_are_served(server: VedetteServer, query: str) -> None:
    response = server.client.post("/api/v1/query", data={"query": query, "timeout": "5"})

    assert response.status_code in (200, 400, 413, 422, 503), response.text[:300]
    assert still_serves(server)


def raw(server: VedetteServer) -> socket.socket:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def head(server: VedetteServer, path: str, headers: dict[str, str]) -> bytes:
    lines = [
        f"POST {path.replace('{name}', 'x').replace('{id}', 'x')} HTTP/1.1",
        f"Host: {urlsplit(server.url).netloc}",
        f"Authorization: Bearer {server.token}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def status(connection: socket.socket) -> int:
    answer = connection.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


def rss_bytes(server: VedetteServer) -> int:
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")
