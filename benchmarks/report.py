"""Tables for people, JSON for later comparison."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import psutil
from rich import box
from rich.console import Console
from rich.table import Table as RichTable

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(slots=True)
class Table:
    """One table.

    Attributes:
        name: of its benchmark.
        title: what it shows.
        columns: headings; the first column is text, the others are numbers.
        rows: cells, as text.
        notes: below the table.
        data: all that was measured, for the file.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list[Sequence[str]])
    notes: list[str] = field(default_factory=list[str])
    data: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def show(self, console: Console) -> None:
        """Print it."""
        table = RichTable(title=self.title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left", overflow="fold", no_wrap=bool(number))
        for row in self.rows:
            table.add_row(*[cell.replace("[", "\\[") for cell in row])
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", highlight=False, markup=False)
        console.print()

    def markdown(self) -> str:
        """For the documentation."""
        lines = [f"**{self.title}**", "", "| " + " | ".join(self.columns) + " |"]
        lines.append("| " + " | ".join("---" if not n else "---:" for n in range(len(self.columns))) + " |")
        lines += ["| " + " | ".join(_cell(cell, n) for n, cell in enumerate(row)) + " |" for row in self.rows]
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes), ""])


def save(tables: Sequence[Table], *, quick: bool) -> Path:
    """Write what was measured to a new file, and its tables as Markdown beside it."""
    RESULTS.mkdir(exist_ok=True)
    now = time.strftime("%Y-%m-%dT%H%M%S")
    content = {
        "at": now,
        "quick": quick,
        "machine": machine(),
        "tables": [
            {"name": t.name, "title": t.title, "columns": list(t.columns), "rows": t.rows, "notes": t.notes}
            | {"data": t.data}
            for t in tables
        ],
    }
    path = RESULTS / f"{now}.json"
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
    path.with_suffix(".md").write_text("\n".join(table.markdown() for table in tables), encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    """What this runs on, and how busy it is."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def milliseconds(seconds: float) -> str:
    """A time in a table."""
    ms = seconds * 1000
    return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:,.0f}"


def ratio(others: float, ours: float) -> str:
    """How many times longer the other takes."""
    times = others / ours if ours else float("nan")
    return f"{times:.2f}" if times < 10 else f"{times:.0f}"


def mebibytes(count: float) -> str:
    """A size in a table."""
    return f"{count / (1 << 20):,.1f}"


def _cell(text: str, column: int) -> str:
    text = text.replace("|", "\\|")
    return text if column else f"`{text}`"
