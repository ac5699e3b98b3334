"""Unit tests of rules that other projects wrote for promtool, with the verdicts that it gives."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vedette.rules import template_language
from vedette.rules.unit_tests import FileResult, RunOptions, run_file
from vedette.rules.unit_tests.run import HISTOGRAMS

_ROOT = os.environ.get("CONFORMANCE_DIR")
_CONFORMANCE = Path(_ROOT) if _ROOT else Path(__file__).resolve().parents[3] / "shared" / "conformance"
_FOLDER = _CONFORMANCE / "rules"
_TEMPLATES = template_language()


def _load(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text())


def _verdicts() -> dict[Path, dict[str, Any]]:
    return {
        table.parent / name: verdict
        for table in sorted(_FOLDER.glob("*/expected.yaml"))
        for name, verdict in _load(table).items()
        if "result" in verdict
    }


def _cases() -> list[tuple[Path, int, str]]:
    """The tests of all files that have to pass."""
    return [
        (path, number, test.get("name", ""))
        for path in sorted(_FOLDER.glob("*/tests/*.y*ml"))
        for number, test in enumerate(_load(path)["tests"])
    ]


_VERDICTS = _verdicts()
_CASES = _cases()


@functools.cache
def _run(path: Path, *, only: str = "", ignore_unknown: bool = False) -> FileResult:
    pattern = re.compile(re.escape(only)) if only else None
    return run_file(str(path), RunOptions(templates=_TEMPLATES, only=pattern, ignore_unknown=ignore_unknown))


def _passes(result: FileResult) -> bool:
    failures = [failure for failure in result.failures if HISTOGRAMS not in failure]
    if not failures and result.failures:
        pytest.skip(f"{len(result.failures)} expectations are native histograms; all others are met")
    return not failures


def _id(path: Path) -> str:
    return str(path.relative_to(_FOLDER))


@pytest.mark.skipif(not _VERDICTS, reason=f"no unit tests with verdicts in {_FOLDER}")
@pytest.mark.parametrize("path", [pytest.param(path, id=_id(path)) for path in _VERDICTS])
def test_a_file_of_unit_tests_passes_or_fails_as_with_promtool(path: Path) -> None:
    result = _run(path)

    assert _passes(result) is (_VERDICTS[path]["result"] == "pass"), result.failures


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=_id(p)) for p, v in _VERDICTS.items() if "--ignore-unknown-fields" in v.get("note", "")]
)
def test_unknown_fields_can_be_allowed(path: Path) -> None:
    assert _run(path, ignore_unknown=True).failures == ()


@pytest.mark.parametrize(
    ("path", "name", "verdict"),
    [
        pytest.param(path, name, verdict, id=f"{_id(path)}: {name}")
        for path, expected in _VERDICTS.items()
        for name, verdict in re.findall(r'"([^"]+)" alone (passes|fails)', expected.get("note", ""))
    ],
)
def test_tests_can_be_run_alone(path: Path, name: str, verdict: str) -> None:
    result = _run(path, only=name)

    assert [case.name for case in result.cases] == [name]
    assert (not result.failures) is (verdict == "passes")


@pytest.mark.skipif(not _CASES, reason=f"no unit tests in {_FOLDER}")
@pytest.mark.parametrize(
    ("path", "number"), [pytest.param(path, number, id=f"{_id(path)}:{number} {name}") for path, number, name in _CASES]
)
def test_a_unit_test_of_a_rule_pack_passes(path: Path, number: int) -> None:
    failures = _run(path).cases[number].failures

    assert failures == ()
