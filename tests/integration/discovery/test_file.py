from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vedette.collect.discovery import Health
from vedette.collect.discovery.file import FileDiscoverer
from vedette.config.discovery import FileDiscovery
from vedette.model.durations import Duration


def discoverer(*files: Path, health: Health | None = None) -> FileDiscoverer:
    settings = FileDiscovery(files=tuple(str(file) for file in files), refresh_interval=Duration(3_600_000))
    return FileDiscoverer(settings, health or Health("file", "job"))


def replace(path: Path, content: str) -> None:
    new = path.with_name(".new")
    new.write_text(content)
    new.replace(path)


async def test_groups_of_yaml_and_json_files_have_their_labels_and_path(
    tmp_path: Path, running: Any, found: Any
) -> None:
    (tmp_path / "a.yml").write_text("- targets: ['a:1', 'b:2']\n  labels: {env: prod}\n- targets: ['c:3']\n")
    (tmp_path / "b.json").write_text(json.dumps([{"targets": ["d:4"], "labels": {"env": "test"}}]))

    async with running(discoverer(tmp_path / "*.yml", tmp_path / "b.json"), found):
        await found.until(lambda: len(found.groups) == 3)

    first = found.groups[f"{tmp_path}/a.yml:0"]
    assert first.labels == {"env": "prod", "__meta_filepath": f"{tmp_path}/a.yml"}
    assert first.targets == ({"__address__": "a:1"}, {"__address__": "b:2"})
    assert found.groups[f"{tmp_path}/b.json:0"].labels["env"] == "test"


async def test_a_change_counts_long_before_the_interval(tmp_path: Path, running: Any, found: Any) -> None:
    file = tmp_path / "a.yml"
    file.write_text("- targets: ['a:1']\n- targets: ['b:1']\n")

    async with running(discoverer(file), found):
        await found.until(lambda: found.addresses == {"a:1", "b:1"})
        replace(file, "- targets: ['c:1']\n")
        await found.until(lambda: found.addresses == {"c:1"})
        file.unlink()
        await found.until(lambda: found.addresses == set())


async def test_a_file_that_comes_later_is_found_by_its_pattern(tmp_path: Path, running: Any, found: Any) -> None:
    async with running(discoverer(tmp_path / "*.json"), found):
        await found.until(lambda: found.publishes > 0)
        (tmp_path / "late.json").write_text('[{"targets": ["late:1"]}]')
        await found.until(lambda: found.addresses == {"late:1"})


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("- targets: [", id="not YAML"),
        pytest.param("targets: ['b:1']", id="not a list"),
        pytest.param("- targets: ['b:1']\n  lables: {}", id="an unknown key"),
        pytest.param("- targets: {b: 1}", id="targets that are no list"),
        pytest.param("\x00\x01", id="bytes that are no text"),
    ],
)
async def test_a_broken_file_leaves_its_last_groups_in_force_and_is_reported(
    tmp_path: Path, running: Any, found: Any, broken: str
) -> None:
    file, other = tmp_path / "a.yml", tmp_path / "b.yml"
    file.write_text("- targets: ['a:1']\n")
    health = Health("file", "job")

    async with running(discoverer(tmp_path / "*.yml", health=health), found):
        await found.until(lambda: found.addresses == {"a:1"})
        replace(file, broken)
        replace(other, "- targets: ['other:1']\n")
        await found.until(lambda: str(file) in health.problems and "other:1" in found.addresses)
        assert found.addresses == {"a:1", "other:1"}

        replace(file, "- targets: ['mended:1']\n")
        await found.until(lambda: "mended:1" in found.addresses)

    assert health.problems == {}
    assert health.failures > 0


async def test_a_directory_that_is_not_there_has_no_targets_and_harms_nobody(
    tmp_path: Path, running: Any, found: Any
) -> None:
    (tmp_path / "a.yml").write_text("- targets: ['a:1']\n")

    async with running(discoverer(tmp_path / "missing" / "*.yml", tmp_path / "a.yml"), found):
        await found.until(lambda: found.addresses == {"a:1"})
