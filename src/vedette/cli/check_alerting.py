"""`vedette check alerting`: everything that is wrong with an alertmanager.yml."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import failures_of, rendered
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import err, out, printable, show_json

if TYPE_CHECKING:
    from vedette.alerting import AlertingConfig
    from vedette.model.errors import ConfigErrors


def register(group: typer.Typer) -> None:
    """Add the command to `vedette check`."""
    group.command("alerting", epilog="Example: `vedette check alerting alertmanager.yml`")(alerting)


@command()
def alerting(
    invocation: Invocation,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Alertmanager's configuration files.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,  # noqa: FBT002
) -> ExitCode:
    """Check files that say who is told of which alerts: syntax, receivers, routes, intervals, templates.

    All errors are reported at once, each with its line and how to mend it. Warnings tell of what is accepted and has
    no effect, such as receivers of kinds to which Vedette does not send.
    """
    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - takes longer than other commands

    checked = [(file, _read(file)) for file in files]
    errors = [found for _, found in checked if isinstance(found, ConfigErrors)]
    good = [(file, found) for file, found in checked if not isinstance(found, ConfigErrors)]
    warned = any(config.warnings for _, config in good)
    failed = bool(errors) or (strict and warned)
    if invocation.wants_json:
        show_json(
            {
                "valid": not failed,
                "errors": [failure.as_json() for one in errors for failure in failures_of(one)],
                "warnings": [
                    {"file": one.at.file, "line": one.at.line, "column": one.at.column, "text": one.text}
                    for _, config in good
                    for one in config.warnings
                ],
                "files": [{"file": file, **_counts(config)} for file, config in good],
            }
        )
    else:
        for file, found in checked:
            _show(file, found)
    return ExitCode.NO if failed else ExitCode.OK


def _read(file: str) -> AlertingConfig | ConfigErrors:
    from vedette.alerting import load_alerting  # noqa: PLC0415 - as above
    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - as above

    try:
        return load_alerting(file)
    except ConfigErrors as exc:
        return exc


def _counts(config: AlertingConfig) -> dict[str, int]:
    return {
        "receivers": len(config.receivers),
        "inhibitRules": len(config.file.inhibit_rules),
        "timeIntervals": len(config.intervals),
        "templates": len(config.file.templates),
    }


def _show(file: str, found: AlertingConfig | ConfigErrors) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for people

    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - as above

    console = out()
    console.print(f"Checking {printable(file)}", markup=False, soft_wrap=True)
    if isinstance(found, ConfigErrors):
        sys.stdout.flush()
        errors = err()
        errors.print("  FAILED:", style="bold red")
        for failure in failures_of(found):
            errors.print(rendered(failure), soft_wrap=True)
        return
    for warning in found.warnings:
        text = Text.assemble((f"{warning.at}: ", "bold"), ("warning: ", "bold yellow"), printable(warning.text))
        console.print(text, soft_wrap=True)
    console.print("  SUCCESS", style="bold green")
    names = {"receivers": "receivers", "inhibitRules": "inhibition rules", "timeIntervals": "time intervals"}
    for key, count in _counts(found).items():
        console.print(f"  - {count} {names.get(key, key)}", markup=False)
