"""`vedette version`."""

from __future__ import annotations

import platform

import typer

from vedette.__about__ import __version__
from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import show_json


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    app.command("version", rich_help_panel=panel, epilog="Example: `vedette version -o json`")(version)


@command()
def version(invocation: Invocation) -> None:
    """Print the version of this program."""
    python = platform.python_version()
    if invocation.wants_json:
        show_json({"version": __version__, "python": python, "machine": platform.machine()})
    else:
        typer.echo(f"vedette {__version__} (Python {python})")
