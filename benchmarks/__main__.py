"""Run some benchmarks, or all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Final

from rich.console import Console

from benchmarks import footprint, growth, queries, remote_write, scrape
from benchmarks.report import Table, machine, save
from benchmarks.servers import ServerError
from benchmarks.session import Session

_ALL: Final[dict[str, tuple[Callable[[Session], Iterable[Table]], str]]] = {
    "queries": (queries.run, "dashboard and alert expressions on 10 k series x 6 h, warm"),
    "memory": (footprint.run_memory, "memory with those data, at rest and after queries"),
    "restart": (queries.run_after_restart, "the same expressions after a restart"),
    "startup": (footprint.run_startup, "from execution until ready and until the first answer"),
    "disk": (footprint.run_disk, "bytes per sample on the disk, merged"),
    "engine": (queries.run_from_engine, "the same expressions when the window is not in memory"),
    "growth": (growth.run, "how times grow with series and hours"),
    "scrape": (scrape.run, "CPU and rate of scraping 10 targets x 5 k series"),
    "remote_write": (remote_write.run, "samples per second that are accepted"),
}


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(_ALL))
    parser.add_argument("--quick", action="store_true", help="little data and few rounds, to see that all works")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in _ALL]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(_ALL)}")
    console = Console(width=None if sys.stdout.isatty() else 170)
    facts = machine()
    console.print(f"{facts['processor']}, {facts['cores']} cores, load {facts['load'][0]:.2f}", highlight=False)
    session = Session(quick=arguments.quick, console=console)
    tables: list[Table] = []
    failed = False
    try:
        for name, (run, what) in _ALL.items():
            if arguments.names and name not in arguments.names:
                continue
            session.say(f"[bold]{name}[/bold]: {what}")
            try:
                for table in run(session):
                    table.show(console)
                    tables.append(table)
            except ServerError as exc:
                failed = True
                session.say(f"[red]{name} failed[/red]")
                console.print(str(exc), markup=False, highlight=False)
    finally:
        session.close()
        if tables:
            console.print(f"written to {save(tables, quick=arguments.quick)}", highlight=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
