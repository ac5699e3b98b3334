"""One Alertmanager: a bounded queue, and who empties it.

Each has a queue of its own, so that one that does not answer keeps nobody else waiting. When a queue is full its oldest
alerts make room: rules send what still fires again and again. What one could not take is not repeated here for the same
reason; it is counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Summary

from vedette.collect.http_client import Fetcher, FetchError
from vedette.config import mask_url
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.errors import LimitExceededError
from vedette.rules.notifier.message import encode_alerts

_ANSWER_BYTES: Final = 65_536
_SHOWN: Final = 200

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class NotifierMetrics:
    """How sending goes, under Prometheus' names; those by Alertmanager have the label `alertmanager`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        label = ["alertmanager"]

        def counter(name: str, text: str) -> Counter:
            return Counter(f"prometheus_notifications_{name}", text, label, registry=registry)

        self.latency = Summary(
            "prometheus_notifications_latency_seconds", "How long sending took.", label, registry=registry
        )
        self.sent = counter("sent", "Alerts sent.")
        self.errors = counter("errors", "Alerts that an Alertmanager did not take.")
        self.dropped = counter("dropped", "Alerts dropped: the queue was full, or sending failed.")
        self.queued = Gauge("prometheus_notifications_queue_length", "Alerts queued.", label, registry=registry)
        self.capacity = Gauge(
            "prometheus_notifications_queue_capacity", "The capacity of each queue.", registry=registry
        )
        self.discovered = Gauge(
            "prometheus_notifications_alertmanagers_discovered", "Alertmanagers that alerts go to.", registry=registry
        )


class Endpoint:
    """One Alertmanager. `run` it; `put` may be called at any time from the event loop's thread."""

    def __init__(
        self,
        url: str,
        fetcher: Fetcher,
        metrics: NotifierMetrics,
        clock: Clock,
        *,
        timeout_s: float,
        capacity: int,
        batch: int,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            url: where alerts are posted.
            fetcher: with its credentials.
            metrics: of all Alertmanagers.
            clock: the time.
            timeout_s: the longest that a request may take.
            capacity: the most alerts in the queue.
            batch: the most alerts of a request.
        """
        self.url = url
        self._name = mask_url(url)
        self._fetcher = fetcher
        self._clock = clock
        self._timeout_s = timeout_s
        self._capacity = capacity
        self._batch = batch
        self._queue: deque[Alert] = deque()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._problem = ""
        self._latency = metrics.latency.labels(self._name)
        self._sent = metrics.sent.labels(self._name)
        self._errors = metrics.errors.labels(self._name)
        self._dropped = metrics.dropped.labels(self._name)
        self._queued = metrics.queued.labels(self._name)

    def put(self, alerts: Sequence[Alert]) -> None:
        """Queue alerts; older ones make room."""
        self._queue.extend(alerts)
        over = len(self._queue) - self._capacity
        if over > 0:
            for _ in range(over):
                self._queue.popleft()
            self._dropped.inc(over)
            self._complain(f"the queue of {self._capacity} alerts is full; the oldest are dropped")
        self._note()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._filled.wait()
            batch = [self._queue.popleft() for _ in range(min(self._batch, len(self._queue)))]
            await self._send(batch)
            self._note()

    async def drained(self) -> None:
        """Return once everything has been sent, or could not be."""
        await self._emptied.wait()

    def _note(self) -> None:
        self._queued.set(len(self._queue))
        if self._queue:
            self._filled.set()
            self._emptied.clear()
        else:
            self._filled.clear()
            self._emptied.set()

    async def _send(self, alerts: Sequence[Alert]) -> None:
        self._emptied.clear()
        started_s = self._clock.monotonic_s()
        try:
            answer = await self._fetcher.fetch(
                self.url,
                method="POST",
                timeout_s=self._timeout_s,
                body_bytes_limit=_ANSWER_BYTES,
                headers={"Content-Type": "application/json"},
                body=encode_alerts(alerts),
            )
            problem = ""
            if answer.status // 100 != 2:
                text = answer.body[:_SHOWN].decode("utf-8", "replace").strip()
                problem = f"answered {answer.status}: {text}"
        except (FetchError, LimitExceededError) as exc:
            problem = str(exc)
        except Exception as exc:  # a request is a unit of failure
            log.exception("sending alerts failed unexpectedly", alertmanager=self._name)
            problem = f"{type(exc).__name__}: {exc}"
        self._latency.observe(self._clock.monotonic_s() - started_s)
        self._sent.inc(len(alerts))
        if problem:
            self._errors.inc(len(alerts))
            self._dropped.inc(len(alerts))
            self._complain(problem)
        elif self._problem:
            self._problem = ""
            log.info("alerts are sent again", alertmanager=self._name)

    def _complain(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("sending alerts failed", alertmanager=self._name, error=problem)
