"""One other store: what goes to it waits on the disk and is sent, until it is taken or too old.

Two loops that know of each other only by the spool: one puts accepted samples there as they come, the other sends
what is there. So a store that is slow or away costs disk and nothing else, and a restart goes on where sending was.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import structlog

from vedette.collect.remote_write.client import StoreClient
from vedette.collect.remote_write.filling import Filling
from vedette.collect.remote_write.intake import Observed
from vedette.collect.remote_write.sending import Sending
from vedette.collect.remote_write.settings import SendingContext, StoreSettings
from vedette.collect.remote_write.spool import Spool, open_spool
from vedette.collect.remote_write.telling import tell
from vedette.collect.remote_write.threads import run_to_end
from vedette.model.samples import Exemplar

_OPEN_AGAIN_S: Final = 5.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Store:
    """Sends to one store. `run` it within its owner's task."""

    def __init__(self, name: str, folder: Path, settings: StoreSettings, context: SendingContext) -> None:
        self.name = name
        self.settings = settings
        self._folder = folder
        self._context = context
        self._filling = Filling(name, context)
        self._changed = asyncio.Event()
        self._closing = False
        self._spool: Spool | None = None
        self._sending: Sending | None = None
        settings.metrics.watch(lambda: self.pending, lambda: self.queue_bytes)

    @property
    def pending(self) -> int:
        """Samples that wait to be taken."""
        spool, sending = self._spool, self._sending
        waiting = 0 if spool is None else spool.samples_from(spool.position)
        if sending is not None:
            waiting = sending.pending
        return waiting + self._filling.buffered

    @property
    def queue_bytes(self) -> int:
        """Disk space of what waits."""
        return 0 if self._spool is None else self._spool.size_bytes

    def observe(self, batch: Observed) -> None:
        """Take a copy of accepted samples."""
        self._filling.observe(batch, self.settings)

    def observe_exemplar(self, generation: int, slot: int, exemplar: Exemplar) -> None:
        """Take a copy of an exemplar."""
        if self.settings.config.send_exemplars:
            self._filling.observe_exemplar(generation, slot, exemplar)

    async def started(self) -> None:
        """Return once samples that are observed can outlive this process."""
        await self._filling.started()

    async def safe(self) -> None:
        """Return once what was observed is in the spool, or cannot be."""
        await self._filling.safe()

    def change(self, settings: StoreSettings) -> None:
        """Send in another way from now on; what waits already keeps its labels."""
        self.settings = settings
        settings.metrics.watch(lambda: self.pending, lambda: self.queue_bytes)
        self._changed.set()

    def retire(self) -> None:
        """End, and be no more among the metrics: the configuration does not name this store any longer."""
        self.settings.metrics.forget()
        self.close()

    def close(self) -> None:
        """Put what was observed into the spool, and end `run`."""
        self._closing = True
        self._filling.close()

    async def run(self) -> None:
        """Send until closed or cancelled."""
        spool = await self._open()
        if spool is None:
            return
        self._spool = spool
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(spool))
                await self._filling.run(spool, lambda: self.settings)
                sending.cancel()
        finally:
            self._spool = None
            await run_to_end(self._context.executor, spool.close)

    async def _open(self) -> Spool | None:
        while not self._closing:
            try:
                return await run_to_end(self._context.executor, lambda: open_spool(self._folder, self._context.limits))
            except OSError as exc:
                log.warning("remote-write queue cannot be opened", store=self.name, error=str(exc))
                await self._context.clock.sleep(_OPEN_AGAIN_S)
        return None

    async def _send(self, spool: Spool) -> None:
        """Send, beginning anew whenever the settings have changed."""
        while True:
            self._changed.clear()
            settings = self.settings
            async with settings.fetcher as fetcher, asyncio.TaskGroup() as tasks:
                client = StoreClient(fetcher, settings.config, self._context.clock)
                self._sending = Sending(self.name, spool, client, settings, self._context)
                sending = tasks.create_task(self._sending.run(self._filling.available))
                telling = tasks.create_task(tell(client, settings, self._context))
                try:
                    await self._changed.wait()
                finally:
                    self._sending = None
                    sending.cancel()
                    telling.cancel()
