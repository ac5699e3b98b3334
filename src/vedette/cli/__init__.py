"""The command line: `vedette`. Every command is in a module of its own and imports what it needs when it runs."""

from vedette.cli.program import main

__all__ = ["main"]
