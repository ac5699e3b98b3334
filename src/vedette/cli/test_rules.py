"""`vedette test rules`: unit tests of rules, in promtool's format and with its output and exit codes."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import show_json

if TYPE_CHECKING:
    from vedette.rules.unit_tests import FileResult

__test__ = False  # for pytest, which would take it for tests by its name


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(help="Test rules before they are used.", no_args_is_help=True)
    group.command("rules", epilog="Example: `vedette test rules tests/alerts_test.yml`")(rules)
    app.add_typer(group, name="test", rich_help_panel=panel)


@command()
def rules(
    invocation: Invocation,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Test files, as promtool reads them.")],
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="REGEX", help="Only tests whose names match; may be given several times."),
    ] = None,
    ignore_unknown_fields: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--ignore-unknown-fields", help="Allow keys that are not known in rule files.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML too.")
    ] = None,
) -> ExitCode:
    """Run unit tests of rules; exit code 1 if any fails.

    A test gives series and says which alerts fire and what expressions give at which time. The format is promtool's:
    prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules.
    """
    from vedette.rules import template_language  # noqa: PLC0415 - takes longer than other commands
    from vedette.rules.unit_tests import RunOptions, junit_xml, run_file  # noqa: PLC0415 - likewise

    options = RunOptions(templates=template_language(), only=_pattern(run or []), ignore_unknown=ignore_unknown_fields)
    results: list[FileResult] = []
    for file in files:
        if not invocation.wants_json:
            print(f"Unit Testing:  {file}")  # noqa: T201 - promtool's output
        result = run_file(file, options)
        results.append(result)
        if not invocation.wants_json:
            _show(result)
    if junit is not None:
        try:
            junit.write_text(junit_xml(results, datetime.now(UTC).astimezone()), "utf-8")
        except OSError as exc:
            raise CommandError(f"cannot write {junit}: {exc.strerror or exc}") from exc
    if invocation.wants_json:
        show_json({"passed": not any(result.failures for result in results), "files": [*map(_as_json, results)]})
    return ExitCode.NO if any(result.failures for result in results) else ExitCode.OK


def _pattern(run: list[str]) -> re.Pattern[str] | None:
    if not run:
        return None
    try:
        return re.compile("|".join(run))
    except re.error as exc:
        raise CommandError(f"--run: not a regular expression: {exc}", exit_code=ExitCode.USAGE) from exc


def _show(result: FileResult) -> None:
    for warning in result.warnings:
        print(f"  WARNING: {warning}", file=sys.stderr)  # noqa: T201 - promtool's output
    if result.failures:
        sys.stdout.flush()
        print("  FAILED:", file=sys.stderr)  # noqa: T201 - promtool's output
        for failure in result.failures:
            print(failure, file=sys.stderr, flush=True)  # noqa: T201 - promtool's output
            print(flush=True)  # noqa: T201 - promtool's output
    else:
        print("  SUCCESS")  # noqa: T201 - promtool's output
    print(flush=True)  # noqa: T201 - promtool's output


def _as_json(result: FileResult) -> dict[str, object]:
    return {
        "file": result.file,
        "passed": not result.failures,
        "problems": list(result.problems),
        "warnings": list(result.warnings),
        "tests": [
            {"name": case.name, "passed": not case.failures, "failures": list(case.failures)} for case in result.cases
        ],
    }
