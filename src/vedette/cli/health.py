"""`vedette health` and `vedette ledger`: whether it is well, and whether everything is accounted for."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import note, printable, show, show_json, table
from vedette.client.errors import AnswerError, UnexpectedAnswerError


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    app.command("health", rich_help_panel=panel, epilog="Example: `vedette health --timeout 2 && deploy`")(health)
    app.command("ledger", rich_help_panel=panel, epilog="Example: `vedette ledger --fail`")(ledger)


@command(server=True)
def health(invocation: Invocation) -> ExitCode:
    """Say whether the server is ready: exit code 0 if it is, 1 if it is not, 3 if there is none."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    with invocation.connect() as connection:
        url = connection.server.url
        ready, detail = True, ""
        try:
            connection.fetch(Call("/-/ready"))
        except AnswerError as exc:
            ready, detail = False, exc.detail
    if invocation.wants_json:
        show_json({"url": url, "ready": ready, "detail": detail})
        return ExitCode.OK if ready else ExitCode.NO
    if not ready:
        raise CommandError(f"{url} is not ready" + (f": {printable(detail)}" if detail else ""))
    typer.echo(f"ready  {url}")
    return ExitCode.OK


@command(server=True)
def ledger(
    invocation: Invocation,
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 1 if anything was dropped.")] = False,  # noqa: FBT002
) -> ExitCode:
    """Show what became of the samples of each source since the start: received = stored + dropped, by reason."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    with invocation.connect() as connection:
        raw = connection.fetch(Call("/api/vedette/v1/ledger"))
    try:
        sources: list[dict[str, Any]] = json.loads(raw)["sources"]
        dropped = [{str(reason): int(count) for reason, count in one["dropped"].items()} for one in sources]
        rows = [(str(one["source"]), int(one["received"]), int(one["stored"])) for one in sources]
        problems = [str(one.get("lastProblem", "")) for one in sources]
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise UnexpectedAnswerError("the server's ledger is in an unknown form") from exc
    if invocation.wants_json:
        show_json({"sources": sources})
    elif not rows:
        note("nothing has come in yet")
    else:
        made = table(
            "SOURCE", "RECEIVED", "STORED", "DROPPED", "WHY", right=("RECEIVED", "STORED", "DROPPED"), wrap=("WHY",)
        )
        for (source, received, stored), reasons, problem in zip(rows, dropped, problems, strict=True):
            why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items() if count)
            lost = sum(reasons.values())
            made.add_row(
                printable(source),
                f"{received:,}",
                f"{stored:,}",
                f"[red]{lost:,}[/]" if lost else "0",
                printable(": ".join(part for part in (why, problem) if part)).replace("[", "\\["),
            )
        show(made)
    return ExitCode.NO if fail and any(sum(reasons.values()) for reasons in dropped) else ExitCode.OK
