"""Alertmanager's own configurations, good and bad, with its verdicts.

What it refuses has to be refused here, with an error that stands at a line and whose words or place fit the reason.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from alertmanager_data import cases, files, params, read_yaml

from vedette.alerting import AlertingConfig, build_plan, load_alerting, parse_alerting
from vedette.alerting.receivers.registry import entry_key
from vedette.config.render import render
from vedette.model.errors import ConfigError, ConfigErrors

_COMMON = {
    "the", "a", "an", "be", "is", "not", "to", "in", "of", "and", "or", "must", "with", "for", "by", "at", "most",
    "one", "only", "no", "other", "field", "type", "config", "configuration", "configured", "invalid", "requires",
    "file", "yaml", "found", "value", "name", "errors", "unmarshal", "cannot", "line", "plain", "set", "inline",
    "either", "used", "missing",
}  # fmt: skip


def _verdicts() -> list[Any]:
    found: list[tuple[str, Any]] = []
    for path in files("expected.y*ml"):
        content = read_yaml(path)
        if "cases" not in content:
            found += [(name, {**case, "path": path.parent / name}) for name, case in content.items()]
    return params(found)


def _words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z_]+", text)} - _COMMON


def _check_refused(errors: tuple[ConfigError, ...], expected: str) -> None:
    assert all(error.at.line for error in errors)
    said = _words(" ".join(f"{error.problem} {error.remedy} {error.at.text}" for error in errors))
    wanted = _words(expected)
    if wanted:
        assert wanted & said, f"{[str(error) for error in errors]} does not say {expected!r}"


def _check_taken(config: AlertingConfig) -> None:
    """What was taken can be used, is shown without secrets, and what is shown is taken again."""
    plan = build_plan(config)
    shown = render(config.file)

    again = parse_alerting(shown, file="shown.yml")

    assert build_plan(again).root.match({}) != []
    assert [one.id for one in build_plan(again).root.walk()] == [one.id for one in plan.root.walk()]
    undelivered = {entry_key(e.kind) for r in config.receivers for e in r.entries() if not e.settings.delivered}
    assert all(any(f"`{key}`" in warning.text for warning in config.warnings) for key in undelivered)


@pytest.mark.parametrize("case", _verdicts())
def test_a_file_is_taken_or_refused_as_alertmanager_does(case: dict[str, Any]) -> None:
    if case["valid"]:
        _check_taken(load_alerting(case["path"]))
        return

    with pytest.raises(ConfigErrors) as refused:
        load_alerting(case["path"])

    _check_refused(refused.value.errors, case["error"])


@pytest.mark.parametrize("case", cases("config_inline*.y*ml"))
def test_a_text_is_taken_or_refused_as_alertmanager_does(case: dict[str, Any]) -> None:
    if case["valid"]:
        _check_taken(parse_alerting(case["config"], file="inline.yml"))
        return

    with pytest.raises(ConfigErrors) as refused:
        parse_alerting(case["config"], file="inline.yml")

    _check_refused(refused.value.errors, case["error"])


@pytest.mark.parametrize("path", params([(path.name, path) for path in files("examples/*.y*ml")]))
def test_an_example_is_taken(path: Any) -> None:
    _check_taken(load_alerting(path))
