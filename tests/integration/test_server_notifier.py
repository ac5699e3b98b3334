"""Alerts of a whole server, sent to Debian's Alertmanager."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.exposition_server import ExpositionServer
from harness.peers import free_port, run_alertmanager
from harness.vedette_server import QUIET, Servers, eventually

ALERTMANAGER = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
RULES = """
groups:
  - name: g
    rules:
      - alert: High
        expr: level > 2
        labels: {severity: page}
        annotations: {summary: It is high.}
      - {alert: Dropped, expr: vector(1), labels: {severity: none}}
"""


def config(folder: Path, target: str, alertmanagers: str) -> str:
    (folder / "alerts.yml").write_text(RULES)
    return (
        f"{QUIET}\nglobal: {{evaluation_interval: 200ms, external_labels: {{region: eu, replica: a}}}}\n"
        f"rule_files: ['{folder}/alerts.yml']\nrules: {{resend_delay: 200ms}}\n"
        "scrape_configs:\n  - job_name: shop\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n"
        f"    static_configs: [{{targets: ['{target}']}}]\n"
        "alerting:\n  alert_relabel_configs:\n"
        "    - {regex: replica, action: labeldrop}\n"
        "    - {source_labels: [severity], regex: none, action: drop}\n"
        f"  alertmanagers:\n{alertmanagers}"
    )


class Intake:
    """Takes whatever is posted.

    Attributes:
        posted: path, `Authorization` and alerts of each request.
    """

    def __init__(self) -> None:
        posted = self.posted = list[tuple[str, str, list[dict[str, Any]]]]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append((self.path, self.headers["Authorization"], json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """All alerts of a name that were posted."""
        return [alert for _, _, batch in self.posted for alert in batch if alert["labels"]["alertname"] == name]


@pytest.fixture
def intake() -> Iterator[Intake]:
    intake = Intake()
    thread = threading.Thread(target=intake.server.serve_forever)
    thread.start()
    yield intake
    intake.server.shutdown()
    intake.server.server_close()
    thread.join()


def alerts(url: str) -> list[dict[str, Any]]:
    return httpx.get(f"{url}/api/v2/alerts").json()


def test_alertmanager_learns_that_an_alert_fires_and_that_it_is_over(
    servers: Servers, target: ExpositionServer, tmp_path: Path
) -> None:
    target.show("level 3\n")
    with run_alertmanager(tmp_path / "am", ALERTMANAGER) as peer:
        address = peer.url.removeprefix("http://")
        server = servers.start(config(tmp_path, target.address, f"    - static_configs: [{{targets: ['{address}']}}]"))

        (alert,) = eventually(lambda: alerts(peer.url))

        assert alert["labels"] == {
            "alertname": "High",
            "instance": target.address,
            "job": "shop",
            "region": "eu",
            "severity": "page",
        }
        assert alert["annotations"] == {"summary": "It is high."}
        assert "/graph?g0.expr=level+%3E+2&g0.tab=1" in alert["generatorURL"]
        assert alert["startsAt"] < alert["endsAt"]
        assert server.data("alertmanagers") == {
            "activeAlertmanagers": [{"url": f"{peer.url}/api/v2/alerts"}],
            "droppedAlertmanagers": [],
        }
        assert (server.metric("prometheus_notifications_sent_total") or 0) > 0
        assert server.metric("prometheus_notifications_errors_total") == 0
        assert server.metric("prometheus_notifications_alertmanagers_discovered") == 1

        target.show("level 1\n")
        eventually(lambda: not alerts(peer.url))
        server.stop()


def test_one_that_does_not_answer_keeps_nobody_else_waiting(
    servers: Servers, target: ExpositionServer, tmp_path: Path
) -> None:
    target.show("level 3\n")
    nobody = f"127.0.0.1:{free_port()}"
    with run_alertmanager(tmp_path / "am", ALERTMANAGER) as peer:
        address = peer.url.removeprefix("http://")
        section = f"    - static_configs: [{{targets: ['{nobody}', '{address}']}}]"
        server = servers.start(config(tmp_path, target.address, section))

        assert eventually(lambda: alerts(peer.url))
        dead = f"http://{nobody}/api/v2/alerts"
        eventually(lambda: server.metric("prometheus_notifications_errors_total", alertmanager=dead))
        (event,) = eventually(lambda: server.events("sending alerts failed"))
        assert event["alertmanager"] == dead
        server.stop()


def test_alertmanagers_come_and_go_with_discovery_and_with_a_reload(
    servers: Servers, target: ExpositionServer, tmp_path: Path
) -> None:
    target.show("level 3\n")
    found = tmp_path / "alertmanagers.json"
    with ExitStack() as stack:
        one, two = (stack.enter_context(run_alertmanager(tmp_path / name, ALERTMANAGER)) for name in ("one", "two"))
        found.write_text(f'[{{"targets": ["{one.url.removeprefix("http://")}"]}}]')
        section = f"    - {{file_sd_configs: [{{files: ['{found}'], refresh_interval: 200ms}}]}}"
        server = servers.start(config(tmp_path, target.address, section))
        eventually(lambda: alerts(one.url))

        _replace(found, f'[{{"targets": ["{two.url.removeprefix("http://")}"]}}]')
        eventually(lambda: alerts(two.url))
        assert server.metric("prometheus_notifications_alertmanagers_discovered") == 1

        server.configure(config(tmp_path, target.address, "    []"))
        assert server.client.post("/-/reload").status_code == 200
        assert server.data("alertmanagers")["activeAlertmanagers"] == []
        server.stop()


def test_requests_follow_the_options_of_their_section(
    servers: Servers, target: ExpositionServer, intake: Intake, tmp_path: Path
) -> None:
    target.show("level 3\n")
    section = (
        "    - path_prefix: /behind\n      basic_auth: {username: ann, password: geheim}\n"
        "      alert_relabel_configs: [{target_label: sent_by, replacement: vedette}]\n"
        f"      static_configs: [{{targets: ['{intake.address}']}}]"
    )
    server = servers.start(config(tmp_path, target.address, section))

    path, authorization, sent = eventually(lambda: intake.posted[:1])[0]
    server.stop()

    assert path == "/behind/api/v2/alerts"
    assert authorization == "Basic " + base64.b64encode(b"ann:geheim").decode()
    assert [alert["labels"]["sent_by"] for alert in sent] == ["vedette"]
    assert "geheim" not in server.log_file.read_text()


def test_an_alert_that_ended_while_the_server_was_dead_is_told_to_be_over(
    servers: Servers, target: ExpositionServer, intake: Intake, tmp_path: Path
) -> None:
    target.show("level 3\n")
    section = f"    - static_configs: [{{targets: ['{intake.address}']}}]"
    text = config(tmp_path, target.address, section).replace("resend_delay: 200ms", "resend_delay: 1h")
    server = servers.start(text)
    assert eventually(lambda: intake.alerts("High"))[0]["endsAt"] > datetime.now(UTC).isoformat()
    # What is older than a second outlives a crash.
    since_s = time.time()
    eventually(lambda: (server.value("max(timestamp(ALERTS))") or 0) > since_s + 2)

    server.kill()
    target.show("level 1\n")
    server.start()

    eventually(lambda: any(alert["endsAt"] <= datetime.now(UTC).isoformat() for alert in intake.alerts("High")))
    server.stop()


def _replace(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)
