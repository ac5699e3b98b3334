from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from vedette.__about__ import __version__
from vedette.cli.compile_kernels import kernel_modules
from vedette.cli.program import app
from vedette.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


ALL = dict(commands(typer.main.get_command(app)))


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_reference_in_the_documentation_is_in_step() -> None:
    assert PAGE.read_text() == reference(), "python -m vedette.cli.reference > docs/reference/cli.md"


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")

    assert result.exit_code == 0
    assert "Example: " in result.output
    assert f"vedette {' '.join(path)}" in ALL[path].epilog


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_that_answers_can_answer_in_json(path: tuple[str, ...]) -> None:
    options = {option for parameter in ALL[path].params for option in parameter.opts}

    # `up` serves, and what the other two print is for a shell and an editor.
    assert ("--output" in options) == (path not in {("up",), ("completion",), ("config", "schema")})


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_is_described(path: tuple[str, ...]) -> None:
    assert [parameter.name for parameter in ALL[path].params if not parameter.help] == []


def test_the_version_is_printed() -> None:
    assert run("version").output.startswith(f"vedette {__version__} ")
    assert json.loads(run("version", "-o", "json").output)["version"] == __version__


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    result = run("completion", shell)

    assert result.exit_code == 0
    assert f"_VEDETTE_COMPLETE=complete_{shell}" in result.output


def test_completion_knows_the_shell_it_is_run_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert "complete --command vedette" in run("completion").output

    monkeypatch.setenv("SHELL", "/bin/dash")
    assert run("completion").exit_code == 2


def test_the_schema_is_json() -> None:
    assert json.loads(run("config", "schema").output)["title"] == "vedette.yml"


def test_a_good_configuration_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "vedette.yml"
    file.write_text("scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1']}]}]\n")

    result = run("check", "config", str(file))

    assert (result.exit_code, result.output) == (0, "valid: 1 file, 1 scrape job\n")


def test_all_errors_of_a_configuration_are_shown_at_once(tmp_path: Path) -> None:
    file = tmp_path / "vedette.yml"
    file.write_text("scrape_configs:\n  - job_nam: a\nhttp:\n  listne: x\n")

    result = run("check", "config", str(file), "-o", "json")

    said = json.loads(result.output)
    assert (result.exit_code, said["valid"]) == (1, False)
    assert {(error["line"], error["column"]) for error in said["errors"]} >= {(2, 5), (4, 3)}
    assert all(error["file"] == str(file) for error in said["errors"])


def test_jobs_that_will_be_inactive_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("scrape_configs:\n  - job_name: cloud\n    ec2_sd_configs: [{region: x}]\n")

    plain, strict = run("check", "config", str(file)), run("check", "config", str(file), "--strict", "-o", "json")

    assert plain.exit_code == 0
    assert f"{file}:3:5: warning: " in plain.output
    assert "Inactive jobs\n  cloud  needs ec2" in plain.output
    assert strict.exit_code == 1
    assert json.loads(strict.output)["jobs"] == [{"name": "cloud", "active": False, "unsupported": ["ec2"]}]


def test_a_file_that_a_configuration_names_and_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "vedette.yml"
    file.write_text("scrape_configs: [{job_name: a, authorization: {credentials_file: nothing}}]\n")

    result = run("check", "config", str(file))

    assert result.exit_code == 1
    assert "does not point to an existing file" in result.output


def test_options_that_contradict_each_other_are_a_usage_error(tmp_path: Path) -> None:
    assert run("health", "--url", "http://x", "--data", str(tmp_path)).exit_code == 2
    assert run("health", "--url", "http://x", "--token", "a", "--token-file", "b").exit_code == 2


def test_kernels_are_found_without_importing_everything() -> None:
    found = set(kernel_modules())

    assert {"vedette.wire.prometheus_json", "vedette.store.head.kernels"} <= found
    assert not any(name.startswith("vedette.cli") for name in found)
