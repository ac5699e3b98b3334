"""`vedette token`: tokens by which agents, dashboards and scripts are let in."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import note, printable, show, show_json, table
from vedette.cli.times import show_ago, show_moment
from vedette.model.durations import parse_duration

_PATH = "/api/vedette/v1/tokens"
_NEVER = "never"


class TokenScope(StrEnum):
    """What a token allows."""

    READ = "read"
    WRITE_METRICS = "write:metrics"
    WRITE_ALERTS = "write:alerts"
    EDIT = "edit"
    ADMIN = "admin"


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    tokens = typer.Typer(no_args_is_help=True, help="Tokens for agents, dashboards and scripts.")
    tokens.command("create", epilog="Example: `vedette token create grafana --scope read --expires 90d`")(create)
    tokens.command("list", epilog="Example: `vedette token list --output json`")(list_tokens)
    tokens.command("revoke", epilog="Example: `vedette token revoke 3f9a1c`")(revoke)
    app.add_typer(tokens, name="token", rich_help_panel=panel)


@command(server=True)
def create(
    invocation: Invocation,
    name: Annotated[str, typer.Argument(help="What it is for; shown in lists.")],
    scope: Annotated[
        list[TokenScope] | None, typer.Option("--scope", help="What it allows; may be given several times.")
    ] = None,
    user: Annotated[str, typer.Option("--user", help="Whose token it is: it never does more than they may.")] = "admin",
    expires: Annotated[str, typer.Option("--expires", help="When it ends, as in 90d; never where not given.")] = "",
) -> ExitCode:
    """Make a token and print it, this once; `--scope read` unless told otherwise."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    scopes = [one.value for one in scope or [TokenScope.READ]]
    wanted: dict[str, object] = {"name": name, "scopes": scopes, "user": user}
    if expires:
        wanted["expires_ms"] = int(time.time() * 1000) + _duration_ms(expires)
    with invocation.connect() as connection:
        raw = connection.fetch(Call(_PATH, method="POST", content=json.dumps(wanted).encode(), kind="application/json"))
    made: dict[str, Any] = json.loads(raw)
    if invocation.wants_json:
        show_json(made)
    else:
        note(f"token {made['id']} for {printable(name)} ({', '.join(scopes)}); it is not shown again")
        typer.echo(made["token"])
    return ExitCode.OK


@command(server=True)
def list_tokens(invocation: Invocation) -> ExitCode:
    """List tokens, what they allow and when they were last used; the tokens themselves are not kept."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    with invocation.connect() as connection:
        found: list[dict[str, Any]] = json.loads(connection.fetch(Call(_PATH)))["tokens"]
    if invocation.wants_json:
        show_json({"tokens": found})
        return ExitCode.OK
    if not found:
        note("no tokens yet: make one with `vedette token create NAME --scope read`")
        return ExitCode.OK
    made = table("ID", "NAME", "USER", "SCOPES", "EXPIRES", "LAST USED")
    for one in found:
        ends_ms, used_ms = one["expires_ms"], one["last_used_ms"]
        made.add_row(
            one["id"],
            printable(one["name"]),
            printable(one["user"]),
            ", ".join(one["scopes"]),
            show_moment(datetime.fromtimestamp(ends_ms / 1000, UTC).astimezone()) if ends_ms else _NEVER,
            f"{show_ago(time.time() - used_ms / 1000)} ago" if used_ms else _NEVER,
        )
    show(made)
    return ExitCode.OK


@command(server=True)
def revoke(
    invocation: Invocation, token_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]
) -> ExitCode:
    """End a token, at once."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    if not token_id.isalnum():
        raise CommandError(f"{token_id!r} is not the id of a token; `vedette token list` shows them")
    with invocation.connect() as connection:
        connection.fetch(Call(f"{_PATH}/{token_id}", method="DELETE"))
    if invocation.wants_json:
        show_json({"revoked": token_id})
    else:
        typer.echo(f"revoked {token_id}")
    return ExitCode.OK


def _duration_ms(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise CommandError(f"--expires {text}: {exc}; write it like 90d or 12h") from exc
