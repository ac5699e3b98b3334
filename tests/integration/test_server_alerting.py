"""Alerting of a whole server: amtool and a Prometheus against it, reloads, restarts and kills."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

ROUTES = f"""{QUIET}
alertmanager:
  global: {{smtp_smarthost: 'mail.example.org:25', smtp_from: a@example.org, smtp_auth_password: hunter2}}
  route:
    receiver: team
    group_by: [alertname]
    group_wait: 1h
    routes:
    - matchers: [severity="critical"]
      receiver: pager
  receivers:
  - name: team
    email_configs: [{{to: team@example.org}}]
  - name: pager
    webhook_configs: [{{url: 'http://127.0.0.1:9/secret'}}]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    server = VedetteServer(tmp_path_factory.mktemp("alerting") / "data", ROUTES)
    try:
        yield server.start()
        server.stop()
    finally:
        server.kill()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.kill()


class Amtool:
    """Debian's amtool against a server."""

    def __init__(self, server: VedetteServer, folder: Path) -> None:
        binary = shutil.which("amtool")
        if binary is None:
            pytest.skip("there is no `amtool` on the path (Debian: apt install prometheus-alertmanager)")
        access = folder / "http.yml"
        access.write_text(f"authorization: {{type: Bearer, credentials: '{server.token}'}}\n")
        self._options = [f"--alertmanager.url={server.url}", f"--http.config.file={access}"]
        self._binary = binary
        self.folder = folder

    def __call__(self, *words: str, code: int = 0) -> str:
        done = subprocess.run([self._binary, *self._options, *words], capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self("--output=json", *words))


@pytest.fixture
def amtool(server: VedetteServer, tmp_path: Path) -> Amtool:
    return Amtool(server, tmp_path)


def names(alerts: Any) -> list[str]:
    return sorted(alert["labels"]["alertname"] for alert in alerts)


class TestAmtool:
    def test_adds_and_queries_alerts(self, amtool: Amtool) -> None:
        amtool("alert", "add", "Added", "severity=critical", "team=amtool-add", "--annotation=summary=it is added")
        amtool("alert", "add", "AddedToo", "team=amtool-add")

        assert names(amtool.json("alert", "query", "team=amtool-add")) == ["Added", "AddedToo"]
        assert names(amtool.json("alert", "query", 'alertname=~"Added.+"', "team=amtool-add")) == ["AddedToo"]
        assert names(amtool.json("alert", "query", "--receiver=pager", "team=amtool-add")) == ["Added"]
        assert "Added" in amtool("alert", "query", "team=amtool-add")

    def test_silences_queries_changes_and_ends(self, amtool: Amtool) -> None:
        amtool("alert", "add", "Quiet", "team=amtool-silence")
        made = amtool(
            "silence",
            "add",
            "team=amtool-silence",
            'alertname=~"Qui.*"',
            "--comment=why",
            "--author=ann",
            "--duration=1h",
        ).strip()

        (shown,) = amtool.json("silence", "query", "team=amtool-silence")
        assert shown["id"] == made
        assert shown["createdBy"] == "ann"
        assert names(amtool.json("alert", "query", "--silenced", "team=amtool-silence")) == ["Quiet"]
        assert names(amtool.json("alert", "query", "team=amtool-silence")) == []

        changed = amtool("silence", "update", "--comment=because", "--duration=2h", made)
        assert made in changed
        (shown,) = amtool.json("silence", "query", "team=amtool-silence")
        assert shown["comment"] == "because"

        amtool("silence", "expire", made)
        assert amtool.json("silence", "query", "team=amtool-silence") == []
        assert len(amtool.json("silence", "query", "--expired", "team=amtool-silence")) == 1
        assert names(amtool.json("alert", "query", "team=amtool-silence")) == ["Quiet"]

    def test_imports_silences(self, amtool: Amtool) -> None:
        end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        silence = {
            "matchers": [{"name": "team", "value": "amtool-import", "isRegex": False, "isEqual": True}],
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": end,
            "createdBy": "ann",
            "comment": "why",
        }
        (amtool.folder / "silences.json").write_text(json.dumps([silence, {**silence, "comment": "again"}]))

        amtool("silence", "import", str(amtool.folder / "silences.json"))

        assert len(amtool.json("silence", "query", "team=amtool-import")) == 2

    def test_is_told_why_a_silence_is_refused(self, amtool: Amtool) -> None:
        said = amtool("silence", "expire", "00000000-0000-0000-0000-000000000000", code=1)

        assert "404" in said or "not found" in said.lower()

    def test_shows_the_configuration_without_secrets_and_takes_it_back(self, amtool: Amtool) -> None:
        shown = amtool("config", "show")
        (amtool.folder / "shown.yml").write_text(shown)

        assert "hunter2" not in shown
        assert "127.0.0.1:9/secret" not in shown
        assert "SUCCESS" in amtool("check-config", str(amtool.folder / "shown.yml"))
        assert "pager" in amtool("config", "routes", "test", "severity=critical")
        assert "team" in amtool("config", "routes", "test", "severity=info")

    def test_shows_the_state_of_the_cluster(self, amtool: Amtool) -> None:
        assert "disabled" in amtool("cluster", "show")


