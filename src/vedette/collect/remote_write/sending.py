"""Send what is in a spool, round by round, until it is taken or too old.

A round reads some requests' worth of samples, sends them in parallel lanes, and ends when all of them were taken or
refused; only then is it over for the spool, too. Lanes double while more is waiting than was sent, and halve when the
store fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import structlog

from vedette.collect.remote_write.batches import Batch, encode_exemplars, encode_lanes, encoder_v1, encoder_v2
from vedette.collect.remote_write.client import StoreClient
from vedette.collect.remote_write.delivery import Backoff, Fate, Outcome
from vedette.collect.remote_write.reader import Reading, SpoolReader
from vedette.collect.remote_write.settings import SendingContext, StoreSettings
from vedette.collect.remote_write.spool import Spool
from vedette.collect.remote_write.threads import run_to_end
from vedette.config import WriteMessage
from vedette.model.samples import Metadata

_PAUSE_S: Final = 5.0
"""After something went wrong that is not the store's doing."""

_FAMILY_SUFFIXES: Final = ("_bucket", "_count", "_sum", "_total")

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Sending:
    """Sends one store's samples, in one way."""

    def __init__(
        self, name: str, spool: Spool, client: StoreClient, settings: StoreSettings, context: SendingContext
    ) -> None:
        self._name = name
        self._spool = spool
        self._client = client
        self._settings = settings
        self._context = context
        self._queue = settings.config.queue_config
        self._backoff = Backoff(self._queue.min_backoff.s, self._queue.max_backoff.s, context.clock)
        is_v2 = settings.config.protobuf_message is WriteMessage.V2
        self._encode = encoder_v2(self._describe) if is_v2 else encoder_v1()
        self._reader = SpoolReader(spool)
        self._in_flight = 0
        self._failed = False
        self._complained = False

    @property
    def pending(self) -> int:
        """Samples in the spool that were not taken yet."""
        return self._reader.unread + self._in_flight

    async def run(self, available: asyncio.Event) -> None:
        """Send until cancelled.

        Args:
            available: set when the spool has got more.
        """
        queue, metrics = self._queue, self._settings.metrics
        metrics.shards_min.set(queue.min_shards)
        metrics.shards_max.set(queue.max_shards)
        metrics.shard_capacity.set(queue.capacity)
        metrics.batch_size.set(queue.max_samples_per_send)
        lanes = queue.min_shards
        try:
            while True:
                metrics.shards.set(lanes)
                await self._wait(available)
                try:
                    await self._round(lanes)
                except Exception:  # a round is a unit of failure; what it had not sent is read again
                    log.exception("remote write failed", store=self._name, retry_in_s=_PAUSE_S)
                    self._begin_again()
                    await self._context.clock.sleep(_PAUSE_S)
                lanes = self._next_lanes(lanes)
        finally:
            self._reader.close()

    async def _wait(self, available: asyncio.Event) -> None:
        """Wait for a full request, or until what is there has waited for company long enough."""
        while not self._reader.unread:
            await available.wait()
            available.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._queue.batch_send_deadline.s):
                while self._reader.unread < self._queue.max_samples_per_send:
                    await available.wait()
                    available.clear()

    def _next_lanes(self, lanes: int) -> int:
        queue = self._queue
        waiting = -(-self._reader.unread // queue.max_samples_per_send)
        self._settings.metrics.shards_desired.set(max(queue.min_shards, waiting))
        wanted = lanes // 2 if self._failed else min(2 * lanes, waiting)
        self._failed = False
        return max(queue.min_shards, min(queue.max_shards, wanted))

    def _begin_again(self) -> None:
        self._reader.close()
        self._reader = SpoolReader(self._spool)
        self._in_flight = 0

    async def _round(self, lanes: int) -> None:
        metrics, executor = self._settings.metrics, self._context.executor
        reading, encoded, exemplars, left_out = await run_to_end(executor, lambda: self._prepare(lanes))
        metrics.dropped("too_old", reading.expired + left_out)
        metrics.dropped("damaged", reading.damaged)
        self._in_flight = sum(batch.samples for lane in encoded for batch in lane)
        async with asyncio.TaskGroup() as tasks:
            for lane in encoded:
                tasks.create_task(self._send_lane(lane, reading.written_ms))
        await self._send_lane(exemplars, reading.written_ms)
        self._in_flight = 0
        with contextlib.suppress(OSError):  # then it is sent again after a crash, which stores bear
            await run_to_end(executor, lambda: self._spool.acknowledge(reading.end))

    def _prepare(self, lanes: int) -> tuple[Reading, list[list[Batch]], list[Batch], int]:
        message, most = self._settings.config.protobuf_message, self._queue.max_samples_per_send
        reading = self._reader.read(lanes * most, written_after_ms=self._written_after_ms())
        encoded, left_out = encode_lanes(
            reading,
            lanes=lanes,
            most=most,
            not_before_ms=self._not_before_ms(),
            encode=self._encode,
        )
        return reading, encoded, encode_exemplars(reading.exemplars, message=message, most=most), left_out

    async def _send_lane(self, lane: Sequence[Batch], written_ms: int) -> None:
        for batch in lane:
            await self._send_batch(batch, written_ms)
            self._in_flight -= batch.samples

    async def _send_batch(self, batch: Batch, written_ms: int) -> None:
        """Send a request, again and again, until it is taken, refused or too old."""
        metrics = self._settings.metrics
        attempt = 0
        while True:
            async with self._backoff.turn():
                if attempt and self._is_too_old(batch, written_ms):
                    metrics.dropped("too_old", batch.samples)
                    return
                began_s = self._context.clock.monotonic_s()
                outcome = await self._client.post(batch.body, attempt=attempt)
                self._note(outcome)
            metrics.duration.observe(self._context.clock.monotonic_s() - began_s)
            metrics.bytes.inc(len(batch.body))
            metrics.samples.inc(batch.samples)
            metrics.exemplars.inc(batch.exemplars)
            if outcome.fate is not Fate.TRY_AGAIN:
                self._count(batch, outcome)
                return
            metrics.samples_retried.inc(batch.samples)
            metrics.exemplars_retried.inc(batch.exemplars)
            attempt += 1

    def _note(self, outcome: Outcome) -> None:
        if outcome.fate is not Fate.TRY_AGAIN:
            if self._backoff.failures:
                log.info("another store takes samples again", store=self._name)
            self._backoff.succeeded()
            return
        if not self._backoff.failures:
            log.warning("another store does not take samples; they wait", store=self._name, error=outcome.problem)
        self._failed = True
        self._backoff.failed(outcome.retry_after_s)

    def _count(self, batch: Batch, outcome: Outcome) -> None:
        metrics = self._settings.metrics
        if outcome.fate is Fate.REFUSED:
            metrics.samples_failed.inc(batch.samples)
            metrics.exemplars_failed.inc(batch.exemplars)
            if not self._complained:  # once for each way of sending; the counters say how often
                log.error("another store refuses samples", store=self._name, error=outcome.problem)
            self._complained = True
            return
        if self._settings.config.protobuf_message is WriteMessage.V2 and batch.samples:
            written = outcome.written
            if written is None and not self._complained:
                log.warning("another store does not say what it has stored: does it know 2.0?", store=self._name)
                self._complained = True
            metrics.samples_failed.inc(max(0, batch.samples - written) if written is not None else 0)
        if batch.samples:
            metrics.sent_up_to(batch.newest_ms)

    def _is_too_old(self, batch: Batch, written_ms: int) -> bool:
        not_before_ms = self._not_before_ms()
        return written_ms < self._written_after_ms() or (not_before_ms is not None and batch.newest_ms < not_before_ms)

    def _written_after_ms(self) -> int:
        return self._context.clock.now_ms() - self._context.limits.max_age_ms

    def _not_before_ms(self) -> int | None:
        limit_ms = self._queue.sample_age_limit.ms
        return self._context.clock.now_ms() - limit_ms if limit_ms else None

    def _describe(self, metric: str) -> Metadata | None:
        """What is known of a metric's family, by the family's name or the metric's own."""
        for suffix in ("", *_FAMILY_SUFFIXES):
            if metric.endswith(suffix):
                for _, entries in self._context.metadata.families(metric.removesuffix(suffix)):
                    return entries[0]
        return None
