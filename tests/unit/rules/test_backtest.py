from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rules import MINUTE, store_of
from vedette.lang.promql import format_expr, parse
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.query.promql import Matrix, evaluate_range
from vedette.rules import Episodes, Summary, find_threshold, replay, summarise, with_threshold
from vedette.rules.backtest import Findings
from vedette.rules.state import NEVER, AlertState, advance, new_alerts


def matrix_of(*rows: str, values: list[list[float]] | None = None) -> Matrix:
    """A row for each text, a step for each character: `#` where there is a sample."""
    present = np.array([[char == "#" for char in row] for row in rows], np.bool_)
    labels = LabelFrame.of(SymbolTable().overlay(), [(("row", str(number)),) for number in range(len(rows))])
    times = np.arange(len(rows[0]), dtype=np.int64) * MINUTE
    return Matrix(labels, times, np.ones(present.shape) if values is None else np.array(values), present)


def minutes(found: Episodes) -> list[tuple[int, int, int | None, int, bool]]:
    """Row, start, when it fired, end, whether it lasts."""
    return [
        (row, start // MINUTE, None if fired == NEVER else fired // MINUTE, end // MINUTE, still)
        for row, start, fired, end, still in zip(
            found.rows.tolist(),
            found.start_ms.tolist(),
            found.fired_ms.tolist(),
            found.end_ms.tolist(),
            found.open.tolist(),
            strict=True,
        )
    ]


@pytest.mark.parametrize(
    ("hold", "keep", "expected"),
    [
        pytest.param(0, 0, [(0, 1, 1, 4, False), (0, 5, 5, 6, False), (0, 8, 8, 9, True)], id="without for"),
        pytest.param(2, 0, [(0, 1, 3, 4, False), (0, 5, None, 6, False), (0, 8, None, 9, True)], id="for two minutes"),
        pytest.param(
            3, 0, [(0, 1, None, 4, False), (0, 5, None, 6, False), (0, 8, None, 9, True)], id="too long a for"
        ),
        pytest.param(0, 1, [(0, 1, 1, 7, False), (0, 8, 8, 9, True)], id="kept for a minute"),
        pytest.param(0, 2, [(0, 1, 1, 9, True)], id="kept for two"),
        pytest.param(2, 9, [(0, 1, 3, 9, True)], id="kept, and for"),
    ],
)
def test_what_a_rule_would_have_done(hold: int, keep: int, expected: list[object]) -> None:
    found = replay(matrix_of(".###.#..#"), step_ms=MINUTE, hold_ms=hold * MINUTE, keep_firing_ms=keep * MINUTE)

    assert minutes(found) == expected


def test_a_for_between_two_steps_fires_at_the_later_one() -> None:
    found = replay(matrix_of("####"), step_ms=MINUTE, hold_ms=MINUTE + 1)

    assert minutes(found) == [(0, 0, 2, 4, True)]


def test_a_run_that_did_not_fire_is_not_kept() -> None:
    found = replay(matrix_of("#.###.#..."), step_ms=MINUTE, hold_ms=2 * MINUTE, keep_firing_ms=2 * MINUTE)

    assert minutes(found) == [(0, 0, None, 1, False), (0, 2, 4, 9, False)]


def test_rows_do_not_touch_each_other() -> None:
    found = replay(matrix_of("..##", "##.."), step_ms=MINUTE, hold_ms=0, keep_firing_ms=9 * MINUTE)

    assert minutes(found) == [(0, 2, 2, 4, True), (1, 0, 0, 4, True)]


def test_an_episode_tells_its_value_farthest_from_zero() -> None:
    values = [[1.0, -5.0, 3.0, 99.0, math.nan, 7.0, math.nan]]

    found = replay(matrix_of("###.##.", values=values), step_ms=MINUTE, hold_ms=0)

    assert found.peak.tolist() == [-5.0, 7.0]


def test_an_episode_of_nothing_but_nan_has_no_peak() -> None:
    found = replay(matrix_of("##", values=[[math.nan, math.nan]]), step_ms=MINUTE, hold_ms=0)

    assert math.isnan(found.peak[0])


def test_where_nothing_is_found_nothing_happens() -> None:
    found = replay(matrix_of("...."), step_ms=MINUTE, hold_ms=0)

    assert summarise(found) == Summary(0, 0, 0, 0, 0, 0)


def test_a_summary_counts_alerts_and_time() -> None:
    found = replay(matrix_of("####....##", "..###....#", "........#."), step_ms=MINUTE, hold_ms=MINUTE)

    # Row 0 fires 1-4 and 9-10, row 1 3-5; the last of row 1 and row 2 do not fire.
    assert summarise(found) == Summary(
        alerts=3,
        near_misses=2,
        series=2,
        firing_ms=6 * MINUTE,
        any_firing_ms=5 * MINUTE,
        longest_ms=3 * MINUTE,
    )


# Thresholds


@pytest.mark.parametrize(
    ("query", "limit", "changed"),
    [
        pytest.param("load > 5", 5.0, "load > 9", id="greater"),
        pytest.param("(load >= (5))", 5.0, "load >= 9", id="in parentheses"),
        pytest.param("load < -1", -1.0, "load < 9", id="a negative number"),
        pytest.param("5 < load", 5.0, "9 < load", id="the other way round"),
        pytest.param("sum(rate(a[5m])) / sum(rate(b[5m])) > 0.05", 0.05, None, id="of an expression"),
    ],
)
def test_the_threshold_of_an_expression_can_be_changed(query: str, limit: float, changed: str | None) -> None:
    threshold = find_threshold(parse(query))
    other = with_threshold(parse(query), 9.0)

    assert threshold is not None
    assert threshold.limit == limit
    assert other is not None
    assert changed is None or format_expr(other) == changed


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("load", id="no comparison"),
        pytest.param("load > other", id="with another vector"),
        pytest.param("load > bool 5", id="bool"),
        pytest.param("load > 5 and up == 1", id="a part of a condition"),
        pytest.param("1 > bool 5", id="of numbers"),
    ],
)
def test_an_expression_of_another_form_has_no_threshold(query: str) -> None:
    assert find_threshold(parse(query)) is None
    assert with_threshold(parse(query), 9.0) is None


