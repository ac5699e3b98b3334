"""What goes out and fetches, started and reloaded: scrape jobs, the host, Vedette itself, the canary."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from vedette.app.storage import OpenStorage
from vedette.collect.canary import METRIC, Ask, Canary, Send
from vedette.collect.discovery import DiscoveryMetrics, build_discoverers
from vedette.collect.host.host import HostCollector
from vedette.collect.host.settings import HostSettings
from vedette.collect.http_client import Fetcher, FetchError
from vedette.collect.rounds import RoundLoop, RoundSource
from vedette.collect.scrape import Discoverer, PreparedJobs, ScrapeContext, ScrapeMetrics, Scraper
from vedette.collect.self_metrics import open_self_metrics
from vedette.collect.targets import DroppedTarget, PoolView, TargetView
from vedette.config import Canary as CanarySettings
from vedette.config import Config, HttpClient, ScrapeConfig, TlsConfig
from vedette.http.run_files import find_local_server
from vedette.lang.promql import parse
from vedette.model.clock import Clock
from vedette.model.labels import METRIC_NAME, label_set
from vedette.model.samples import SampleRuns
from vedette.query.promql import Vector
from vedette.query.service import QueryService
from vedette.wire.compression import Encoding, compress
from vedette.wire.exposition import ParsedScrape
from vedette.wire.remote_write import Version, encode_labels_v1, encode_v1, request_headers


@dataclass(slots=True)
class _Internal:
    settings: object
    loop: RoundLoop
    task: asyncio.Task[None]


class Collecting:
    """All collection. `prepare` may fail and changes nothing; `apply` does not fail."""

    def __init__(
        self,
        scraper: Scraper,
        storage: OpenStorage,
        registry: CollectorRegistry,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        discovery: DiscoveryMetrics,
    ) -> None:
        self.discovery = discovery
        self._scraper = scraper
        self._storage = storage
        self._registry = registry
        self._clock = clock
        self._tasks = tasks
        self._internal: dict[str, _Internal] = {}
        self._others: list[asyncio.Task[None]] = []
        self._host: HostCollector | None = None
        self.canary: Canary | None = None
        self.targets = AllTargets(scraper, self._internal)

    @property
    def internal_jobs(self) -> Sequence[str]:
        """Jobs that are collected within this process."""
        return list(self._internal)

    def prepare(self, config: Config) -> PreparedCollecting:
        """Build what can fail.

        Raises:
            ValueError: a job's options do not work.
            ConfigError: the host's settings do not.
        """
        sources: dict[str, tuple[object, RoundSource]] = {}
        host = config.host
        instance = host.instance or platform.node()
        if host.enabled:
            settings = HostSettings(options=host)
            HostCollector(settings).close()  # raises where the settings are wrong
            sources[host.job_name] = (
                host,
                RoundSource(host.job_name, instance, host.interval.ms, lambda: self._open_host(settings)),
            )
        own = config.self_
        if own.enabled:
            sources[own.job_name] = (
                own,
                RoundSource(own.job_name, instance, own.interval.ms, lambda: open_self_metrics(self._registry)),
            )
        return PreparedCollecting(self._scraper.prepare(config.jobs), sources)

    def apply(self, prepared: PreparedCollecting) -> None:
        """Take over what was prepared."""
        self._scraper.apply(prepared.jobs)
        live: dict[str, NDArray[np.int64]] = {}
        for job, running in list(self._internal.items()):
            if job not in prepared.sources or prepared.sources[job][0] != running.settings:
                self._internal.pop(job).task.cancel()
                if job in prepared.sources:
                    live[job] = running.loop.take_live()
                else:
                    running.loop.end(self._clock.now_ms())
        for job, (settings, source) in prepared.sources.items():
            if job not in self._internal:
                loop = RoundLoop(
                    source, self._storage.writer, self._storage.metadata, self._clock, inherited=live.get(job)
                )
                self._internal[job] = _Internal(settings, loop, self._tasks.create_task(loop.run()))

    def start(self) -> None:
        """Begin to scrape."""
        self._others.append(self._tasks.create_task(self._scraper.run()))

    def start_canary(self, config: Config, data_dir: Path, queries: QueryService) -> None:
        """Send canaries from now on, if they are wanted."""
        settings = config.self_.canary
        if settings.enabled:
            self._others.append(self._tasks.create_task(self._run_canary(settings, data_dir, queries)))

    def stop(self) -> None:
        """Stop collecting."""
        for task in self._others:
            task.cancel()
        for running in self._internal.values():
            running.task.cancel()
        if self._host is not None:
            self._host.close()

    async def _run_canary(self, settings: CanarySettings, data_dir: Path, queries: QueryService) -> None:
        # The certificate, if there is one, is for others' eyes: this is a call to ourselves.
        async with Fetcher(HttpClient(tls_config=TlsConfig(insecure_skip_verify=True))) as fetcher:
            self.canary = Canary(
                _sender(data_dir, fetcher, settings.timeout.s),
                _asker(queries, self._clock),
                interval_s=settings.interval.s,
                timeout_s=settings.timeout.s,
                clock=self._clock,
                registry=self._registry,
            )
            await self.canary.run()

    def _open_host(self, settings: HostSettings) -> Callable[[int], ParsedScrape]:
        if self._host is not None:
            self._host.close()
        self._host = HostCollector(settings)
        return self._host.collect


@dataclass(frozen=True, slots=True)
class PreparedCollecting:
    """What `Collecting.apply` takes over.

    Attributes:
        sources: by job, with the settings by which a change is seen.
    """

    jobs: PreparedJobs
    sources: dict[str, tuple[object, RoundSource]]


class AllTargets:
    """Scraped targets and those within this process: a `TargetsView`."""

    def __init__(self, scraper: Scraper, internal: dict[str, _Internal]) -> None:
        self._scraper = scraper
        self._internal = internal

    def active(self) -> Sequence[TargetView]:
        """See `TargetsView`."""
        return [*(running.loop.view for running in self._internal.values()), *self._scraper.active()]

    def dropped(self) -> Sequence[DroppedTarget]:
        """See `TargetsView`."""
        return self._scraper.dropped()

    def pools(self) -> Sequence[PoolView]:
        """See `TargetsView`."""
        return [*(PoolView(job, "", 0) for job in self._internal), *self._scraper.pools()]


@asynccontextmanager
async def open_collecting(
    config: Config, storage: OpenStorage, registry: CollectorRegistry, clock: Clock, data_dir: Path
) -> AsyncGenerator[Collecting]:
    """Collect as long as the block lasts.

    Raises:
        ValueError, ConfigError: the configuration does not work.
    """
    context = ScrapeContext(
        writer=storage.writer,
        metadata=storage.metadata,
        exemplars=storage.exemplars,
        metrics=ScrapeMetrics(registry),
        clock=clock,
        seed=platform.node().encode() + os.fsencode(data_dir),
        max_body_bytes=config.limits.body_size.bytes,
        max_series=config.limits.series_per_target,
    )

    found = DiscoveryMetrics()
    registry.register(found)

    def discoverers(job: ScrapeConfig) -> tuple[Sequence[Discoverer], str]:
        return build_discoverers(job, job.job_name, found)

    scraper = Scraper(context, discoverers)
    async with asyncio.TaskGroup() as tasks:
        collecting = Collecting(scraper, storage, registry, clock, tasks, found)
        collecting.apply(collecting.prepare(config))
        collecting.start()
        try:
            yield collecting
        finally:
            collecting.stop()


def _sender(data_dir: Path, fetcher: Fetcher, timeout_s: float) -> Send:
    """Pushes a canary as any sender would: remote-write, over HTTP, with the local token."""
    labels = encode_labels_v1(label_set({METRIC_NAME: METRIC, "job": "canary", "instance": platform.node()}))

    async def send(value: float, time_ms: int) -> None:
        server = find_local_server(data_dir)
        runs = SampleRuns(np.array([0, 1]), np.array([time_ms]), np.array([value]))
        response = await fetcher.fetch(
            f"{server.info.url}/api/v1/write",
            method="POST",
            timeout_s=timeout_s,
            body_bytes_limit=1 << 16,
            headers={**request_headers(Version.V1), "Authorization": f"Bearer {server.token}"},
            body=compress(encode_v1([labels], runs), Encoding.SNAPPY),
        )
        if response.status // 100 != 2:
            reason = response.body[:200].decode("utf-8", "replace").strip()
            raise FetchError(f"the push was answered {response.status}: {reason}")

    return send


def _asker(queries: QueryService, clock: Clock) -> Ask:
    expr = parse(METRIC)

    async def ask() -> float | None:
        result = await queries.instant(expr, clock.now_ms())
        vector = result.value
        return float(vector.values.max()) if isinstance(vector, Vector) and len(vector.values) else None

    return ask
