"""All Alertmanagers: found by discovery, told of alerts, changed by a reload.

Sections that a reload does not change keep their Alertmanagers and queues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from vedette.collect.discovery import Discoverer, DiscoveryMetrics, TargetGroup, build_discoverers
from vedette.collect.http_client import Fetcher, check_options
from vedette.config import Alertmanager, mask_url
from vedette.ingest.relabel import compile_rules
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.rules.notifier.addresses import Addresses, find_addresses
from vedette.rules.notifier.endpoint import Endpoint, NotifierMetrics
from vedette.rules.outgoing import relabelled

_BATCH: Final = 256
_DRAIN_S: Final = 5.0
"""How long what is queued may take to be sent when the server stops."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PreparedAlertmanagers:
    """What `Notifier.apply` takes over.

    Attributes:
        fresh: by its number, what finds the Alertmanagers of a section that is new.
        capacity: the most alerts in the queue of an Alertmanager that is found from now on.
    """

    sections: tuple[Alertmanager, ...]
    fresh: dict[int, Sequence[Discoverer]]
    capacity: int


class Notifier:
    """An `AlertSink` that sends. `prepare` may fail and changes nothing; `apply` does not fail."""

    def __init__(
        self,
        registry: CollectorRegistry,
        discovery: DiscoveryMetrics,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._metrics = NotifierMetrics(registry)
        self._discovery = discovery
        self._clock = clock
        self._tasks = tasks
        self._capacity = 0
        self._sections: list[_Section] = []

    def prepare(self, configs: Sequence[Alertmanager], *, capacity: int) -> PreparedAlertmanagers:
        """Build what new and changed sections need.

        Raises:
            ValueError: a section's options do not work.
        """
        served = tuple(config for config in configs if config.sigv4 is None)
        known = [section.config for section in self._sections]
        fresh: dict[int, Sequence[Discoverer]] = {}
        for number, config in enumerate(served):
            if config in known:
                known.remove(config)
                continue
            check_options(config)
            fresh[number], _ = build_discoverers(config, f"alertmanagers/{number}", self._discovery)
        return PreparedAlertmanagers(served, fresh, capacity)

    def apply(self, prepared: PreparedAlertmanagers) -> None:
        """Take over what was prepared."""
        before, self._sections = self._sections, []
        self._capacity = prepared.capacity
        self._metrics.capacity.set(self._capacity)
        for number, config in enumerate(prepared.sections):
            if number in prepared.fresh:
                found = prepared.fresh[number]
                section = _Section(config, found, self._metrics, self._clock, lambda: self._capacity, self._count)
                section.task = self._tasks.create_task(section.run())
            else:
                section = next(one for one in before if one.config == config)
                before.remove(section)
            self._sections.append(section)
        for gone in before:
            gone.stop()
        self._count()

    def receive(self, alerts: Sequence[Alert]) -> None:
        """See `AlertSink`."""
        for section in self._sections:
            section.receive(alerts)

    def addresses(self) -> Addresses:
        """All Alertmanagers."""
        found = [section.addresses for section in self._sections]
        return Addresses(
            tuple(url for one in found for url in one.urls), tuple(url for one in found for url in one.dropped)
        )

    async def drain(self) -> None:
        """Give what is queued some time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                for section in self._sections:
                    for endpoint in section.endpoints:
                        await endpoint.drained()

    def stop(self) -> None:
        """End all sending."""
        for section in self._sections:
            section.stop()

    def _count(self) -> None:
        self._metrics.discovered.set(sum(len(section.addresses.urls) for section in self._sections))


class _Section:
    """One entry of `alertmanagers`: like Alertmanagers, found in the same way."""

    def __init__(
        self,
        config: Alertmanager,
        discoverers: Sequence[Discoverer],
        metrics: NotifierMetrics,
        clock: Clock,
        capacity: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self.config = config
        self.addresses = Addresses()
        self.task: asyncio.Task[None] | None = None
        self._discoverers = discoverers
        self._metrics = metrics
        self._clock = clock
        self._capacity = capacity
        self._changed = changed
        self._rules = compile_rules(config.relabel_configs)
        self._alert_rules = compile_rules(config.alert_relabel_configs)
        self._groups: list[dict[str, TargetGroup]] = [{} for _ in discoverers]
        self._found = asyncio.Event()
        self._running: dict[str, tuple[Endpoint, asyncio.Task[None]]] = {}

    @property
    def endpoints(self) -> list[Endpoint]:
        """The Alertmanagers that alerts are sent to."""
        return [endpoint for endpoint, _ in self._running.values()]

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Queue alerts for all of them."""
        shown = relabelled(alerts, self._alert_rules)
        if shown:
            for endpoint in self.endpoints:
                endpoint.put(shown)

    async def run(self) -> None:
        """Find Alertmanagers and send to them, until cancelled."""
        async with Fetcher(self.config) as fetcher, asyncio.TaskGroup() as tasks:
            for number, discoverer in enumerate(self._discoverers):
                tasks.create_task(discoverer.run(self._publisher(number)))
            while True:
                await self._found.wait()
                self._found.clear()
                self._sync(fetcher, tasks)

    def stop(self) -> None:
        """End it."""
        if self.task is not None:
            self.task.cancel()

    def _publisher(self, number: int) -> Callable[[Sequence[TargetGroup]], None]:
        def publish(groups: Sequence[TargetGroup]) -> None:
            for group in groups:
                if group.targets:
                    self._groups[number][group.source] = group
                else:
                    self._groups[number].pop(group.source, None)
            self._found.set()

        return publish

    def _sync(self, fetcher: Fetcher, tasks: asyncio.TaskGroup) -> None:
        groups = [group for found in self._groups for group in found.values()]
        before, self.addresses = self.addresses, find_addresses(groups, self.config, self._rules)
        for problem in sorted(set(self.addresses.problems) - set(before.problems)):
            log.warning("Alertmanager left out", error=problem)
        for url in [url for url in self._running if url not in self.addresses.urls]:
            _, task = self._running.pop(url)
            task.cancel()
        for url in self.addresses.urls:
            if url not in self._running:
                endpoint = Endpoint(
                    url,
                    fetcher,
                    self._metrics,
                    self._clock,
                    timeout_s=self.config.timeout.s,
                    capacity=self._capacity(),
                    batch=_BATCH,
                )
                self._running[url] = endpoint, tasks.create_task(endpoint.run())
                log.info("alerts are sent to an Alertmanager", alertmanager=mask_url(url))
        self._changed()


@asynccontextmanager
async def open_notifier(
    registry: CollectorRegistry, discovery: DiscoveryMetrics, clock: Clock
) -> AsyncGenerator[Notifier]:
    """Send as long as the block lasts, and what is queued then for some seconds more.

    Args:
        registry: for metrics.
        discovery: where discovery is counted.
        clock: the time.
    """
    async with asyncio.TaskGroup() as tasks:
        notifier = Notifier(registry, discovery, clock, tasks)
        try:
            yield notifier
            await notifier.drain()
        finally:
            notifier.stop()