@pytest.mark.parametrize("operator", [">", ">=", "<", "<=", "==", "!="])
@pytest.mark.parametrize("turned", [False, True], ids=["vector first", "number first"])
def test_other_thresholds_find_what_other_expressions_would(operator: str, *, turned: bool) -> None:
    store = store_of('load{a="x"} 1 2 3 _ 5', 'load{a="y"} 5 4 3 2 1', now_ms=1 << 60)

    def ask(limit: str) -> Matrix:
        query = f"{limit} {operator} load" if turned else f"load {operator} {limit}"
        return evaluate_range(parse(query), start_ms=0, end_ms=4 * MINUTE, step_ms=MINUTE, source=store).matrix

    threshold = find_threshold(parse(f"7 {operator} load" if turned else f"load {operator} 7"))
    assert threshold is not None
    whole = evaluate_range(threshold.expr, start_ms=0, end_ms=4 * MINUTE, step_ms=MINUTE, source=store).matrix

    found, expected = threshold.found(whole, 3.0), ask("3")

    rows = {labels: row for row, labels in enumerate(whole.labels.label_sets())}
    named = {dict(labels)["a"]: row for labels, row in rows.items()}
    wanted = np.zeros(found.shape, np.bool_)
    for row, labels in enumerate(expected.labels.label_sets()):
        wanted[named[dict(labels)["a"]]] = expected.present[row]
    assert np.array_equal(found, wanted)


# Against the state machine, one step after the other


@given(
    st.lists(st.lists(st.booleans(), min_size=25, max_size=25), min_size=1, max_size=3),
    st.integers(0, 5 * MINUTE),
    st.integers(0, 5 * MINUTE),
)
def test_a_replay_is_what_the_state_machine_does(rows: list[list[bool]], hold_ms: int, keep_ms: int) -> None:
    matrix = matrix_of(*("".join("#" if hit else "." for hit in row) for row in rows))
    expected = [
        episode
        for number, row in enumerate(rows)
        for episode in slow_replay(number, row, hold_ms=hold_ms, keep_ms=keep_ms)
    ]

    found = replay(matrix, step_ms=MINUTE, hold_ms=hold_ms, keep_firing_ms=keep_ms)

    assert minutes(found) == expected


def slow_replay(number: int, hits: list[bool], *, hold_ms: int, keep_ms: int) -> list[object]:
    alert = new_alerts(0, 0)
    episodes: list[object] = []
    begun: int | None = None
    fired: int | None = None
    for step, hit in enumerate(hits):
        at_ms = step * MINUTE
        if hit and not len(alert):
            alert = new_alerts(1, at_ms)
        hit_mask = np.array([hit] * len(alert), np.bool_)
        alert, active, gone = advance(alert, hit_mask, at_ms=at_ms, hold_ms=hold_ms, keep_firing_ms=keep_ms)
        if begun is not None and not active.any():
            episodes.append((number, begun, fired, step, False))
            begun = fired = None
        if active.any():
            begun = step if begun is None else begun
            if fired is None and int(alert["state"][0]) == AlertState.FIRING:
                fired = step
        alert = alert[~gone & active]
    if begun is not None:
        episodes.append((number, begun, fired, len(hits), True))
    return episodes


# Piece by piece


def pieces_of(matrix: Matrix, *cuts: int) -> list[Matrix]:
    """A matrix cut into pieces, each with only the series that it has samples of."""
    made: list[Matrix] = []
    for first, last in itertools.pairwise([0, *cuts, len(matrix.times)]):
        present = matrix.present[:, first:last]
        rows = np.flatnonzero(present.any(axis=1))
        values = matrix.values[rows, first:last]
        made.append(Matrix(matrix.labels.take(rows), matrix.times[first:last], values, present[rows]))
    return made


def listed(found: Episodes) -> list[tuple[object, ...]]:
    columns = (found.start_ms, found.fired_ms, found.end_ms, found.open, found.peak)
    rows = zip(found.rows.tolist(), *(column.tolist() for column in columns), strict=True)
    return sorted((found.labels.label_set(row), *rest) for row, *rest in rows)


@given(
    rows=st.lists(st.text("#.", min_size=12, max_size=12), min_size=1, max_size=4),
    cuts=st.lists(st.integers(1, 11), max_size=3, unique=True),
    hold=st.integers(0, 4),
    keep=st.integers(0, 3),
)
def test_a_time_that_is_evaluated_in_pieces_gives_what_the_whole_gives(
    rows: list[str], cuts: list[int], hold: int, keep: int
) -> None:
    # No two of a row are equally far from 0: which of those counts as the peak is left open.
    values = [[float((step * 7 % 12 + 1) * (-1) ** (step + row)) for step in range(12)] for row in range(len(rows))]
    whole = matrix_of(*rows, values=values)
    findings = Findings(start_ms=0, step_ms=MINUTE)

    for piece in pieces_of(whole, *sorted(cuts)):
        findings.add(piece)

    times = {"hold_ms": hold * MINUTE, "keep_firing_ms": keep * MINUTE}
    assert listed(findings.replay(**times)) == listed(replay(whole, step_ms=MINUTE, **times))
