"""A bar for what takes long, on standard error of a terminal; elsewhere nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from vedette.cli.terminal import err, printable


@contextmanager
def progress(what: str) -> Generator[Callable[[str, int, int], None]]:
    """A bar as long as the block lasts.

    Args:
        what: stands beside it until a stage is known.

    Yields:
        What takes a stage, how much of it is done, and how much there is.
    """
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _total: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415 - on a terminal

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def advance(stage: str, done: int, total: int) -> None:
            bar.update(task, description=printable(stage), completed=done, total=total or None)

        yield advance
