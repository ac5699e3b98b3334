"""Scrape one target, again and again: fetch, parse, store, and say how it went.

A scrape succeeds or fails as a whole. When it fails, and when the target goes away, the series that it had are marked
stale, so that queries do not see them linger. A round is a unit of failure: whatever goes wrong is shown as the
target's last error and counted, and the next round comes all the same.

Source: Prometheus 3, `scrape/scrape.go`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Histogram

from vedette.collect.http_client import Fetcher, FetchError, Response
from vedette.collect.scrape.labelling import report_labels, series_labels
from vedette.collect.scrape.target import Target
from vedette.collect.targets import Health, TargetView
from vedette.collect.writing import PATIENCE_MS, mark_stale, reached_tick_ms, round_time_ms, write_now
from vedette.config import EscapingScheme, ScrapeConfig
from vedette.config import ScrapeProtocol as Wanted
from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.rows import Prepared, RowSlots
from vedette.ingest.writer import MetricsWriter
from vedette.model.clock import Clock, next_tick
from vedette.model.errors import DecodeError, LimitExceededError, OverloadedError
from vedette.model.samples import Metadata
from vedette.wire.exposition import (
    DEFAULT_PROTOCOLS,
    LayoutParser,
    ParsedScrape,
    ScrapeProtocol,
    accept_header,
    choose_format,
)

_PROTOCOLS: Final = {
    Wanted.PROMETHEUS_PROTO: ScrapeProtocol.PROTOBUF,
    Wanted.OPENMETRICS_1_0_0: ScrapeProtocol.OPENMETRICS_1_0_0,
    Wanted.OPENMETRICS_0_0_1: ScrapeProtocol.OPENMETRICS_0_0_1,
    Wanted.PROMETHEUS_TEXT_1_0_0: ScrapeProtocol.TEXT_1_0_0,
    Wanted.PROMETHEUS_TEXT_0_0_4: ScrapeProtocol.TEXT_0_0_4,
}
_REPORTS: Final = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
_EXTRA_REPORTS: Final = ("scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes")

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class ScrapeMetrics:
    """What scraping says of itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.scrapes = Counter("vedette_scrapes", "Scrapes, whatever came of them.", ["job"], registry=registry)
        self.failed = Counter(
            "vedette_scrapes_failed", "Scrapes that failed, by reason.", ["job", "reason"], registry=registry
        )
        self.parse = Histogram(
            "vedette_scrape_parse_seconds",
            "Time to unpack and parse an exposition.",
            buckets=(0.0005, 0.002, 0.01, 0.05, 0.25, 1),
            registry=registry,
        )
        self.late = Counter(
            "vedette_scrape_ticks_missed", "Rounds left out because the last was not done.", registry=registry
        )


@dataclass(frozen=True, slots=True)
class ScrapeContext:
    """What all targets share.

    Attributes:
        seed: makes the offsets of this server differ from those of others.
        max_body_bytes: for jobs that set no limit of their own.
        max_series: series of one target; 0 for any number.
    """

    writer: MetricsWriter
    metadata: MetadataStore
    exemplars: ExemplarStore
    metrics: ScrapeMetrics
    clock: Clock
    seed: bytes
    max_body_bytes: int
    max_series: int


class ScrapeFailedError(Exception):
    """A round failed.

    Attributes:
        reason: for the metric.
    """

    def __init__(self, problem: str, *, reason: str) -> None:
        super().__init__(problem)
        self.reason = reason


@dataclass(slots=True)
class _Round:
    """One scrape's figures."""

    started_s: float
    samples: int = 0
    kept: int = 0
    added: int = 0
    body_bytes: int = 0
    error: str = ""


