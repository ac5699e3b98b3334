"""Delivers what the machine decides: one courier for each integration, and nothing that one does delays another.

Whatever becomes of a message is reported once, by its id, and never from within `send`. A message that is not
reported because Vedette stops is made again after the next start.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry

from vedette.alerting.delivery.attempts import Attempt, Attempts, LatestAttempts
from vedette.alerting.delivery.courier import Courier, Office, Report
from vedette.alerting.delivery.line import Line
from vedette.alerting.delivery.memory import Memory, ProcessMemory
from vedette.alerting.delivery.message import Message, Render, message_of
from vedette.alerting.delivery.metrics import DeliveryMetrics
from vedette.alerting.delivery.rehearsal import notices
from vedette.alerting.notification_log import Address
from vedette.alerting.receivers import Integration
from vedette.alerting.records import Notify
from vedette.alerting.settings.file import AlertingConfig
from vedette.config.delivery import DeliverySettings
from vedette.model.clock import Clock
from vedette.model.errors import VedetteError

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class UnknownReceiverError(VedetteError):
    """Nothing is sent to a receiver of this name."""


@dataclass(frozen=True, slots=True, eq=False)
class OutboxContext:
    """What the outbox works with.

    Attributes:
        report: takes note of what became of a message: its id, and the error or an empty text.
        registry: where its metrics go.
        attempts: keeps attempts.
        memory: remembers what belongs to a group.
        limits: how long to wait, how much at a time.
        clock: the time.
        chance: in [0, 1): spreads pauses.
    """

    report: Report
    registry: CollectorRegistry
    attempts: Attempts
    memory: Memory
    limits: DeliverySettings
    clock: Clock
    chance: Callable[[], float]


def outbox_context(
    report: Report,
    registry: CollectorRegistry,
    *,
    attempts: Attempts | None = None,
    memory: Memory | None = None,
    limits: DeliverySettings | None = None,
    clock: Clock | None = None,
    chance: Callable[[], float] = random.random,
) -> OutboxContext:
    """What the outbox works with; without a place to keep things, they are kept in memory."""
    return OutboxContext(
        report,
        registry,
        attempts or LatestAttempts(),
        memory or ProcessMemory(),
        limits or DeliverySettings(),
        clock or Clock(),
        chance,
    )


class Outbox:
    """See the module. Opened by `open_outbox`."""

    def __init__(self, context: OutboxContext, tasks: asyncio.TaskGroup) -> None:
        self._context = context
        self._tasks = tasks
        self._couriers: dict[Address, Courier] = {}
        self._render: Render | None = None
        self._external_url = ""
        self._closing = False
        self._carrying: set[asyncio.Task[None]] = set()
        self._office = Office(
            limits=context.limits,
            clock=context.clock,
            chance=context.chance,
            message=self._message,
            report=context.report,
            attempts=context.attempts,
            metrics=DeliveryMetrics(context.registry),
        )

    def send(self, notify: Notify) -> None:
        """Deliver a message. Never waits and never fails: what becomes of it is reported."""
        courier = self._couriers.get(notify.address)
        if self._closing:
            return
        if courier is None:
            self._give_back(notify, f"there is no integration {notify.address}")
        elif courier.take():
            task = self._tasks.create_task(courier.carry(notify), name=f"deliver to {notify.address}")
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)
        else:
            self._give_back(notify, f"{self._context.limits.waiting} messages are waiting already (`waiting`)")

    async def send_test(self, receiver: str) -> list[Attempt]:
        """Send a test message to all integrations of a receiver, and its end to those that want to hear of ends.

        Each is tried once; the attempts come in the order of the integrations.

        Raises:
            UnknownReceiverError: there is no such receiver, or nothing is sent to it.
        """
        couriers = [one for address, one in self._couriers.items() if address.receiver == receiver]
        if not couriers:
            raise UnknownReceiverError(f'nothing is sent to a receiver "{receiver}"')
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._rehearse(courier)) for courier in couriers]
        return [attempt for one in running for attempt in one.result()]

    async def reconfigure(self, config: AlertingConfig, render: Render, *, external_url: str = "") -> None:
        """Go by another configuration. What is on its way to integrations that are in both is not lost.

        An integration that has changed sends what waits with its new settings; one that has not keeps its connections.

        Raises:
            ValueError: HTTP options cannot be used; then nothing has changed.
        """
        wanted = _integrations(config)
        lines = self._lines(wanted)
        self._render, self._external_url = render, external_url
        for address in self._couriers.keys() - wanted.keys():
            await self._couriers.pop(address).close()
        for address, line in lines.items():
            courier = self._couriers.get(address)
            if courier is None:
                self._couriers[address] = Courier(address, line, self._office)
            else:
                await courier.use(line)

    async def close(self) -> None:
        """Take nothing more, let the attempts that are being made end, for a while, and close all connections."""
        self._closing = True
        trying = [task for courier in self._couriers.values() for task in courier.stop() if task is not None]
        for task in self._carrying.difference(trying):
            task.cancel()
        if trying:
            await asyncio.wait(trying, timeout=self._context.limits.drain_timeout.s)
        for task in self._carrying:
            task.cancel()
        for courier in self._couriers.values():
            await courier.close()
        self._couriers.clear()

    def _lines(self, wanted: Mapping[Address, Integration]) -> dict[Address, Line]:
        """New lines for integrations that are new or have changed."""
        context = self._context
        lines: dict[Address, Line] = {}
        for address, settings in wanted.items():
            courier = self._couriers.get(address)
            kept = courier.line if courier is not None else None
            if kept is not None and kept.settings == settings:
                continue
            lines[address] = Line(settings, limits=context.limits, memory=context.memory, clock=context.clock)
        return lines

    def _message(self, notify: Notify) -> Message:
        assert self._render is not None  # noqa: S101 - couriers come with a configuration
        now_ms = self._context.clock.now_ms()
        return message_of(notify, self._render, external_url=self._external_url, now_ms=now_ms)

    def _give_back(self, notify: Notify, error: str) -> None:
        log.warning("notification not delivered", to=str(notify.address), group=notify.group_key, error=error)
        # Not at once: the machine that has just decided to send it is not done with that yet.
        asyncio.get_running_loop().call_soon(self._context.report, notify.id, error)

    async def _rehearse(self, courier: Courier) -> list[Attempt]:
        """Send test messages, and give the record of each attempt."""
        line = courier.line
        attempts: list[Attempt] = []
        if line is None:
            return attempts
        now_ms, send_resolved = self._context.clock.now_ms(), line.settings.send_resolved
        for notify in notices(courier.address, now_ms, send_resolved=send_resolved):
            attempt, fault = await courier.attempt(notify, line, 1, timeout_s=line.timeout_s)
            attempts.append(attempt)
            if fault is not None:
                break
        return attempts


@asynccontextmanager
async def open_outbox(
    context: OutboxContext, config: AlertingConfig, render: Render, *, external_url: str = ""
) -> AsyncGenerator[Outbox]:
    """An outbox for as long as the block lasts; on the way out, attempts that are being made may end.

    Raises:
        ValueError: HTTP options of an integration cannot be used.
    """
    async with asyncio.TaskGroup() as tasks:
        outbox = Outbox(context, tasks)
        try:
            await outbox.reconfigure(config, render, external_url=external_url)
            yield outbox
        finally:
            await outbox.close()


def _integrations(config: AlertingConfig) -> dict[Address, Integration]:
    """All integrations to which something is sent."""
    return {
        Address(receiver.name, entry.kind, entry.number): entry.settings
        for receiver in config.receivers
        for entry in receiver.entries()
        if entry.settings.delivered
    }
