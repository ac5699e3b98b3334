"""Finds Alertmanager's test data, by patterns; every file may hold any number of cases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DATA = ROOT / os.environ.get("CONFORMANCE_DIR", "../shared/conformance") / "alertmanager"


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def files(pattern: str) -> list[Path]:
    return sorted(DATA.glob(f"**/{pattern}"))


def params(found: list[tuple[str, Any]]) -> list[Any]:
    """One parameter for each case, under its id; a skipped one where there is no data."""
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no such data in {DATA}"))]
    return [pytest.param(case, id=name) for name, case in found]


def cases(pattern: str) -> list[Any]:
    """The entries of `cases` in all files of a pattern, each with the rest of its file under `file`."""
    found: list[tuple[str, Any]] = []
    for path in files(pattern):
        content = read_yaml(path)
        shared = {name: value for name, value in content.items() if name != "cases"}
        for number, case in enumerate(content["cases"], 1):
            found.append((f"{path.stem}:{case.get('name', number)}", {**case, "file": shared, "path": path}))
    return params(found)
