"""Two minutes of everything at a moderate rate: memory, file descriptors and threads stay as they are."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest

from harness.exposition_server import ExpositionServer, Page
from harness.pushing import Batch, push
from harness.vedette_server import Servers, VedetteServer

DURATION_S = int(os.environ.get("VEDETTE_SOAK_S", "135"))
LOOK_EVERY_S = 1.0
PAGE_SERIES = 500
PUSHED_SERIES = range(300)
MEMORY_TOLERANCE_BYTES = 16 << 20
"""What memory may differ by between the second third and the last: the samples of a minute take some 3 MB of tails and
chunks, allocators keep a few pages, and the engine's caches and merges breathe."""
FILES_TOLERANCE = 12
"""Open files: parts that are being merged come and go."""
THREADS_TOLERANCE = 4
"""Python's threads: pools grow up to their bounds as they are first used."""
ALL_THREADS_AT_MOST = 100
"""With those of the engine; 44 were seen."""

QUERIES = (
    "up",
    "sum by (job) (rate(requests_total[1m]))",
    "histogram_quantile(0.9, sum by (le) (rate(wait_seconds_bucket[1m])))",
    'topk(5, pushed{series=~"1.*"})',
    "count({__name__=~'.+'})",
    "no_such_metric",
    "sum(",
)


@dataclass
class Looks:
    """What was seen of the process, once a second."""

    rss_bytes: list[int] = field(default_factory=list[int])
    files: list[int] = field(default_factory=list[int])
    threads: list[int] = field(default_factory=list[int])
    all_threads: list[int] = field(default_factory=list[int])

    def look(self, pid: int) -> None:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        self.rss_bytes.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.files.append(sum(not _is_of_a_thread(file) for file in Path(f"/proc/{pid}/fd").iterdir()))
        names = [_read(task / "comm") for task in Path(f"/proc/{pid}/task").iterdir()]
        self.threads.append(names.count(_read(Path(f"/proc/{pid}/comm"))))
        self.all_threads.append(len(names))

    @staticmethod
    def growth(seen: Sequence[int]) -> float:
        """How much the median of the last third is above that of the second."""
        third = len(seen) // 3
        return statistics.median(seen[2 * third :]) - statistics.median(seen[third : 2 * third])


def _is_of_a_thread(file: Path) -> bool:
    """Whether a descriptor is one of the three by which the engine looks after each of its threads."""
    try:
        return "/task/" in str(file.readlink())
    except FileNotFoundError:
        return True


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def page(number: int) -> bytes:
    lines = ["# TYPE requests_total counter"]
    lines += [f'requests_total{{route="/r{i}"}} {number * i}' for i in range(PAGE_SERIES)]
    # Some series come and go, as those of pods and connections do.
    lines += [f'visitor{{number="{number // 10}"}} {number}', "# TYPE wait_seconds histogram"]
    lines += [f'wait_seconds_bucket{{le="{le}"}} {number * 7}' for le in ("0.1", "1", "+Inf")]
    return ("\n".join(lines) + "\n").encode()


def work(server: VedetteServer, stop: threading.Event, problems: list[str]) -> list[Callable[[], None]]:
    """What is done all the time, each in a thread of its own."""

    def client() -> httpx.Client:
        return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=30)

    def send() -> None:
        with client() as http:
            number = 0
            while not stop.wait(0.25):
                number += 1
                now = np.array([time.time_ns() // 1_000_000])
                values = np.full((len(PUSHED_SERIES), 1), float(number))
                answer = push(http, Batch("pushed", {}, PUSHED_SERIES, now, values).body())
                if answer.status_code != 204:
                    problems.append(f"push: {answer.status_code} {answer.text}")

    def ask() -> None:
        with client() as http:
            number = 0
            while not stop.wait(0.1):
                number += 1
                query = QUERIES[number % len(QUERIES)]
                end_s = time.time()
                spans = {"query": query, "start": end_s - 120, "end": end_s, "step": 5}
                path = "/api/v1/query_range" if number % 2 else "/api/v1/query"
                answer = http.get(path, params=spans if number % 2 else {"query": query})
                if answer.status_code != (400 if query == "sum(" else 200):
                    problems.append(f"{query}: {answer.status_code} {answer.text[:200]}")

    def come_and_go() -> None:
        while not stop.wait(0.5):
            with client() as http:
                for path in ("/api/v1/labels", "/api/v1/targets", "/metrics", "/api/v1/status/tsdb"):
                    answer = http.get(path)
                    if answer.status_code != 200:
                        problems.append(f"{path}: {answer.status_code}")

    return [send, ask, come_and_go]


@pytest.mark.slow
@pytest.mark.timeout(DURATION_S + 240)
def test_memory_files_and_threads_stay_flat_under_steady_load(servers: Servers, target: ExpositionServer) -> None:
    numbers = iter(range(1, 1 << 30))
    target.answer(lambda _asked: Page(page(next(numbers))))
    jobs = "".join(
        f"  - job_name: job{i}\n    scrape_interval: 1s\n    scrape_timeout: 1s\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
        for i in range(3)
    )
    server = servers.start(f"self: {{interval: 5s}}\nhost: {{interval: 5s}}\nscrape_configs:\n{jobs}")
    stop = threading.Event()
    problems: list[str] = []
    looks = Looks()
    threads = [threading.Thread(target=run) for run in work(server, stop, problems)]
    for thread in threads:
        thread.start()
    try:
        # The load is the test: nothing is waited for but time.
        end_s = time.monotonic() + DURATION_S
        while time.monotonic() < end_s and not problems:
            looks.look(server.process.pid)
            stop.wait(LOOK_EVERY_S)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert not problems
    print(  # noqa: T201 - shown with -s, and when it fails
        f"rss {looks.rss_bytes[::15]} growth {looks.growth(looks.rss_bytes)}; files {looks.files[::15]};"
        f" threads {looks.threads[::15]} of {looks.all_threads[::15]}"
    )
    assert looks.growth(looks.rss_bytes) < MEMORY_TOLERANCE_BYTES, [size >> 20 for size in looks.rss_bytes]
    assert looks.growth(looks.files) <= FILES_TOLERANCE, looks.files
    assert looks.growth(looks.threads) <= THREADS_TOLERANCE, looks.threads
    assert max(looks.all_threads) <= ALL_THREADS_AT_MOST, looks.all_threads
    books = server.get("/api/vedette/v1/ledger").json()["sources"]
    assert all(account["balanced"] for account in books), books
    server.stop()
