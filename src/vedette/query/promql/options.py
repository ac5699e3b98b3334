"""What a query may use and how it is evaluated: limits, lookback, workers; and what it has used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

from vedette.model.errors import LimitExceededError

MAX_POINTS: Final = 11_000
"""Steps of a range query that Prometheus allows: a point for every minute of a week."""


def _always() -> None:
    """Never stop a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOptions:
    """How to evaluate a query.

    Attributes:
        lookback_ms: how old a sample may be and still count as the present one.
        default_step_ms: the step of a subquery that names none.
        max_samples: how many samples a query may hold in memory at one time.
        max_series: how many series one selector may find.
        max_points: how many steps a range query may have.
        delayed_name_removal: keep metric names until the end of the query, as Prometheus does with
            `--enable-feature=promql-delayed-name-removal`; off by default, as there.
        type_and_unit_labels: tell counters by the label `__type__`, as Prometheus does with
            `--enable-feature=type-and-unit-labels`; off by default, as there.
        executor: threads that help; None to work in the caller's alone.
        workers: how many threads a query uses, the caller's included.
        check: called between batches, from any thread; raises `QueryTimeoutError` or
            `QueryCancelledError` when the query is to end.
        clock_s: a clock for `Stats.node_seconds`; None to measure nothing.
    """

    lookback_ms: int = 300_000
    default_step_ms: int = 60_000
    max_samples: int = 50_000_000
    max_series: int = 10_000_000
    max_points: int = MAX_POINTS
    delayed_name_removal: bool = False
    type_and_unit_labels: bool = False
    executor: Executor | None = None
    workers: int = 1
    check: Callable[[], None] = _always
    clock_s: Callable[[], float] | None = None


@dataclass(slots=True)
class Stats:
    """What a query used.

    Attributes:
        samples_read: samples that the source handed out, all selectors together.
        peak_samples: the most samples held at one time.
        series_selected: series that selectors found, all together.
        node_seconds: by the place of a node in the query (start, end), the time spent in it and all
            below it; empty unless a clock was given.
    """

    samples_read: int = 0
    peak_samples: int = 0
    series_selected: int = 0
    node_seconds: dict[tuple[int, int], float] = field(default_factory=dict[tuple[int, int], float])


class Ledger:
    """Counts what a query holds, and stops it at the limit. Thread-safe."""

    def __init__(self, max_samples: int, stats: Stats) -> None:
        self._max_samples = max_samples
        self._stats = stats
        self._lock = threading.Lock()
        self.held = 0

    def hold(self, samples: int) -> None:
        """Note that this many more samples are kept until `held` is reset.

        Raises:
            LimitExceededError: they are too many.
        """
        with self._lock:
            self.held += samples
            self._note(self.held)

    def read(self, samples: int) -> None:
        """Note that this many samples came from the source, to be kept only for a moment.

        Raises:
            LimitExceededError: they are too many.
        """
        with self._lock:
            self._stats.samples_read += samples
            self._note(self.held + samples)

    def _note(self, samples: int) -> None:
        self._stats.peak_samples = max(self._stats.peak_samples, samples)
        if samples > self._max_samples:
            raise LimitExceededError(
                limit="query.max_samples",
                allowed=self._max_samples,
                found=samples,
                what="query processing would load too many samples into memory",
            )
