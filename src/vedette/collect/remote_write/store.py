"""One other store: what goes to it waits on the disk and is sent, until it is taken or too old.

Two loops that know of each other only by the spool: one puts accepted samples there as they come, the other sends
what is there. So a store that is slow or away costs disk and nothing else, and a restart goes on where sending was.

A round reads some requests' worth of samples, sends them in parallel lanes, and ends when all of them were taken or
refused. Lanes double while more is waiting than was sent, and halve when the store fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from vedette.collect.http_client import Fetcher
from vedette.collect.remote_write.batches import Batch, encode_exemplars, encode_lanes
from vedette.collect.remote_write.client import StoreClient
from vedette.collect.remote_write.delivery import Backoff, Fate
from vedette.collect.remote_write.intake import Intake, Labelling, Observed, Stored
from vedette.collect.remote_write.metrics import StoreMetrics
from vedette.collect.remote_write.reader import Reading, SpoolReader
from vedette.collect.remote_write.spool import Place, Spool, SpoolLimits, open_spool
from vedette.config import RemoteWrite, WriteMessage
from vedette.ingest.metadata import MetadataStore
from vedette.model.clock import Clock
from vedette.model.samples import Exemplar, Metadata
from vedette.store.head import SeriesIndex
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import encode_metadata_v1

SAFE_WITHIN_S: Final = 5.0
"""Senders of samples wait no longer than this for them to be in the spool; a disk that hangs is not their fault."""

MAX_BUFFERED: Final = 2_000_000
"""Samples that wait to be put into the spool; older ones are dropped when the disk is slower than they come."""

_EXEMPLARS_BUFFERED: Final = 10_000
_PAUSE_S: Final = 5.0
"""After something went wrong that is not the store's doing."""

_FAMILY_SUFFIXES: Final = ("_bucket", "_count", "_sum", "_total")
_METADATA_ATTEMPTS: Final = 3

_Result = TypeVar("_Result")

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SendingContext:
    """What all stores share.

    Attributes:
        index: what slots mean.
        metadata: what is known of families.
        clock: the time.
        executor: for work on files.
        limits: of each store's spool.
    """

    index: SeriesIndex
    metadata: MetadataStore
    clock: Clock
    executor: Executor
    limits: SpoolLimits


@dataclass(frozen=True, slots=True, eq=False)
class StoreSettings:
    """How to send to a store.

    Attributes:
        config: its section of the configuration.
        labelling: how it wants its labels.
        metrics: where to count.
    """

    config: RemoteWrite
    labelling: Labelling
    metrics: StoreMetrics


