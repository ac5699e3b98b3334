"""The alerting service: the machine in a process, with a clock, a disk and somebody who delivers.

All calls of the machine happen here, one at a time, on the event loop; none of them waits. One task wakes when the
machine has something due, another one stores what changed (`keeping`). Nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from vedette.alerting.keeping import Keeper, Storage, read_state
from vedette.alerting.pipeline import Pipeline
from vedette.alerting.plan import Plan
from vedette.alerting.records import Effect, Notify, Remind
from vedette.alerting.reminders import reminder
from vedette.alerting.silences import Silence
from vedette.alerting.state import Row, decode
from vedette.alerting.stepping_back import set_back
from vedette.model.alerts import Alert, fingerprint
from vedette.model.clock import Clock
from vedette.model.errors import OverloadedError
from vedette.store.state import AttemptRow, StateRow

_LONGEST_SLEEP_MS: Final = 60_000
_CORRECTION_MS: Final = 30_000
"""A clock that was set back by no more is waited for."""
_LAST_FLUSH_S: Final = 5.0
_MOST_WAITING: Final = 100_000

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Deliver(Protocol):
    """Sends messages."""

    def send(self, notify: Notify) -> None:
        """Take a message over, at once; what becomes of it is told by `AlertingService.report`."""
        ...


class StateStorage(Storage, Protocol):
    """Storage that can be read at the start: `vedette.store.state.AlertStore`."""

    async def load(self) -> Sequence[StateRow]:
        """All rows of the state."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """Bounds of the service.

    Attributes:
        alerts: alerts that are known at a time; further ones are refused.
    """

    alerts: int = 100_000


class Time:
    """Milliseconds since the epoch that never go back: where the clock is set back, the time that passes counts.

    That is for corrections of seconds. What to do about more is for others to decide (`behind_ms`).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._from_ms = clock.now_ms()
        self._from_s = clock.monotonic_s()

    def __call__(self) -> int:
        """The time."""
        passed_s = self._clock.monotonic_s() - self._from_s
        now_ms, wall_ms = self._from_ms + int(passed_s * 1000), self._clock.now_ms()
        if wall_ms > now_ms:
            self._from_ms, self._from_s = wall_ms, self._from_s + passed_s
            return wall_ms
        return now_ms

    def behind_ms(self) -> int:
        """By how much the clock is behind this time."""
        return self() - self._clock.now_ms()


