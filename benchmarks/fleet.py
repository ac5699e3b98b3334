"""The data: a made-up fleet of 10 jobs and their instances, scraped every 15 s.

Every instance has a hundred series: requests by handler, method and code; a latency histogram for three handlers;
CPU seconds; and gauges of several kinds (small numbers, bytes, decimals, full floats, flags). Counters restart now and
then. Each instance is scraped at its own offset; a tenth of them some milliseconds early or late, as it happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import SampleRuns

INTERVAL_MS: Final = 15_000
JOBS: Final = ("api", "web", "worker", "scheduler", "search", "billing", "gateway", "mailer", "reports", "auth")
PER_INSTANCE: Final = 100

_LE: Final = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf")
_BELOW: Final = (0.05, 0.15, 0.4, 0.65, 0.8, 0.92, 0.97, 0.99, 0.999, 1.0)
"""Shares of the requests that are faster than these."""
_HANDLERS: Final = ("/", "/api/tickets", "/api/users", "/api/search")
_CODES: Final = ("200", "201", "304", "404", "500")
_MODES: Final = ("user", "system", "idle", "iowait", "irq", "nice", "softirq", "steal")

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the values of a series come about: a counter's increase per scrape, or a gauge's level and swing."""

    labels: dict[str, str]
    counter: bool
    level: float
    swing: float
    decimals: int | None


def _kinds() -> list[_Kind]:
    """The hundred series of an instance."""
    kinds: list[_Kind] = []
    for handler in _HANDLERS:
        for method in ("GET", "POST"):
            for code in _CODES:
                rate = {"200": 40.0, "500": 0.1}.get(code, 3.0)
                labels = {"__name__": "http_requests_total", "handler": handler, "method": method, "code": code}
                kinds.append(_Kind(labels, counter=True, level=rate, swing=0, decimals=0))
    for handler in _HANDLERS[:3]:
        name = "http_request_duration_seconds"
        for number, le in enumerate(_LE):
            labels = {"__name__": f"{name}_bucket", "handler": handler, "le": le}
            kinds.append(_Kind(labels, counter=True, level=40 * _BELOW[number], swing=0, decimals=0))
        labels = {"__name__": f"{name}_sum", "handler": handler, "kind": "sum"}
        kinds.append(_Kind(labels, counter=True, level=7.3, swing=0, decimals=None))
        labels = {"__name__": f"{name}_count", "handler": handler, "kind": "count"}
        kinds.append(_Kind(labels, counter=True, level=40, swing=0, decimals=0))
    for mode in _MODES:
        labels = {"__name__": "node_cpu_seconds_total", "cpu": "0", "mode": mode}
        kinds.append(_Kind(labels, counter=True, level=15 / len(_MODES), swing=0, decimals=2))
    gauges = [
        *(({"__name__": "queue_length", "queue": q}, 20.0, 8.0, 0) for q in ("mail", "index", "sla", "import")),
        *(
            ({"__name__": "node_filesystem_avail_bytes", "mountpoint": m, "fstype": "ext4"}, 4e10, 1e7, -3)
            for m in ("/", "/var", "/data")
        ),
        *(({"__name__": "disk_temperature_celsius", "disk": d}, 40.0, 2.0, 1) for d in ("sda", "sdb", "sdc")),
        *(
            ({"__name__": "process_memory_bytes", "kind": k}, 5e8, 1e6, -3)
            for k in ("resident", "virtual", "heap", "stack")
        ),
        ({"__name__": "load_average", "window": "5m"}, 1.5, 0.2, None),
        ({"__name__": "service_up", "check": "health"}, 1.0, 0.0, 0),
    ]
    kinds += [_Kind(labels, counter=False, level=lv, swing=sw, decimals=dec) for labels, lv, sw, dec in gauges]
    assert len(kinds) == PER_INSTANCE
    return kinds


