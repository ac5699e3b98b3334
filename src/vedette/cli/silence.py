"""`vedette silence`: alerts that need no telling, for a time."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import note, printable, show, show_json, table
from vedette.cli.times import local_moment, parse_moment, show_moment
from vedette.model.durations import parse_duration

if TYPE_CHECKING:
    from vedette.client import Connection

_PATH = "/api/v2/silences"
_ONE = "/api/v2/silence"

_Comment = Annotated[str, typer.Option("--comment", "-c", metavar="TEXT", help="Why.")]
_Ticket = Annotated[str, typer.Option("--ticket", metavar="URL", help="Where more is said.")]
_Remind = Annotated[str, typer.Option("--remind", metavar="DURATION", help="Remind the author so long before the end.")]
_Duration = Annotated[str, typer.Option("--duration", "-d", metavar="DURATION", help="How long, from its start.")]
_Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Until when, instead of --duration.")]


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    silences = typer.Typer(no_args_is_help=True, help="Alerts that need no telling, for a time.")
    silences.command("add", epilog="Example: `vedette silence add alertname=DiskFull 'host=~db.*' -d 2h -c cleaning`")(
        add
    )
    silences.command("list", epilog="Example: `vedette silence list alertname=DiskFull --expired`")(list_silences)
    silences.command("edit", epilog="Example: `vedette silence edit 5e26ecfb-6c4d-5f31-8ea2-7b0a5725c8ef -d 4h`")(edit)
    silences.command("expire", epilog="Example: `vedette silence expire 5e26ecfb-6c4d-5f31-8ea2-7b0a5725c8ef`")(expire)
    app.add_typer(silences, name="silence", rich_help_panel=panel)


@command(server=True)
def add(  # noqa: PLR0913 - its options
    invocation: Invocation,
    matchers: Annotated[
        list[str], typer.Argument(metavar="MATCHER...", help="name=value, name!=value, name=~regex, name!~regex.")
    ],
    comment: _Comment = "",
    duration: _Duration = "1h",
    until: _Until = "",
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="From when; now unless it is given.")] = "now",
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who; your login unless it is given.")] = "",
    ticket: _Ticket = "",
    remind: _Remind = "",
    cron: Annotated[
        str, typer.Option("--cron", metavar="CRON", help="It comes back: in force for --for from each of these times.")
    ] = "",
    each: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long each time, with --cron.")] = "",
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="Time zone of --cron; UTC unless given.")] = "",
) -> ExitCode:
    """Silence all alerts that pass every matcher."""
    now = local_moment(time.time())
    begin = parse_moment("--start", start, now)
    wanted: dict[str, Any] = {
        "matchers": _matchers(matchers),
        "startsAt": _text(begin),
        "endsAt": _text(_end(begin, duration, until, now)),
        "createdBy": author or _login(),
        "comment": comment,
        "ticketURL": ticket,
        "remindBefore": remind,
    }
    if cron:
        wanted["recurrence"] = {"cron": cron, "duration": each or "1h", "location": zone}
    with invocation.connect() as connection:
        made = _post(connection, wanted)
    if invocation.wants_json:
        show_json({"id": made})
    else:
        typer.echo(made)
    return ExitCode.OK


@command(server=True)
def list_silences(
    invocation: Invocation,
    matchers: Annotated[
        list[str] | None, typer.Argument(metavar="MATCHER...", help="Only those with such matchers.")
    ] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Those that have ended, too.")] = False,  # noqa: FBT002
) -> ExitCode:
    """List silences."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    parameters = {"filter": matchers or [], "expired": "true" if expired else "false"}
    with invocation.connect() as connection:
        found: list[dict[str, Any]] = json.loads(connection.fetch(Call(_PATH, parameters)))
    if invocation.wants_json:
        show_json(found)
        return ExitCode.OK
    shown = table("id", "state", "ends", "by", "matchers", "comment", wrap=["matchers", "comment"])
    for one in found:
        shown.add_row(
            one["id"],
            one["status"]["state"],
            show_moment(datetime.fromisoformat(one["endsAt"]).astimezone()),
            printable(one["createdBy"]),
            printable(" ".join(map(_matcher_text, one["matchers"]))),
            printable(one["comment"]),
        )
    show(shown)
    note(f"{len(found)} silence{'' if len(found) == 1 else 's'}")
    return ExitCode.OK


