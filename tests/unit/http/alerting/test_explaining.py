"""Vedette's own endpoints about alerts, without a server around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from harness.alerting import NOON_MS, TEAM, Running, running, settle
from vedette.alerting.stories import Stories
from vedette.config import AlertWebhook, WebhookFormat
from vedette.http.alerting import AlertingApi, alerting_router
from vedette.http.testing.site import open_site
from vedette.store.state import AlertBatch, AlertStore, open_state

MINUTE = 60_000
HOOKS = (AlertWebhook(name="grafana", format=WebhookFormat.GRAFANA),)


@asynccontextmanager
async def asked(folder: Path, world: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the endpoints, over what the service has written so far."""
    await settle()

    async def beat(name: str) -> None:
        if name != "backup":
            raise KeyError(name)

    async with open_state(folder / "past.db") as database:
        store = AlertStore(database)
        await store.commit(AlertBatch(history=world.disk.history, labels=list(world.disk.labels.values())))
        api = AlertingApi(world.service, Stories(store), cast("Any", None), world.service.now_ms, lambda: HOOKS, beat)
        async with (
            open_site(folder, [alerting_router(api)]) as site,
            httpx.AsyncClient(base_url=site.url, headers={"Authorization": f"Bearer {site.local_token}"}) as client,
        ):
            yield client


async def data(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"/api/vedette/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_an_alert_is_explained_for_a_time_and_a_receiver(tmp_path: Path) -> None:
    async with running(TEAM) as world:
        await world.fire("Down", service="web")
        await world.hand.pass_time(MINUTE)
        world.deliver_all()
        async with asked(tmp_path, world) as client:
            (now,) = await data(client, "alerts/explain", filter="service=web")
            (then,) = await data(client, "alerts/explain", filter="service=web", time=str(NOON_MS / 1000 + 1))
            (before,) = await data(client, "alerts/explain", fingerprint=now["fingerprint"], time="1000000")
            (other,) = await data(client, "alerts/explain", filter="service=web", receiver="other")

    assert (now["told"], now["answer"]) == (True, "firing; told to team/webhook[0]")
    assert (then["told"], then["answer"]) == (False, "firing; nobody was told")
    assert before["answer"] == "it was not known by then"
    assert other["answer"] == "no route of it led to other"


async def test_history_is_told_in_order_with_sentences(tmp_path: Path) -> None:
    async with running(TEAM) as world:
        await world.fire("Down")
        await world.hand.pass_time(MINUTE)
        async with asked(tmp_path, world) as client:
            found = await data(client, "alerts/history", filter='alertname="Down"')

    assert [one["verdict"] for one in found] == ["fired", "waiting", "sending"]
    assert found[0]["labels"] == {"alertname": "Down"}
    assert found[0]["sentence"].startswith("2027-01-15 12:00:00Z fired")


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        pytest.param("GET", "alerts/explain?filter=%7B", 400, "brace", id="a matcher that is none"),
        pytest.param("GET", "alerts/explain?time=soon", 400, "soon", id="a time that is none"),
        pytest.param("GET", "alerts/explain?fingerprint=abc", 404, "history", id="an alert that is not known"),
        pytest.param("GET", "alerts/explain?limit=0", 400, "limit", id="no alerts at all"),
        pytest.param("GET", "alerts/quality?zone=Mars", 400, "time zone", id="a zone that is none"),
        pytest.param("GET", "alerts/quality?zone=../../etc/passwd", 400, "time zone", id="a zone that is a path"),
        pytest.param("GET", "notifications/abc", 400, "whole number", id="a message that is no number"),
        pytest.param("GET", "notifications/7", 404, "no message", id="a message that is not known"),
        pytest.param("GET", "routes/test?label=x", 400, "name=value", id="a label without a value"),
        pytest.param("POST", "alerts/webhook/other", 404, "alerts.webhooks", id="a webhook that is not there"),
        pytest.param(
            "POST", "alerts/webhook/grafana", 400, "grafana: the body is no JSON", id="a webhook without JSON"
        ),
        pytest.param("POST", "heartbeats/other", 404, "alerts.heartbeats", id="a heartbeat that nobody waits for"),
    ],
)
async def test_what_is_wrong_is_refused_with_the_reason(
    tmp_path: Path, method: str, path: str, status: int, said: str
) -> None:
    async with running(TEAM) as world, asked(tmp_path, world) as client:
        answer = await client.request(method, f"/api/vedette/v1/{path}")

    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]
