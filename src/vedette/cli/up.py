"""`vedette up`."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.invocation import Invocation, command


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    example = "Example: `vedette up --config vedette.yml --listen 127.0.0.1:7300`"
    app.command("up", rich_help_panel=panel, epilog=example)(up)


@command(data=True, output=False)
def up(
    invocation: Invocation,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", help="vedette.yml; this host and Vedette itself are watched without it."
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to listen, whatever the configuration says."),
    ] = None,
) -> ExitCode:
    """Start Vedette and stay in the foreground until Control-C or SIGTERM.

    SIGHUP reads the configuration again. What was accepted is kept: it stops in order, and a second signal ends it at
    once.
    """
    # A quarter of the start went into looking for garbage among what is being imported. `serve` turns it on again.
    gc.disable()
    from vedette.app import ServerOptions, run  # noqa: PLC0415 - the whole server

    code = run(ServerOptions(data_dir=invocation.data_dir(), config_file=config, listen=listen))
    return ExitCode.OK if code == 0 else ExitCode.NO
