"""What has to be done now and then: retention, idle tails, descriptions that are not on disk yet."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import numpy as np
import structlog
from prometheus_client import CollectorRegistry, Gauge

from vedette.app.storage import OpenStorage
from vedette.config import Config
from vedette.model.clock import Clock
from vedette.model.errors import OverloadedError, VedetteError
from vedette.store.metrics import Retention, metadata_batch
from vedette.store.schema import METADATA

_ROUND_S: Final = 10.0
_IDLE_MS: Final = 3_600_000
_EVERY_HOUR: Final = 360
_EVERY_FIVE_MINUTES: Final = 30

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


async def keep_house(storage: OpenStorage, config: Config, clock: Clock, registry: CollectorRegistry) -> None:
    """Keep the house until cancelled. What fails is tried again at its next turn."""
    rounds = 0
    memory = Gauge("vedette_engine_memory_bytes", "Memory that the engine says it uses.", registry=registry)
    try:
        while True:
            await clock.sleep(_ROUND_S)
            rounds += 1
            try:
                write_metadata(storage, clock)
                memory.set(await asyncio.to_thread(_engine_memory, storage))
                if rounds % _EVERY_FIVE_MINUTES == 0:
                    storage.memory.seal_idle(clock.now_ms() - _IDLE_MS)
                if rounds % _EVERY_HOUR == 1:
                    await apply_retention(storage, config, clock)
            except VedetteError as exc:
                log.warning("housekeeping failed", error=str(exc), retry_in_s=_ROUND_S)
    finally:
        # Storage closes after this, and writes what is queued.
        with contextlib.suppress(OverloadedError):
            write_metadata(storage, clock)


def _engine_memory(storage: OpenStorage) -> int:
    found = storage.engine.query("SELECT toInt64(value) AS used FROM system.metrics WHERE metric = 'MemoryTracking'")
    return int(found.column("used")[0].as_py()) if found.num_rows else 0


def write_metadata(storage: OpenStorage, clock: Clock) -> None:
    """Queue descriptions that are new."""
    changes = storage.metadata.take_changes()
    if changes:
        try:
            storage.commit.append(METADATA.name, metadata_batch(changes, now_ms=clock.now_ms()), patience_ms=5000)
        except OverloadedError:
            storage.metadata.put_back(changes)
            raise


async def apply_retention(storage: OpenStorage, config: Config, clock: Clock) -> None:
    """Drop days that are too old, and then the series that have nothing left."""
    keep_ms = config.storage.retention.metrics.ms
    now_ms = clock.now_ms()
    dropped = await asyncio.get_running_loop().run_in_executor(
        storage.executor, lambda: storage.metrics.apply_retention(Retention(keep_ms), now_ms=now_ms)
    )
    if dropped:
        log.info(
            "retention",
            partitions=len(dropped),
            rows=sum(part.rows for part in dropped),
            freed_bytes=sum(part.disk_bytes for part in dropped),
        )
    # A day more than retention: the days of series are known, their times within a day are not.
    ended = storage.index.ended_before(now_ms - keep_ms - 86_400_000)
    if ended:
        storage.index.remove(ended)
        slots = np.array(ended, np.int64)
        storage.memory.forget(slots)
        storage.writer.forget(slots)
        storage.exemplars.forget(ended)
        log.info("series forgotten", series=len(ended))