def alert(name: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, **labels}, "annotations": {"summary": f"{name} is there"}}


def post(server: VedetteServer, *alerts: dict[str, Any]) -> None:
    answer = server.client.post("/api/v2/alerts", json=list(alerts))
    assert answer.status_code == 200, answer.text


def shown(server: VedetteServer, **parameters: str) -> list[str]:
    return names(server.get("/api/v2/alerts", **parameters).json())


def test_a_prometheus_sends_its_alerts_here(servers: Servers, programs: ModuleType, tmp_path: Path) -> None:
    server = servers.start(ROUTES)
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus" / "rules.yml").write_text(
        "groups: [{name: g, rules: [{alert: Always, expr: vector(1), labels: {severity: critical}}]}]\n"
    )
    config = f"""
global: {{evaluation_interval: 500ms, external_labels: {{cluster: eu1}}}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
  - static_configs: [{{targets: ['{server.url.removeprefix("http://")}']}}]
    authorization: {{credentials: '{server.token}'}}
"""
    # The first alerts are lost to it while it has not found us; it repeats them.
    with programs.prometheus(tmp_path / "prometheus", config, "--rules.alert.resend-delay=1s"):
        eventually(lambda: shown(server) == ["Always"], what="the alert has not come")
        (found,) = server.get("/api/v2/alerts").json()

    assert found["labels"] == {"alertname": "Always", "cluster": "eu1", "severity": "critical"}
    assert [one["name"] for one in found["receivers"]] == ["pager"]
    server.stop()


def test_alerts_and_silences_survive_being_killed(servers: Servers) -> None:
    server = servers.start(ROUTES)
    post(server, alert("Down"), alert("Full"))
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {
        "matchers": [{"name": "alertname", "value": "Full", "isRegex": False}],
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": end,
        "createdBy": "ann",
        "comment": "why",
    }
    made = server.client.post("/api/v2/silences", json=body)
    assert made.status_code == 200, made.text

    server.kill()
    server.start()

    assert shown(server) == ["Down", "Full"]
    assert shown(server, silenced="false") == ["Down"]
    assert server.get(f"/api/v2/silence/{made.json()['silenceID']}").json()["comment"] == "why"
    server.stop()


def test_the_older_api_takes_alerts_too(server: VedetteServer) -> None:
    answer = server.client.post("/api/v1/alerts", json=[alert("FromV1", team="v1")])

    assert answer.json() == {"status": "success"}
    assert shown(server, filter='team="v1"') == ["FromV1"]


def test_a_reload_changes_the_routes_and_keeps_the_alerts(servers: Servers) -> None:
    server = servers.start(ROUTES)
    post(server, alert("Down", severity="critical"))
    server.configure(ROUTES.replace('severity="critical"', 'severity="fatal"'))
    assert server.client.post("/-/reload").status_code == 200

    (found,) = server.get("/api/v2/alerts").json()

    assert [one["name"] for one in found["receivers"]] == ["team"]
    server.stop()


def test_a_bad_configuration_is_named_by_line_and_keeps_the_old_one(servers: Servers) -> None:
    server = servers.start(ROUTES)
    server.configure(ROUTES.replace("receiver: pager", "receiver: nobody-knows"))
    answer = server.client.post("/-/reload")

    assert answer.status_code == 500
    assert "nobody-knows" in answer.text
    assert ".yml:1" in answer.text
    assert [one["name"] for one in server.get("/api/v2/receivers").json()] == ["team", "pager"]
    server.stop(expected=["configuration not reloaded; the running one stays"])


def test_a_file_by_its_path_is_used_as_it_is(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: only}\nreceivers: [{name: only}]\n")
    server = servers.start(f"{QUIET}\nalertmanager_file: alertmanager.yml\n")

    assert [one["name"] for one in server.get("/api/v2/receivers").json()] == ["only"]
    server.stop()


def test_without_a_configuration_alerts_are_shown_and_nobody_is_told(servers: Servers) -> None:
    server = servers.start()
    post(server, alert("Down"))

    (found,) = server.get("/api/v2/alerts").json()

    assert found["receivers"] == [{"name": "nobody"}]
    server.stop()


def test_metrics_count_alerts_and_silences(server: VedetteServer) -> None:
    post(server, alert("Counted"))

    states = ("active", "suppressed", "unprocessed")
    eventually(lambda: sum(server.metric("alertmanager_alerts", state=one) or 0 for one in states) >= 1)

    assert (server.metric("vedette_alerts_received_total") or 0) >= 1


def test_an_alert_whose_end_has_passed_is_not_shown(server: VedetteServer) -> None:
    past = datetime.fromtimestamp(time.time() - 60, UTC).isoformat()
    post(server, {**alert("Over"), "startsAt": past, "endsAt": past})

    assert "Over" not in shown(server)