class TargetLoop:
    """One target's scraping."""

    def __init__(
        self,
        target: Target,
        job: ScrapeConfig,
        fetcher: Fetcher,
        context: ScrapeContext,
        *,
        inherited: Int64s | None = None,
    ) -> None:
        """Begin a target.

        Args:
            target: what to scrape.
            job: how.
            fetcher: the job's client.
            context: what all targets share.
            inherited: slots of series that the target had under its job's former settings; they end with the first
                scrape that does not bring them again.
        """
        self.target = target
        self.barred = ""
        """Why it must not be scraped (too many targets); empty if it may."""
        self._metadata: dict[str, Metadata] = {}
        self._job = job
        self._fetcher = fetcher
        self._context = context
        self._source = f"scrape:{job.job_name}"
        self._parser: LayoutParser
        self._rows: RowSlots
        self._report_slots: Int64s
        self._report_names = (*_REPORTS, *(_EXTRA_REPORTS if job.extra_scrape_metrics else ()))
        self._begin_anew()
        if inherited is not None:
            self._rows.owe(np.setdiff1d(inherited, self._report_slots))
        protocols = [_PROTOCOLS[p] for p in job.scrape_protocols] if job.scrape_protocols else DEFAULT_PROTOCOLS
        escaping = job.metric_name_escaping_scheme
        self._headers = {
            "Accept": accept_header(
                protocols, escaping=escaping.value if escaping is not EscapingScheme.UNSET else "allow-utf-8"
            ),
            "Accept-Encoding": "zstd, gzip" if job.enable_compression else "identity",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{target.timeout_ms / 1000:g}",
        }
        self._fallback = _PROTOCOLS[job.fallback_scrape_protocol] if job.fallback_scrape_protocol else None
        self.view = TargetView(
            pool=job.job_name,
            discovered=dict(target.discovered),
            labels=dict(target.labels),
            url=target.url,
            health=Health.UNKNOWN,
            last_error="",
            last_scrape_ms=0,
            last_duration_s=0.0,
            last_samples=0,
            interval_ms=target.interval_ms,
            timeout_ms=target.timeout_ms,
        )

    async def run(self) -> None:
        """Scrape until cancelled."""
        clock, interval_ms = self._context.clock, self.target.interval_ms
        offset_ms = self.target.offset_ms(self._context.seed)
        last_ms: int | None = None
        while True:
            now_ms = clock.now_ms()
            due_ms = next_tick(now_ms, interval_ms, offset_ms, last_ms)
            if last_ms is not None and due_ms > last_ms + interval_ms:
                self._context.metrics.late.inc((due_ms - last_ms) // interval_ms - 1)
            await clock.sleep(max(0, due_ms - now_ms) / 1000)
            now_ms = clock.now_ms()
            last_ms = reached_tick_ms(due_ms, now_ms, interval_ms)
            if last_ms > due_ms:
                self._context.metrics.late.inc((last_ms - due_ms) // interval_ms)
            await self.scrape(round_time_ms(due_ms, now_ms, interval_ms))

    async def scrape(self, now_ms: int) -> None:
        """One round.

        Args:
            now_ms: the time that its samples get.
        """
        context = self._context
        facts = _Round(context.clock.monotonic_s())
        context.metrics.scrapes.labels(job=self._job.job_name).inc()
        if self._rows.outdated:
            self._begin_anew()
        try:
            prepared = await self._fetch(now_ms, facts)
            self._rows.store(prepared, now_ms, patience_ms=PATIENCE_MS)
            self._describe(prepared, now_ms)
        except ScrapeFailedError as exc:
            self._fail(str(exc), exc.reason, facts, now_ms)
        except OverloadedError as exc:
            # The samples are lost, and the series go on: they are not marked stale.
            self._count_failure(str(exc), "overloaded", facts)
        except Exception as exc:  # a round is a unit of failure
            log.exception("scrape failed unexpectedly", job=self._job.job_name, target=self.target.url)
            self._fail(f"internal error: {exc}", "internal", facts, now_ms)
        duration_s = context.clock.monotonic_s() - facts.started_s
        self._report(facts, duration_s, now_ms)
        self.view = replace(
            self.view,
            health=Health.DOWN if facts.error else Health.UP,
            last_error=facts.error,
            last_scrape_ms=now_ms,
            last_duration_s=duration_s,
            last_samples=facts.kept,
            metadata=self._metadata,
        )

    def end(self, now_ms: int) -> None:
        """Mark all series of a target that is gone as stale."""
        self._mark_stale(self.take_live(), now_ms)

    def take_live(self) -> Int64s:
        """The slots of all series that have not ended; from now on another one looks after them."""
        slots = self._rows.end_all(track_staleness=self._job.track_timestamps_staleness)
        if self._rows.outdated or not self.view.last_scrape_ms:
            return slots
        return np.union1d(slots, self._report_slots[self._report_slots >= 0])

    async def _fetch(self, now_ms: int, facts: _Round) -> Prepared:
        """Fetch, unpack and parse; the rows are resolved and within the job's limits."""
        if self.barred:
            raise ScrapeFailedError(self.barred, reason="target_limit")
        job = self._job
        limit_bytes = job.body_size_limit.bytes or self._context.max_body_bytes
        limit = "body_size_limit" if job.body_size_limit.bytes else "limits.body_size"
        try:
            response = await self._fetcher.fetch(
                self.target.url,
                timeout_s=self.target.timeout_ms / 1000,
                body_bytes_limit=limit_bytes,
                headers=self._headers,
                limit=limit,
            )
        except FetchError as exc:
            raise ScrapeFailedError(str(exc), reason="timeout" if exc.timed_out else "connection") from exc
        except LimitExceededError as exc:
            raise ScrapeFailedError(str(exc), reason="body_size") from exc
        if response.status != 200:
            raise ScrapeFailedError(
                f"server returned HTTP status {response.status} {response.reason}", reason="http_status"
            )
        try:
            parsed = await asyncio.to_thread(self._parse, response, limit_bytes, limit, facts)
            while self._rows.outdated:  # slots were taken back meanwhile
                self._begin_anew()
                parsed = await asyncio.to_thread(self._parse, response, limit_bytes, limit, facts)
        except DecodeError as exc:
            raise ScrapeFailedError(str(exc), reason="parse") from exc
        except LimitExceededError as exc:
            raise ScrapeFailedError(str(exc), reason="body_size") from exc
        facts.samples = len(parsed.rows)
        prepared = self._rows.prepare(
            parsed,
            now_ms,
            honor_timestamps=job.honor_timestamps,
            track_staleness=job.track_timestamps_staleness,
        )
        facts.kept, facts.added = prepared.kept, prepared.added
        if prepared.violation:
            raise ScrapeFailedError(prepared.violation, reason="label_limit")
        if job.sample_limit and prepared.kept > job.sample_limit:
            raise ScrapeFailedError(
                f"sample_limit exceeded: {prepared.kept} samples after relabelling, limit {job.sample_limit}",
                reason="sample_limit",
            )
        return prepared

    def _parse(self, response: Response, limit_bytes: int, limit: str, facts: _Round) -> ParsedScrape:
        started_s = self._context.clock.monotonic_s()
        chosen = choose_format(response.headers.get("Content-Type", ""), self._fallback)
        body = response.content(limit_bytes=limit_bytes, limit=limit)
        facts.body_bytes = len(body)
        parsed = self._parser.parse(body, chosen.format)
        self._context.metrics.parse.observe(self._context.clock.monotonic_s() - started_s)
        return parsed

    def _describe(self, prepared: Prepared, now_ms: int) -> None:
        parsed = prepared.parsed
        if parsed.metadata:
            described = self._context.metadata.describe(parsed.metadata)
            self._metadata = {**self._metadata, **{entry.family: entry for entry in described}}
        for row, exemplar in parsed.exemplars:
            slot = self._rows.slot_of(row)
            if slot >= 0:
                self._context.exemplars.add(slot, exemplar, sample_time_ms=now_ms)
        if parsed.exemplars:
            self._context.writer.write_exemplars(self._context.exemplars, patience_ms=PATIENCE_MS)

    def _begin_anew(self) -> None:
        self._parser = LayoutParser()
        self._rows = RowSlots(
            self._context.writer,
            self._source,
            series_labels(self._job, self.target.labels),
            max_series=self._context.max_series,
        )
        labels = [report_labels(self.target.labels, name) for name in self._report_names]
        self._report_slots, _ = self._context.writer.resolve(self._source, labels)

    def _count_failure(self, problem: str, reason: str, facts: _Round) -> None:
        facts.error = problem
        self._context.metrics.failed.labels(job=self._job.job_name, reason=reason).inc()
        if self.view.last_error != problem:
            log.warning("scrape failed", job=self._job.job_name, target=self.target.url, error=problem)

    def _fail(self, problem: str, reason: str, facts: _Round, now_ms: int) -> None:
        self._count_failure(problem, reason, facts)
        ended = self._rows.end_all(track_staleness=self._job.track_timestamps_staleness)
        if not self._mark_stale(ended, now_ms):
            self._rows.owe(ended)

    def _mark_stale(self, slots: Int64s, now_ms: int) -> bool:
        return mark_stale(self._context.writer, self._source, slots, now_ms)

    def _report(self, facts: _Round, duration_s: float, now_ms: int) -> None:
        """Write `up` and its companions."""
        if self._rows.outdated:
            self._begin_anew()
        figures: Sequence[float] = (
            0.0 if facts.error else 1.0,
            duration_s,
            facts.samples,
            facts.kept,
            facts.added,
            self.target.timeout_ms / 1000,
            self._job.sample_limit,
            facts.body_bytes,
        )
        values = np.array(figures[: len(self._report_names)], np.float64)
        write_now(self._context.writer, self._source, self._report_slots, values, now_ms)