@command(server=True)
def edit(
    invocation: Invocation,
    silence: Annotated[str, typer.Argument(metavar="ID", help="Which one.")],
    comment: _Comment = "",
    duration: _Duration = "",
    until: _Until = "",
    ticket: _Ticket = "",
    remind: _Remind = "",
) -> ExitCode:
    """Change when a silence ends (--duration counts from now), its comment, ticket or reminder."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    now = local_moment(time.time())
    with invocation.connect() as connection:
        wanted: dict[str, Any] = json.loads(connection.fetch(Call(f"{_ONE}/{silence}")))
        if duration or until:
            wanted["endsAt"] = _text(_end(now, duration, until, now))
        changes = {"comment": comment, "ticketURL": ticket, "remindBefore": remind}
        wanted |= {name: text for name, text in changes.items() if text}
        made = _post(connection, wanted)
    if invocation.wants_json:
        show_json({"id": made})
    else:
        typer.echo(made)
        if made != silence:
            note("the silence was replaced by a new one, because what it silenced in the past stays as it was")
    return ExitCode.OK


@command(server=True)
def expire(
    invocation: Invocation,
    silences: Annotated[list[str], typer.Argument(metavar="ID...", help="Which ones.")],
) -> ExitCode:
    """End silences now."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    with invocation.connect() as connection:
        for one in silences:
            connection.fetch(Call(f"{_ONE}/{one}", method="DELETE"))
    if invocation.wants_json:
        show_json({"expired": silences})
    return ExitCode.OK


def _post(connection: Connection, silence: dict[str, Any]) -> str:
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    body = json.dumps(silence).encode()
    raw = connection.fetch(Call(_PATH, method="POST", content=body, kind="application/json"))
    return str(json.loads(raw)["silenceID"])


def _matchers(texts: Sequence[str]) -> list[dict[str, Any]]:
    from vedette.alerting.matchers import MatcherError, parse_matcher  # noqa: PLC0415 - takes longer than others
    from vedette.model.matchers import MatchOp  # noqa: PLC0415 - likewise

    found: list[dict[str, Any]] = []
    for text in texts:
        try:
            # A bare word is the alert's name, as for amtool.
            one = parse_matcher(text if any(sign in text for sign in "=~!") else f"alertname={text}")
        except MatcherError as exc:
            remedy = "Write it as name=value, name!=value, name=~regex or name!~regex."
            raise CommandError(f"{text!r} is no matcher: {exc}", remedy=remedy, exit_code=ExitCode.USAGE) from exc
        found.append(
            {
                "name": one.name,
                "value": one.value,
                "isRegex": one.op in (MatchOp.REGEX, MatchOp.NOT_REGEX),
                "isEqual": one.op in (MatchOp.EQUAL, MatchOp.REGEX),
            }
        )
    return found


def _matcher_text(one: dict[str, Any]) -> str:
    sign = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    return f"{one['name']}{sign[one['isEqual'], one['isRegex']]}{json.dumps(one['value'], ensure_ascii=False)}"


def _end(begin: datetime, duration: str, until: str, now: datetime) -> datetime:
    if until:
        return parse_moment("--until", until, now)
    try:
        return begin + timedelta(milliseconds=parse_duration(duration))
    except (ValueError, OverflowError) as exc:
        problem = f"--duration: {duration!r} is not a duration"
        raise CommandError(problem, remedy="Write it as in 2h or 1d12h.", exit_code=ExitCode.USAGE) from exc


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
