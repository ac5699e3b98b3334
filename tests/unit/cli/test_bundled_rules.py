from __future__ import annotations

from pathlib import Path

from vedette.cli.bundled_rules import guide

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "bundled-rules.md"


def test_the_guide_to_the_bundled_rules_is_in_step() -> None:
    assert PAGE.read_text() == guide(), "python -m vedette.cli.bundled_rules > docs/guide/bundled-rules.md"


def test_the_guide_shows_no_templates() -> None:
    tables = [line for line in guide().splitlines() if line.startswith("| `")]

    assert [line for line in tables if "{{" in line] == []
