"""Storage, opened and warm: engine, tables, series, the newest samples, and the way in."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from vedette.app.wiring import clickhouse_server, commit_limits, engine_settings, ingest_limits
from vedette.config import Config
from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.ledger import Ledger
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.writer import MetricsWriter
from vedette.model.clock import Clock
from vedette.model.errors import VedetteError
from vedette.query.exemplars import load_exemplars
from vedette.store.commit import GroupCommit, open_group_commit
from vedette.store.engine import ChdbEngine, ClickHouseEngine, Engine
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.loading import load_samples, load_series
from vedette.store.metrics import MetricBatches, MetricsStore
from vedette.store.schema import SPAN_MS, TABLES, Cluster, SingleServer, Topology, migrate
from vedette.store.set_aside import SetAsideFolder

HEAD_WINDOW_MS: Final = 6 * 3_600_000
"""How much of the past is loaded at start; the memory then holds as much more as fits."""

_ENGINE_FOLDER: Final = "engine"
_REFUSED_FOLDER: Final = "refused"

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenStorage:
    """Everything that holds data, and the way in.

    Attributes:
        metrics: the tables, for reading.
        index: all series of retention.
        memory: the newest samples.
        commit: the queue to the disk.
        writer: the way in.
        executor: one thread, for the engine's writes and what must not run beside them.
        data_dir: where the embedded engine keeps its files; None where a server keeps them.
    """

    engine: Engine
    metrics: MetricsStore
    index: SeriesIndex
    memory: SampleMemory
    commit: GroupCommit
    writer: MetricsWriter
    ledger: Ledger
    metadata: MetadataStore
    exemplars: ExemplarStore
    executor: ThreadPoolExecutor
    data_dir: Path | None

    def collect(self) -> Iterator[Metric]:
        """Storage's metrics, for a `prometheus_client` registry."""
        yield from self.ledger.collect()
        figures = (
            ("vedette_series", "Series known, of all of retention.", len(self.index)),
            ("vedette_head_bytes", "Memory taken by recent samples.", self.memory.used_bytes),
            ("vedette_head_chunks", "Sealed chunks of recent samples.", self.memory.chunk_count),
            ("vedette_ingest_queue_bytes", "Data received and not yet on the disk.", self.commit.pending_bytes),
            ("vedette_ingest_queue_rows", "Rows received and not yet on the disk.", self.commit.pending_rows),
            ("vedette_commit_last_duration_seconds", "Duration of the last flush.", self.commit.last_flush_s),
            ("vedette_exemplars_stored", "Exemplars kept.", len(self.exemplars)),
            ("vedette_metadata_families", "Metric families described.", len(self.metadata)),
        )
        for name, text, value in figures:
            yield GaugeMetricFamily(name, text, value=value)
        if self.data_dir is not None:
            free_bytes = shutil.disk_usage(self.data_dir).free
            yield GaugeMetricFamily(
                "vedette_storage_disk_free_bytes", "Free space on the disk of the data directory.", value=free_bytes
            )
        counts = (
            ("vedette_commit_flushes", "Flushes to the disk.", self.commit.flushes),
            ("vedette_commit_failures", "Flushes that failed and are repeated.", self.commit.failures),
            ("vedette_commit_rows", "Rows on the disk.", self.commit.rows_committed),
            ("vedette_commit_rows_refused", "Rows that the engine refuses, set aside.", self.commit.rows_refused),
        )
        for name, text, value in counts:
            yield CounterMetricFamily(name, text, value=value)


