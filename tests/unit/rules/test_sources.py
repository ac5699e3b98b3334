from __future__ import annotations

from pathlib import Path

import pytest

from vedette.model.errors import ConfigErrors
from vedette.rules import read_sources

GOOD = "groups: [{name: g, rules: [{record: a, expr: b}]}]"


def test_patterns_find_files_in_order_and_each_once(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yml", "c.rules"):
        (tmp_path / name).write_text(GOOD)

    sources = read_sources([f"{tmp_path}/c.*", f"{tmp_path}/*.yml", f"{tmp_path}/a.yml"])

    assert [Path(file.file).name for file in sources.files] == ["c.rules", "a.yml", "b.yml"]
    assert len(sources.groups) == 3


def test_a_pattern_without_files_is_told_and_no_error(tmp_path: Path) -> None:
    sources = read_sources([f"{tmp_path}/none.yml"])

    assert sources.files == ()
    assert sources.unmatched == (f"{tmp_path}/none.yml",)


def test_all_errors_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("groups: [{name: g, rules: [{record: a, expr: 'b)'}, {record: c}]}]")
    (tmp_path / "b.yml").write_text("group: []")
    (tmp_path / "c.yml").mkdir()

    with pytest.raises(ConfigErrors) as caught:
        read_sources([f"{tmp_path}/*.yml"])

    assert [Path(error.at.file).name for error in caught.value.errors] == ["a.yml", "a.yml", "b.yml", "c.yml"]
