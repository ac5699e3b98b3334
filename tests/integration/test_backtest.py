"""`vedette backtest` and its API, over history that was brought in."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from harness.vedette_server import QUIET, VEDETTE, Servers, VedetteServer

RULES = """
groups:
  - name: shop
    interval: 1m
    rules:
      - {record: not:tried, expr: level}
      - {alert: High, expr: level > 2, for: 5m}
      - {alert: Never, expr: absent(level) and level}
"""
MINUTES = 300
NOW_S = int(time.time()) // 60 * 60
START_S = NOW_S - MINUTES * 60


@pytest.fixture
def server(servers: Servers) -> VedetteServer:
    """With a level that is high from minute 100 to 119, and from 200 to 202."""
    server = servers.start(QUIET)
    high = {*range(100, 120), *range(200, 203)}
    lines = [
        f'level{{shop="{shop}"}} {3 if minute in high and shop == "a" else 1} {(START_S + minute * 60) * 1000}'
        for shop in ("a", "b")
        for minute in range(MINUTES)
    ]
    body = "\n".join(["# TYPE level gauge", *lines, ""])
    response = server.client.post(
        "/api/vedette/v1/import/openmetrics", content=body, headers={"Content-Type": "text/plain; version=0.0.4"}
    )
    assert response.status_code == 200, response.text
    return server


def ask(server: VedetteServer, **body: Any) -> Any:
    asked = {"rules": RULES, "start": START_S, "end": NOW_S - 60, **body}
    return server.client.post("/api/vedette/v1/backtest", json=asked)


def test_a_backtest_tells_its_progress_and_what_each_alerting_rule_would_have_done(server: VedetteServer) -> None:
    response = ask(server, thresholds=[0.5], holds=["1m"])

    lines = [json.loads(line) for line in response.text.splitlines()]
    high, never = [line["result"] for line in lines if "result" in line]
    assert lines[0] == {"progress": {"rule": "High", "done": 0, "total": 600}}
    assert lines[-2]["progress"]["done"] == 600
    assert (high["rule"], high["threshold"], high["for"]) == ("High", 2.0, 300.0)
    assert high["summary"] == {
        "alerts": 1,
        "nearMisses": 1,
        "series": 1,
        "firing": 900.0,
        "anyFiring": 900.0,
        "longest": 900.0,
    }
    fired, pending = high["episodes"]
    assert fired["labels"] == {"__name__": "level", "shop": "a"}
    assert (fired["start"], fired["fired"], fired["peak"]) == (START_S + 6000, START_S + 6300, 3.0)
    assert (pending["start"], pending["fired"]) == (START_S + 12_000, None)
    assert [(one["threshold"], one["for"], one["summary"]["alerts"]) for one in high["alternatives"]] == [
        (0.5, 300.0, 2),
        (2.0, 60.0, 2),
    ]
    assert max(high["timeline"]["firing"]) == 1
    assert never["summary"]["alerts"] == 0
    server.stop()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param({"rules": "groups: [{name: g, rules: [{alert: A}]}]"}, "rules.yml:1:", id="a bad file"),
        pytest.param({"step": "soon"}, "soon", id="a step that is none"),
        pytest.param({"start": NOW_S, "end": START_S}, "end must not be before start", id="backwards"),
        pytest.param({"start": 0}, "rules.backtest_evaluations", id="too many evaluations"),
        pytest.param({"thresholds": [1.0] * 21}, "at most 20 thresholds", id="too many thresholds"),
        pytest.param({"start": "x"}, "start", id="a start that is none"),
        pytest.param({"start": 1e300}, "start is no time", id="a start beyond all time"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_reason(
    server: VedetteServer, body: dict[str, Any], problem: str
) -> None:
    response = ask(server, **body)

    assert response.status_code == 400
    assert problem in response.json()["detail"]


def test_the_command_shows_a_table_and_a_plot_or_everything_as_json(server: VedetteServer) -> None:
    file = server.data_dir.parent / "shop.yml"
    file.write_text(RULES)
    command = [
        str(VEDETTE), "backtest", str(file), "--from", str(START_S), "--to", str(NOW_S - 60), "--rule", "High",
        "--threshold", "0.5", "--for", "1m", "--data", str(server.data_dir),
    ]  # fmt: skip

    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    data = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False)

    assert shown.returncode == 0, shown.stderr
    assert "would have fired 1 time, of 1 series" in shown.stdout
    assert "as written" in shown.stdout
    assert 'level{shop="a"}' in shown.stdout
    (result,) = json.loads(data.stdout)["rules"]
    assert result["summary"]["alerts"] == 1
    server.stop()
