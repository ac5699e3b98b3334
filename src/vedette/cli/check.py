"""`vedette check config`: everything that is wrong with a configuration, with places and remedies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import failures_of, show_failures
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import Output, out, printable, show_json

if TYPE_CHECKING:
    from vedette.config import Loaded


group = typer.Typer(help="Check files before they are used.", no_args_is_help=True)
"""`vedette check`; each kind of file adds its command."""


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    group.command("config", epilog="Example: `vedette check config vedette.yml`")(config)
    app.add_typer(group, name="check", rich_help_panel=panel)


@command()
def config(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="vedette.yml, or a prometheus.yml.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,  # noqa: FBT002
) -> ExitCode:
    """Check a configuration, with everything that it includes and names.

    All errors are reported at once, each with its line and how to mend it. Warnings tell of what is accepted and has
    no effect, of files that are not there, and of jobs that will be inactive. Rule files that it names are checked too,
    and what it says about receivers of alerts.
    """
    from vedette.alerting import read_alerting  # noqa: PLC0415 - takes longer than other commands
    from vedette.config import check, load  # noqa: PLC0415 - takes longer than other commands
    from vedette.ingest.relabel import apply  # noqa: PLC0415 - likewise
    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - likewise
    from vedette.rules import read_sources, template_language  # noqa: PLC0415 - likewise

    try:
        loaded = load(file)
        config = loaded.config
        scheme = config.global_.metric_name_validation_scheme
        alerting = read_alerting(config.alertmanager)
        rules = read_sources(config.rule_files, templates=template_language(), scheme=scheme)
    except ConfigErrors as exc:
        failures = failures_of(exc)
        if invocation.wants_json:
            show_json({"valid": False, "errors": [failure.as_json() for failure in failures]})
        else:
            show_failures(failures, Output.TABLE)
            _conclude(f"{len(failures)} error{'s' if len(failures) > 1 else ''}", "bold red")
        return ExitCode.NO
    loaded = replace(
        loaded,
        warnings=(*loaded.warnings, *alerting.warnings, *(warning for one in rules.files for warning in one.warnings)),
        files=(*loaded.files, *(one.file for one in rules.files)),
    )
    missing = check(config, relabel=apply)
    failed = bool(missing) or (strict and bool(loaded.warnings))
    if invocation.wants_json:
        show_json(_as_json(loaded, missing, valid=not failed))
    else:
        _show(loaded, missing, failed=failed, rules=sum(len(one.rules) for one in rules.groups))
    return ExitCode.NO if failed else ExitCode.OK


def _show(loaded: Loaded, missing: list[str], *, failed: bool, rules: int) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for people

    console = out()
    for warning in loaded.warnings:
        text = Text.assemble((f"{warning.at}: ", "bold"), ("warning: ", "bold yellow"), printable(warning.text))
        if warning.at.text.strip():
            text.append(f"\n  {warning.at.line} | {printable(warning.at.text.rstrip())}", style="dim")
        console.print(text, soft_wrap=True)
    for text in missing:
        console.print(Text.assemble(("error: ", "bold red"), printable(text)), soft_wrap=True)
    jobs = loaded.config.jobs
    inactive = [job for job in jobs if not job.active]
    if inactive:
        console.print(Text("Inactive jobs", style="bold"))
        for job in inactive:
            kinds = ", ".join(job.unsupported)
            console.print(Text.assemble(f"  {printable(job.job_name)}  ", (f"needs {kinds}", "dim")), soft_wrap=True)
    counts = [f"{len(loaded.files)} file{_s(len(loaded.files))}", f"{len(jobs)} scrape job{_s(len(jobs))}"]
    if rules:
        counts.append(f"{rules} rule{_s(rules)}")
    if inactive:
        counts.append(f"{len(inactive)} of them inactive")
    if loaded.warnings:
        counts.append(f"{len(loaded.warnings)} warning{_s(len(loaded.warnings))}")
    if missing:
        counts.append(f"{len(missing)} error{_s(len(missing))}")
    _conclude(("not valid: " if failed else "valid: ") + ", ".join(counts), "bold red" if failed else "bold green")


def _conclude(text: str, style: str) -> None:
    out().print(text, style=style, markup=False)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _as_json(loaded: Loaded, missing: list[str], *, valid: bool) -> dict[str, object]:
    return {
        "valid": valid,
        "errors": [{"kind": "config", "problem": text} for text in missing],
        "warnings": [
            {"file": one.at.file, "line": one.at.line, "column": one.at.column, "text": one.text}
            for one in loaded.warnings
        ],
        "files": list(loaded.files),
        "jobs": [
            {"name": job.job_name, "active": job.active, "unsupported": list(job.unsupported)}
            for job in loaded.config.jobs
        ],
    }
