"""The commands that the documentation shows can be typed as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from vedette.cli.program import PROGRAM, app

ROOT = Path(__file__).parents[3]
SHOWN = re.compile(r"^(?: {4}|\$ |    \$ )vedette (?P<arguments>.+)$|`vedette (?P<inline>[^`\n]+)`", re.MULTILINE)
# `$(date +%F)` is one word for the shell, and no business of ours.
SUBSTITUTION = re.compile(r"\$\([^)]*\)")
ENDS = frozenset({"&&", "||", ";", "|", "&", ">", "2>&1"})


def documented() -> list[tuple[str, str]]:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [
        (f"{page.relative_to(ROOT)}: {line}", line)
        for page in pages
        for found in SHOWN.finditer(page.read_text(encoding="utf-8"))
        for line in [found["arguments"] or found["inline"]]
    ]


def words(line: str) -> list[str]:
    found = shlex.split(SUBSTITUTION.sub("X", line), comments=True)
    end = next((i for i, word in enumerate(found) if word in ENDS), len(found))
    return found[:end]


@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in documented()])
def test_a_documented_command_can_be_typed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command: Any = typer.main.get_command(app)
    name, rest = PROGRAM, words(line)
    for word in rest:
        if re.fullmatch(r"[\w.-]+\.(?:yml|txt|om)", word):
            (tmp_path / word).touch()
    context = None

    while hasattr(command, "resolve_command") and rest:
        context = command.make_context(name, rest, parent=context, resilient_parsing=True)
        name, command, rest = command.resolve_command(context, rest)
    if rest:  # without, the command itself is meant, as in "see `vedette up`"
        command.make_context(name, rest, parent=context)
