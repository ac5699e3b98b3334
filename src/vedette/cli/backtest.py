"""`vedette backtest`: when rules would have fired, and what other thresholds and times would have changed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from vedette.cli.answers import show_labels
from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.progress import progress
from vedette.cli.terminal import note, out, plot_size, printable, show_json, table, writes_braille
from vedette.cli.times import local_moment, parse_moment, show_moment
from vedette.client.errors import UnexpectedAnswerError

_PATH: Final = "/api/vedette/v1/backtest"
_PLOT_ROWS: Final = 10
_EPISODES: Final = 10

_Result = dict[str, Any]


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    example = "Example: `vedette backtest rules/shop.yml --from -30d --rule TooManyErrors`"
    app.command("backtest", rich_help_panel=panel, epilog=example)(backtest)


@command(server=True)
def backtest(
    invocation: Invocation,
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="A rule file.")],
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="From when: -30d, 2026-05-01, RFC 3339.")
    ] = "-1d",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Until when.")] = "now",
    rule: Annotated[str, typer.Option("--rule", metavar="NAME", help="Only the alert of this name.")] = "",
    step: Annotated[
        str, typer.Option("--step", metavar="DURATION", help="Between two evaluations; else the group's interval.")
    ] = "",
    threshold: Annotated[
        list[float] | None, typer.Option("--threshold", metavar="NUMBER", help="Another threshold to try; repeatable.")
    ] = None,
    hold: Annotated[
        list[str] | None, typer.Option("--for", metavar="DURATION", help="Another `for` to try; repeatable.")
    ] = None,
) -> None:
    """Evaluate alerting rules over stored history: when each would have fired, and for how long.

    Other thresholds and other values of `for` are tried beside the rule's: those that are named, or some near its own.
    """
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    now = datetime.now(UTC).astimezone()
    asked: dict[str, Any] = {
        "rules": _read(rules),
        "file": str(rules),
        "start": parse_moment("--from", start, now).timestamp(),
        "end": parse_moment("--to", end, now).timestamp(),
        "rule": rule,
        "step": step,
        "thresholds": threshold or None,
        "holds": hold or None,
    }
    if asked["end"] <= asked["start"]:
        raise CommandError("--to is not after --from", exit_code=ExitCode.USAGE)
    call = Call(_PATH, method="POST", content=json.dumps(asked).encode(), kind="application/json", patient=True)
    results: list[_Result] = []
    with invocation.connect() as connection, progress("backtest") as advance:
        for said in connection.lines(call):
            match said:
                case {"progress": {"rule": str(name), "done": int(done), "total": int(total)}}:
                    advance(name, done, total)
                case {"result": dict()}:
                    results.append(cast("_Result", said["result"]))
                case {"error": str(problem)}:
                    raise CommandError(f"the rules cannot be evaluated: {problem}")
                case _:
                    raise UnexpectedAnswerError("the server tells of its backtest in an unknown form")
    if invocation.wants_json:
        show_json({"rules": results})
    elif not results:
        note("there is no alerting rule" + (f" {printable(rule)!r}" if rule else "") + " in this file")
    else:
        for result in results:
            _show(result)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as exc:
        raise CommandError(f"{file} cannot be read: {exc.strerror or exc}") from exc


def _show(result: _Result) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for people

    console = out()
    summary = result["summary"]
    console.print(
        Text.assemble((printable(result["rule"]), "bold"), (f"  {printable(result['query'])}", "dim")), soft_wrap=True
    )
    title = f"{_moment(result['start'])} to {_moment(result['end'])}, evaluated every {_duration(result['step'])}"
    console.print(title, style="dim", markup=False)
    console.print(_sentence(summary), markup=False, soft_wrap=True)
    if summary["alerts"]:
        _plot(result)
    _compare(result)
    _episodes(result)
    console.print()


def _sentence(summary: _Result) -> str:
    near = summary["nearMisses"]
    missed = f"; {near:,} more {'was' if near == 1 else 'were'} pending only" if near else ""
    if not summary["alerts"]:
        return f"would not have fired{missed}"
    many = "" if summary["alerts"] == 1 else "s"
    return (
        f"would have fired {summary['alerts']:,} time{many}, of {summary['series']:,} series; something fired for"
        f" {_duration(summary['anyFiring'])}, the longest for {_duration(summary['longest'])}{missed}"
    )


def _plot(result: _Result) -> None:
    """Alerts that fired, over time."""
    from vedette.cli.plot import Frame, Line, draw  # noqa: PLC0415 - only for people

    timeline = result["timeline"]
    first, step, firing = timeline["start"], timeline["step"], timeline["firing"]
    columns, _ = plot_size()
    end = first + step * len(firing)
    frame = Frame(first, end, step, columns, _PLOT_ROWS, braille=writes_braille())
    times: list[float] = []
    values: list[float] = []
    for number, count in enumerate(firing):
        times += [first + number * step, first + (number + 0.999) * step]
        values += [count, count]
    plot = draw([Line(times, values)], frame, local_moment)
    if plot is not None:
        console = out()
        console.width = columns
        console.print(plot)


def _compare(result: _Result) -> None:
    has_threshold = result["threshold"] is not None
    titles = [*(["THRESHOLD"] if has_threshold else []), "FOR", "ALERTS", "SERIES", "FIRING", "LONGEST", "PENDING ONLY"]
    made = table("", *titles, right=titles)
    own: _Result = {"threshold": result["threshold"], "for": result["for"], "summary": result["summary"]}
    for number, one in enumerate([own, *result["alternatives"]]):
        summary = one["summary"]
        made.add_row(
            "" if number else "as written",
            *([f"{one['threshold']:g}"] if has_threshold else []),
            _duration(one["for"]),
            f"{summary['alerts']:,}",
            f"{summary['series']:,}",
            _duration(summary["anyFiring"]),
            _duration(summary["longest"]),
            f"{summary['nearMisses']:,}",
            style="" if number else "bold",
        )
    out().print(made)


def _episodes(result: _Result) -> None:
    fired: Sequence[_Result] = [one for one in result["episodes"] if one["fired"] is not None]
    if not fired:
        return
    made = table("FIRED", "FOR", "PEAK", "SERIES", right=("FOR", "PEAK"), wrap=("SERIES",))
    for one in fired[:_EPISODES]:
        still = " …" if one["open"] else ""
        peak = one["peak"]
        made.add_row(
            _moment(one["fired"]),
            _duration(one["end"] - one["fired"]) + still,
            "NaN" if peak is None or math.isnan(peak) else f"{peak:g}",
            show_labels(tuple(sorted(one["labels"].items()))),
        )
    out().print(made)
    rest = result["summary"]["alerts"] - min(len(fired), _EPISODES)
    if rest > 0:
        note(f"… and {rest:,} more; --output json lists the longest {len(result['episodes']):,}")


def _moment(seconds: float) -> str:
    return show_moment(local_moment(seconds))


def _duration(seconds: float) -> str:
    from vedette.model.durations import format_duration  # noqa: PLC0415 - as above

    return format_duration(round(seconds * 1000))
