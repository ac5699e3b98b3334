"""`vedette check rules` and `vedette test rules`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vedette.cli.program import app
from vedette.client import Answer, Connection

GOOD = """
groups:
  - name: g
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        labels: {severity: page}
        annotations: {runbook_url: http://x}
"""
HINTED = "groups: [{name: g, rules: [{record: a, expr: 'rate(x_ratio[5m])'}, {record: b, expr: 'up{job=~\"a\"}'}]}]"
BAD = "groups: [{name: g, rules: [{record: a, expr: 'x +'}, {record: b}]}]"
TEST = """
rule_files: [good.yml]
tests:
  - name: %s
    input_series: [{series: up, values: 0x9}]
    alert_rule_test: [{eval_time: %s, alertname: Down}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("hinted", HINTED), ("bad", BAD)):
        (tmp_path / f"{name}.yml").write_text(text)
    (tmp_path / "passes.yml").write_text(TEST % ("early", "4m"))
    (tmp_path / "fails.yml").write_text(TEST % ("late", "5m"))
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["good.yml"], 0, id="good"),
        pytest.param(["hinted.yml"], 0, id="hints alone"),
        pytest.param(["hinted.yml", "--lint-fatal"], 3, id="hints that count"),
        pytest.param(["hinted.yml", "--lint-fatal", "--lint", "none"], 0, id="no hints wanted"),
        pytest.param(["hinted.yml", "--lint-fatal", "--lint", "missing-for"], 0, id="other hints wanted"),
        pytest.param(["hinted.yml", "--lint-fatal", "--lint", "missing-for,needless-regex"], 3, id="these wanted"),
        pytest.param(["good.yml", "bad.yml"], 1, id="an error"),
        pytest.param(["bad.yml", "hinted.yml", "--lint-fatal"], 1, id="an error and hints"),
        pytest.param(["absent.yml"], 1, id="no file"),
        pytest.param(["good.yml", "--lint", "spelling"], 2, id="an unknown kind of hint"),
    ],
)
def test_checking_rules_ends_with_promtools_codes(arguments: list[str], code: int) -> None:
    assert run("check", "rules", *arguments).exit_code == code


@pytest.mark.usefixtures("folder")
def test_errors_and_hints_are_shown_with_their_places() -> None:
    result = run("check", "rules", "good.yml", "hinted.yml", "bad.yml")

    assert "Checking good.yml\n  SUCCESS: 1 rule found\n" in result.stdout
    assert "hinted.yml:1:37: hint: `a`: rate() is for counters" in result.stdout
    assert "[counter-or-gauge]" in result.stdout
    assert "  SUCCESS: 2 rules found" in result.stdout
    assert 'bad.yml:1:50: error: group "g", rule 1, "a": could not parse expression: 1:4: parse error' in result.stderr
    assert 'bad.yml:1:63: error: group "g", rule 2, "b": field \'expr\' must be set in rule' in result.stderr


@pytest.mark.usefixtures("folder")
def test_a_check_answers_in_json() -> None:
    result = run("check", "rules", "good.yml", "hinted.yml", "bad.yml", "-o", "json")

    found = json.loads(result.stdout)
    assert found["valid"] is False
    assert [file["rules"] for file in found["files"]] == [1, 2]
    assert [(error["file"], error["line"]) for error in found["errors"]] == [("bad.yml", 1), ("bad.yml", 1)]
    assert [hint["kind"] for hint in found["hints"]] == ["counter-or-gauge", "needless-regex"]


@pytest.mark.usefixtures("folder")
def test_a_check_can_ask_the_server_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, Any] = {
        "/api/v1/label/__name__/values": ["x_ratio"],
        "/api/v1/metadata": {"x_ratio": [{"type": "counter", "help": "", "unit": ""}]},
    }
    monkeypatch.setattr(Connection, "ask", lambda _, path, **__: Answer(answers[path], [], []))

    result = run("check", "rules", "hinted.yml", "--server", "--url", "http://127.0.0.1:9", "-o", "json")

    assert [(hint["kind"], hint["text"]) for hint in json.loads(result.stdout)["hints"]] == [
        ("needless-regex", '`b`: the regular expression in job=~"a" matches one value only'),
        ("unknown-metric", "`b`: no target exposes `up`, and no rule records it"),
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["passes.yml"], 0, id="passes"),
        pytest.param(["passes.yml", "fails.yml"], 1, id="one fails"),
        pytest.param(["fails.yml", "--run", "early"], 0, id="what fails is not run"),
        pytest.param(["fails.yml", "--run", "early", "--run", "la.e"], 1, id="one of several patterns"),
        pytest.param(["absent.yml"], 1, id="no file"),
        pytest.param(["passes.yml", "--run", "("], 2, id="no pattern"),
    ],
)
def test_testing_rules_ends_with_promtools_codes(arguments: list[str], code: int) -> None:
    assert run("test", "rules", *arguments).exit_code == code


@pytest.mark.usefixtures("folder")
def test_the_output_of_tests_is_promtools() -> None:
    result = run("test", "rules", "passes.yml", "fails.yml")

    assert result.stdout == "Unit Testing:  passes.yml\n  SUCCESS\n\nUnit Testing:  fails.yml\n\n\n"
    assert result.stderr.startswith(
        "  FAILED:\n    name: late,\n    alertname: Down, time: 5m, \n        exp:[], \n        got:[\n"
    )


@pytest.mark.usefixtures("folder")
def test_tests_answer_in_json() -> None:
    result = run("test", "rules", "passes.yml", "fails.yml", "-o", "json")

    found = json.loads(result.stdout)
    assert found["passed"] is False
    assert [(file["file"], file["passed"]) for file in found["files"]] == [("passes.yml", True), ("fails.yml", False)]
    assert [test["name"] for test in found["files"][1]["tests"]] == ["late"]


def test_the_results_of_tests_are_written_for_other_programs(folder: Path) -> None:
    run("test", "rules", "fails.yml", "--junit", "out.xml")

    assert '<testsuite name="fails.yml" tests="1" failures="1"' in (folder / "out.xml").read_text()


@pytest.mark.usefixtures("folder")
def test_results_that_cannot_be_written_are_an_error() -> None:
    result = run("test", "rules", "passes.yml", "--junit", "absent/out.xml")

    assert result.exit_code == 1
    assert "cannot write absent/out.xml: No such file or directory" in result.stderr


def test_rule_files_that_a_configuration_names_are_checked_with_it(folder: Path) -> None:
    (folder / "v.yml").write_text("rule_files: [bad.yml, good.yml]")
    (folder / "w.yml").write_text("rule_files: [g*.yml]")

    bad, good = run("check", "config", "v.yml"), run("check", "config", "w.yml")

    assert bad.exit_code == 1
    assert "bad.yml:1:" in bad.output
    assert "2 errors" in bad.output
    assert good.exit_code == 0
    assert "2 files, 0 scrape jobs, 1 rule" in good.output
