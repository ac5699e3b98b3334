"""Prometheus' own configuration fixtures, good and bad, with its verdicts.

A fixture that Prometheus refuses has to be refused here with an error whose words or place fit the reason.
Fixtures of the linter and of rule files belong to the rules and are left to their tests.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vedette.config import check, load, load_text
from vedette.config.target_file import parse_target_groups
from vedette.ingest.relabel import apply
from vedette.model.errors import ConfigError, ConfigErrors

ROOT = Path(__file__).parents[2]
DATA = ROOT / os.environ.get("CONFORMANCE_DIR", "../shared/conformance") / "prometheus_config"

_COMMON = {
    "the", "a", "an", "be", "is", "not", "to", "in", "of", "and", "or", "must", "with", "for", "by", "at", "most",
    "one", "only", "no", "other", "field", "type", "config", "configuration", "configured", "invalid", "requires",
    "file", "parsing", "yaml", "testdata", "found", "value", "name", "errors", "unmarshal", "section", "cannot",
}  # fmt: skip


def _expectations() -> list[tuple[Path, dict[str, Any]]]:
    found: list[tuple[Path, dict[str, Any]]] = []
    for path in sorted(DATA.glob("**/expected.y*ml")):
        for name, expected in YAML(typ="safe", pure=True).load(path.read_text()).items():
            found.append((path.parent / name, expected))
    return found


def _cases(rule: Any) -> list[Any]:
    found = [
        pytest.param(path, expected, id=str(path.relative_to(DATA)))
        for path, expected in _expectations()
        if rule(path, expected)
    ]
    return found or [pytest.param(None, None, marks=pytest.mark.skip(reason=f"{DATA} is absent"))]


def _words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z]+", text)} - _COMMON


def _errors_of(path: Path) -> tuple[tuple[ConfigError, ...], list[str]]:
    """What is wrong with a file: the errors of loading it, or else the findings of the full check."""
    try:
        return (), check(load(path, env={}).config, relabel=apply)
    except ConfigErrors as exc:
        return exc.errors, [f"{error.problem} {error.remedy} {error.at.text}" for error in exc.errors]


def _is_configuration(path: Path) -> bool:
    """Whether a fixture is one at all: some are rule files, which have nothing but `groups`."""
    found: Any = YAML(typ="safe", pure=True).load(path.read_text())
    return not (isinstance(found, dict) and list(found) == ["groups"])


def _is_accepted(path: Path, expected: dict[str, Any]) -> bool:
    return expected.get("valid") is True and "lint" not in expected and _is_configuration(path)


@pytest.mark.parametrize(("path", "expected"), _cases(_is_accepted))
def test_what_prometheus_accepts_is_accepted(path: Path, expected: dict[str, Any]) -> None:
    del expected

    loaded = load(path, env={})

    assert all(warning.at.line for warning in loaded.warnings)


@pytest.mark.parametrize(("path", "expected"), _cases(lambda _, e: e.get("valid") is False))
def test_what_prometheus_refuses_is_refused_for_a_reason_that_fits(path: Path, expected: dict[str, Any]) -> None:
    errors, found = _errors_of(path)

    assert found
    assert all(error.at.line and error.at.column for error in errors)
    reason = _words(expected["error"])
    assert not reason or any(_words(text) & reason for text in found), (found, reason)


@pytest.mark.parametrize(("path", "expected"), _cases(lambda _, e: "check_error" in e))
def test_the_full_check_finds_files_that_are_not_there(path: Path, expected: dict[str, Any]) -> None:
    found = check(load(path, env={}).config, relabel=apply)

    assert any(_words(text) & _words(expected["check_error"]) for text in found)
    assert "does not point to an existing file" in " ".join(found)


@pytest.mark.parametrize(("path", "expected"), _cases(lambda _, e: "file service discovery" in e.get("role", "")))
def test_target_files_are_read_or_refused_as_prometheus_does(path: Path, expected: dict[str, Any]) -> None:
    if "invalid" in expected["role"]:
        with pytest.raises(ConfigErrors, match="unknown option"):
            parse_target_groups(path.read_bytes(), file=str(path))
    else:
        assert parse_target_groups(path.read_bytes(), file=str(path))


def _good() -> list[Any]:
    files = [path for path, expected in _expectations() if _is_accepted(path, expected)]
    files += sorted(DATA.glob("examples/*.yml"))
    found = [pytest.param(path, id=str(path.relative_to(DATA))) for path in files]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=f"{DATA} is absent"))]


@pytest.mark.parametrize("path", _good())
def test_a_whole_prometheus_yml_works_as_an_include(path: Path) -> None:
    alone = load(path, env={})

    included = load_text(f"include: ['{path}']", file="vedette.yml", env={})

    assert included.config.jobs == alone.config.jobs
    assert included.config.remote_write == alone.config.remote_write
    assert {warning.text for warning in alone.warnings} <= {warning.text for warning in included.warnings}