class Store:
    """Sends to one store. `run` it within its owner's task."""

    def __init__(self, name: str, folder: Path, settings: StoreSettings, context: SendingContext) -> None:
        self.name = name
        self.settings = settings
        self._folder = folder
        self._context = context
        self._changed = asyncio.Event()
        self._closing = False
        self._running = False
        # Observed and not in the spool yet.
        self._batches: deque[Observed] = deque()
        self._exemplars: deque[tuple[int, int, Exemplar]] = deque(maxlen=_EXEMPLARS_BUFFERED)
        self._buffered = 0
        self._observed = 0
        self._safe = 0
        self._arrived = asyncio.Event()
        self._flushed = asyncio.Event()
        # In the spool.
        self._available = asyncio.Event()
        self._in_flight = 0
        self._reader: SpoolReader | None = None

    # -- called from elsewhere -------------------------------------------------------------------------

    def observe(self, batch: Observed) -> None:
        """Take a copy of accepted samples."""
        self._batches.append(batch)
        self._buffered += len(batch.slots)
        self._observed += 1
        while self._buffered > MAX_BUFFERED and len(self._batches) > 1:
            lost = len(self._batches.popleft().slots)
            self._buffered -= lost
            self.settings.metrics.dropped("disk", lost)
        self._arrived.set()

    def observe_exemplar(self, generation: int, slot: int, exemplar: Exemplar) -> None:
        """Take a copy of an exemplar."""
        if self.settings.config.send_exemplars:
            self._exemplars.append((generation, slot, exemplar))
            self._arrived.set()

    async def safe(self) -> None:
        """Return once what was observed is in the spool, or cannot be."""
        target = self._observed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAFE_WITHIN_S):
                while self._running and self._safe < target:
                    await self._flushed.wait()

    def change(self, settings: StoreSettings) -> None:
        """Send in another way from now on; what waits already keeps its labels."""
        self.settings = settings
        self._changed.set()

    def close(self) -> None:
        """Put what was observed into the spool, and end."""
        self._closing = True
        self._changed.set()
        self._arrived.set()

    async def run(self) -> None:
        """Send until closed or cancelled."""
        while not self._closing:
            try:
                spool = await self._in_thread(lambda: open_spool(self._folder, self._context.limits))
            except OSError as exc:
                log.error("remote-write queue cannot be opened", store=self.name, error=str(exc), retry_in_s=_PAUSE_S)
                await self._pause(_PAUSE_S)
                continue
            await self._run(spool)

    # -- into the spool --------------------------------------------------------------------------------

    async def _run(self, spool: Spool) -> None:
        self._running = True
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send_always(spool))
                await self._fill(spool)
                sending.cancel()
        finally:
            self._running = False
            self._wake()
            await self._in_thread(spool.close)

    async def _fill(self, spool: Spool) -> None:
        """Put what is observed into the spool, until closed."""
        intake = Intake(spool, self._context.index, self._context.clock.now_ms)
        failing = False
        while not (self._closing and not self._batches and not self._exemplars):
            await self._arrived.wait()
            self._arrived.clear()
            batches, self._batches = self._batches, deque()
            exemplars, self._exemplars = self._exemplars, deque(maxlen=_EXEMPLARS_BUFFERED)
            observed, self._buffered = self._observed, 0
            labelling, metrics = self.settings.labelling, self.settings.metrics
            count = sum(len(batch.slots) for batch in batches)
            try:
                stored = await self._in_thread(lambda b=batches, e=exemplars, f=labelling: intake.store(b, e, f))
            except OSError as exc:
                metrics.dropped("disk", count)
                if not failing:
                    log.error("samples cannot be queued for another store", store=self.name, error=str(exc))
                failing = True
            except Exception:
                # A unit of failure: what could not be queued is counted, what comes next is tried again.
                metrics.dropped("error", count)
                log.exception("samples could not be queued for another store", store=self.name)
            else:
                failing = False
                self._count(stored, metrics)
            self._safe = observed
            self._wake()
            self._show(spool)
            self._available.set()

    def _count(self, stored: Stored, metrics: StoreMetrics) -> None:
        metrics.dropped("dropped_series", stored.relabelled)
        metrics.dropped("series_gone", stored.gone)
        metrics.dropped("queue_full", stored.expired)

    def _wake(self) -> None:
        self._flushed.set()
        self._flushed = asyncio.Event()

    # -- out of the spool ------------------------------------------------------------------------------

    async def _send_always(self, spool: Spool) -> None:
        """Send, beginning anew whenever the settings have changed."""
        while True:
            self._changed.clear()
            settings = self.settings
            # Built as in the check that the configuration has passed, and so without errors.
            async with Fetcher(settings.config) as fetcher, asyncio.TaskGroup() as tasks:
                client = StoreClient(fetcher, settings.config)
                sending = tasks.create_task(self._send(spool, client, settings))
                telling = tasks.create_task(self._tell(client, settings))
                await self._changed.wait()
                sending.cancel()
                telling.cancel()
            if self._closing:
                return

    async def _send(self, spool: Spool, client: StoreClient, settings: StoreSettings) -> None:
        queue = settings.config.queue_config
        self._in_flight = 0
        backoff = Backoff(queue.min_backoff.s, queue.max_backoff.s, self._context.clock)
        settings.metrics.shards_min.set(queue.min_shards)
        settings.metrics.shards_max.set(queue.max_shards)
        settings.metrics.shard_capacity.set(queue.capacity)
        settings.metrics.batch_size.set(queue.max_samples_per_send)
        lanes = queue.min_shards
        reader = self._reader = SpoolReader(spool)
        try:
            while True:
                settings.metrics.shards.set(lanes)
                await self._wait_for_samples(reader, settings)
                try:
                    failed = await self._round(spool, reader, lanes, client, backoff, settings)
                except Exception:  # a round is a unit of failure; what it had not sent is read again
                    log.exception("remote write failed", store=self.name, retry_in_s=_PAUSE_S)
                    reader.close()
                    reader = self._reader = SpoolReader(spool)
                    await self._context.clock.sleep(_PAUSE_S)
                    continue
                waiting = -(-reader.unread // queue.max_samples_per_send)
                settings.metrics.shards_desired.set(max(queue.min_shards, waiting))
                if failed:
                    lanes = max(queue.min_shards, lanes // 2)
                else:
                    lanes = max(queue.min_shards, min(queue.max_shards, 2 * lanes, waiting))
        finally:
            self._reader = None
            reader.close()

    async def _wait_for_samples(self, reader: SpoolReader, settings: StoreSettings) -> None:
        """Wait for a full request, or until what is there has waited for company long enough."""
        queue = settings.config.queue_config
        while not reader.unread:
            await self._available.wait()
            self._available.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(queue.batch_send_deadline.s):
                while reader.unread < queue.max_samples_per_send:
                    await self._available.wait()
                    self._available.clear()

    async def _round(
        self,
        spool: Spool,
        reader: SpoolReader,
        lanes: int,
        client: StoreClient,
        backoff: Backoff,
        settings: StoreSettings,
    ) -> bool:
        """Read and send once; returns whether the store failed meanwhile."""
        config, metrics = settings.config, settings.metrics
        most = config.queue_config.max_samples_per_send
        written_after_ms = self._context.clock.now_ms() - self._context.limits.max_age_ms

        def prepare() -> tuple[Reading, list[list[Batch]], list[Batch], int]:
            reading = reader.read(lanes * most, written_after_ms=written_after_ms)
            encoded, left_out = encode_lanes(
                reading,
                message=config.protobuf_message,
                lanes=lanes,
                most=most,
                not_before_ms=self._not_before_ms(config),
                describe=self._describe,
            )
            exemplars = encode_exemplars(reading.exemplars, message=config.protobuf_message, most=most)
            return reading, encoded, exemplars, left_out

        reading, encoded, exemplars, left_out = await self._in_thread(prepare)
        metrics.dropped("too_old", reading.expired + left_out)
        metrics.dropped("damaged", reading.damaged)
        self._in_flight = sum(batch.samples for lane in encoded for batch in lane)
        self._show(spool)
        delivery = _Delivery(self, client, backoff, settings, written_after_ms)
        async with asyncio.TaskGroup() as tasks:
            for lane in encoded:
                tasks.create_task(delivery.send(lane))
        await delivery.send(exemplars)
        self._in_flight = 0
        with contextlib.suppress(OSError):  # it is sent again after a crash, which the store bears
            await self._in_thread(lambda: spool.acknowledge(reading.end))
        self._show(spool)
        return delivery.failed

    def _not_before_ms(self, config: RemoteWrite) -> int | None:
        limit_ms = config.queue_config.sample_age_limit.ms
        return self._context.clock.now_ms() - limit_ms if limit_ms else None

    def is_too_old(self, batch: Batch, written_after_ms: int) -> bool:
        """Whether a request that was not taken is to be given up."""
        config = self.settings.config
        not_before_ms = self._not_before_ms(config)
        del written_after_ms
        return not_before_ms is not None and batch.newest_ms < not_before_ms

    def _show(self, spool: Spool) -> None:
        metrics = self.settings.metrics
        unread = self._reader.unread if self._reader is not None else spool.samples_from(spool.position)
        metrics.samples_pending.set(unread + self._in_flight + self._buffered)
        metrics.queue_bytes.set(spool.size_bytes)
