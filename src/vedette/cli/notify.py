"""`vedette notify`: test messages, and how deliveries went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import note, printable, show, show_json, table
from vedette.cli.times import local_moment, show_moment


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Messages to receivers.")
    group.command("test", epilog="Example: `vedette notify test pager`")(send_test)
    group.command("list", epilog="Example: `vedette notify list --receiver pager --limit 20`")(list_attempts)
    app.add_typer(group, name="notify", rich_help_panel=panel)


@command(server=True)
def send_test(
    invocation: Invocation, receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="Its name.")]
) -> ExitCode:
    """Send a real message that says that it is a test to all integrations of a receiver; exit code 1 if one fails."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    path = f"/api/vedette/v1/receivers/{quote(receiver, safe='')}/test"
    with invocation.connect() as connection, connection.stream(Call(path, method="POST")) as response:
        attempts: list[dict[str, Any]] = connection.read_answer(response).data
    _show(invocation, attempts)
    return ExitCode.OK if all(one["ok"] for one in attempts) else ExitCode.NO


@command(server=True)
def list_attempts(
    invocation: Invocation,
    receiver: Annotated[str, typer.Option("--receiver", metavar="NAME", help="To this receiver only.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many at most.")] = 50,
) -> ExitCode:
    """List attempts to deliver messages, the newest first."""
    parameters = {"limit": str(limit), **({"receiver": receiver} if receiver else {})}
    with invocation.connect() as connection:
        attempts: list[dict[str, Any]] = connection.ask("/api/vedette/v1/notifications", parameters).data
    _show(invocation, attempts)
    return ExitCode.OK


def _show(invocation: Invocation, attempts: Sequence[dict[str, Any]]) -> None:
    if invocation.wants_json:
        show_json(list(attempts))
        return
    shown = table(
        "time", "receiver", "integration", "attempt", "ok", "status", "took", "about", "error", wrap=["error"]
    )
    for one in attempts:
        shown.add_row(
            show_moment(local_moment(float(one["time"]))),
            printable(one["receiver"]),
            printable(one["integration"]),
            str(one["attempt"]),
            "yes" if one["ok"] else "no",
            "" if one["status"] is None else str(one["status"]),
            f"{float(one['latencySeconds']):.2f} s",
            printable(one["reason"]),
            printable(one["error"] or one["note"]),
        )
    show(shown)
    note(f"{len(attempts)} attempt{'' if len(attempts) == 1 else 's'}")
