from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from prometheus_client import CollectorRegistry

from vedette.collect.http_client import Fetcher, FetchError, Response
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.labels import label_set
from vedette.rules.notifier.endpoint import Endpoint, NotifierMetrics

URL = "http://ann:geheim@am:9093/api/v2/alerts"


class Posting:
    """Stands in for HTTP: keeps what is posted, and answers as it is told to."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.posted: list[list[str]] = []

    async def fetch(self, url: str, *, body: bytes, **_options: Any) -> Response:
        answer = self.answers.pop(0) if self.answers else 200
        self.posted.append([alert["labels"]["alertname"] for alert in json.loads(body)])
        if isinstance(answer, Exception):
            raise answer
        return Response(answer, "", {}, b"bad labels\n", url)


def alerts(*names: str) -> list[Alert]:
    return [
        Alert(labels=label_set({"alertname": name}), annotations=(), starts_ms=0, ends_ms=1, updated_ms=0)
        for name in names
    ]


async def told(posting: Posting, *batches: list[Alert], capacity: int = 10, batch: int = 10) -> dict[str, float]:
    """Put alerts, send them, and say what was counted."""
    registry = CollectorRegistry()
    endpoint = Endpoint(
        URL,
        cast("Fetcher", posting),
        NotifierMetrics(registry),
        Clock(),
        timeout_s=1,
        capacity=capacity,
        batch=batch,
    )
    async with asyncio.TaskGroup() as tasks:
        if len(batches) == 1:
            endpoint.put(batches[0])
        sending = tasks.create_task(endpoint.run())
        for one in batches[1:] and batches:
            endpoint.put(one)
            await endpoint.drained()
        await endpoint.drained()
        sending.cancel()
    return {
        sample.name.removeprefix("prometheus_notifications_"): sample.value
        for family in registry.collect()
        for sample in family.samples
        if "alertmanager" in sample.labels and sample.name.endswith(("_total", "_length"))
    }


async def test_alerts_are_sent_in_batches_in_their_order() -> None:
    posting = Posting()

    counts = await told(posting, alerts("a", "b", "c"), batch=2)

    assert posting.posted == [["a", "b"], ["c"]]
    assert counts == {"sent_total": 3, "errors_total": 0, "dropped_total": 0, "queue_length": 0}


async def test_the_oldest_alerts_make_room_in_a_full_queue() -> None:
    posting = Posting()

    counts = await told(posting, alerts("a", "b", "c"), capacity=2)

    assert posting.posted == [["b", "c"]]
    assert counts["dropped_total"] == 1


async def test_what_fails_is_counted_and_the_next_one_is_sent() -> None:
    posting = Posting(FetchError("no route"), 400, RuntimeError("a bug"), 200)

    counts = await told(posting, alerts("a"), alerts("b"), alerts("c"), alerts("d"))

    assert posting.posted == [["a"], ["b"], ["c"], ["d"]]
    assert counts == {"sent_total": 4, "errors_total": 3, "dropped_total": 3, "queue_length": 0}
