"""An outbox for tests: alerts go in, and what was reported, tried and slept can be looked at."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from vedette.alerting import Address, Form, Notify, Reason, Told, parse_alerting
from vedette.alerting.delivery import (
    Attempt,
    DeliverySettings,
    LatestAttempts,
    Outbox,
    OutboxContext,
    ProcessMemory,
    open_outbox,
    outbox_context,
)
from vedette.alerting.delivery.message import Message, message_of
from vedette.alerting.settings.file import AlertingConfig
from vedette.alerting.templates import Library
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.labels import label_set

NOON_MS = 1_800_014_400_000
"""2027-01-15 12:00 UTC."""
SECOND, MINUTE = 1_000, 60_000
EXTERNAL_URL = "http://vedette.example.org"
LIBRARY = Library()


def config_of(kind: str, options: str, *, more: str = "") -> AlertingConfig:
    """A configuration with one receiver, `team`, that has one integration.

    Args:
        kind: its kind.
        options: its options in YAML's flow style, without the braces.
        more: further top-level sections.
    """
    text = f"route: {{receiver: team}}\nreceivers:\n- name: team\n  {kind}_configs:\n  - {{{options}}}\n{more}\n"
    return parse_alerting(text, file="alerting.yml")


def told(name: str = "Down", *, firing: bool = True, annotations: dict[str, str] | None = None, **labels: str) -> Told:
    """An alert that began an hour before noon."""
    end_ms = NOON_MS + 60 * MINUTE if firing else NOON_MS - MINUTE
    alert = Alert(
        label_set({"alertname": name, **labels}),
        label_set(annotations or {}),
        NOON_MS - 60 * MINUTE,
        end_ms,
        NOON_MS,
        "http://prometheus.example.org/graph",
    )
    return Told(alert, firing)


def notify(
    *alerts: Told,
    kind: str = "webhook",
    number: int = 0,
    receiver: str = "team",
    id: int = 1,  # noqa: A002 - as the message has it
    group_key: str = '{}:{alertname="Down"}',
    reason: Reason | None = None,
    lasts_ms: int = 5 * MINUTE,
) -> Notify:
    """What the machine would decide at noon."""
    alerts = alerts or (told(),)
    if reason is None:
        reason = Reason.FIRST if any(one.firing for one in alerts) else Reason.ALL_RESOLVED
    return Notify(
        id=id,
        form=Form.GROUP,
        address=Address(receiver, kind, number),
        group_key=group_key,
        alerts=alerts,
        at_ms=NOON_MS,
        give_up_ms=NOON_MS + lasts_ms,
        group_labels=label_set({"alertname": alerts[0].alert.name}),
        reason=reason,
    )


def message(*alerts: Told, **options: object) -> Message:
    """A message, ready to be composed."""
    decided = notify(*alerts, **options)  # type: ignore[arg-type]
    return message_of(decided, LIBRARY, external_url=EXTERNAL_URL, now_ms=NOON_MS)


@dataclass(slots=True)
class SleepingClock:
    """Time that passes only while somebody sleeps.

    Attributes:
        slept: each sleep in seconds.
    """

    now_ms: float = NOON_MS
    slept: list[float] = field(default_factory=list[float])

    def clock(self) -> Clock:
        return Clock(now_ms=lambda: round(self.now_ms), monotonic_s=lambda: self.now_ms / 1000, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now_ms += seconds * 1000
        await asyncio.sleep(0)


@dataclass(slots=True)
class Delivering:
    """An outbox at work.

    Attributes:
        reported: what became of messages: their ids and errors, in order.
    """

    time: SleepingClock
    registry: CollectorRegistry
    attempts: LatestAttempts
    memory: ProcessMemory
    context: OutboxContext
    reported: list[tuple[int, str]]
    _reports: asyncio.Condition
    outbox: Outbox = field(init=False)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def deliver(self, *messages: Notify) -> list[str]:
        """Send messages, and wait until they are reported; their errors, in the order of reports."""
        before = len(self.reported)
        for one in messages:
            self.outbox.send(one)
        return [error for _, error in await self.wait_for_reports(before + len(messages))][before:]

    async def wait_for_reports(self, count: int) -> list[tuple[int, str]]:
        """Wait until so many messages are reported."""
        async with self._reports:
            await self._reports.wait_for(lambda: len(self.reported) >= count)
        return self.reported

    def tried(self) -> Sequence[Attempt]:
        """All attempts, oldest first."""
        return list(self.attempts.kept)

    def value(self, name: str, **labels: str) -> float | None:
        """A metric's value."""
        return self.registry.get_sample_value(name, {"receiver_name": "team", **labels})


@asynccontextmanager
async def delivering(
    config: AlertingConfig,
    *,
    limits: DeliverySettings | None = None,
    clock: Clock | None = None,
    chance: float = 0.5,
    external_url: str = EXTERNAL_URL,
    now_ms: int = NOON_MS,
) -> AsyncGenerator[Delivering]:
    """An outbox for a configuration, on a clock that jumps; pauses are not spread."""
    time = SleepingClock(now_ms)
    reported: list[tuple[int, str]] = []
    reports = asyncio.Condition()
    loop = asyncio.get_running_loop()
    wakers: set[asyncio.Task[None]] = set()

    async def wake() -> None:
        async with reports:
            reports.notify_all()

    def report(number: int, error: str) -> None:
        reported.append((number, error))
        task = loop.create_task(wake())
        wakers.add(task)
        task.add_done_callback(wakers.discard)

    registry, attempts, memory = CollectorRegistry(), LatestAttempts(), ProcessMemory()
    context = outbox_context(
        report,
        registry,
        attempts=attempts,
        memory=memory,
        limits=limits,
        clock=clock or time.clock(),
        chance=lambda: chance,
    )
    found = Delivering(time, registry, attempts, memory, context, reported, reports)
    async with open_outbox(context, config, LIBRARY, external_url=external_url) as outbox:
        found.outbox = outbox
        yield found
