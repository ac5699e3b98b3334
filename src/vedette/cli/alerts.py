"""`vedette alerts`: which there are, and why somebody or nobody was told."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import note, out, printable, show, show_json, table
from vedette.cli.times import local_moment, parse_moment, show_ago, show_moment

_Matchers = Annotated[
    list[str] | None, typer.Argument(metavar="MATCHER...", help="name=value, name!=value, name=~regex, name!~regex.")
]


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    alerts = typer.Typer(no_args_is_help=True, help="Alerts: which there are, and who was told.")
    alerts.command("list", epilog="Example: `vedette alerts list severity=critical --silenced`")(list_alerts)
    alerts.command("explain", epilog="Example: `vedette alerts explain alertname=DiskFull --at -1h --receiver pager`")(
        explain
    )
    alerts.command("quality", epilog="Example: `vedette alerts quality --since -30d --zone Europe/Berlin`")(quality)
    app.add_typer(alerts, name="alerts", rich_help_panel=panel)


@command(server=True)
def list_alerts(
    invocation: Invocation,
    matchers: _Matchers = None,
    receiver: Annotated[str, typer.Option("--receiver", metavar="REGEX", help="Of these receivers only.")] = "",
    silenced: Annotated[bool, typer.Option("--silenced", help="Silenced ones, too.")] = False,  # noqa: FBT002
    inhibited: Annotated[bool, typer.Option("--inhibited", help="Inhibited ones, too.")] = False,  # noqa: FBT002
) -> ExitCode:
    """List alerts that are firing."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    parameters = {
        "filter": [_matcher(text) for text in matchers or []],
        "silenced": str(silenced).lower(),
        "inhibited": str(inhibited).lower(),
        **({"receiver": receiver} if receiver else {}),
    }
    with invocation.connect() as connection:
        found: list[dict[str, Any]] = json.loads(connection.fetch(Call("/api/v2/alerts", parameters)))
    if invocation.wants_json:
        show_json(found)
        return ExitCode.OK
    now_s = time.time()
    shown = table("alert", "since", "state", "receivers", "labels", "summary", wrap=["labels", "summary"])
    for one in sorted(found, key=lambda alert: (alert["labels"].get("alertname", ""), alert["startsAt"])):
        labels = dict(one["labels"])
        shown.add_row(
            printable(labels.pop("alertname", "")),
            show_ago(now_s - datetime.fromisoformat(one["startsAt"]).timestamp()),
            one["status"]["state"],
            printable(", ".join(receiver["name"] for receiver in one["receivers"])),
            printable(_labels(labels)),
            printable(one["annotations"].get("summary", "")),
        )
    show(shown)
    note(f"{len(found)} alert{'' if len(found) == 1 else 's'}")
    return ExitCode.OK


@command(server=True)
def explain(
    invocation: Invocation,
    matchers: _Matchers = None,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="How it stood then.")] = "now",
    receiver: Annotated[str, typer.Option("--receiver", metavar="NAME", help="For this receiver only.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Alerts at most, newest first.")] = 5,
) -> ExitCode:
    """Say why somebody was told of an alert, or why nobody was, then or now; exit code 1 if no alert is known."""
    moment = parse_moment("--at", at, local_moment(time.time()))
    parameters = {
        "filter": [_matcher(text) for text in matchers or []],
        "time": f"{moment.timestamp():.3f}",
        "receiver": receiver,
        "limit": str(limit),
    }
    with invocation.connect() as connection:
        found: list[dict[str, Any]] = connection.ask("/api/vedette/v1/alerts/explain", parameters).data
    if invocation.wants_json:
        show_json(found)
    else:
        for one in found:
            _show(one)
        if not found:
            note("no such alert is in the history")
    return ExitCode.OK if found else ExitCode.NO


@command(server=True)
def quality(
    invocation: Invocation,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="From when on.")] = "-30d",
    zone: Annotated[
        str, typer.Option("--zone", metavar="ZONE", help="Where it is night from 22 to 6 o'clock.")
    ] = "UTC",
) -> ExitCode:
    """Show which alerts are worth having: how often each fired, ended by itself, was silenced, woke somebody."""
    moment = parse_moment("--since", since, local_moment(time.time()))
    parameters = {"start": f"{moment.timestamp():.3f}", "zone": zone}
    with invocation.connect() as connection:
        found: list[dict[str, Any]] = connection.ask("/api/vedette/v1/alerts/quality", parameters).data
    if invocation.wants_json:
        show_json(found)
        return ExitCode.OK
    numbers = ["fired", "< 5 min", "usually", "told", "at night", "silenced", "inhibited", "flapping"]
    shown = table("alert", *numbers, right=numbers)
    keys = ("told", "toldAtNight", "silenced", "inhibited", "flapping")
    for one in found:
        usual = one["medianSeconds"]
        shown.add_row(
            printable(one["alertname"]),
            str(one["fired"]),
            str(one["endedWithinMinutes"]),
            "" if usual is None else show_ago(float(usual)),
            *(str(one[key]) for key in keys),
        )
    show(shown)
    return ExitCode.OK


def _show(found: Mapping[str, Any]) -> None:
    console = out()
    labels = dict(found["labels"])
    console.print(
        printable(f"{labels.pop('alertname', '')} {_labels(labels)}"), style="bold", markup=False, soft_wrap=True
    )
    at = show_moment(local_moment(float(found["time"])))
    style = "green" if found["told"] else "yellow"
    console.print(f"  {at}: {printable(found['answer'])}", style=style, markup=False, soft_wrap=True)
    for record in [found["life"], *found["decisions"]]:
        if record is not None:
            console.print(f"  {printable(record['sentence'])}", markup=False, soft_wrap=True)
    receivers = [step["receiver"] for step in found["routes"] if step["taken"]]
    console.print(f"  routes now lead to {printable(', '.join(receivers))}", style="dim", markup=False, soft_wrap=True)


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())


def _matcher(text: str) -> str:
    """A bare word is the alert's name, as for amtool."""
    return text if any(sign in text for sign in "=~!") else f"alertname={text}"
