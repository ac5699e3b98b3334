"""All other stores: started, reloaded one by one, and given a copy of everything that is accepted."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
import structlog
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from vedette.collect.http_client import Fetcher
from vedette.collect.remote_write.intake import Labelling, Observed
from vedette.collect.remote_write.metrics import SendingMetrics
from vedette.collect.remote_write.settings import SendingContext, StoreSettings
from vedette.collect.remote_write.spool import SpoolLimits
from vedette.collect.remote_write.store import Store
from vedette.collect.remote_write.threads import run_to_end
from vedette.config import RemoteWrite
from vedette.config.secrets import mask_url
from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.relabel import compile_rules
from vedette.ingest.writer import MetricsWriter
from vedette.model.clock import Clock
from vedette.model.labels import LabelSet
from vedette.model.samples import Exemplar

CLOSE_WITHIN_S: Final = 10.0
"""How long the way out may take: what was observed is put into the spools; nothing more is sent."""

_THREADS: Final = 4
_DIGEST: Final = 6
_NAME_BYTES: Final = 100

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PreparedStores:
    """Stores that are ready to take over.

    Attributes:
        stores: all of them, by name.
        changed: new and changed ones: how they want their labels, and their connections.
        external_labels: what they were prepared with.
    """

    stores: Mapping[str, RemoteWrite]
    changed: Mapping[str, tuple[Labelling, Fetcher]]
    external_labels: LabelSet


@dataclass(slots=True)
class _Running:
    store: Store
    task: asyncio.Task[None]


class RemoteWriters:
    """Sends to all stores. `prepare` may fail and changes nothing; `apply` does not fail.

    Open it with `open_remote_writers`.
    """

    def __init__(
        self,
        writer: MetricsWriter,
        exemplars: ExemplarStore,
        context: SendingContext,
        folder: Path,
        registry: CollectorRegistry,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._writer = writer
        self._exemplars = exemplars
        self._context = context
        self._folder = folder
        self._metrics = SendingMetrics(registry)
        self._tasks = tasks
        self._stores: dict[str, _Running] = {}
        self._retiring: dict[str, _Running] = {}
        self._external_labels: LabelSet = ()
        self._highest_ms = 0

    def prepare(self, configs: Sequence[RemoteWrite], external_labels: Iterable[tuple[str, str]]) -> PreparedStores:
        """Build what new and changed stores need.

        Raises:
            ValueError: a store's options do not work.
        """
        external = tuple(sorted(pair for pair in external_labels if pair[1]))
        stores: dict[str, RemoteWrite] = {}
        for config in configs:
            if config.sigv4 is None and config.azuread is None and config.google_iam is None:
                stores[_unique(store_name(config), stores)] = config
        changed = {
            name: (Labelling(external, compile_rules(config.write_relabel_configs)), Fetcher(config))
            for name, config in stores.items()
            if (running := self._stores.get(name)) is None
            or running.store.settings.config != config
            or external != self._external_labels
        }
        return PreparedStores(stores, changed, external)

    def apply(self, prepared: PreparedStores) -> None:
        """Stop what is gone, change what has changed, start what is new; leave the others alone."""
        self._external_labels = prepared.external_labels
        for name in [name for name in self._stores if name not in prepared.stores]:
            gone = self._retiring[name] = self._stores.pop(name)
            gone.store.retire()
        for name, (labelling, fetcher) in prepared.changed.items():
            config = prepared.stores[name]
            running = self._stores.get(name)
            if running is not None:
                metrics = running.store.settings.metrics.moved(mask_url(config.url))
                running.store.change(StoreSettings(config, labelling, fetcher, metrics))
                continue
            settings = StoreSettings(config, labelling, fetcher, self._metrics.of(name, mask_url(config.url)))
            store = Store(name, self._folder / folder_name(name), settings, self._context)
            before = self._retiring.pop(name, None)
            self._stores[name] = _Running(store, self._tasks.create_task(_run_after(store, before)))
        self._listen(wanted=bool(self._stores))

    async def started(self) -> None:
        """Return once accepted samples outlive this process, as far as they are for other stores."""
        for running in list(self._stores.values()):
            await running.store.started()

    def observe(self, slots: Int64s, times: Int64s, values: Float64s) -> None:
        """See `SampleObserver`."""
        batch = Observed(self._writer.generation, slots, times, values)
        self._metrics.samples_in.inc(len(slots))
        newest_ms = int(times.max())
        if newest_ms > self._highest_ms:
            self._highest_ms = newest_ms
            self._metrics.highest_timestamp.set(newest_ms / 1000)
        for running in self._stores.values():
            running.store.observe(batch)

    async def safe(self) -> None:
        """See `SampleObserver`."""
        for running in list(self._stores.values()):
            await running.store.safe()

    async def close(self) -> None:
        """Put what was observed into the spools; what is not done by `CLOSE_WITHIN_S` is given up."""
        self._listen(wanted=False)
        running, self._stores = list(self._stores.values()), {}
        for each in running:
            each.store.close()
        if running:
            _, late = await asyncio.wait([each.task for each in running], timeout=CLOSE_WITHIN_S)
            for task in late:
                log.warning("samples for another store could not be put on the disk in time")
                task.cancel()

    def _observe_exemplar(self, slot: int, exemplar: Exemplar) -> None:
        self._metrics.exemplars_in.inc()
        generation = self._writer.generation
        for running in self._stores.values():
            running.store.observe_exemplar(generation, slot, exemplar)

    def _listen(self, *, wanted: bool) -> None:
        """Be told of what is accepted, or not."""
        if wanted and self not in self._writer.observers:
            self._writer.observers.append(self)
            self._exemplars.observers.append(self._observe_exemplar)
        elif not wanted and self in self._writer.observers:
            self._writer.observers.remove(self)
            self._exemplars.observers.remove(self._observe_exemplar)


async def _run_after(store: Store, before: _Running | None) -> None:
    """Run a store once the one that had its folder before is done."""
    if before is not None:
        await asyncio.wait([before.task])
    await store.run()


def store_name(config: RemoteWrite) -> str:
    """A store's name: its own, or made of its URL."""
    return config.name or hashlib.sha256(mask_url(config.url).encode()).hexdigest()[:_DIGEST]