@dataclass(frozen=True)
class Fleet:
    """The data set.

    Attributes:
        series: how many; a multiple of 100.
        start_ms: of the first scrape.
        steps: scrapes of each series.
        uniform: all series are counters of one metric, `requests_total`.
    """

    series: int
    start_ms: int
    steps: int
    uniform: bool = False

    @property
    def end_ms(self) -> int:
        """After the last sample, and no more than an interval after it."""
        return self.start_ms + self.steps * INTERVAL_MS

    @property
    def samples(self) -> int:
        """In all."""
        return self.series * self.steps

    @cached_property
    def labels(self) -> list[LabelSet]:
        """Of each series: those of the first instance, then those of the next, and so on."""
        kinds = _kinds()
        found: list[LabelSet] = []
        instances = self.series // PER_INSTANCE
        for number in range(instances):
            place = {
                "job": JOBS[number * len(JOBS) // max(instances, len(JOBS))],
                "instance": f"10.0.{number // 200}.{number % 200 + 10}:9100",
                "env": "production" if number % 5 else "staging",
                "region": ("eu-west-1", "eu-central-1")[number % 2],
            }
            if self.uniform:
                for part in range(PER_INSTANCE):
                    own = {"__name__": "requests_total", "handler": f"/api/v1/resource/{part}", "code": "200"}
                    found.append(label_set(place | own))
            else:
                found.extend(label_set(place | kind.labels) for kind in kinds)
        return found

    def runs(self, *, steps_each: int, series_each: int, part: int = 0, parts: int = 1) -> Iterator[_Piece]:
        """The samples in the order of their times, in pieces.

        Args:
            steps_each: scrapes in a piece.
            series_each: series in a piece.
            part: which share of the series.
            parts: how many shares there are.
        """
        low, high = self.series * part // parts, self.series * (part + 1) // parts
        state = _State.begin(self, low, high)
        for first in range(0, self.steps, steps_each):
            count = min(steps_each, self.steps - first)
            times, values = state.advance(first, count)
            for begin in range(0, high - low, series_each):
                end = min(begin + series_each, high - low)
                offsets = np.arange(end - begin + 1, dtype=np.int64) * count
                runs = SampleRuns(offsets, times[begin:end].ravel(), values[begin:end].ravel())
                yield _Piece(low + begin, low + end, runs)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Samples of the series from `first` to before `after`."""

    first: int
    after: int
    runs: SampleRuns


@dataclass(slots=True, eq=False)
class _State:
    """Where the series of a share stand.

    Attributes:
        level: float64[series], a counter's mean increase per scrape or a gauge's level.
        decimals: int64[series]; 99 for all that a float has.
        offsets: int64[series], of the instance's scrapes within the interval.
    """

    fleet: Fleet
    random: np.random.Generator
    counter: NDArray[np.bool_]
    level: Float64s
    swing: Float64s
    decimals: Int64s
    offsets: Int64s
    jittery: NDArray[np.bool_]
    value: Float64s

    @classmethod
    def begin(cls, fleet: Fleet, low: int, high: int) -> _State:
        kinds = _kinds() if not fleet.uniform else [_Kind({}, counter=True, level=25.0, swing=0, decimals=0)] * 100
        random = np.random.default_rng([20261121, low])
        place = np.arange(low, high) % PER_INSTANCE
        instance = np.arange(low, high) // PER_INSTANCE
        level = np.array([kind.level for kind in kinds])[place]
        counter = np.array([kind.counter for kind in kinds])[place]
        # The series of an instance are busy alike, so that histograms stay histograms.
        busy = random.uniform(0.2, 2.0, int(instance.max()) + 1)[instance]
        level = np.where(counter, level * busy, level)
        return cls(
            fleet=fleet,
            random=random,
            counter=counter,
            level=level,
            swing=np.array([kind.swing for kind in kinds])[place],
            decimals=np.array([99 if kind.decimals is None else kind.decimals for kind in kinds])[place],
            # Never near a whole 15 s, so that no sample lies on the edge of a window: Prometheus 2 and 3 differ there.
            offsets=200 + instance * 7919 % (INTERVAL_MS - 400),
            jittery=instance % 10 == 3,
            value=np.where(counter, np.floor(random.uniform(0, 1e6, len(place))), level),
        )

    def advance(self, first: int, count: int) -> tuple[Int64s, Float64s]:
        """The next scrapes: times and values, each [series, count]."""
        series = len(self.level)
        moves = self.random.poisson(self.level[:, None] * self.counter[:, None], (series, count)).astype(np.float64)
        fractional = self.counter & (self.decimals > 0)
        moves[fractional] *= self.random.uniform(0.5, 1.5, (int(fractional.sum()), count))
        values = self.value[:, None] + np.cumsum(moves, axis=1)
        gauges = ~self.counter
        noise = self.random.normal(0, 1, (int(gauges.sum()), count)) * self.swing[gauges, None]
        values[gauges] = self.level[gauges, None] + np.cumsum(noise * 0.1, axis=1) + noise
        # An instance is restarted about twice a day: its counters begin again.
        restarts = np.flatnonzero(self.random.random(series // PER_INSTANCE + 1) < count / 2880)
        for instance in restarts.tolist():
            at = int(self.random.integers(0, count))
            low, high = instance * PER_INSTANCE, min((instance + 1) * PER_INSTANCE, series)
            own = np.flatnonzero(self.counter[low:high]) + low
            values[own, at:] -= values[own, at : at + 1]
        self.value = np.where(self.counter, values[:, -1], self.value)
        for decimals in np.unique(self.decimals).tolist():
            rows = self.decimals == decimals
            if decimals != 99:
                values[rows] = np.round(values[rows], decimals)
        step = np.arange(first, first + count, dtype=np.int64) * INTERVAL_MS
        times = self.fleet.start_ms + self.offsets[:, None] + step
        early_late = self.random.integers(-20, 21, (series // PER_INSTANCE + 1, count))
        # The series of an instance share their scrape's time.
        jitter = early_late[np.arange(series) // PER_INSTANCE]
        times = np.where(self.jittery[:, None], times + jitter, times)
        return np.ascontiguousarray(times), np.ascontiguousarray(values)
