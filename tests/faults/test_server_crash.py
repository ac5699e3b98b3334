"""Killed at any moment under load, a server starts again by itself and has everything that it acknowledged, once."""

from __future__ import annotations

import itertools
import math
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import numpy as np
import pytest

from harness.exposition_server import Asked, ExpositionServer, Page
from harness.pushing import Batch, push
from harness.vedette_server import QUIET, Servers, VedetteServer

KILLS = 30
SENDERS = 6
SEED = 20_261_121
SERIES = range(4)
SAMPLES = 3
SENT_TWICE_RATIO = 0.3
LOST_AT_MOST_S = 1.0

Samples = dict[int, float]
"""By time in milliseconds."""


@dataclass
class Sender:
    """Pushes one batch after the other, and the same one again until it is acknowledged; some even after that."""

    number: int
    chance: random.Random
    last_ms: int = 0
    pending: Batch | None = None
    acknowledged: Samples = field(default_factory=dict[int, float])
    begun: Samples = field(default_factory=dict[int, float])
    refused: list[str] = field(default_factory=list[str])
    slowest_s: float = 0.0
    _values: Iterator[int] = field(default_factory=itertools.count)

    def run(self, url: str, token: str) -> None:
        """Push until the server is gone; `slowest_s` is the longest that a push has waited for the disk."""
        self.slowest_s, begun_s = 0.0, time.monotonic()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            try:
                while True:
                    self.pending = self.pending or self._next()
                    body = self.pending.body()
                    begun_s = time.monotonic()
                    response = push(client, body)
                    self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)
                    if response.status_code == 503:
                        continue
                    if response.status_code != 204:
                        self.refused.append(f"{response.status_code} {response.text}")
                        return
                    self.acknowledged.update(self._samples(self.pending))
                    self.pending = None
                    if self.chance.random() < SENT_TWICE_RATIO:
                        push(client, body)
            except httpx.TransportError:
                self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)

    def _next(self) -> Batch:
        first_ms = max(self.last_ms + 1, time.time_ns() // 1_000_000)
        times = np.arange(first_ms, first_ms + SAMPLES)
        self.last_ms = int(times[-1])
        row = np.array([float(next(self._values)) for _ in times])
        batch = Batch("pushed", {"sender": str(self.number)}, SERIES, times, np.tile(row, (len(SERIES), 1)))
        self.begun.update(self._samples(batch))
        return batch

    @staticmethod
    def _samples(batch: Batch) -> Samples:
        return dict(zip(batch.times.tolist(), batch.values[0].tolist(), strict=True))


@dataclass
class CountingTarget:
    """A page whose one value is how often it was asked for, and when that was."""

    answered_s: dict[int, float] = field(default_factory=dict[int, float])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def answer(self, _asked: Asked) -> Page:
        number = next(self._numbers)
        self.answered_s[number] = time.time()
        return Page(b"asked %d\n" % number + b"".join(b'filler{i="%d"} %d\n' % (i, number) for i in range(50)))


def pushed(server: VedetteServer, sender: int) -> list[list[tuple[int, float]]]:
    """What is found of a sender's series."""
    found = server.samples(f'pushed{{sender="{sender}"}}', window="2h", time=f"{time.time() + 60:.3f}")
    return [[(round(time_s * 1000), float(value)) for time_s, value in samples] for samples in found.values()]


def check_pushed(server: VedetteServer, senders: list[Sender]) -> None:
    for sender in senders:
        assert not sender.refused
        series = pushed(server, sender.number)
        if sender.acknowledged:
            assert len(series) == len(SERIES)
        for samples in series:
            found = dict(samples)
            assert len(found) == len(samples), "a sample is there twice"
            lost = sender.acknowledged.items() - found.items()
            assert not lost, f"{len(lost)} acknowledged samples are lost: {sorted(lost)[:5]}"
            assert found.items() <= sender.begun.items(), "there are samples that nobody sent"


def check_scraped(server: VedetteServer, target: CountingTarget, losable_s: list[tuple[float, float]]) -> None:
    found = {
        int(float(value))
        for samples in server.samples("asked", window="2h", time=f"{time.time() + 60:.3f}").values()
        for _, value in samples
        if value != "NaN"
    }
    lost = [
        number
        for number, answered_s in target.answered_s.items()
        if number not in found and not any(from_s <= answered_s <= until_s for from_s, until_s in losable_s)
    ]
    assert not lost, f"scrapes {lost} are lost, though no kill followed within {LOST_AT_MOST_S:g} s"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_or_doubled_by_kills_at_random_moments(
    servers: Servers, target: ExpositionServer
) -> None:
    chance = random.Random(SEED)
    counting = CountingTarget()
    target.answer(counting.answer)
    server = servers.new(
        f"{QUIET}\nscrape_configs:\n  - job_name: counted\n    scrape_interval: 500ms\n    scrape_timeout: 500ms\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
    )
    senders = [Sender(number, random.Random(chance.random())) for number in range(SENDERS)]
    losable_s: list[tuple[float, float]] = []
    for kill in range(KILLS):
        if kill % 5 == 4:
            # Killed while it starts, whatever it is doing then.
            threads = []
            server.start(wait=False)
            threading.Event().wait(chance.uniform(0.2, 2.0))
        else:
            server.start()
            check_pushed(server, senders)
            threads = [threading.Thread(target=sender.run, args=(server.url, server.token)) for sender in senders]
            for thread in threads:
                thread.start()
            threading.Event().wait(chance.uniform(0.0, 1.5))
        death_s = time.time()
        server.kill()
        killed_s = time.time()
        for thread in threads:
            thread.join()
        # A round of the server's last second may be lost, and no other one: a second, and as long as this machine has
        # just taken to write what it was asked to write at once. Answered after the death, the page was on its way.
        waited_s = max(sender.slowest_s for sender in senders) if threads else 0.0
        losable_s.append((death_s - LOST_AT_MOST_S - waited_s, killed_s))

    # What is scraped from here on may still be on its way when it is asked for.
    losable_s.append((time.time(), math.inf))
    server.start()
    check_pushed(server, senders)
    check_scraped(server, counting, losable_s)
    assert sum(len(sender.acknowledged) for sender in senders) > KILLS * SAMPLES, "there was load"
    assert server.metric("vedette_samples_dropped_total", reason="conflict") in (None, 0.0)
    server.stop()