def folder_name(store: str) -> str:
    """The name of a store's folder: readable, and different for different stores on any file system."""
    digest = hashlib.sha256(store.encode()).hexdigest()[:_DIGEST]
    readable = quote(store, safe="").replace(".", "%2E").lower()[:_NAME_BYTES]
    return f"{readable}-{digest}"


@asynccontextmanager
async def open_remote_writers(
    *,
    writer: MetricsWriter,
    exemplars: ExemplarStore,
    metadata: MetadataStore,
    folder: Path,
    registry: CollectorRegistry,
    clock: Clock,
    limits: SpoolLimits | None = None,
) -> AsyncGenerator[RemoteWriters]:
    """Send to other stores as long as the block lasts. Open it before what accepts samples.

    Args:
        writer: where samples are accepted.
        exemplars: where exemplars are.
        metadata: what is known of families.
        folder: where the stores' queues are; made if need be.
        registry: for metrics.
        clock: the time.
        limits: of each store's queue.
    """
    limits = limits or SpoolLimits()
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="remote-write")
    try:
        await run_to_end(executor, lambda: _forget_old(folder, limits))
        context = SendingContext(writer.index, metadata, clock, executor, limits)
        async with asyncio.TaskGroup() as tasks:
            writers = RemoteWriters(writer, exemplars, context, folder, registry, tasks)
            try:
                yield writers
            finally:
                await writers.close()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _forget_old(folder: Path, limits: SpoolLimits) -> None:
    """Remove the queues of stores that have been gone for longer than a sample may wait."""
    oldest_s = time.time() - limits.max_age_ms / 1000
    try:
        for queue in folder.iterdir() if folder.is_dir() else ():
            if queue.is_dir() and all(file.stat().st_mtime < oldest_s for file in queue.iterdir()):
                shutil.rmtree(queue, ignore_errors=True)
    except OSError as exc:
        log.warning("old remote-write queues cannot be looked at", folder=str(folder), error=str(exc))


def _unique(name: str, taken: Mapping[str, object]) -> str:
    number = 1
    while (found := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return found
