"""Raw samples, not evaluated: what remote read and federation hand out.

A reader walks a source in batches that bound its memory, and asks between batches whether it may go on. Reading is
plain code in worker threads; `RawReads` is the shell around it: so many reads at a time, each with a deadline, and
each given up when nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Gauge

from vedette.model.errors import OverloadedError, QueryCancelledError, QueryTimeoutError
from vedette.model.labels import LabelSet
from vedette.model.matchers import Matcher
from vedette.model.samples import SampleRuns, is_stale
from vedette.query.source import SampleSource

_Result = TypeVar("_Result")

Check = Callable[[], None]
"""Raises where a read is to end: nobody waits for it, or its time is up."""

FIRST_MS: Final = -2_208_988_800_000
LAST_MS: Final = 10_413_791_999_999
"""The years 1900 to 2299: no sample is outside. Clients ask for "all of time" with far larger numbers."""

_BATCH_SAMPLES: Final = 500_000
_BATCH_SERIES: Final = 2048
_ASSUMED_INTERVAL_MS: Final = 15_000
_WAITING_PER_TURN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLimits:
    """What one read may use.

    Attributes:
        max_series: series that one selector may find.
        max_samples: samples of an answer that has to be held as a whole.
        timeout_s: the longest a read may take, waiting for its turn included.
        concurrency: reads at one time; others wait.
    """

    max_series: int = 500_000
    max_samples: int = 5_000_000
    timeout_s: float = 120.0
    concurrency: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class RawBatch:
    """Some series of a selection.

    Attributes:
        start: the first one's row in the selection; the others follow.
        runs: their samples within the window; in arrays that the next batch uses again.
    """

    start: int
    runs: SampleRuns


def select_raw(
    source: SampleSource,
    matchers: Sequence[Matcher],
    start_ms: int,
    end_ms: int,
    *,
    max_series: int,
    check: Check,
) -> tuple[list[LabelSet], Iterator[RawBatch]]:
    """The series that a selector finds, and their samples with start_ms <= time <= end_ms.

    Raises:
        QueryError: a matcher's regular expression is none.
        LimitExceededError: there are more than `max_series`.
    """
    start_ms, end_ms = max(start_ms, FIRST_MS), min(end_ms, LAST_MS)
    if start_ms > end_ms:
        return [], iter(())
    selection = source.select(matchers, start_ms, end_ms, source.symbols(), max_series=max_series)
    labels = selection.labels.label_sets()
    samples_each = (end_ms - start_ms) // _ASSUMED_INTERVAL_MS + 1
    size = max(1, min(_BATCH_SERIES, _BATCH_SAMPLES // samples_each))

    def batches() -> Iterator[RawBatch]:
        for start in range(0, len(labels), size):
            check()
            runs = source.read(selection.handles[start : start + size], start_ms, end_ms)
            yield RawBatch(start, _within(runs, start_ms, end_ms))

    return labels, batches()


def newest_samples(
    source: SampleSource,
    selectors: Sequence[Sequence[Matcher]],
    at_ms: int,
    lookback_ms: int,
    *,
    max_series: int,
    check: Check,
) -> list[tuple[LabelSet, int, float]]:
    """The newest sample of each series that a selector finds, if it is not too old and its series has not ended.

    Args:
        source: what to read.
        selectors: a series that several of them find comes once.
        at_ms: nothing newer counts.
        lookback_ms: how old a sample may be.
        max_series: of each selector.
        check: see `Check`.

    Returns:
        Labels, time and value, in no order.
    """
    found: dict[LabelSet, tuple[int, float]] = {}
    for matchers in selectors:
        labels, batches = select_raw(source, matchers, at_ms - lookback_ms, at_ms, max_series=max_series, check=check)
        for batch in batches:
            runs = batch.runs
            rows = np.flatnonzero(np.diff(runs.offsets))
            last = runs.offsets[rows + 1] - 1
            live = ~is_stale(runs.values[last])
            rows, last = rows[live], last[live]
            newest = zip(rows.tolist(), runs.times[last].tolist(), runs.values[last].tolist(), strict=True)
            for row, time_ms, value in newest:
                found[labels[batch.start + row]] = (time_ms, value)
    return [(labels, time_ms, value) for labels, (time_ms, value) in found.items()]


def _within(runs: SampleRuns, start_ms: int, end_ms: int) -> SampleRuns:
    """Without the samples outside the window that a source may add."""
    inside: NDArray[np.bool_] = (runs.times >= start_ms) & (runs.times <= end_ms)
    if inside.all():
        return runs
    kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside, dtype=np.int64)])
    return SampleRuns(kept[runs.offsets], runs.times[inside], runs.values[inside])


class SourceMaker(Protocol):
    """Makes the sample source of one read."""

    def __call__(self) -> SampleSource:
        """A fresh source."""
        ...


class RawReads:
    """Reads as a service. Open it with `open_raw_reads`."""

    def __init__(
        self, make_source: SourceMaker, limits: RawLimits, registry: CollectorRegistry, executor: Executor
    ) -> None:
        self.limits = limits
        self.executor = executor
        self._make_source = make_source
        self._turns = asyncio.Semaphore(limits.concurrency)
        self._waiting = 0
        self._running = Gauge("vedette_raw_reads_running", "Remote reads and federations at work.", registry=registry)

    async def run(self, work: Callable[[SampleSource, Check], _Result]) -> _Result:
        """Let `work` read in a thread.

        Raises:
            OverloadedError: too many wait already.
            QueryTimeoutError: its time was up.
            Exception: what `work` raises.
        """
        limits = self.limits
        if self._turns.locked() and self._waiting >= _WAITING_PER_TURN * limits.concurrency:
            raise OverloadedError(f"{self._waiting} reads are waiting already; try again", retry_after_s=2.0)
        deadline_s = time.monotonic() + limits.timeout_s
        cancelled = threading.Event()

        def check() -> None:
            if cancelled.is_set():
                raise QueryCancelledError("the read was cancelled")
            if time.monotonic() > deadline_s:
                raise QueryTimeoutError(
                    f"the read took longer than {limits.timeout_s:g} s; ask for less, or raise `query.timeout`"
                )

        await self._wait(deadline_s)
        self._running.inc()
        try:
            future = asyncio.get_running_loop().run_in_executor(self.executor, lambda: work(self._make_source(), check))
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                # The thread cannot be killed; it sees the flag at its next batch, and keeps its turn until then.
                cancelled.set()
                with contextlib.suppress(Exception):  # whatever it would have said, nobody waits for it
                    await future
                raise
        finally:
            self._running.dec()
            self._turns.release()

    async def _wait(self, deadline_s: float) -> None:
        """Wait for a turn."""
        self._waiting += 1
        try:
            async with asyncio.timeout(deadline_s - time.monotonic()):
                await self._turns.acquire()
        except TimeoutError:
            raise QueryTimeoutError(f"the read waited {self.limits.timeout_s:g} s for its turn") from None
        finally:
            self._waiting -= 1


@asynccontextmanager
async def open_raw_reads(
    make_source: SourceMaker, limits: RawLimits, registry: CollectorRegistry
) -> AsyncGenerator[RawReads]:
    """Reads, with threads of their own: a client that reads a lot does not keep queries waiting."""
    executor = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="raw-read")
    try:
        yield RawReads(make_source, limits, registry, executor)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
