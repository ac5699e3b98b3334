"""The bundled rules hold what they promise: checked, tested one by one, and each alert with its runbook."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from vedette.content import bundled_rules, runbook, runbook_names
from vedette.lang.promql import parse, selectors
from vedette.rules import AlertingRule, RecordingRule, RuleFile, find_hints, parse_rules, template_language
from vedette.rules.unit_tests import FileResult, RunOptions, run_file

TESTS = Path(__file__).parents[2] / "content" / "rules"
TEST_FILES = sorted(TESTS.glob("*.test.yml"))
SEVERITIES = {"info", "warning", "critical", "emergency"}
SECTIONS = ["What it means", "How to check", "How to mend", "When to ignore it"]
TEMPLATES = template_language()
PROMTOOL = shutil.which("promtool")


@functools.cache
def rule_files() -> list[RuleFile]:
    return [parse_rules(path.read_bytes(), path.name, templates=TEMPLATES) for path in bundled_rules()]


def rules_of(file: RuleFile) -> Iterator[AlertingRule | RecordingRule]:
    for group in file.groups:
        yield from group.rules


def alerts() -> list[AlertingRule]:
    return [rule for file in rule_files() for rule in rules_of(file) if isinstance(rule, AlertingRule)]


def by_alert(rule: AlertingRule) -> str:
    return f"{rule.name} {dict(rule.labels).get('severity', 'without severity')}"


def loaded(path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(path.read_text())


@functools.cache
def expectations() -> tuple[set[tuple[str, str]], set[str]]:
    """What the tests expect: alerts that fire, by name and severity, and names that are looked for and do not."""
    firing: set[tuple[str, str]] = set()
    silent: set[str] = set()
    for path in TEST_FILES:
        for test in loaded(path)["tests"]:
            for case in cast("Sequence[Mapping[str, Any]]", test.get("alert_rule_test", [])):
                expected = case.get("exp_alerts", [])
                firing.update((case["alertname"], alert["exp_labels"]["severity"]) for alert in expected)
                if not expected:
                    silent.add(case["alertname"])
    return firing, silent


@functools.cache
def outcome(path: Path) -> FileResult:
    return run_file(str(path), RunOptions(templates=TEMPLATES))


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_the_rules_do_what_their_unit_tests_say(path: Path) -> None:
    result = outcome(path)

    assert result.warnings == ()
    assert "\n".join(result.failures) == ""


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_agrees_about_the_rules_and_their_tests() -> None:
    checked = run_promtool("check", "rules", *bundled_rules())
    passed = run_promtool("test", "rules", *TEST_FILES)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert passed.returncode == 0, passed.stdout + passed.stderr


def run_promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, check=False)


def test_there_are_no_hints_about_the_rules() -> None:
    hints = [f"{hint.at}: {hint.text}" for hint in find_hints(rule_files())]

    assert hints == []


@pytest.mark.parametrize("rule", alerts(), ids=by_alert)
def test_an_alert_says_how_grave_it_is_what_happened_and_where_to_read_on(rule: AlertingRule) -> None:
    labels, annotations = dict(rule.labels), dict(rule.annotations)

    assert labels["severity"] in SEVERITIES
    assert labels["service"]
    assert annotations["summary"]
    assert annotations["description"]
    assert annotations["runbook_url"] == "{{ $externalURL }}/runbooks/" + rule.name
    assert re.fullmatch(r"\{\{ \$externalURL \}\}/d/vedette-[a-z]+", annotations["dashboard_url"])


@pytest.mark.parametrize("rule", alerts(), ids=by_alert)
def test_an_alert_is_tested_where_it_fires_and_where_it_does_not(rule: AlertingRule) -> None:
    firing, silent = expectations()

    assert (rule.name, dict(rule.labels)["severity"]) in firing
    # What always fires has nothing to be silent about.
    assert rule.name in silent or rule.name == "Watchdog"


@pytest.mark.parametrize("name", sorted({rule.name for rule in alerts()}))
def test_a_runbook_has_its_four_sections_each_with_something_to_read(name: str) -> None:
    page = runbook(name)
    parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)

    assert parts[0].startswith(f"# {name}\n")
    assert parts[1::2] == SECTIONS
    assert all(len(text.split()) >= 3 for text in parts[2::2])
    assert "```" in parts[4], "nothing to paste under How to check"


@pytest.mark.parametrize("name", runbook_names())
def test_what_a_runbook_gives_to_paste_can_be_asked(name: str) -> None:
    recorded = {rule.name for file in rule_files() for rule in rules_of(file) if isinstance(rule, RecordingRule)}

    for query in re.findall(r"^```promql\n(.*?)^```", runbook(name), flags=re.MULTILINE | re.DOTALL):
        metrics = {
            matcher.value
            for selector in selectors(parse(query))
            for matcher in selector.matchers
            if matcher.name == "__name__" and ":" in matcher.value
        }
        assert metrics <= recorded, query


def test_every_runbook_belongs_to_an_alert() -> None:
    assert set(runbook_names()) - {rule.name for rule in alerts()} == set()


def test_names_of_recording_rules_say_level_metric_and_operation() -> None:
    names = {rule.name for file in rule_files() for rule in rules_of(file) if isinstance(rule, RecordingRule)}

    assert [name for name in sorted(names) if not re.fullmatch(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", name)] == []


def test_nothing_is_evaluated_twice_under_one_name() -> None:
    records = [rule.name for file in rule_files() for rule in rules_of(file) if isinstance(rule, RecordingRule)]

    assert sorted(records) == sorted(set(records))


def test_rules_are_silent_where_their_metrics_are_not(tmp_path: Path) -> None:
    names = sorted({rule.name for rule in alerts()} - {"Watchdog"})
    cases = "".join(f"\n      - {{eval_time: 1h, alertname: {name}}}" for name in names)
    files = ", ".join(f'"{path}"' for path in bundled_rules())
    test = tmp_path / "nothing.test.yml"
    test.write_text(
        f"rule_files: [{files}]\nevaluation_interval: 20m\ntests:\n  - interval: 20m\n    input_series:\n"
        f"      - {{series: 'other{{job=\"j\"}}', values: '1x3'}}\n    alert_rule_test:{cases}\n"
    )

    assert outcome(test).failures == ()
