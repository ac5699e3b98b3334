"""`check alerting`, `routes` on files, and what the other commands refuse before they ask anybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vedette.cli.program import app

GOOD = """route:
  receiver: team
  group_by: [alertname]
  routes:
  - matchers: [severity="critical"]
    receiver: pager
    continue: true
    routes: [{matchers: [service="db"], receiver: dba}]
  - matchers: [severity=~"critical|warning"]
    receiver: chat
receivers: [{name: team}, {name: pager}, {name: dba}, {name: chat}]
"""


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "alertmanager.yml").write_text(GOOD)
    return str(tmp_path / "alertmanager.yml")


def test_a_good_file_is_counted(good: str) -> None:
    found = json.loads(run("check", "alerting", good, "--output", "json").stdout)

    assert found["valid"]
    assert found["files"] == [{"file": good, "receivers": 4, "inhibitRules": 0, "timeIntervals": 0, "templates": 0}]
    assert "SUCCESS" in run("check", "alerting", good).stdout


def test_all_errors_are_told_with_their_lines(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(GOOD.replace("receiver: dba", "receiver: nobody").replace("receiver: chat", "receiver: no-one"))

    found = json.loads(run("check", "alerting", str(bad), "--output", "json", code=1).stdout)

    assert [one["line"] for one in found["errors"]] == [8, 10]
    assert "FAILED" in run("check", "alerting", str(bad), code=1).output


def test_a_template_that_cannot_be_read_is_an_error(good: str, tmp_path: Path) -> None:
    (tmp_path / "bad.tmpl").write_text("{{ define")
    (tmp_path / "alertmanager.yml").write_text(GOOD + "templates: ['*.tmpl']\n")

    found = json.loads(run("check", "alerting", good, "--output", "json", code=1).stdout)

    assert found["errors"][0]["file"].endswith("bad.tmpl")


def test_warnings_fail_only_where_they_shall(tmp_path: Path) -> None:
    file = tmp_path / "warned.yml"
    file.write_text("tracing: {endpoint: 'a:1'}\nroute: {receiver: a}\nreceivers: [{name: a}]\n")

    assert "warning" in run("check", "alerting", str(file)).stdout
    run("check", "alerting", str(file), "--strict", code=1)


def test_the_configuration_is_checked_with_its_alerting(tmp_path: Path) -> None:
    file = tmp_path / "vedette.yml"
    file.write_text("alertmanager: {route: {receiver: nobody}}\n")

    found = json.loads(run("check", "config", str(file), "--output", "json", code=1).stdout)

    assert "nobody" in found["errors"][0]["problem"]


def test_the_tree_is_drawn(good: str) -> None:
    lines = run("routes", "show", "--file", good).stdout.splitlines()

    assert [line.partition("  ->")[0] for line in lines] == [
        "default",
        '├── {severity="critical"}',
        '│   └── {service="db"}',
        '└── {severity=~"critical|warning"}',
    ]


def test_the_way_of_an_alert_is_shown(good: str) -> None:
    labels = ["severity=critical", "service=db"]

    found = json.loads(run("routes", "test", *labels, "--file", good, "--output", "json").stdout)

    assert found["receivers"] == ["dba", "chat"]
    run("routes", "test", *labels, "--file", good, "--expect", "dba,chat")
    run("routes", "test", *labels, "--file", good, "--expect", "dba", code=1)
    assert "refused by" in run("routes", "test", "severity=info", "--file", good).stdout


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("routes", "test", "severity", "--file", "x"), id="a label without a value"),
        pytest.param(("silence", "add", "a=~[", "--url", "http://127.0.0.1:9"), id="a matcher that is none"),
        pytest.param(
            ("silence", "add", "a=b", "-d", "soon", "--url", "http://127.0.0.1:9"), id="a duration that is none"
        ),
    ],
)
def test_what_is_typed_wrongly_is_said_before_anybody_is_asked(words: tuple[str, ...]) -> None:
    run(*words, code=2)
