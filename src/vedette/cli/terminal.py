"""Where output goes: tables for people, JSON for programs.

On a terminal there is colour, unless NO_COLOR is set. Elsewhere there is none, and lines are as long as what they
hold, so that `grep` and `awk` find each row whole. JSON goes to standard output as one document.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_UNLIMITED: Final = 10_000
"""Columns of what is no terminal: no row is that long, and none is cut."""

_PLOT_WIDTH: Final = 100
"""Columns of a plot where there is no terminal."""


class Output(StrEnum):
    """How a command answers."""

    TABLE = "table"
    JSON = "json"


def stdout_is_terminal() -> bool:
    """Whether a person is likely to read this now."""
    return sys.stdout.isatty()


def plot_size() -> tuple[int, int]:
    """Columns and rows that a plot may take."""
    if not stdout_is_terminal():
        said = os.environ.get("COLUMNS", "")
        return int(said) if said.isdecimal() and int(said) > 0 else _PLOT_WIDTH, 30
    columns, rows = shutil.get_terminal_size((80, 24))
    return columns, rows


def out() -> Console:
    """Standard output."""
    return _console(sys.stdout.isatty(), stderr=False)


def err() -> Console:
    """Standard error: messages and progress."""
    return _console(sys.stderr.isatty(), stderr=True)


def _console(is_terminal: bool, *, stderr: bool) -> Console:  # noqa: FBT001 - the stream's one property
    from rich.console import Console  # noqa: PLC0415 - it takes longer to import than `vedette version` takes

    width = None if is_terminal or os.environ.get("COLUMNS") else _UNLIMITED
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def show(*renderables: RenderableType) -> None:
    """Print tables and text for people."""
    console = out()
    for renderable in renderables:
        console.print(renderable)


def show_json(data: Any) -> None:
    """Print one JSON document: indented for people who look at it, on one line for programs."""
    indent = 2 if stdout_is_terminal() else None
    text = json.dumps(data, ensure_ascii=False, indent=indent, allow_nan=False)
    sys.stdout.write(text + "\n")


def note(text: str, *, style: str = "dim") -> None:
    """A remark beside the answer, on standard error, so that it does not get into files."""
    err().print(text, style=style, markup=False, soft_wrap=True)


def table(*columns: str, right: Sequence[str] = (), wrap: Sequence[str] = ()) -> Table:
    """An empty table in the style of all commands.

    Args:
        columns: titles.
        right: those with numbers.
        wrap: those that may take several lines; others are cut at the terminal's edge.
    """
    from rich.table import Table  # noqa: PLC0415 - as above

    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0), show_edge=False)
    for title in columns:
        made.add_column(
            title,
            justify="right" if title in right else "left",
            overflow="fold" if title in wrap else "ellipsis",
            no_wrap=title not in wrap,
        )
    return made


def printable(text: str) -> str:
    """A text from outside with its control characters spelled out: it must not tell the terminal what to do."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def writes_braille() -> bool:
    """Whether the output's encoding has Braille; a Linux console's font has not."""
    try:
        "⣿".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return os.environ.get("TERM") != "linux"
