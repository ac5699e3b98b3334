"""Keep a copy of what is accepted, until it is in the store's spool: a moment, unless the disk is in trouble."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from vedette.collect.remote_write.intake import Intake, Observed
from vedette.collect.remote_write.settings import SendingContext, StoreSettings
from vedette.collect.remote_write.spool import Spool
from vedette.collect.remote_write.threads import run_to_end
from vedette.model.samples import Exemplar

SAFE_WITHIN_S: Final = 5.0
"""Senders of samples wait no longer than this for them to be in the spool; a disk that hangs is not their fault."""

MAX_BUFFERED: Final = 2_000_000
"""Samples that wait to be put into the spool; older ones are dropped when the disk is slower than they come."""

_EXEMPLARS_BUFFERED: Final = 10_000

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Filling:
    """Puts accepted samples into one store's spool.

    Attributes:
        buffered: samples not in the spool yet.
        available: set whenever the spool has got more.
    """

    def __init__(self, name: str, context: SendingContext) -> None:
        self.available = asyncio.Event()
        self.buffered = 0
        self._name = name
        self._context = context
        self._batches: deque[Observed] = deque()
        self._exemplars: deque[tuple[int, int, Exemplar]] = deque(maxlen=_EXEMPLARS_BUFFERED)
        self._observed = 0
        self._safe = 0
        self._arrived = asyncio.Event()
        self._flushed = asyncio.Event()
        self._running = asyncio.Event()
        self._closing = False

    def observe(self, batch: Observed, settings: StoreSettings) -> None:
        """Take a copy of accepted samples."""
        self._batches.append(batch)
        self.buffered += len(batch.slots)
        self._observed += 1
        while self.buffered > MAX_BUFFERED and len(self._batches) > 1:
            lost = len(self._batches.popleft().slots)
            self.buffered -= lost
            settings.metrics.dropped("disk", lost)
        self._arrived.set()

    def observe_exemplar(self, generation: int, slot: int, exemplar: Exemplar) -> None:
        """Take a copy of an exemplar."""
        self._exemplars.append((generation, slot, exemplar))
        self._arrived.set()

    async def started(self) -> None:
        """Return once there is a spool to fill, or if there is none for some time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAFE_WITHIN_S):
                await self._running.wait()

    async def safe(self) -> None:
        """Return once what was observed is in the spool, or cannot be."""
        target = self._observed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAFE_WITHIN_S):
                while self._running.is_set() and self._safe < target:
                    await self._flushed.wait()

    def close(self) -> None:
        """End `run` once everything is in the spool."""
        self._closing = True
        self._arrived.set()

    async def run(self, spool: Spool, settings: Callable[[], StoreSettings]) -> None:
        """Fill the spool until closed.

        Args:
            spool: where to.
            settings: the present ones.
        """
        intake = Intake(spool, self._context.index, self._context.clock.now_ms)
        self._running.set()
        failing = False
        try:
            while not (self._closing and not self._batches and not self._exemplars):
                await self._arrived.wait()
                self._arrived.clear()
                observed = self._observed
                failing = await self._flush(intake, settings(), failing=failing)
                self._safe = observed
                self._wake()
                self.available.set()
        finally:
            self._running.clear()
            self._wake()

    async def _flush(self, intake: Intake, settings: StoreSettings, *, failing: bool) -> bool:
        batches, self._batches = self._batches, deque()
        exemplars, self._exemplars = self._exemplars, deque(maxlen=_EXEMPLARS_BUFFERED)
        count, self.buffered = self.buffered, 0
        metrics = settings.metrics
        try:
            stored = await run_to_end(
                self._context.executor, lambda: intake.store(list(batches), list(exemplars), settings.labelling)
            )
        except OSError as exc:
            metrics.dropped("disk", count)
            if not failing:
                log.warning("samples cannot be queued for another store", store=self._name, error=str(exc))
            return True
        except Exception:  # a flush is a unit of failure: it is counted, and the next one is tried all the same
            metrics.dropped("error", count)
            log.exception("samples could not be queued for another store", store=self._name)
            return True
        metrics.dropped("dropped_series", stored.relabelled)
        metrics.dropped("series_gone", stored.gone)
        metrics.dropped("queue_full", stored.expired)
        return False

    def _wake(self) -> None:
        self._flushed.set()
        self._flushed = asyncio.Event()
