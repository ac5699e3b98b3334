from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.cli.canvas import Canvas
from vedette.cli.plot import Frame, Line, draw
from vedette.cli.units import COUNT

HOUR = Frame(start_s=0, end_s=3600, step_s=60, columns=60, rows=8, unit=COUNT)


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def rendered(lines: list[Line], frame: Frame = HOUR) -> list[str]:
    text = draw(lines, frame, utc)
    assert text is not None
    return [line.rstrip() for line in text.plain.split("\n")]


def ramp(step_s: int = 60) -> Line:
    times = list(range(0, 3601, step_s))
    return Line([float(t) for t in times], [t / 3600 for t in times])


def test_a_line_stands_between_its_axes() -> None:
    assert rendered([ramp()]) == [
        "1.0 ┤                                                ⣀⣀⣀⡠⠤⠤",
        "    │                                      ⢀⣀⠤⠤⠤⠒⠒⠊⠉⠉",
        "0.5 ┤                           ⢀⣀⡠⠤⠤⠤⠒⠒⠉⠉⠉⠁",
        "    │                 ⣀⡠⠤⠤⠤⠔⠒⠉⠉⠉⠁",
        "    │      ⣀⣀⠤⠤⠤⠔⠒⠊⠉⠉⠉",
        "0.0 ┤⠤⠒⠊⠉⠉⠉",
        "    └┬────────────┬────────────┬─────────────┬────────────┬",
        "     1 Jan      00:15        00:30         00:45      01:00",
    ]


def test_without_braille_each_series_is_a_letter() -> None:
    frame = Frame(0, 3600, 60, columns=40, rows=6, unit=COUNT, braille=False)

    rows = rendered([ramp(), Line([0.0, 3600.0], [1.0, 1.0])], frame)

    assert "b" in rows[0]
    assert "a" in rows[3]
    assert all(ord(char) < 128 for row in rows for char in row)


def test_samples_that_are_further_apart_than_the_step_are_not_joined() -> None:
    joined = "".join(rendered([Line([0.0, 60.0], [1.0, 1.0])]))
    apart = "".join(rendered([Line([0.0, 3600.0], [1.0, 1.0])]))

    assert sum(0x2800 < ord(char) < 0x2900 for char in joined) >= 1
    assert sum(0x2800 < ord(char) < 0x2900 for char in apart) == 2


def test_a_line_is_broken_where_a_value_has_no_place() -> None:
    times = [60.0 * number for number in range(61)]
    values = [math.nan if 10 < number < 50 else 1.0 for number in range(61)]

    row = rendered([Line(times, values)])[0]

    assert "       " in row.strip()


def test_with_several_series_each_has_its_number_at_its_end() -> None:
    rows = rendered([ramp(), Line([0.0, 3600.0], [0.0, 0.0])])

    assert rows[0].endswith(" 1")
    assert rows[5].endswith(" 2")


def test_without_a_finite_value_there_is_no_plot() -> None:
    assert draw([Line([0.0], [math.nan]), Line([0.0], [math.inf]), Line([], [])], HOUR, utc) is None


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 3600), st.floats(allow_nan=True)), max_size=20).map(
            lambda points: Line([t for t, _ in sorted(points, key=lambda p: p[0])], [v for _, v in points])
        ),
        max_size=12,
    ),
    st.integers(1, 300),
    st.integers(1, 60),
    st.booleans(),
)
def test_any_series_can_be_drawn_and_stay_within_their_columns(
    lines: list[Line],
    columns: int,
    rows: int,
    braille: bool,  # noqa: FBT001 - a case
) -> None:
    text = draw(lines, Frame(0, 3600, 60, columns, rows, None, braille), utc)

    if text is not None:
        widths = [len(line.rstrip()) for line in text.plain.split("\n")]
        assert max(widths) <= max(columns + 4, 60)


def test_dots_outside_the_canvas_are_not_drawn() -> None:
    canvas = Canvas(2, 1)

    canvas.line(-5, -5, 20, 20, 0)

    assert canvas.row(0) == [("⠑⢄", 0)]


@pytest.mark.parametrize(("x", "y", "char"), [(0, 0, "⠁"), (1, 0, "⠈"), (0, 3, "⡀"), (1, 3, "⢀")])
def test_a_dot_has_its_place_in_the_character(x: int, y: int, char: str) -> None:
    canvas = Canvas(1, 1)

    canvas.dot(x, y, 7)

    assert canvas.row(0) == [(char, 7)]