class AlertingService:
    """See the module. Made by `open_service`.

    Attributes:
        pipeline: the machine; to look at. It is changed by way of this service only.
        now_ms: the machine's time.
        received: alerts that were taken.
        refused: alerts that were not, since too many are known.
    """

    def __init__(
        self, build: Callable[[Plan], Pipeline], plan: Plan, storage: Storage, clock: Clock, limits: ServiceLimits
    ) -> None:
        """Start with an empty machine.

        Args:
            build: makes a machine for a configuration.
            plan: the configuration.
            storage: where what it does is stored.
            clock: the time.
            limits: bounds.
        """
        self.pipeline = build(plan)
        self._build = build
        self.now_ms = Time(clock)
        self.limits = limits
        self.received = 0
        self.refused = 0
        self._clock = clock
        self._deliver: Deliver | None = None
        self._undelivered: list[Notify] = []
        self._news = asyncio.Event()
        self.keeper = Keeper(storage, self.pipeline.holdings, clock, hand_on=self._hand_on, most=_MOST_WAITING)

    # Alerts, silences, configuration.

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Take alerts of the own rules: at once, and never fails. What is too much is counted."""
        taken = self._admitted(alerts)
        self.refused += len(alerts) - len(taken)
        self._take(taken)

    async def post(self, alerts: Sequence[Alert]) -> None:
        """Take alerts that somebody sent; returns when they are on the disk.

        Raises:
            OverloadedError: too many alerts are known; some were taken.
            StorageError: they are taken, but not on the disk.
        """
        taken = self._admitted(alerts)
        self._take(taken)
        await self.keeper.stored()
        if len(taken) < len(alerts):
            self.refused += len(alerts) - len(taken)
            problem = f"{self.limits.alerts} alerts are known, the most that there may be"
            raise OverloadedError(problem, retry_after_s=30.0)

    async def put_silence(self, silence: Silence) -> Silence:
        """Make or change a silence; returns when it is on the disk.

        Raises:
            SilenceError, UnknownSilenceError: see `Pipeline.put_silence`.
            StorageError: it holds, but is not on the disk.
        """
        kept = self.pipeline.put_silence(silence, self.now_ms())
        self._take_down([])
        await self.keeper.stored()
        return kept

    async def expire_silence(self, silence_id: str) -> Silence:
        """End a silence; returns when that is on the disk.

        Raises:
            UnknownSilenceError: there is none with this id.
            StorageError: it has ended, but not on the disk.
        """
        ended = self.pipeline.expire_silence(silence_id, self.now_ms())
        self._take_down([])
        await self.keeper.stored()
        return ended

    def reconfigure(self, plan: Plan) -> None:
        """Go by another configuration; alerts, silences and what was told stay."""
        self._take_down(self.pipeline.reconfigure(plan, self.now_ms()))

    # Delivery.

    def deliver_by(self, deliver: Deliver | None) -> None:
        """Hand messages to somebody, first those that wait; with None they wait."""
        self._deliver = deliver
        if deliver is not None:
            waiting, self._undelivered = self._undelivered, []
            for message in waiting:
                deliver.send(message)

    def report(self, message: int, *, error: str = "") -> None:
        """Take note of what became of a message: it is out, or (with an error) will not be tried any more."""
        self._take_down(self.pipeline.report(message, self.now_ms(), error=error))

    def note_attempt(self, row: AttemptRow) -> None:
        """Take down an attempt to deliver."""
        self.keeper.note_attempt(row)

    # Its life.

    def restore(self, rows: Sequence[StateRow]) -> None:
        """Take over what an earlier process stored. A row that cannot be read is left out and said so."""
        found, broken = read_state(rows)
        readable = [row for row in found if _is_readable(row)]
        broken += len(found) - len(readable)
        if broken:
            log.error("rows of the alerting state cannot be read and are left out", rows=broken)
        self._take_down(self.pipeline.restore(readable, self.now_ms()))
        log.info(
            "alerting state", alerts=len(self.pipeline.holdings.alerts), silences=len(self.pipeline.holdings.silences)
        )

    async def run(self) -> None:
        """Do what is due when it is due, until cancelled."""
        while True:
            self._news.clear()
            self._follow_the_clock()
            now_ms = self.now_ms()
            due_ms = self.pipeline.wake_at()
            if due_ms is not None and due_ms <= now_ms:
                self._take_down(self.pipeline.advance(now_ms))
                await asyncio.sleep(0)  # others have their turn, however much is due
                continue
            # Looked at now and then in any case: the clock may be set forward, and old silences have to go.
            left_ms = _LONGEST_SLEEP_MS if due_ms is None else min(due_ms - now_ms, _LONGEST_SLEEP_MS)
            if not await self._news_within(left_ms / 1000) and due_ms is None:
                self._take_down(self.pipeline.advance(self.now_ms()))

    def _follow_the_clock(self) -> None:
        """Where the clock was set back by more than a correction, go on from its time with all that is known."""
        behind_ms = self.now_ms.behind_ms()
        if behind_ms <= _CORRECTION_MS:
            return
        log.warning("the clock was set back; alerting goes on from its time", by_s=behind_ms / 1000)
        rows = set_back(self.pipeline.holdings.all_rows(), behind_ms)
        self.now_ms = Time(self._clock)
        self.pipeline = self._build(self.pipeline.plan)
        effects = self.pipeline.restore(rows, self.now_ms())
        holdings = self.keeper.holdings = self.pipeline.holdings
        for row in rows:
            holdings.touch(row.table, *row.key)
        self._take_down(effects)

    async def _news_within(self, seconds: float) -> bool:
        """Wait for news; whether there were any in time."""
        passed = False

        async def alarm() -> None:
            nonlocal passed
            await self._clock.sleep(seconds)
            passed = True
            self._news.set()

        async with asyncio.TaskGroup() as tasks:
            timer = tasks.create_task(alarm())
            await self._news.wait()
            timer.cancel()
        return not passed

    def _admitted(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        known = self.pipeline.holdings.alerts
        room = self.limits.alerts - len(known)
        if len(alerts) <= room:
            return alerts
        taken: list[Alert] = []
        for alert in alerts:
            if fingerprint(alert.labels) in known:
                taken.append(alert)
            elif room > 0:
                taken.append(alert)
                room -= 1
        return taken

    def _take(self, alerts: Sequence[Alert]) -> None:
        self._follow_the_clock()
        self.received += len(alerts)
        self._take_down(self.pipeline.receive(alerts, self.now_ms()))

    def _take_down(self, effects: Sequence[Effect]) -> None:
        self.keeper.note(effects)
        now_ms = self.now_ms()
        reminders = [reminder(one.silence, now_ms) for one in effects if isinstance(one, Remind)]
        if reminders:
            self.keeper.note(self.pipeline.receive(reminders, now_ms))
        self._news.set()

    def _hand_on(self, message: Notify) -> None:
        if self._deliver is None:
            self._undelivered.append(message)
        else:
            self._deliver.send(message)


@asynccontextmanager
async def open_service(
    plan: Plan,
    storage: StateStorage,
    clock: Clock,
    *,
    new_id: Callable[[], str],
    retention_ms: int,
    limits: ServiceLimits | None = None,
) -> AsyncGenerator[AlertingService]:
    """Run the service as long as the block lasts. At its end, what is decided is stored; no message is sent any more.

    Args:
        plan: the configuration.
        storage: where its state is.
        clock: the time.
        new_id: makes ids of silences.
        retention_ms: how long ended silences and the notification log are kept.
        limits: its bounds.

    Raises:
        StorageError: the state cannot be read.
    """

    def build(wanted: Plan) -> Pipeline:
        return Pipeline(wanted, new_id=new_id, retention_ms=retention_ms)

    service = AlertingService(build, plan, storage, clock, limits or ServiceLimits())
    service.restore(await storage.load())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(service.run())
        tasks.create_task(service.keeper.run())
        try:
            yield service
        finally:
            running.cancel()
            service.keeper.end()
    service.deliver_by(None)
    try:
        async with asyncio.timeout(_LAST_FLUSH_S):
            await service.keeper.flush()
    except TimeoutError:
        log.error("what alerting did could not be stored before the end")  # noqa: TRY400 - the place says it all


def _is_readable(row: Row) -> bool:
    try:
        decode(row)
    except (ValueError, KeyError, TypeError):
        return False
    return True
