"""From a rule or a post to a message at a receiver, with a whole server: kills in between, commands, questions."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.receivers import ReceiverServer, Reply, serve_receiver
from harness.vedette_server import PATIENCE_S, QUIET, VEDETTE, Servers, VedetteServer, eventually

ROUTES = (
    QUIET
    + """
alertmanager:
  route: {receiver: team, group_by: [alertname], group_wait: GROUP_WAIT, group_interval: 1s}
  receivers:
  - name: team
    webhook_configs: [{url: 'URL/hook'}]
"""
)


def routes(receiver: ReceiverServer, *, group_wait: str = "0s") -> str:
    return ROUTES.replace("URL", receiver.url).replace("GROUP_WAIT", group_wait)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.kill()


def alert(name: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, **labels}, "annotations": {"summary": f"{name} is there"}}


def post(server: VedetteServer, *alerts: dict[str, Any]) -> None:
    answer = server.client.post("/api/v2/alerts", json=list(alerts))
    assert answer.status_code == 200, answer.text


def cli(server: VedetteServer, *words: str, code: int = 0) -> Any:
    command = [str(VEDETTE), *words, "--data", str(server.data_dir), "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout or done.stderr)


async def told(receiver: ReceiverServer, count: int = 1) -> list[Any]:
    """What came, once so many messages have come."""
    async with asyncio.timeout(PATIENCE_S):
        return [one.json for one in await receiver.wait_for(count)]


async def test_a_rule_that_fires_is_told_to_the_receiver(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1), labels: {severity: info}}]}]\n"
    )
    async with serve_receiver() as receiver:
        server = await asyncio.to_thread(servers.start, f"{routes(receiver)}\nrule_files: [rules.yml]\n")
        (message, *_) = await told(receiver)

        assert message["groupLabels"] == {"alertname": "Always"}
        assert message["alerts"][0]["labels"]["severity"] == "info"
        assert message["status"] == "firing"
        await asyncio.to_thread(server.stop)


async def test_an_alert_that_was_acknowledged_is_told_although_the_server_is_killed_first(servers: Servers) -> None:
    async with serve_receiver() as receiver:
        server = await asyncio.to_thread(servers.start, routes(receiver, group_wait="5s"))
        post(server, alert("Down"))
        server.kill()
        assert receiver.sent == []

        await asyncio.to_thread(server.start)
        (message, *_) = await told(receiver)

        assert message["alerts"][0]["labels"] == {"alertname": "Down"}
        await asyncio.to_thread(server.stop)


async def test_a_kill_while_a_message_is_on_its_way_repeats_it_at_most_once(servers: Servers) -> None:
    async with serve_receiver() as receiver:
        receiver.stall()
        server = await asyncio.to_thread(servers.start, routes(receiver))
        post(server, alert("Down"))
        await told(receiver)
        server.kill()
        receiver.released.set()
        receiver.answer(Reply())

        await asyncio.to_thread(server.start)
        await told(receiver, 2)
        await asyncio.to_thread(eventually, lambda: _attempts(server, ok=True))
        server.kill()
        await asyncio.to_thread(server.start)
        post(server, alert("Later"))
        messages = await told(receiver, 3)

        names = [message["groupLabels"]["alertname"] for message in messages]
        assert names == ["Down", "Down", "Later"]
        await asyncio.to_thread(server.stop)


async def test_the_commands_tell_why(servers: Servers) -> None:
    async with serve_receiver() as receiver:
        config = routes(receiver).replace("group_interval: 1s", "group_interval: 1h")
        server = await asyncio.to_thread(servers.start, config)

        def silence_and_ask() -> None:
            made = cli(server, "silence", "add", "service=web", "-d", "2h", "-c", "mending", "--author", "ann")
            post(server, alert("Down", service="web"), alert("Full", service="db"))
            eventually(lambda: _attempts(server, ok=True))
            (silenced,) = cli(server, "alerts", "explain", "Down")
            (sent,) = cli(server, "alerts", "explain", "alertname=Full", "--receiver", "team")

            assert not silenced["told"]
            assert [one["verdict"] for one in silenced["decisions"]] == ["silenced"]
            assert silenced["decisions"][0]["by"] == [made["id"]]
            assert sent["told"]
            assert [one["verdict"] for one in sent["decisions"]] == ["sent"]
            message = sent["decisions"][0]["message"]
            chain = server.get(f"/api/vedette/v1/notifications/{message}").json()["data"]
            assert [one["verdict"] for one in chain["decisions"]] == ["fired", "waiting", "sending", "sent"]
            assert chain["attempts"][0]["ok"]

            (listed,) = cli(server, "silence", "list")
            assert listed["comment"] == "mending"
            assert [one["labels"]["alertname"] for one in cli(server, "alerts", "list")] == ["Full"]
            cli(server, "silence", "edit", made["id"], "-c", "still mending")
            cli(server, "silence", "expire", made["id"])
            assert cli(server, "silence", "list") == []
            judged = {one["alertname"]: one for one in cli(server, "alerts", "quality")}
            assert (judged["Down"]["silenced"], judged["Full"]["told"]) == (1, 1)
            cli(server, "alerts", "explain", "NeverThere", code=1)
            cli(server, "silence", "expire", "00000000-0000-0000-0000-000000000000", code=1)

        await asyncio.to_thread(silence_and_ask)
        await asyncio.to_thread(server.stop)


async def test_the_commands_show_routes_and_send_test_messages(servers: Servers) -> None:
    async with serve_receiver() as receiver:
        server = await asyncio.to_thread(servers.start, routes(receiver))

        def ask() -> None:
            assert [one["receiver"] for one in cli(server, "routes", "show")] == ["team"]
            assert cli(server, "routes", "test", "alertname=X", "--expect", "team")["receivers"] == ["team"]
            cli(server, "routes", "test", "alertname=X", "--expect", "other", code=1)
            attempts = cli(server, "notify", "test", "team")
            assert [one["ok"] for one in attempts] == [True, True]
            cli(server, "notify", "test", "nobody-knows", code=1)

        await asyncio.to_thread(ask)
        messages = [one.json for one in receiver.sent]
        assert [one["status"] for one in messages] == ["firing", "resolved"]
        await asyncio.to_thread(server.stop)


async def test_what_another_program_posts_in_its_own_form_is_told(servers: Servers) -> None:
    hook = "alerts: {webhooks: [{name: kuma, format: uptime_kuma, labels: {team: web}}]}"
    body = {"heartbeat": {"status": 0, "msg": "timeout"}, "monitor": {"name": "shop"}, "msg": "shop is down"}
    async with serve_receiver() as receiver:
        server = await asyncio.to_thread(servers.start, f"{routes(receiver)}\n{hook}\n")
        answer = server.client.post("/api/vedette/v1/alerts/webhook/kuma", json=body)
        nowhere = server.client.post("/api/vedette/v1/alerts/webhook/other", json=body)

        (message, *_) = await told(receiver)

        assert answer.json()["data"] == {"alerts": 1}
        assert nowhere.status_code == 404
        assert message["commonLabels"] == {"alertname": "Monitor down", "monitor": "shop", "team": "web"}
        await asyncio.to_thread(server.stop)


async def test_a_heartbeat_that_stops_is_told_and_so_is_its_return(servers: Servers) -> None:
    beats = "alerts: {heartbeats: [{name: backup, interval: 1s, grace: 1s, labels: {severity: critical}}]}"
    async with serve_receiver() as receiver:
        server = await asyncio.to_thread(servers.start, f"{routes(receiver)}\n{beats}\n")
        called = server.client.post("/api/vedette/v1/heartbeats/backup")
        unknown = server.client.post("/api/vedette/v1/heartbeats/other")
        (missed, *_) = await told(receiver)
        server.kill()
        await asyncio.to_thread(server.start)
        server.client.post("/api/vedette/v1/heartbeats/backup")

        messages = await asyncio.to_thread(eventually, lambda: _told_as(receiver, "resolved"))

        assert (called.status_code, unknown.status_code) == (200, 404)
        assert missed["commonLabels"] == {"alertname": "HeartbeatMissed", "heartbeat": "backup", "severity": "critical"}
        assert messages
        await asyncio.to_thread(server.stop)


async def test_a_reload_sends_to_the_new_address(servers: Servers) -> None:
    async with serve_receiver() as old, serve_receiver() as new:
        server = await asyncio.to_thread(servers.start, routes(old))
        server.configure(routes(new))
        assert server.client.post("/-/reload").status_code == 200
        post(server, alert("Down"))

        (message, *_) = await told(new)

        assert message["alerts"][0]["labels"] == {"alertname": "Down"}
        assert old.sent == []
        await asyncio.to_thread(server.stop)


def _told_as(receiver: ReceiverServer, status: str) -> list[Any]:
    return [one.json for one in receiver.sent if one.json["status"] == status]


def _attempts(server: VedetteServer, *, ok: bool) -> list[Any]:
    found = server.get("/api/vedette/v1/notifications").json()["data"]
    return [one for one in found if one["ok"] is ok]
