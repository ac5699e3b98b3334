"""`vedette query instant` and `vedette query range`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from vedette.cli.answers import (
    Series,
    Statistics,
    common_labels,
    distinguishing,
    series_of,
    show_labels,
    statistics,
)
from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.metric_names import complete_expression
from vedette.cli.terminal import (
    note,
    out,
    plot_size,
    printable,
    show,
    show_json,
    stdout_is_terminal,
    table,
    writes_braille,
)
from vedette.cli.times import choose_step, local_moment, parse_moment, parse_step, show_moment
from vedette.cli.units import COUNT, Unit, show_value, unit_of, unit_of_name

if TYPE_CHECKING:
    from rich.text import Text

    from vedette.client import Answer

_T = TypeVar("_T")

_STEPS: Final = 240
"""Points that a plot asks for, unless told otherwise."""

_ROWS_ON_TERMINAL: Final = 100
_PLOT_ROWS: Final = (13, 20)

_Expression = Annotated[
    str, typer.Argument(metavar="EXPR", help="A PromQL expression.", autocompletion=complete_expression)
]
_Limit = Annotated[
    int | None,
    typer.Option("--limit", min=0, metavar="N", help="Rows of the table; 0 for all. 100 on a terminal, else all."),
]


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(help="Ask in PromQL.", no_args_is_help=True)
    group.command("instant", epilog="Example: `vedette query instant 'up == 0'`")(instant)
    group.command(
        "range", epilog="Example: `vedette query range --start -6h 'sum by (mode) (rate(node_cpu_seconds_total[5m]))'`"
    )(range_)
    app.add_typer(group, name="query", rich_help_panel=panel)


@command(server=True)
def instant(
    invocation: Invocation,
    expr: _Expression,
    time: Annotated[
        str, typer.Option("--time", "-t", metavar="TIME", help="When: now, -1h, 14:30, '2026-05-01 14:30', RFC 3339.")
    ] = "now",
    limit: _Limit = None,
    fail: Annotated[bool, typer.Option("--fail", help="Exit code 1 if the answer is empty.")] = False,  # noqa: FBT002
) -> ExitCode:
    """Evaluate an expression at one time."""
    now = datetime.now(UTC).astimezone()
    parameters = {"query": expr}
    if time != "now":
        parameters["time"] = f"{parse_moment('--time', time, now).timestamp():.3f}"
    with invocation.connect() as connection:
        answer = connection.ask("/api/v1/query", parameters, form=True, expression=expr)
    found = series_of(answer.data)
    code = ExitCode.NO if fail and not found else ExitCode.OK
    if invocation.wants_json:
        _show_as_json(answer)
        return code
    match answer.data["resultType"]:
        case "string":
            typer.echo(printable(found[0].texts[0]))
        case "matrix":
            _show_samples(found, limit)
        case _:
            # Their own names tell the unit; without one only the expression can, which takes longer to read.
            nameless = stdout_is_terminal() and not any("__name__" in dict(series.labels) for series in found)
            _show_vector(found, unit_of(expr) if nameless else None, limit)
    _show_remarks(answer)
    if not found:
        note("no series match")
    return code


@command(server=True)
def range_(
    invocation: Invocation,
    expr: _Expression,
    start: Annotated[
        str, typer.Option("--start", "-s", metavar="TIME", help="From when: -1h, 14:30, 2026-05-01, RFC 3339.")
    ] = "-1h",
    end: Annotated[str, typer.Option("--end", "-e", metavar="TIME", help="Until when.")] = "now",
    step: Annotated[
        str | None, typer.Option("--step", metavar="DURATION", help="As in 30s; fitting the plot unless it is given.")
    ] = None,
    samples: Annotated[  # noqa: FBT002 - how flags are written
        bool, typer.Option("--samples", help="A table of all samples instead of the plot.")
    ] = False,
    top: Annotated[int, typer.Option("--top", min=1, max=50, metavar="N", help="Series to draw, largest first.")] = 8,
    limit: _Limit = None,
) -> None:
    """Evaluate an expression over some time, and draw it.

    Below the plot is a table with the last, least, mean and greatest value of each series.
    """
    now = datetime.now(UTC).astimezone()
    start_s = parse_moment("--start", start, now).timestamp()
    end_s = parse_moment("--end", end, now).timestamp()
    if end_s <= start_s:
        raise CommandError(
            f"--end ({show_moment(local_moment(end_s))}) is not after --start ({show_moment(local_moment(start_s))})",
            exit_code=ExitCode.USAGE,
        )
    step_s = choose_step(end_s - start_s, _STEPS) if step is None else parse_step(step)
    # On round times, so that asking again a moment later gives the same points.
    first_s = math.ceil(start_s / step_s) * step_s
    parameters = {"query": expr, "start": f"{first_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:g}"}
    with invocation.connect() as connection:
        answer = connection.ask("/api/v1/query_range", parameters, form=True, expression=expr)
    found = series_of(answer.data)
    if invocation.wants_json:
        _show_as_json(answer)
        return
    if not found:
        note("no series match in this time")
    elif samples:
        _show_samples(found, limit)
    else:
        _show_plot(found, expr, (start_s, end_s, step_s), top)
    _show_remarks(answer)


def _show_as_json(answer: Answer) -> None:
    show_json(
        {
            "resultType": answer.data["resultType"],
            "result": answer.data["result"],
            "warnings": list(answer.warnings),
            "infos": list(answer.infos),
        }
    )


def _show_remarks(answer: Answer) -> None:
    for text in answer.warnings:
        note(f"warning: {printable(text)}", style="yellow")
    for text in answer.infos:
        note(f"info: {printable(text)}")


def _show_vector(found: Sequence[Series], unit: Unit | None, limit: int | None) -> None:
    if not found:
        return
    shown = _limited(found, limit)
    hints = [_hint(unit, series) for series in shown]
    has_hints = any(hints) and stdout_is_terminal()
    made = table("SERIES", "VALUE", *([""] if has_hints else []), right=("VALUE",), wrap=("SERIES",))
    for series, hint in zip(shown, hints, strict=True):
        row: list[str | Text] = [show_labels(series.labels), series.texts[0]]
        made.add_row(*row, *([f"[dim]{hint}[/]"] if has_hints else []))
    show(made)
    _tell_more(len(found) - len(shown))


def _hint(unit: Unit | None, series: Series) -> str:
    """The value as people read it, where that is not how it stands there anyway."""
    named = unit or unit_of_name(dict(series.labels).get("__name__", ""))
    return _readable(named, series.values[0]) if named is not None and named != COUNT else ""


def _readable(unit: Unit | None, value: float) -> str:
    if unit is not None and unit.base == "time" and 0 < value < 4e9:
        return show_moment(local_moment(value))
    return show_value(unit, value)


def _show_samples(found: Sequence[Series], limit: int | None) -> None:
    console = out()
    shown = _limited([(s, i) for s in found for i in range(len(s.times))], limit)
    before: Series | None = None
    for series, index in shown:
        if series is not before:
            console.print(show_labels(series.labels))
            before = series
        moment = show_moment(local_moment(series.times[index]), millis=True)
        console.print(f"  [dim]{moment}[/]  {series.texts[index]}")
    _tell_more(sum(len(series.times) for series in found) - len(shown))


def _limited(rows: Sequence[_T], limit: int | None) -> Sequence[_T]:
    most = (_ROWS_ON_TERMINAL if stdout_is_terminal() else 0) if limit is None else limit
    return rows[:most] if most else rows


def _tell_more(count: int) -> None:
    if count > 0:
        note(f"… and {count:,} more (--limit 0 shows all)")


def _show_plot(found: Sequence[Series], expr: str, times: tuple[float, float, float], top: int) -> None:
    from vedette.cli.plot import Frame, Line, colour, draw  # noqa: PLC0415 - only for people

    start_s, end_s, step_s = times
    ranked = sorted(((series, statistics(series)) for series in found), key=lambda pair: _rank(pair[1]))
    shown = ranked[:top]
    unit = unit_of(expr) or _common_unit(found)
    columns, terminal_rows = plot_size()
    lowest, highest = _PLOT_ROWS
    rows = min(max(terminal_rows - len(shown) - 6, lowest), highest)
    frame = Frame(start_s, end_s, step_s, columns, rows, unit, braille=writes_braille())
    console = out()
    console.width = columns
    plot = draw([Line(series.times, series.values) for series, _ in shown], frame, local_moment)
    console.print(_title(times), style="dim")
    if plot is None:
        note("no series has a finite value in this time")
    else:
        console.print(plot)
        console.print()
    common = common_labels([series.labels for series in found])
    if common:
        console.print(show_labels(common))
    bar = "━" if frame.braille else "-"
    made = table("", "SERIES", "LAST", "MIN", "MEAN", "MAX", right=("", "LAST", "MIN", "MEAN", "MAX"), wrap=("SERIES",))
    for number, (series, summary) in enumerate(shown):
        key = f"[{colour(number)}]{number + 1 if len(shown) > 1 else ''} {bar * 2}[/]"
        cells = [_readable(unit, value) for value in (summary.last, summary.low, summary.mean, summary.high)]
        made.add_row(key, show_labels(distinguishing(series.labels, common)), *cells)
    console.print(made)
    if len(found) > len(shown):
        note(f"… and {len(found) - len(shown):,} more series (--top draws more)")


def _common_unit(found: Sequence[Series]) -> Unit | None:
    """The unit that all series' names end in: a selector may have found them by other labels."""
    units = {unit_of_name(dict(series.labels).get("__name__", "")) for series in found}
    return units.pop() if len(units) == 1 else None


def _rank(summary: Statistics) -> float:
    """The largest first; series without a finite value last."""
    return math.inf if math.isnan(summary.high) else -summary.high


def _title(times: tuple[float, float, float]) -> str:
    start, end = local_moment(times[0]), local_moment(times[1])
    until = show_moment(end) if start.date() != end.date() else f"{end:%H:%M:%S}"
    return f"{show_moment(start)} to {until} {end:%Z}, step {times[2]:g} s"
