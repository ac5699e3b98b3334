"""The command line: `vedette`. Every command is in a module of its own and imports what it needs when it runs."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Run the program; ends the process with the command's exit code."""
    # Putting the program together makes many objects and no garbage; looking for some takes a tenth of the time that
    # `vedette version` takes. `invocation` turns the collector on again before a command does its work.
    gc.disable()
    from vedette.cli.program import run  # noqa: PLC0415 - behind the line above

    run()
