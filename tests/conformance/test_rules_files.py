"""Rule files of other projects: which load, and why others do not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vedette.config import NameScheme
from vedette.model.errors import ConfigErrors
from vedette.rules import RuleFile, parse_rules, template_language

_ROOT = os.environ.get("CONFORMANCE_DIR")
_CONFORMANCE = Path(_ROOT) if _ROOT else Path(__file__).resolve().parents[3] / "shared" / "conformance"
_FOLDER = _CONFORMANCE / "rules"
_TEMPLATES = template_language()


def _verdicts() -> dict[Path, dict[str, Any]]:
    return {
        table.parent / name: verdict
        for table in sorted(_FOLDER.glob("*/expected.yaml"))
        for name, verdict in YAML(typ="safe", pure=True).load(table.read_text()).items()
        if "valid" in verdict
    }


def _packs() -> list[Path]:
    """Folders of nothing but rule files, and rule files that unit tests stand beside."""
    return sorted(
        path
        for path in _FOLDER.rglob("*.y*ml")
        if not (path.parent / "expected.yaml").exists() and "tests" not in path.parent.parts
    )


_VERDICTS = _verdicts()
_PACKS = _packs()


def _read(path: Path, scheme: NameScheme = NameScheme.UTF8) -> RuleFile | str:
    try:
        return parse_rules(path.read_bytes(), path.name, templates=_TEMPLATES, scheme=scheme)
    except ConfigErrors as exc:
        return str(exc)


def _id(path: Path) -> str:
    return str(path.relative_to(_FOLDER))


@pytest.mark.skipif(not _VERDICTS, reason=f"no rule files with verdicts in {_FOLDER}")
@pytest.mark.parametrize("path", [pytest.param(path, id=_id(path)) for path in _VERDICTS])
def test_a_rule_file_loads_or_is_refused_as_prometheus_does(path: Path) -> None:
    verdict = _VERDICTS[path]
    note = str(verdict.get("note", ""))

    result = _read(path, NameScheme.LEGACY if "legacy name validation" in note else NameScheme.UTF8)

    assert isinstance(result, RuleFile) is verdict["valid"], result
    if isinstance(result, str):
        assert verdict.get("error", "") in result
        assert result.startswith(f"{path.name}:"), "an error without a line"
    if "valid under utf8" in note:
        assert isinstance(_read(path), RuleFile)


@pytest.mark.skipif(not _PACKS, reason=f"no rule files in {_FOLDER}")
@pytest.mark.parametrize("path", [pytest.param(path, id=_id(path)) for path in _PACKS])
def test_a_rule_file_in_daily_use_loads(path: Path) -> None:
    result = _read(path)

    if path.name.startswith("invalid"):
        assert isinstance(result, str)
        return
    assert isinstance(result, RuleFile), result
    assert any(group.rules for group in result.groups)
    # Of several documents the first counts, and it is said.
    documents = [line for line in path.read_text().splitlines()[1:] if line == "---"]
    assert len(result.warnings) == bool(documents)
