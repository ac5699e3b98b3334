"""Starting, stopping and starting again: what was accepted stays, and what cannot be is said clearly."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from harness.exposition_server import Asked, ExpositionServer, Page
from harness.peers import free_port
from harness.pushing import push_samples
from harness.vedette_server import QUIET, VEDETTE, Servers, eventually


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_restart_keeps_samples_series_and_metadata(servers: Servers, target: ExpositionServer) -> None:
    target.show("# HELP level Level.\n# TYPE level gauge\nlevel 5\n")
    server = servers.start(
        f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
    )
    eventually(lambda: server.value("level") == 5)
    times = [now_ms() - 2000 + 500 * number for number in range(4)]
    samples = [(time_ms, float(number)) for number, time_ms in enumerate(times)]
    assert push_samples(server.client, "pushed", samples, zone="ä").status_code == 204
    before = server.samples('{__name__=~"level|pushed"}')
    target.show("oops", status=500)
    server.stop(expected=["scrape failed"])

    server.configure(QUIET)
    server.start()

    after = server.samples('{__name__=~"level|pushed"}')
    assert {key: values[: len(before[key])] for key, values in after.items()} == before
    assert server.data("series", **{"match[]": "pushed"}) == [{"__name__": "pushed", "zone": "ä"}]
    assert server.data("metadata")["level"] == [{"type": "gauge", "unit": "", "help": "Level."}]
    server.stop()


def test_a_stop_stores_what_was_scraped_last(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 5\n")
    server = servers.start(
        f"{QUIET}\nstorage: {{commit_interval: 10m}}\n"
        "scrape_configs:\n  - job_name: shop\n    scrape_interval: 1h\n    scrape_timeout: 1s\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
    )

    # One push is on its way to the disk for ten minutes.
    def push() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            answers.append(push_samples(client, "pushed", [(now_ms(), 1.0)]).status_code)

    answers: list[int] = []
    pushing = threading.Thread(target=push)
    pushing.start()
    eventually(lambda: server.value("pushed") == 1)
    server.process.terminate()
    assert server.process.wait(60) == 0
    pushing.join()
    assert answers == [204]
    server.kill()

    server.start()

    assert server.value("pushed") == 1
    server.stop()


def test_a_second_server_on_the_same_directory_refuses_and_says_who_has_it(servers: Servers) -> None:
    server = servers.start()
    command = [VEDETTE, "up", "--data", server.data_dir, "--listen", "127.0.0.1:0"]

    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert second.returncode != 0
    said = " ".join((second.stdout + second.stderr).split())
    assert str(server.process.pid) in said
    assert "running on the data directory" in said
    assert "Traceback" not in said
    assert server.get("/-/ready").status_code == 200, "the first one is not disturbed"
    assert server.data("query", query="1")["result"][1] == "1", "and its token still works"
    server.stop()


def test_an_address_that_is_taken_is_named(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    address = urlsplit(server.url)
    command = [VEDETTE, "up", "--data", tmp_path / "other", "--listen", address.netloc]

    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert second.returncode != 0
    assert f"{address.hostname} port {address.port}" in second.stderr
    assert "Traceback" not in second.stderr
    server.stop()


def test_a_bad_configuration_is_refused_at_start_with_all_its_errors(tmp_path: Path) -> None:
    config = tmp_path / "vedette.yml"
    config.write_text("http: {listen: nowhere}\nstorage: {retention: {metrics: soon}}\nnope: 1\n")
    command = [VEDETTE, "up", "--data", tmp_path / "data", "--config", config]

    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "COLUMNS": "500"}
    )

    assert ended.returncode != 0
    for line in (1, 2, 3):
        assert f"{config}:{line}:" in ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_second_signal_ends_a_server_at_once_that_waits_for_its_requests(servers: Servers) -> None:
    server = servers.start(f"{QUIET}\nhttp: {{shutdown_timeout: 10m}}\n")
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(
            f"POST /api/v1/query HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 50\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Bearer {server.token}\r\n\r\nq".encode()
        )
        server.get("/-/ready")
        server.send_signal(signal.SIGTERM)
        eventually(lambda: server.events("stopping"))
        assert server.process.poll() is None
        server.send_signal(signal.SIGTERM)

        assert server.wait() == 128 + signal.SIGTERM


def test_a_server_that_stops_says_so_and_answers_what_it_has_begun(servers: Servers) -> None:
    server = servers.start(f"{QUIET}\nhttp: {{shutdown_timeout: 10m}}\n")
    parts = urlsplit(server.url)
    body = b"query=1%2B1"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
        connection.sendall(
            f"POST /api/v1/query HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
        )
        server.get("/-/ready")
        server.send_signal(signal.SIGTERM)
        eventually(lambda: server.events("stopping"))
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"2"' in answer
    assert server.wait() == 0
    assert server.complaints() == []


def test_a_stop_while_targets_hang_does_not_wait_for_them(servers: Servers, target: ExpositionServer) -> None:
    release = threading.Event()

    def hang(_asked: Asked) -> Page:
        release.wait(120)
        return Page(b"")

    target.answer(hang)
    server = servers.start(
        f"{QUIET}\nscrape_configs:\n  - job_name: slow\n    scrape_interval: 10m\n    scrape_timeout: 10m\n"
        f"    relabel_configs: [{{target_label: __scrape_interval__, replacement: 100s}},"
        f" {{target_label: __scrape_timeout__, replacement: 100s}}]\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
    )

    server.stop()
    release.set()


def test_files_of_the_data_directory_are_their_users_alone(servers: Servers) -> None:
    server = servers.start()

    for path in (
        server.data_dir,
        server.data_dir / "local-token",
        server.data_dir / "run.json",
        server.data_dir / "state.db",
    ):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    server.stop()
    assert not (server.data_dir / "run.json").exists()
    assert not (server.data_dir / "local-token").exists()


def test_the_built_in_configuration_watches_this_host_and_itself(servers: Servers) -> None:
    server = servers.start(None)

    eventually(lambda: server.query("node_load1") and server.query("vedette_series"))
    eventually(lambda: server.metric("vedette_canary_healthy") == 1)

    assert {series["metric"]["job"] for series in server.query("up")} == {"node", "vedette"}
    books = server.get("/api/vedette/v1/ledger").json()["sources"]
    assert all(account["balanced"] for account in books)
    assert sum(account["dropped"].get("duplicate", 0) for account in books) == 0
    server.stop()


def test_a_killed_server_leaves_nothing_that_keeps_the_next_one_from_starting(servers: Servers) -> None:
    server = servers.new()
    server.listen = f"127.0.0.1:{free_port()}"
    for _ in range(2):
        server.start()
        server.kill()

    server.start()

    assert push_samples(server.client, "pushed", [(now_ms(), 1.0)]).status_code == 204
    server.stop()
