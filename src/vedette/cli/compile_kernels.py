"""`vedette compile`: compile ahead what would otherwise be compiled at the first use."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer

from vedette.cli.invocation import Invocation, command
from vedette.cli.terminal import err, show_json

_MARK: Final = b"\n@kernel("
_QUIET_S: Final = 5.0


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    app.command("compile", rich_help_panel=panel, epilog="Example: `vedette compile`")(compile_kernels)


@command()
def compile_kernels(invocation: Invocation) -> None:
    """Compile the functions that run as machine code, once after an installation or upgrade.

    Without it the first start takes that time. What is compiled already is only looked at.
    """
    from vedette.model import kernels  # noqa: PLC0415 - the compiler

    began_s = time.monotonic()
    for module in kernel_modules():
        importlib.import_module(module)
    names: list[str] = []
    if sys.stderr.isatty() and not invocation.wants_json:
        with err().status("compiling") as status:
            for number, total, name in kernels.compile_kernels():
                names.append(name)
                status.update(f"compiling {number}/{total}  [dim]{name}[/]")
    else:
        names += [name for _, _, name in kernels.compile_kernels()]
    took_s = time.monotonic() - began_s
    if invocation.wants_json:
        show_json({"kernels": len(names), "seconds": round(took_s, 3)})
    elif took_s > _QUIET_S:
        typer.echo(f"{len(names)} functions compiled in {took_s:.0f} s", err=True)


def kernel_modules() -> Iterator[str]:
    """The modules that have kernels, found by their text: importing all of Vedette would take much longer."""
    root = Path(__file__).parent.parent
    for path in sorted(root.rglob("*.py")):
        if _MARK in path.read_bytes():
            yield ".".join((root.name, *path.relative_to(root).with_suffix("").parts))
