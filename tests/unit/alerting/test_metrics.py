from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from harness.alerting import NOON_MS, running
from vedette.alerting import Silence
from vedette.alerting.matchers import parse_matchers
from vedette.alerting.metrics import AlertingMetrics

MINUTE = 60_000


async def test_alerts_and_silences_are_counted_by_state() -> None:
    registry = CollectorRegistry()
    async with running() as world:
        metrics = AlertingMetrics(world.service)
        registry.register(metrics)
        for name in ("Down", "Full", "Slow"):
            await world.fire(name)
        await world.service.put_silence(
            Silence(parse_matchers("alertname=Down").matchers, NOON_MS, NOON_MS + MINUTE, "ann", "why")
        )
        metrics.count()

        found = {
            (sample.name, sample.labels.get("state", "")): sample.value
            for family in await asyncio.to_thread(lambda: list(registry.collect()))
            for sample in family.samples
        }

    assert found["alertmanager_alerts", "suppressed"] == 1
    assert found["alertmanager_alerts", "unprocessed"] == 2
    assert found["alertmanager_silences", "active"] == 1
    assert found["vedette_alerts_received_total", ""] == 3
