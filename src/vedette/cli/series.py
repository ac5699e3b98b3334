"""`vedette series`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from vedette.cli.answers import show_labels
from vedette.cli.exit_codes import ExitCode
from vedette.cli.invocation import Invocation, command
from vedette.cli.metric_names import complete_expression
from vedette.cli.terminal import note, out, printable, show_json, stdout_is_terminal
from vedette.cli.times import parse_moment
from vedette.client.errors import UnexpectedAnswerError
from vedette.model.labels import label_set

_ON_TERMINAL = 200


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    example = "Example: `vedette series 'node_cpu_seconds_total{mode=\"idle\"}'`"
    app.command("series", rich_help_panel=panel, epilog=example)(series)


@command(server=True)
def series(
    invocation: Invocation,
    selectors: Annotated[
        list[str],
        typer.Argument(metavar="SELECTOR...", help="Such as up{job='node'}.", autocompletion=complete_expression),
    ],
    start: Annotated[
        str | None, typer.Option("--start", "-s", metavar="TIME", help="Only series with samples from then on.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "-e", metavar="TIME", help="Until when.")] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=0, metavar="N", help="Series shown; 0 for all. 200 on a terminal, else all."),
    ] = None,
) -> ExitCode:
    """List the series that a selector finds; exit code 1 if there are none."""
    now = datetime.now(UTC).astimezone()
    parameters: dict[str, str | list[str]] = {"match[]": selectors}
    for option, text in (("start", start), ("end", end)):
        if text is not None:
            parameters[option] = f"{parse_moment(f'--{option}', text, now).timestamp():.3f}"
    with invocation.connect() as connection:
        answer = connection.ask("/api/v1/series", parameters, form=True, expression=", ".join(selectors))
    data = answer.data
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in cast("list[Any]", data)):
        raise UnexpectedAnswerError("the server's list of series is none")
    found = sorted(label_set(one) for one in cast("list[dict[str, str]]", data))
    most = (_ON_TERMINAL if stdout_is_terminal() and not invocation.wants_json else 0) if limit is None else limit
    shown = found[:most] if most else found
    if invocation.wants_json:
        show_json([dict(labels) for labels in shown])
        return ExitCode.OK if found else ExitCode.NO
    console = out()
    for labels in shown:
        console.print(show_labels(labels), soft_wrap=True)
    for text in answer.warnings:
        note(f"warning: {printable(text)}", style="yellow")
    if not found:
        note("no series match")
    elif len(found) > len(shown):
        note(f"… and {len(found) - len(shown):,} more (--limit 0 shows all)")
    else:
        note(f"{len(found):,} series")
    return ExitCode.OK if found else ExitCode.NO
