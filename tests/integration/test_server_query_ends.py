"""Queries that end before they are answered: at their timeout, when nobody waits any more, when too many wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
import pytest

from harness.pushing import Batch, push
from harness.vedette_server import QUIET, VedetteServer, eventually

SLOW = " + ".join(f"sum(count_over_time(count_values('a{i}', pushed)[20m:1s]))" for i in range(12))
"""A query of many seconds: every value becomes a series, twelve times."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    """A server with twenty minutes of twelve series that never repeat a value."""
    server = VedetteServer(tmp_path_factory.mktemp("ends") / "data", f"{QUIET}\nquery: {{concurrency: 2}}\n")
    try:
        server.start()
        times = (int(time.time()) - np.arange(1200)[::-1]).astype(np.int64) * 1000
        values = np.random.default_rng(7).random((12, 1200))
        assert push(server.client, Batch("pushed", {}, range(12), times, values).body()).status_code == 204
        yield server
        server.stop()
    finally:
        server.kill()


def connect(server: VedetteServer, query: str) -> socket.socket:
    """Ask without waiting for the answer."""
    parts = urlsplit(server.url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0))
    connection.sendall(
        f"GET /api/v1/query?query={quote(query)} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {server.token}\r\n\r\n".encode()
    )
    return connection


def cancelled(server: VedetteServer) -> float:
    return server.metric("vedette_query_failures_total", reason="cancelled") or 0.0


@pytest.mark.parametrize("path", ["query", "query_range"])
def test_a_query_ends_at_its_timeout_and_says_so(server: VedetteServer, path: str) -> None:
    now_s = time.time()

    answer = server.get(f"/api/v1/{path}", query=SLOW, timeout="50ms", start=now_s, end=now_s, step=1)

    assert answer.status_code == 503, answer.text[:200]
    assert answer.json()["errorType"] == "timeout"
    assert "50ms" in answer.text or "0.05 s" in answer.text


def test_a_query_ends_when_its_client_leaves(server: VedetteServer) -> None:
    before = cancelled(server)
    with connect(server, SLOW):
        eventually(lambda: (server.metric("vedette_query_running") or 0) == 1)

    eventually(lambda: cancelled(server) == before + 1)
    eventually(lambda: server.metric("vedette_query_running") == 0)


def test_a_query_that_waits_for_its_turn_ends_when_its_client_leaves(server: VedetteServer) -> None:
    before = cancelled(server)
    running = [connect(server, SLOW) for _ in range(2)]
    try:
        eventually(lambda: (server.metric("vedette_query_running") or 0) == 2)
        with connect(server, SLOW):
            eventually(lambda: (server.metric("vedette_query_waiting") or 0) == 1)

        eventually(lambda: server.metric("vedette_query_waiting") == 0)
        assert cancelled(server) == before + 1
        assert server.metric("vedette_query_running") == 2
    finally:
        for connection in running:
            connection.close()
    eventually(lambda: server.metric("vedette_query_running") == 0)


def test_queries_in_their_places_do_not_keep_scrapes_and_pushes_waiting(server: VedetteServer) -> None:
    running = [connect(server, SLOW) for _ in range(4)]
    try:
        eventually(lambda: (server.metric("vedette_query_running") or 0) == 2)

        now = np.array([time.time_ns() // 1_000_000])
        assert push(server.client, Batch("other", {}, range(3), now, np.ones((3, 1))).body()).status_code == 204
        assert httpx.get(f"{server.url}/-/ready").status_code == 200
    finally:
        for connection in running:
            connection.close()
    eventually(lambda: server.metric("vedette_query_running") == 0)
