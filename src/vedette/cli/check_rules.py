"""`vedette check rules`: everything that is wrong with rule files, and hints about what is probably not meant."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError, failures_of, rendered
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import err, out, printable, show_json

if TYPE_CHECKING:
    from vedette.model.errors import ConfigErrors
    from vedette.rules import Hint, KnownMetrics, RuleFile


def register(group: typer.Typer) -> None:
    """Add the command to `vedette check`."""
    group.command("rules", epilog="Example: `vedette check rules rules/*.yml --lint-fatal`")(rules)


@command(server=True)
def rules(
    invocation: Invocation,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Rule files, or PrometheusRule objects.")],
    lint: Annotated[
        str, typer.Option("--lint", metavar="KINDS", help="Hints wanted: all, none, or kinds with commas between.")
    ] = "all",
    lint_fatal: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--lint-fatal", help="Exit code 3 if there are hints and no errors.")
    ] = False,
    ignore_unknown_fields: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--ignore-unknown-fields", help="Allow keys that are not known.")
    ] = False,
    server: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--server", help="Ask a server which metrics there are, and of which types.")
    ] = False,
) -> ExitCode:
    """Check rule files: syntax, names, expressions and templates, all errors at once with their lines.

    Hints are about what is valid: rules that are there twice, rate() of a gauge, alerts without `for`, label `severity`
    or annotation `runbook_url`, regular expressions that match one value, and with --server metrics that no target
    exposes. They do not change the exit code unless --lint-fatal is given.
    """
    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - takes longer than other commands
    from vedette.rules import find_hints, parse_rules, read_bytes, template_language  # noqa: PLC0415 - likewise

    wanted = _wanted(lint)
    known = _known(invocation) if server else None
    templates = template_language()
    checked: list[tuple[str, RuleFile | ConfigErrors]] = []
    for file in files:
        try:
            result: RuleFile | ConfigErrors = parse_rules(
                read_bytes(file), file, templates=templates, ignore_unknown=ignore_unknown_fields
            )
        except ConfigErrors as exc:
            result = exc
        checked.append((file, result))
    good = [result for _, result in checked if not isinstance(result, ConfigErrors)]
    hints = [hint for hint in find_hints(good, known) if hint.kind in wanted]
    failed = len(good) < len(checked)
    if invocation.wants_json:
        _show_json(checked, hints)
    else:
        _show(checked, hints)
    if failed:
        return ExitCode.NO
    return ExitCode.HINTS if lint_fatal and hints else ExitCode.OK


def _wanted(lint: str) -> frozenset[str]:
    from vedette.rules import HintKind  # noqa: PLC0415 - as above

    names = {name.strip() for name in lint.split(",")} - {""}
    if names <= {"none"}:
        return frozenset()
    if "all" in names:
        return frozenset(HintKind)
    unknown = sorted(names - set(HintKind) - {"none"})
    if unknown:
        problem = f"--lint: there is no hint of the kind `{unknown[0]}`"
        remedy = f"Use all, none, or some of: {', '.join(HintKind)}."
        raise CommandError(problem, remedy=remedy, exit_code=ExitCode.USAGE)
    return frozenset(names)


def _known(invocation: Invocation) -> KnownMetrics:
    """What the server knows of metrics."""
    from vedette.model.samples import MetricType  # noqa: PLC0415 - as above
    from vedette.rules import KnownMetrics  # noqa: PLC0415 - as above

    with invocation.connect() as connection:
        names = connection.ask("/api/v1/label/__name__/values").data
        metadata = connection.ask("/api/v1/metadata").data
    types: dict[str, MetricType] = {}
    if isinstance(metadata, dict):
        for family, entries in cast("dict[str, Any]", metadata).items():
            match entries:
                case [{"type": str() as said}, *_] if said in set(MetricType):
                    types[family] = MetricType(said)
                case _:
                    pass
    listed = cast("list[Any]", names) if isinstance(names, list) else []
    return KnownMetrics(frozenset(name for name in listed if isinstance(name, str)), types)


def _show(checked: Sequence[tuple[str, RuleFile | ConfigErrors]], hints: Sequence[Hint]) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for people

    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - as above

    console = out()
    for file, result in checked:
        console.print(f"Checking {printable(file)}", markup=False, soft_wrap=True)
        if isinstance(result, ConfigErrors):
            sys.stdout.flush()
            errors = err()
            errors.print("  FAILED:", style="bold red")
            for failure in failures_of(result):
                errors.print(rendered(failure), soft_wrap=True)
        else:
            for warning in result.warnings:
                console.print(Text.assemble((f"{warning.at}: ", "bold"), ("warning: ", "bold yellow"), warning.text))
            for hint in (hint for hint in hints if hint.at.file == file):
                text = Text.assemble((f"{hint.at}: ", "bold"), ("hint: ", "bold yellow"), printable(hint.text))
                text.append(f" [{hint.kind}]", style="dim")
                text.append(f"\n  {printable(hint.remedy)}", style="dim")
                console.print(text, soft_wrap=True)
            count = _count(result)
            console.print(f"  SUCCESS: {count} rule{'' if count == 1 else 's'} found", style="bold green")
        console.print()


def _show_json(checked: Sequence[tuple[str, RuleFile | ConfigErrors]], hints: Sequence[Hint]) -> None:
    from vedette.model.errors import ConfigErrors  # noqa: PLC0415 - as above

    broken = [result for _, result in checked if isinstance(result, ConfigErrors)]
    good = [result for _, result in checked if not isinstance(result, ConfigErrors)]
    show_json(
        {
            "valid": not broken,
            "files": [{"file": one.file, "groups": len(one.groups), "rules": _count(one)} for one in good],
            "errors": [failure.as_json() for errors in broken for failure in failures_of(errors)],
            "warnings": [
                {"file": one.at.file, "line": one.at.line, "column": one.at.column, "text": one.text}
                for file in good
                for one in file.warnings
            ],
            "hints": [
                {
                    "kind": hint.kind,
                    "file": hint.at.file,
                    "line": hint.at.line,
                    "column": hint.at.column,
                    "text": hint.text,
                    "remedy": hint.remedy,
                }
                for hint in hints
            ],
        }
    )


def _count(file: RuleFile) -> int:
    return sum(len(group.rules) for group in file.groups)
