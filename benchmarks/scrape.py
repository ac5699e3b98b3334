"""Scraping 10 targets x 5 k series: CPU per million samples at one scrape a second, and the highest rate.

One server at a time, by turns: they would take each other's processor.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from typing import Final

import orjson

from benchmarks.measuring import ask
from benchmarks.report import Table, ratio
from benchmarks.servers import NAMES, VEDETTE, Server, ServerError, free_port, running
from benchmarks.session import Session

TARGETS: Final = 10
SERIES: Final = 5_000
_TURNS: Final = 3
_FLOOD: Final = "50ms"
_SCRAPED_WITHIN_S: Final = 60


def run(session: Session) -> Iterable[Table]:
    """Both tables in one."""
    seconds = 5 if session.quick else 20
    turns = 1 if session.quick else _TURNS
    calm: dict[str, list[float]] = {name: [] for name in NAMES}
    flood: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
    for _ in range(turns):
        for name in NAMES:
            _, cpu_s, samples = _measure(name, "1s", seconds)
            calm[name].append(cpu_s / samples * 1e6)
            elapsed_s, cpu_s, samples = _measure(name, _FLOOD, seconds / 2)
            flood[name].append((samples / elapsed_s, cpu_s / samples * 1e6))
        session.say("one turn of scraping done")
    table = Table(
        "scrape",
        f"scraping {TARGETS} targets x {SERIES:,} series",
        ("server", "CPU s per M samples at 1 s", "/ Vedette", "most samples/s", "CPU s per M samples at most"),
    )
    own = statistics.median(calm[VEDETTE])
    for name in NAMES:
        cpu = statistics.median(calm[name])
        most, cpu_most = max(flood[name])
        table.rows.append((name, f"{cpu:.2f}", ratio(cpu, own), f"{most:,.0f}", f"{cpu_most:.2f}"))
        table.data.append({"server": name, "calm_cpu_s_per_m": calm[name], "flood": flood[name]})
    table.notes.append(
        f"Everything counts: fetching, parsing, storing, merging. The highest rate is with an interval of {_FLOOD}, the"
        " targets' own process on the same two cores."
    )
    yield table


def _measure(name: str, interval: str, seconds: float) -> tuple[float, float, float]:
    """Seconds that passed, CPU seconds used, samples scraped."""
    with _targets() as port:
        configs: dict[str, str] = dict.fromkeys(NAMES, _config(port, interval))
        with running([name], configs) as [server]:
            _wait_for_scrapes(server, port, 2 * TARGETS)
            began_s, cpu_s, served = time.perf_counter(), server.cpu_s(), _served(port)
            time.sleep(seconds)
            elapsed_s = time.perf_counter() - began_s
            return elapsed_s, server.cpu_s() - cpu_s, max(1.0, (_served(port) - served) * float(SERIES))


def _config(port: int, interval: str) -> str:
    jobs = "".join(
        f"- job_name: job{n}\n  metrics_path: /t/{n}/metrics\n  scrape_interval: {interval}\n"
        f"  scrape_timeout: {interval}\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        for n in range(TARGETS)
    )
    return f"scrape_configs:\n{jobs}"


@contextmanager
def _targets() -> Generator[int]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.scrape_targets", str(port), str(TARGETS), str(SERIES)]
    with subprocess.Popen(command) as process:
        try:
            yield port
        finally:
            process.kill()


def _served(port: int) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        served: int = orjson.loads(ask(connection, "/served")[1])["served"]
    finally:
        connection.close()
    return served


def _wait_for_scrapes(server: Server, port: int, scrapes: int) -> None:
    """Wait until every target has been scraped some times: the first scrape makes the series."""
    deadline_s = time.monotonic() + _SCRAPED_WITHIN_S
    while time.monotonic() < deadline_s:
        with suppress(OSError):
            if _served(port) >= scrapes:
                return
        time.sleep(0.1)
    raise ServerError(f"{server.name} does not scrape; its log ends:\n{server.log_end()}")
