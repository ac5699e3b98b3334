"""A plot of series in the terminal: lines in Braille dots, local times below, values with their unit at the left.

At the right end of each line stands its number in the legend, for those who see no colours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.text import Text

from vedette.cli.axes import ValueAxis, time_ticks, value_axis
from vedette.cli.canvas import Canvas
from vedette.cli.units import Unit

COLOURS: Final = (
    "#4c8dff", "#e8802f", "#2fa86b", "#d5559b", "#a37acc", "#c0a020", "#2aa5b8", "#e05a5a", "#8a9a5b", "#b07a50",
)  # fmt: skip
"""Of about one brightness, so that each can be read on light and on dark."""

_MIN_COLUMNS: Final = 20
_TICK_COLUMNS: Final = 12
_ALMOST_INFINITE: Final = 1e300
"""Beyond it the length of an axis is no number any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """A series to be drawn: times in seconds, rising, and values. NaN and what is almost infinite have no place."""

    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a plot shows and how much room it has.

    Attributes:
        start_s: time at the left.
        end_s: time at the right; after `start_s`.
        step_s: samples further apart than this are not joined.
        columns: of the terminal.
        rows: for the plot, axis included.
        unit: of the values.
        braille: whether the output can show it.
    """

    start_s: float
    end_s: float
    step_s: float
    columns: int
    rows: int
    unit: Unit | None = None
    braille: bool = True


def colour(number: int) -> str:
    """The colour of a line, by its place."""
    return COLOURS[number % len(COLOURS)]


def draw(lines: Sequence[Line], frame: Frame, local: Callable[[float], datetime]) -> Text | None:
    """The plot; None where there is nothing that has a place on it."""
    finite = [value for line in lines for value in line.values if _has_place(value)]
    if not finite:
        return None
    rows = max(4, frame.rows - 2)
    axis = value_axis(min(finite), max(finite), frame.unit, max(3, rows // 3))
    labels = {_row(value, axis, rows): axis.scale.show(value) for value in axis.ticks}
    margin = max(len(label) for label in labels.values())
    numbered = len(lines) > 1
    columns = max(_MIN_COLUMNS, frame.columns - margin - 3 - (4 if numbered else 0))
    canvas = Canvas(columns, rows, braille=frame.braille)
    # The first line comes last, so that it is seen where several cross.
    for number in range(len(lines) - 1, -1, -1):
        _trace(canvas, lines[number], number, axis, frame)
    ends = _ends(lines, axis, rows) if numbered else {}
    corner, vertical, tick = ("└", "│", "┤") if frame.braille else ("+", "|", "+")
    text = Text(no_wrap=True)
    for row in range(rows):
        text.append(f"{labels.get(row, ''):>{margin}} {tick if row in labels else vertical}", style="dim")
        for piece, owner in canvas.row(row):
            text.append(piece, style=colour(owner) if owner >= 0 else "")
        for number in ends.get(row, ())[:2]:
            text.append(f" {number + 1}", style=colour(number))
        text.append("\n")
    text.append(" " * (margin + 1) + corner, style="dim")
    ruler, times = _time_axis(frame, columns, local)
    text.append(f"{ruler}\n{' ' * (margin + 2)}{times}", style="dim")
    return text


def _has_place(value: float) -> bool:
    return abs(value) < _ALMOST_INFINITE


def _row(value: float, axis: ValueAxis, rows: int) -> int:
    return round((axis.high - value) / (axis.high - axis.low) * (rows - 1))


def _trace(canvas: Canvas, line: Line, owner: int, axis: ValueAxis, frame: Frame) -> None:
    wide = (canvas.width - 1) / (frame.end_s - frame.start_s)
    # Ticks stand in the middle of their rows, and so do values: half a character is left free at both ends.
    per_row = canvas.height // canvas.rows
    high = (canvas.rows - 1) * per_row / (axis.high - axis.low)
    before: tuple[float, int, int] | None = None
    for time, value in zip(line.times, line.values, strict=True):
        if not _has_place(value):
            before = None
            continue
        x = round((time - frame.start_s) * wide)
        y = round((axis.high - value) * high + (per_row - 1) / 2)
        if before is not None and time - before[0] <= frame.step_s * 1.5:
            canvas.line(before[1], before[2], x, y, owner)
        else:
            canvas.dot(x, y, owner)
        before = (time, x, y)


def _ends(lines: Sequence[Line], axis: ValueAxis, rows: int) -> dict[int, list[int]]:
    """By row: the lines that end there."""
    ends: dict[int, list[int]] = {}
    for number, line in enumerate(lines):
        last = next((value for value in reversed(line.values) if _has_place(value)), None)
        if last is not None:
            ends.setdefault(_row(last, axis, rows), []).append(number)
    return ends


def _time_axis(frame: Frame, columns: int, local: Callable[[float], datetime]) -> tuple[str, str]:
    """The rule under the plot and the times under the rule."""
    dash, tick = ("─", "┬") if frame.braille else ("-", "+")
    ruler = [dash] * columns
    labels = [" "] * columns
    taken = 0
    for time, label in time_ticks(frame.start_s, frame.end_s, columns // _TICK_COLUMNS, local):
        column = round((time - frame.start_s) / (frame.end_s - frame.start_s) * (columns - 1))
        first = min(max(column - len(label) // 2, 0), columns - len(label))
        if first < taken:
            continue
        ruler[column] = tick
        labels[first : first + len(label)] = label
        taken = first + len(label) + 1
    return "".join(ruler), "".join(labels).rstrip()
