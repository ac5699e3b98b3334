"""Prometheus, vmagent, promtool and node_exporter as Debian has them, with a whole server."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from harness.exposition_server import ExpositionServer, Page
from harness.peers import free_port, promtool, run_node_exporter, run_prometheus, run_vmagent
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

T = TypeVar("T")


def counting(target: ExpositionServer) -> itertools.count[int]:
    """Let a page say how often it was asked for."""
    numbers = itertools.count(1)

    def answer(_asked: object) -> Page:
        number = next(numbers)
        lines = "".join(f'part{{i="{i}"}} {number}\n' for i in range(20))
        return Page(f"# HELP asked How often.\n# TYPE asked counter\nasked {number}\n{lines}".encode())

    target.answer(answer)
    return numbers


def runs(result: list[dict[str, Any]], until_s: float) -> dict[str, list[tuple[float, str]]]:
    """Samples by label set, up to a time."""
    return {
        json.dumps(series["metric"], sort_keys=True): [(t, v) for t, v in series["values"] if t <= until_s]
        for series in result
    }


def scrape_config(target: str, interval: str = "200ms") -> str:
    return (
        f"scrape_configs:\n  - job_name: shop\n    scrape_interval: {interval}\n    scrape_timeout: {interval}\n"
        f"    static_configs: [{{targets: ['{target}']}}]\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("dies", [pytest.param(False, id="all goes well"), pytest.param(True, id="killed in between")])
def test_every_sample_that_prometheus_scrapes_arrives_exactly_once(
    servers: Servers, target: ExpositionServer, tmp_path: Path, *, dies: bool
) -> None:
    counting(target)
    server = servers.new(QUIET)
    server.listen = f"127.0.0.1:{free_port()}"
    server.start()
    queue = (
        "queue_config: {max_samples_per_send: 50, batch_send_deadline: 200ms, min_backoff: 30ms, max_backoff: 200ms}"
    )
    config = f"{scrape_config(target.address)}remote_write:\n  - url: {server.url}/api/v1/write\n    {queue}\n"
    with run_prometheus(tmp_path / "prometheus", config) as prometheus:
        eventually(lambda: (server.value("max_over_time(asked[5m])") or 0) > 10)
        if dies:
            server.kill()
            target.wait_until_asked(5)
            server.start()
        target.wait_until_asked(5)
        until_s = time.time()
        eventually(lambda: any(t > until_s for t, _ in _newest(server)))
        sent = runs(prometheus.query('{job="shop"}[5m]'), until_s)
        # Each shard sends at its own pace: that one series has arrived says nothing of the others.
        found = at_last(sent, lambda: runs(server.query('{job="shop"}[5m]'), until_s))

    assert found == sent
    assert len(found) == 26
    assert [v for _, v in found[_key(found, "asked")]] == [str(n + 1) for n in range(len(found[_key(found, "asked")]))]
    server.stop()


@pytest.mark.slow
def test_every_sample_that_vmagent_scrapes_arrives_exactly_once_though_the_server_dies_in_between(
    servers: Servers, target: ExpositionServer, tmp_path: Path
) -> None:
    counting(target)
    server = servers.new(QUIET)
    server.listen = f"127.0.0.1:{free_port()}"
    server.start()
    with run_vmagent(tmp_path / "vmagent", scrape_config(target.address), f"{server.url}/api/v1/write") as vmagent:
        eventually(lambda: (server.value("max_over_time(asked[5m])") or 0) > 10)
        server.kill()
        target.wait_until_asked(5)
        server.start()
        target.wait_until_asked(5)
        served = len(target.asked())
        sent = [float(number + 1) for number in range(served)]
        # What failed is sent again after seconds, when newer samples have long arrived; and a vmagent that is stopped
        # in the meantime keeps it for its next start.
        found = at_last(sent, lambda: [value for value in _values(server, "asked") if value <= served])
        vmagent.stop()

    assert found == sent
    (samples,) = server.samples("asked", window="5m").values()
    assert len({time_s for time_s, _ in samples}) == len(samples)
    server.stop()


@pytest.mark.slow
def test_prometheus_federates_what_the_server_has(servers: Servers, target: ExpositionServer, tmp_path: Path) -> None:
    target.show('level{queue="mail"} 3.25\nlevel{queue="bills \\"EU\\""} NaN\nother 1\n')
    server = servers.start(f"{QUIET}\n{scrape_config(target.address)}")
    eventually(lambda: server.value("other") == 1)
    config = (
        "scrape_configs:\n  - job_name: federation\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
        "    honor_labels: true\n    metrics_path: /federate\n    params: {'match[]': ['level', 'up']}\n"
        f"    static_configs: [{{targets: ['{server.url.removeprefix('http://')}']}}]\n"
    )
    with run_prometheus(tmp_path / "prometheus", config) as prometheus:
        found = eventually(lambda: prometheus.query('{job="shop"}'))

    own = {"job": "shop", "instance": target.address}
    expected = [
        ({"__name__": "level", "queue": "mail", **own}, "3.25"),
        ({"__name__": "level", "queue": 'bills "EU"', **own}, "NaN"),
        ({"__name__": "up", **own}, "1"),
    ]
    assert sorted(((series["metric"], series["value"][1]) for series in found), key=str) == sorted(expected, key=str)
    server.stop()


@pytest.mark.slow
def test_node_exporters_series_are_those_that_prometheus_sees(servers: Servers, tmp_path: Path) -> None:
    with run_node_exporter(tmp_path / "exporter") as exporter:
        config = scrape_config(exporter.address, "1s")
        server = servers.start(f"{QUIET}\n{config}")
        with run_prometheus(tmp_path / "prometheus", config) as prometheus:
            eventually(lambda: server.value("up") == 1 and prometheus.query("up == 1"))
            # Asked at one moment: what comes and goes, as sockets do, is in both or in neither.
            seen = prometheus.query('{job="shop"}')
            ours = server.query('{job="shop"}')
            described = {name: entries[0] for name, entries in server.data("metadata").items()}
            metadata = httpx_data(f"{prometheus.url}/api/v1/metadata")

    def names(result: list[dict[str, Any]]) -> set[str]:
        return {json.dumps(normalized(series["metric"]), sort_keys=True) for series in result}

    assert len(seen) > 300
    assert names(ours) == names(seen)
    assert described == {name: entries[0] for name, entries in metadata.items()}
    steady = {"node_memory_MemTotal_bytes", "node_boot_time_seconds", "node_uname_info", "node_filesystem_size_bytes"}
    for series in seen:
        if series["metric"]["__name__"] in steady:
            (mine,) = [entry for entry in ours if entry["metric"] == series["metric"]]
            assert mine["value"][1] == series["value"][1]
    server.stop()


def test_promtool_queries_the_server(servers: Servers, target: ExpositionServer) -> None:
    target.show('level{queue="mail"} 3\n')
    server = servers.start(f"{QUIET}\n{scrape_config(target.address)}")
    eventually(lambda: server.value("level") == 3)

    instant = promtool("query", "instant", server.url, "level + 1")
    spans = promtool("query", "range", "--step=1s", server.url, "level")
    series = promtool("query", "series", "--match=level", server.url)
    labels = promtool("query", "labels", server.url, "queue")
    wrong = promtool("query", "instant", server.url, "sum(")

    assert instant.returncode == spans.returncode == series.returncode == labels.returncode == 0, instant.stderr
    own = f'instance="{target.address}", job="shop", queue="mail"'
    assert instant.stdout.startswith(f"{{{own}}} => 4 @[")
    assert spans.stdout.startswith(f"level{{{own}}} =>\n3 @[")
    assert series.stdout == f'{{__name__="level", {own}}}\n'
    assert labels.stdout == "mail\n"
    assert wrong.returncode != 0
    assert "parse error" in wrong.stderr
    server.stop()


def normalized(labels: dict[str, str]) -> dict[str, str]:
    """With the numbers in `le` and `quantile` as Prometheus 3 writes them, whichever version wrote them."""
    return {name: str(float(value)) if name in ("le", "quantile") else value for name, value in labels.items()}


def httpx_data(url: str) -> Any:
    return httpx.get(url).json()["data"]


def at_last(expected: T, read: Callable[[], T]) -> T:
    """What is read once it is as expected, or has not become so in time."""
    answers: list[T] = []

    def is_there() -> bool:
        answers[:] = [read()]
        return answers[0] == expected

    with suppress(AssertionError):
        eventually(is_there)
    return answers[0]


def _values(server: VedetteServer, name: str) -> list[float]:
    (samples,) = server.samples(name, window="5m").values()
    return [float(value) for _, value in samples]


def _newest(server: VedetteServer) -> list[tuple[float, str]]:
    found = server.samples("asked", window="5m")
    return [samples[-1] for samples in found.values()]


def _key(found: dict[str, Any], name: str) -> str:
    (key,) = [key for key in found if json.loads(key)["__name__"] == name]
    return key
