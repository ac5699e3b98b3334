"""`vedette routes`: the routing tree, and the way that an alert takes through it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import out, printable, show_json

_File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="An alertmanager.yml to look at, instead of the server's routes."),
]


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    routes = typer.Typer(no_args_is_help=True, help="Who is told of which alerts.")
    routes.command("show", epilog="Example: `vedette routes show --file alertmanager.yml`")(show_routes)
    routes.command("test", epilog="Example: `vedette routes test severity=critical service=web --expect pager`")(
        follow_route
    )
    app.add_typer(routes, name="routes", rich_help_panel=panel)


@command(server=True)
def show_routes(invocation: Invocation, file: _File = None) -> ExitCode:
    """Draw the routing tree: of a running server, or of a file."""
    routes = _local_routes(file) if file is not None else _asked(invocation, "/api/vedette/v1/routes", [])
    if invocation.wants_json:
        show_json(routes)
        return ExitCode.OK
    console = out()
    for index, route in enumerate(routes):
        console.print(f"{_branch(routes, index)}{_title(route)}", markup=False, soft_wrap=True)
    return ExitCode.OK


@command(server=True)
def follow_route(
    invocation: Invocation,
    labels: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Labels of the alert.")],
    file: _File = None,
    expect: Annotated[
        str, typer.Option("--expect", metavar="RECEIVERS", help="Exit code 1 unless it reaches these, with commas.")
    ] = "",
) -> ExitCode:
    """Show which receivers an alert would reach, and at which nodes it was turned away."""
    found = _labels(labels)
    if file is not None:
        steps = _local_steps(file, found)
    else:
        texts = [f"{name}={value}" for name, value in found.items()]
        steps = _asked(invocation, "/api/vedette/v1/routes/test", texts)
    receivers = [str(step["receiver"]) for step in steps if step["taken"]]
    wanted = [name.strip() for name in expect.split(",") if name.strip()]
    right = not wanted or wanted == receivers
    if invocation.wants_json:
        show_json({"receivers": receivers, "steps": steps, "expected": right})
    else:
        _show_steps(steps, receivers)
        if not right:
            out().print(f"expected {', '.join(wanted)}", style="bold red", markup=False)
    return ExitCode.OK if right else ExitCode.NO


def _asked(invocation: Invocation, path: str, labels: Sequence[str]) -> list[dict[str, Any]]:
    with invocation.connect() as connection:
        return connection.ask(path, {"label": labels} if labels else None).data


def _labels(texts: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            problem = f"{text!r} is no label"
            raise CommandError(problem, remedy="Write it as name=value.", exit_code=ExitCode.USAGE)
        labels[name] = value.strip('"')
    return labels


def _local_routes(file: Path) -> list[dict[str, Any]]:
    from vedette.alerting import build_plan, load_alerting  # noqa: PLC0415 - takes longer than other commands
    from vedette.alerting.route_forms import tree_fields  # noqa: PLC0415 - likewise

    return tree_fields(build_plan(load_alerting(file)).root)


def _local_steps(file: Path, labels: dict[str, str]) -> list[dict[str, Any]]:
    from vedette.alerting import build_plan, explain, load_alerting  # noqa: PLC0415 - as above
    from vedette.alerting.route_forms import step_fields  # noqa: PLC0415 - as above

    return [step_fields(step) for step in explain(build_plan(load_alerting(file)).root, labels)]


def _branch(routes: Sequence[dict[str, Any]], index: int) -> str:
    """The lines that lead to a node."""
    depth = int(routes[index]["depth"])
    if depth == 0:
        return ""
    parts = ["├── " if _goes_on(routes, index, depth) else "└── "]
    parts += ["│   " if _goes_on(routes, index, level) else "    " for level in range(depth - 1, 0, -1)]
    return "".join(reversed(parts))


def _goes_on(routes: Sequence[dict[str, Any]], index: int, depth: int) -> bool:
    """Whether a further node of a depth follows below the same parent."""
    for route in routes[index + 1 :]:
        if int(route["depth"]) <= depth:
            return int(route["depth"]) == depth
    return False


def _title(route: dict[str, Any]) -> str:
    more: list[str] = []
    if route["continue"]:
        more.append("continue")
    more.append("group by " + (", ".join(route["groupBy"]) or "nothing"))
    more += [f"muted in {name}" for name in route["muteTimeIntervals"]]
    more += [f"only in {name}" for name in route["activeTimeIntervals"]]
    matchers = "default" if route["depth"] == 0 else route["matchers"]
    return printable(f"{matchers}  -> {route['receiver']}  ({'; '.join(more)})")


def _show_steps(steps: Sequence[dict[str, Any]], receivers: Sequence[str]) -> None:
    console = out()
    for step in steps:
        if step["taken"]:
            said, style = f"taken: {step['receiver']}", "bold green"
        elif step["matched"]:
            said, style = "passes", ""
        else:
            said, style = f"refused by {step['refusedBy']}", "dim"
        matchers = "default" if step["depth"] == 0 else step["matchers"]
        console.print(f"{'  ' * int(step['depth'])}{printable(matchers)}  {printable(said)}", style=style, markup=False)
    console.print(f"receivers: {printable(', '.join(receivers))}", style="bold", markup=False)
