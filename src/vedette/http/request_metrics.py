"""Requests as metrics: how many, how they ended, and how long they took."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from vedette.http.access_log import Exchange
from vedette.model.timings import Timings

_BOUNDS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10)


class RequestMetrics(Collector):
    """Told of every request that has ended, by the event loop's thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._durations = Timings(
            "vedette_http_request_duration_seconds", "Time to answer a request.", ["route"], _BOUNDS_S, registry
        )
        # Routes, and the methods and statuses that they have, are few.
        self._requests: dict[tuple[str, str, int], int] = {}
        registry.register(self)

    def __call__(self, exchange: Exchange) -> None:
        """Count it."""
        route = exchange.route or "unknown"
        key = (route, exchange.method, exchange.status)
        self._requests[key] = self._requests.get(key, 0) + 1
        self._durations.of(route).note(exchange.duration_s)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What the registry shows."""
        family = CounterMetricFamily("vedette_http_requests", "Requests answered.", labels=["route", "method", "code"])
        for (route, method, status), count in list(self._requests.items()):
            family.add_metric([route, method, str(status)], count)
        yield family
