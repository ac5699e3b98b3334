"""The program: all commands by name. Importing it imports none of what they need."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

import typer

from vedette.cli import (
    alerts,
    back_fill,
    backtest,
    backup,
    check,
    check_alerting,
    check_rules,
    compile_kernels,
    completion,
    config,
    export,
    health,
    notify,
    query,
    routes,
    silence,
    targets,
    test_rules,
    token,
    up,
    version,
)
from vedette.cli import series as series_command

PROGRAM: Final = "vedette"

app = typer.Typer(
    name=PROGRAM,
    help="Observability in one process: metrics, logs, traces, alerts and status, in the formats you already use.",
    epilog="Begin with `vedette up`, then ask in another terminal: `vedette query instant up`.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_SERVE: Final = "Serve"
_ASK: Final = "Ask"
_TELL: Final = "Alerts"
_KEEP: Final = "Bring in, take out, keep"
_MORE: Final = "More"

up.register(app, panel=_SERVE)
health.register(app, panel=_SERVE)
targets.register(app, panel=_SERVE)
token.register(app, panel=_SERVE)
check.register(app, panel=_SERVE)
check_rules.register(check.group)
check_alerting.register(check.group)
test_rules.register(app, panel=_SERVE)
config.register(app, panel=_SERVE)
backtest.register(app, panel=_ASK)
query.register(app, panel=_ASK)
series_command.register(app, panel=_ASK)
alerts.register(app, panel=_TELL)
silence.register(app, panel=_TELL)
routes.register(app, panel=_TELL)
notify.register(app, panel=_TELL)
back_fill.register(app, panel=_KEEP)
export.register(app, panel=_KEEP)
backup.register(app, panel=_KEEP)
version.register(app, panel=_MORE)
compile_kernels.register(app, panel=_MORE)
completion.register(app, panel=_MORE)


def run() -> None:
    """Run the program; ends the process with the command's exit code."""
    # Colour in help and usage errors too follows NO_COLOR, which Rich knows, and a terminal that can do none.
    if os.environ.get("TERM") == "dumb":
        os.environ.setdefault("NO_COLOR", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A label may hold what the terminal's encoding has not.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name=PROGRAM)
