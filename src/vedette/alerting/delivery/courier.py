"""Carries messages to one integration: tries, waits, tries again, and gives up in time.

Each integration has a courier of its own, so that one that fails or stalls delays no other. A message is tried until
its group is looked at next (`Notify.give_up_ms`); it is then decided anew, with what has changed meanwhile. Messages
wait in line for one of a few places, and leave their place while they pause; what a receiver asks for by
`Retry-After` holds for all messages to it.

Source: Alertmanager's `notify.RetryStage`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from vedette.alerting.delivery.attempts import Attempt, Attempts, Exchange
from vedette.alerting.delivery.faults import DeliveryError, Reason
from vedette.alerting.delivery.line import Line
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.metrics import DeliveryMetrics
from vedette.alerting.delivery.pauses import pause_s
from vedette.alerting.notification_log import Address
from vedette.alerting.records import Notify
from vedette.config.delivery import DeliverySettings
from vedette.model.clock import Clock

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

Report = Callable[[int, str], None]
"""Takes note of what became of a message: its id, and the error or an empty text."""


@dataclass(frozen=True, slots=True, eq=False)
class Office:
    """What all couriers share.

    Attributes:
        limits: how long to wait, how much at a time.
        clock: the time.
        chance: in [0, 1): spreads pauses.
        message: makes a message of what was decided, with the templates as they are now.
        report: takes note of what became of messages.
        attempts: keeps attempts.
        metrics: counts.
    """

    limits: DeliverySettings
    clock: Clock
    chance: Callable[[], float]
    message: Callable[[Notify], Message]
    report: Report
    attempts: Attempts
    metrics: DeliveryMetrics


class Courier:
    """Carries messages to one integration."""

    def __init__(self, address: Address, line: Line, office: Office) -> None:
        self.address = address
        self._line: Line | None = line
        self._office = office
        self._places = asyncio.Semaphore(office.limits.at_once)
        self._open_s = 0.0
        self._metrics = office.metrics.of(address)
        self._waiting = 0
        self._trying: set[asyncio.Task[object] | None] = set()
        self._stopping = False

    @property
    def line(self) -> Line | None:
        """The integration as it is now; None once it is no longer in the configuration."""
        return self._line

    async def use(self, line: Line | None) -> None:
        """Go on with other settings: what waits is sent with them, or given back where there are none."""
        old, self._line = self._line, line
        self._open_s = 0.0
        if old is not None:
            await old.retire()

    def stop(self) -> set[asyncio.Task[object] | None]:
        """Begin no more attempts; the tasks that make one now."""
        self._stopping = True
        return set(self._trying)

    async def close(self) -> None:
        """Let go of connections and metrics, when nothing is on its way any more."""
        await self.use(None)
        self._metrics.forget()

    def take(self) -> bool:
        """Whether there is room for another message; then it has to be carried."""
        if self._waiting >= self._office.limits.waiting:
            self._metrics.notifications.inc()
            self._metrics.failed(Reason.OTHER)
            return False
        self._waiting += 1
        self._metrics.waiting.inc()
        return True

    async def carry(self, notify: Notify) -> None:
        """Deliver a message, and report what became of it."""
        clock = self._office.clock
        # The wall clock may be set meanwhile; how long to try must not depend on it.
        deadline_s = clock.monotonic_s() + (notify.give_up_ms - clock.now_ms()) / 1000
        self._metrics.notifications.inc()
        try:
            fault, tries = await self._try_until(deadline_s, notify)
        finally:
            self._waiting -= 1
            self._metrics.waiting.dec()
        if fault is not None and self._stopping:
            return  # it is not known to be sent, and made again after the next start
        if fault is not None:
            self._metrics.failed(fault.reason)
            kind = "after" if fault.permanent else "gave up after"
            error = f"{fault.problem} ({kind} {tries} attempts)" if tries > 1 else fault.problem
            log.warning("notification not delivered", to=str(self.address), group=notify.group_key, error=error)
            self._office.report(notify.id, error)
            return
        if tries > 1:
            log.info("notification delivered", to=str(self.address), group=notify.group_key, attempts=tries)
        self._office.report(notify.id, "")

    async def attempt(
        self, notify: Notify, line: Line, number: int, *, timeout_s: float
    ) -> tuple[Attempt, DeliveryError | None]:
        """Try once, and keep a record of it; the record, and why it failed.

        Args:
            notify: the message.
            line: the integration.
            number: which attempt it is.
            timeout_s: how long it may take.
        """
        office = self._office
        at_ms, begun_s = office.clock.now_ms(), office.clock.monotonic_s()
        exchange = Exchange(kept_bytes=office.limits.kept_body_size.bytes)
        task = asyncio.current_task()
        self._trying.add(task)
        try:
            with line.in_use():
                fault = await self._send(notify, line, exchange, timeout_s)
        finally:
            self._trying.discard(task)
            await line.close_if_idle()
        took_s = office.clock.monotonic_s() - begun_s
        error = line.redactor.clean(fault.problem) if fault is not None else ""
        self._metrics.requests.inc()
        self._metrics.latency.observe(took_s)
        if fault is not None:
            self._metrics.requests_failed.inc()
            reason, retry_s = fault.reason, fault.retry_after_s
            fault = DeliveryError(error, permanent=fault.permanent, reason=reason, retry_after_s=retry_s)
        attempt = Attempt(
            message=notify.id,
            address=self.address,
            group_key=notify.group_key,
            reason=str(notify.reason or notify.form) if notify.id else "test",
            number=number,
            at_ms=at_ms,
            latency_ms=round(took_s * 1000),
            status=exchange.status,
            error=error,
            permanent=fault is not None and fault.permanent,
            note=line.redactor.clean(exchange.note),
            body_bytes=exchange.body_bytes,
            body=exchange.body(line.redactor.clean),
        )
        office.attempts.record(attempt)
        return attempt, fault

    async def _try_until(self, deadline_s: float, notify: Notify) -> tuple[DeliveryError | None, int]:
        """Try until it works, cannot work, or the time is over: the last failure, and how many attempts there were."""
        limits, clock = self._office.limits, self._office.clock
        fault: DeliveryError | None = None
        tries = 0
        while True:
            async with self._places:
                line = self._line
                if line is None:
                    return DeliveryError("the integration is no longer in the configuration", permanent=True), tries
                if max(self._open_s, clock.monotonic_s()) >= deadline_s:
                    return fault or self._too_late(), tries
                if (left_s := self._open_s - clock.monotonic_s()) > 0:
                    await clock.sleep(left_s)
                    continue
                tries += 1
                left_s = deadline_s - clock.monotonic_s()
                _, fault = await self.attempt(notify, line, tries, timeout_s=min(line.timeout_s, left_s))
            if fault is None or fault.permanent or self._stopping:
                return fault, tries
            if tries == 1:
                log.info("notification delayed", to=str(self.address), group=notify.group_key, error=fault.problem)
            now_s = clock.monotonic_s()
            if fault.retry_after_s:
                self._open_s = max(self._open_s, now_s + fault.retry_after_s)
            pause = pause_s(tries, self._office.chance(), min_s=limits.min_backoff.s, max_s=limits.max_backoff.s)
            if now_s + max(pause, fault.retry_after_s) >= deadline_s:
                return fault, tries
            await clock.sleep(pause)

    def _too_late(self) -> DeliveryError:
        """Why a message was not tried at all."""
        if self._open_s > self._office.clock.monotonic_s():
            return DeliveryError("the receiver has asked not to be called for longer", reason=Reason.RATE_LIMITED)
        return DeliveryError(
            "its time was over before it was its turn: too many messages wait", reason=Reason.DEADLINE_EXCEEDED
        )

    async def _send(self, notify: Notify, line: Line, exchange: Exchange, timeout_s: float) -> DeliveryError | None:
        timer = asyncio.timeout(timeout_s)
        try:
            async with timer:
                send = await asyncio.to_thread(lambda: line.sender.compose(self._office.message(notify)))
                await send(exchange)
        except DeliveryError as exc:
            return exc
        except TimeoutError:
            if not timer.expired():
                log.exception("notification failed", to=str(self.address))
                return DeliveryError("a time-out that nobody expected")
            return DeliveryError(f"no answer within {timeout_s:.3g} s", reason=Reason.DEADLINE_EXCEEDED)
        except Exception:  # an integration is a unit of failure: it must not end the others
            log.exception("notification failed", to=str(self.address))
            return DeliveryError("an error in Vedette itself; its log has the details")
        return None
