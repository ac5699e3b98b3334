"""Alerting at work in the server: its configuration, its state on the disk, and the outbox that delivers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry

from vedette.alerting import AlertingConfig, build_plan, read_alerting
from vedette.alerting.attempts import AttemptLog
from vedette.alerting.delivery import Outbox, open_outbox, outbox_context
from vedette.alerting.heartbeats import KIND, Heartbeats
from vedette.alerting.metrics import AlertingMetrics
from vedette.alerting.service import AlertingService, ServiceLimits, open_service
from vedette.alerting.templates import Library, load_library
from vedette.config import Alerts, Config
from vedette.model.alerts import fingerprint
from vedette.model.clock import Clock
from vedette.model.errors import StorageError
from vedette.store.state import AlertBatch, AlertStore, KeepLimits, StateDatabase, StateRow

_PURGE_EVERY_S = 3600.0
_LOOK_EVERY_S = 1.0
_COUNT_EVERY_S = 5.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class ServedAlerting:
    """The alerting of a server. `prepare` may fail and changes nothing; what it returns takes over, and does not fail.

    Attributes:
        service: the machine at work.
        store: its tables.
        outbox: delivers.
        config: who is told of which alerts.
        settings: bounds of what is remembered.
        heartbeats: jobs that have to call.
    """

    def __init__(
        self,
        service: AlertingService,
        store: AlertStore,
        outbox: Outbox,
        config: AlertingConfig,
        templates: Library,
        settings: Alerts,
        heartbeats: Heartbeats,
        external_url: str,
    ) -> None:
        self.service = service
        self.store = store
        self.outbox = outbox
        self.config = config
        self.settings = settings
        self.heartbeats = heartbeats
        self._external_url = external_url
        self._templates = templates
        self._changed = asyncio.Event()

    async def prepare(self, changed: Config) -> Callable[[], None]:
        """Read what a configuration says about alerts, and its templates.

        Raises:
            ConfigErrors: with everything that is wrong.
        """
        config = await asyncio.to_thread(read_alerting, changed.alertmanager)
        templates = await asyncio.to_thread(load_library, config.file.templates)
        plan = build_plan(config)

        def take_over() -> None:
            # Messages wait until the outbox knows the integrations that they go to.
            self.service.deliver_by(None)
            # A configuration that says the same leaves every group alone.
            if config != self.config:
                self.service.reconfigure(plan)
                _warn(config)
            self.service.receive(self.heartbeats.reconfigure(changed.alerts.heartbeats, self.service.now_ms()))
            self.config, self.settings = config, changed.alerts
            self.service.limits = ServiceLimits(alerts=changed.alerts.max_alerts)
            self._templates = templates
            self._changed.set()

        return take_over

    async def run(self) -> None:
        """Let the outbox follow the configuration, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.outbox.reconfigure(self.config, self._templates, external_url=self._external_url)
            except ValueError as exc:
                log.error("receivers are not reconfigured; they are told as before", error=str(exc))  # noqa: TRY400 - a file's error
            self.service.deliver_by(self.outbox)

    async def beat(self, name: str) -> None:
        """Take note of a heartbeat's call; returns when it is on the disk.

        Raises:
            KeyError: nobody waits for a heartbeat of this name.
            StorageError: it is not on the disk.
        """
        now_ms = self.service.now_ms()
        ended = self.heartbeats.beat(name, now_ms)
        await self.store.commit(AlertBatch([StateRow(KIND, name, str(now_ms))]))
        known = self.service.pipeline.holdings.alerts
        ended = [alert for alert in ended if fingerprint(alert.labels) in known]
        if ended:
            await self.service.post(ended)

    async def watch(self, clock: Clock) -> None:
        """Report heartbeats that are missing, until cancelled."""
        while True:
            await clock.sleep(_LOOK_EVERY_S)
            missing = self.heartbeats.missing(self.service.now_ms())
            if missing:
                self.service.receive(missing)

    async def count(self, metrics: AlertingMetrics, clock: Clock) -> None:
        """Count alerts and silences now and then, until cancelled."""
        while True:
            metrics.count()
            await clock.sleep(_COUNT_EVERY_S)

    async def forget(self, clock: Clock) -> None:
        """Forget what is too old or too much, now and then, until cancelled."""
        while True:
            try:
                await self.store.purge(_keep_limits(self.settings), now_ms=clock.now_ms())
            except StorageError as exc:
                log.warning("old alerts are not forgotten", error=str(exc), retry_in_s=_PURGE_EVERY_S)
            await clock.sleep(_PURGE_EVERY_S)


@asynccontextmanager
async def open_alerting(
    alerting: AlertingConfig,
    templates: Library,
    config: Config,
    *,
    state: StateDatabase,
    external_url: str,
    registry: CollectorRegistry,
    clock: Clock,
) -> AsyncGenerator[ServedAlerting]:
    """Route alerts and deliver messages as long as the block lasts.

    At the end the outbox closes first, and what it reports on the way is stored.

    Raises:
        StorageError: the state cannot be read.
        ValueError: HTTP options of an integration cannot be used.
    """
    store = AlertStore(state)
    opened = open_service(
        build_plan(alerting),
        store,
        clock,
        new_id=lambda: str(uuid.uuid4()),
        retention_ms=config.alerts.retention.ms,
        limits=ServiceLimits(alerts=config.alerts.max_alerts),
    )
    _warn(alerting)
    async with opened as service:

        def report(message: int, error: str) -> None:
            service.report(message, error=error)

        context = outbox_context(
            report, registry, attempts=AttemptLog(service), limits=config.alerts.delivery, clock=clock
        )
        async with open_outbox(context, alerting, templates, external_url=external_url) as outbox:
            last = {row.name: int(row.content or 0) for row in await store.load(KIND)}
            heartbeats = Heartbeats(config.alerts.heartbeats, last, service.now_ms())
            served = ServedAlerting(
                service, store, outbox, alerting, templates, config.alerts, heartbeats, external_url
            )
            metrics = AlertingMetrics(service)
            registry.register(metrics)
            service.deliver_by(outbox)
            async with asyncio.TaskGroup() as tasks:
                work = (served.run(), served.forget(clock), served.watch(clock), served.count(metrics, clock))
                running = [tasks.create_task(one) for one in work]
                try:
                    yield served
                finally:
                    for task in running:
                        task.cancel()


def _warn(config: AlertingConfig) -> None:
    for warning in config.warnings:
        log.warning("configuration", at=str(warning.at), warning=warning.text)


def _keep_limits(settings: Alerts) -> KeepLimits:
    return KeepLimits(
        history_ms=settings.history.ms,
        history_rows=settings.history_records,
        attempts_ms=settings.attempts.ms,
        attempts_rows=settings.attempts_records,
    )