@asynccontextmanager
async def open_storage(
    config: Config, data_dir: Path, registry: CollectorRegistry, clock: Clock
) -> AsyncGenerator[OpenStorage]:
    """Open storage and fill memory; on the way out everything accepted is written.

    Raises:
        UnavailableError: the machine or the directory will not do.
        StorageError: the engine cannot be opened, or its schema is newer than this program.
        OverloadedError: the server cannot be reached, or there is no disk space.
    """
    topology: Topology = SingleServer()
    if config.storage.clickhouse is not None and config.storage.clickhouse.cluster:
        topology = Cluster(config.storage.clickhouse.cluster)
    with ThreadPoolExecutor(1, thread_name_prefix="engine") as executor:
        loop = asyncio.get_running_loop()
        engine = await loop.run_in_executor(executor, _open_engine, config, data_dir)
        try:
            index = SeriesIndex()
            memory = SampleMemory(max_bytes=config.storage.head_memory.bytes)
            metrics = MetricsStore(engine, topology)
            now_ms = clock.now_ms()
            limits = ingest_limits(config)

            def prepare() -> None:
                migrate(engine, topology)

            await loop.run_in_executor(executor, prepare)

            # From the edge of a span on: the usual window of a dashboard needs no more of the disk than that.
            memory_from_ms = (now_ms - HEAD_WINDOW_MS) // SPAN_MS * SPAN_MS
            known = await loop.run_in_executor(
                executor,
                lambda: load_series(
                    metrics, index, since_ms=now_ms - limits.retention_ms, memory_from_ms=memory_from_ms
                ),
            )
            started_s = clock.monotonic_s()
            samples = await loop.run_in_executor(
                executor,
                lambda: load_samples(metrics, index, memory, since_ms=memory_from_ms, progress=lambda _what, _n: None),
            )
            first_ms, _ = index.time_range()
            if first_ms and first_ms < memory_from_ms:
                memory.start_from(memory_from_ms)
            if samples:
                log.info("recent samples loaded", samples=samples, took_s=round(clock.monotonic_s() - started_s, 2))
            metadata = MetadataStore()
            metadata.load(await loop.run_in_executor(executor, metrics.read_metadata))
            exemplars = ExemplarStore(max_exemplars=config.limits.exemplars)
            await loop.run_in_executor(
                executor, lambda: load_exemplars(metrics, index, exemplars, since_ms=now_ms - limits.retention_ms)
            )
            async with open_group_commit(
                _Insert(engine),
                [table.name for table in TABLES],
                executor,
                token_prefix=secrets.token_hex(8),
                limits=commit_limits(config),
                set_aside=SetAsideFolder(data_dir / _REFUSED_FOLDER, now_ms=clock.now_ms),
            ) as commit:
                ledger = Ledger()
                writer = MetricsWriter(
                    index=index,
                    memory=memory,
                    queue=commit,
                    tables=MetricBatches(),
                    ledger=ledger,
                    limits=limits,
                    now_ms=clock.now_ms,
                )
                commit.on_refusal.append(writer.refused)
                if len(known.slots):
                    writer.known_days(known.slots, known.first_day, known.last_day)
                storage = OpenStorage(
                    engine=engine,
                    metrics=metrics,
                    index=index,
                    memory=memory,
                    commit=commit,
                    writer=writer,
                    ledger=ledger,
                    metadata=metadata,
                    exemplars=exemplars,
                    executor=executor,
                    data_dir=data_dir if config.storage.clickhouse is None else None,
                )
                registry.register(storage)
                yield storage
        finally:
            await loop.run_in_executor(executor, engine.close)


class _Insert:
    """Inserts rows, and tells the log when that begins to fail and when it works again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._problem = ""

    def __call__(self, table: str, rows: pa.Table, token: str) -> None:
        try:
            self._engine.insert(table, rows, token=token)
        except VedetteError as exc:
            if self._problem != str(exc):
                self._problem = str(exc)
                log.error("rows cannot be stored", table=table, rows=rows.num_rows, error=str(exc))  # noqa: TRY400 - an event, not a bug
            raise
        if self._problem:
            self._problem = ""
            log.info("rows are stored again")


def _open_engine(config: Config, data_dir: Path) -> Engine:
    server = clickhouse_server(config)
    settings = engine_settings(config)
    if server is not None:
        return ClickHouseEngine(server, settings)
    return ChdbEngine(data_dir / _ENGINE_FOLDER, settings)
