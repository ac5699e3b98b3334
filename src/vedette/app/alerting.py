"""Alerting at work in the server: its configuration, its state on the disk, and who delivers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry

from vedette.alerting import AlertingConfig, build_plan, read_alerting
from vedette.alerting.metrics import AlertingMetrics
from vedette.alerting.service import AlertingService, ServiceLimits, open_service
from vedette.alerting.undelivered import Undelivered
from vedette.config import Alerts, Config
from vedette.model.clock import Clock
from vedette.model.errors import StorageError
from vedette.store.state import AlertStore, KeepLimits, StateDatabase

_PURGE_EVERY_S = 3600.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class ServedAlerting:
    """The alerting of a server. `prepare` may fail and changes nothing; what it returns takes over, and does not fail.

    Attributes:
        service: the machine at work.
        store: its tables.
        config: who is told of which alerts.
        settings: bounds of what is remembered.
    """

    def __init__(self, service: AlertingService, store: AlertStore, config: AlertingConfig, settings: Alerts) -> None:
        self.service = service
        self.store = store
        self.config = config
        self.settings = settings

    def prepare(self, changed: Config) -> Callable[[], None]:
        """Read what a configuration says about alerts.

        Raises:
            ConfigErrors: with everything that is wrong.
        """
        config = read_alerting(changed.alertmanager)
        plan = build_plan(config)

        def take_over() -> None:
            # A configuration that says the same leaves every group alone.
            if config != self.config:
                self.service.reconfigure(plan)
                warn(config)
            self.config, self.settings = config, changed.alerts
            self.service.limits = ServiceLimits(alerts=changed.alerts.max_alerts)

        return take_over

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
    alerting: AlertingConfig, config: Config, *, state: StateDatabase, registry: CollectorRegistry, clock: Clock
) -> AsyncGenerator[ServedAlerting]:
    """Route alerts as long as the block lasts.

    Raises:
        StorageError: the state cannot be read.
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
    warn(alerting)
    async with opened as service:
        served = ServedAlerting(service, store, alerting, config.alerts)
        registry.register(AlertingMetrics(service))
        service.deliver_by(Undelivered(service.report))
        async with asyncio.TaskGroup() as tasks:
            forgetting = tasks.create_task(served.forget(clock))
            try:
                yield served
            finally:
                forgetting.cancel()


def warn(config: AlertingConfig) -> None:
    """Say what has no effect."""
    for warning in config.warnings:
        log.warning("configuration", at=str(warning.at), warning=warning.text)


def _keep_limits(settings: Alerts) -> KeepLimits:
    return KeepLimits(
        history_ms=settings.history.ms,
        history_rows=settings.history_records,
        attempts_ms=settings.attempts.ms,
        attempts_rows=settings.attempts_records,
    )
