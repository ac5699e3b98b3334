"""Sources within this process: the host's collectors and Vedette's own metrics, stored like a target's.

A round collects in a worker thread and is stored from the event loop. It is a unit of failure: `up` of the source says
how it went, and the next round comes all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from vedette.collect.targets import Health, TargetView
from vedette.collect.writing import PATIENCE_MS, mark_stale, reached_tick_ms, round_time_ms, write_now
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.rows import RowSlots
from vedette.ingest.writer import MetricsWriter
from vedette.model.clock import Clock, next_tick
from vedette.model.errors import OverloadedError
from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.model.samples import Metadata
from vedette.wire.exposition import ParsedScrape

_REPORTS: Final = ("up", "scrape_duration_seconds", "scrape_samples_scraped")

Int64s = NDArray[np.int64]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RoundSource:
    """What is collected.

    Attributes:
        job: label `job` of its series.
        instance: label `instance` of its series.
        interval_ms: how often.
        open: prepares a fresh collection: rows begin anew with it.
    """

    job: str
    instance: str
    interval_ms: int
    open: Callable[[], Callable[[int], ParsedScrape]]


class RoundLoop:
    """Collects one source, again and again."""

    def __init__(
        self,
        source: RoundSource,
        writer: MetricsWriter,
        metadata: MetadataStore,
        clock: Clock,
        *,
        inherited: Int64s | None = None,
    ) -> None:
        """Begin a source.

        Args:
            source: what to collect.
            writer: where samples go.
            metadata: where descriptions go.
            clock: the time.
            inherited: slots of series that the source had under its former settings; they end with the first round
                that does not bring them again.
        """
        self._source = source
        self._writer = writer
        self._metadata = metadata
        self._clock = clock
        self._account = f"internal:{source.job}"
        self._labels = label_set({"job": source.job, "instance": source.instance})
        self._collect: Callable[[int], ParsedScrape]
        self._rows: RowSlots
        self._reports: Int64s
        self._told: dict[str, Metadata] = {}
        self._begin_anew()
        if inherited is not None:
            self._rows.owe(np.setdiff1d(inherited, self._reports))
        self.view = TargetView(
            pool=source.job,
            discovered=dict(self._labels),
            labels=dict(self._labels),
            url=f"internal:{source.job}",
            health=Health.UNKNOWN,
            last_error="",
            last_scrape_ms=0,
            last_duration_s=0.0,
            last_samples=0,
            interval_ms=source.interval_ms,
            timeout_ms=source.interval_ms,
        )

    async def run(self) -> None:
        """Collect until cancelled; the first round comes at once."""
        last_ms: int | None = None
        while True:
            now_ms = self._clock.now_ms()
            due_ms = next_tick(now_ms, self._source.interval_ms, 0, last_ms)
            if last_ms is None:
                due_ms -= self._source.interval_ms
            await self._clock.sleep(max(0, due_ms - now_ms) / 1000)
            # The first round is not on the grid: people are waiting for something to look at.
            now_ms = self._clock.now_ms()
            first = last_ms is None
            await self.round(now_ms if first else round_time_ms(due_ms, now_ms, self._source.interval_ms))
            last_ms = reached_tick_ms(due_ms, now_ms, self._source.interval_ms)

    async def round(self, now_ms: int) -> None:
        """Collect and store once."""
        started_s = self._clock.monotonic_s()
        error = ""
        samples = 0
        try:
            parsed = await asyncio.to_thread(self._collect, now_ms)
            while self._rows.outdated:  # slots were taken back, perhaps just now
                self._begin_anew()
                parsed = await asyncio.to_thread(self._collect, now_ms)
            prepared = self._rows.prepare(parsed, now_ms)
            samples = prepared.kept
            self._rows.store(prepared, now_ms, patience_ms=PATIENCE_MS)
            described = self._metadata.describe(parsed.metadata)
            self._told = {**self._told, **{entry.family: entry for entry in described}}
        except OverloadedError as exc:
            error = str(exc)
        except Exception as exc:  # a round is a unit of failure
            error = f"{type(exc).__name__}: {exc}"
            log.exception("collecting failed", job=self._source.job)
            ended = self._rows.end_all()
            if not mark_stale(self._writer, self._account, ended, now_ms):
                self._rows.owe(ended)
        duration_s = self._clock.monotonic_s() - started_s
        self._report(now_ms, error=error, duration_s=duration_s, samples=samples)
        self.view = replace(
            self.view,
            health=Health.DOWN if error else Health.UP,
            last_error=error,
            last_scrape_ms=now_ms,
            last_duration_s=duration_s,
            last_samples=samples,
            metadata=self._told,
        )

    def end(self, now_ms: int) -> None:
        """Mark all series as stale: the source is gone."""
        mark_stale(self._writer, self._account, self.take_live(), now_ms)

    def take_live(self) -> Int64s:
        """The slots of all series that have not ended; from now on another one looks after them."""
        slots = self._rows.end_all()
        if self._rows.outdated or not self.view.last_scrape_ms:
            return slots
        return np.union1d(slots, self._reports[self._reports >= 0])

    def _begin_anew(self) -> None:
        labels = self._labels

        def with_source(found: LabelSet) -> LabelSet:
            return label_set([*labels, *found])

        self._collect = self._source.open()
        self._rows = RowSlots(self._writer, self._account, with_source)
        label_sets = [label_set([*labels, (METRIC_NAME, name)]) for name in _REPORTS]
        self._reports, _ = self._writer.resolve(self._account, label_sets)

    def _report(self, now_ms: int, *, error: str, duration_s: float, samples: int) -> None:
        if self._rows.outdated:
            self._begin_anew()
        values = np.array([0.0 if error else 1.0, duration_s, samples])
        write_now(self._writer, self._account, self._reports, values, now_ms)
