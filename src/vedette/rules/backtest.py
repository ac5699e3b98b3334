"""When an alerting rule would have fired: its expression over a time, and the state machine over all steps at once.

The answer to the expression (a `Matrix`) says at which steps each series was found. `replay` derives from it since when
each was pending and firing; other values of `for` and `keep_firing_for` are other replays of the same answer. Another
threshold changes which samples are found: `find_threshold` takes the comparison off an expression, so that one answer
serves all thresholds.

Vectorised over series and steps; pure. Label templates are not expanded: an episode is named by its series.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.lang.promql import value_type
from vedette.lang.promql.ast import Binary, BinaryOp, Expr, NumberLiteral, Paren, Unary, ValueType
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.labels import LabelSet
from vedette.query.promql import Matrix
from vedette.rules.state import NEVER

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """All times in which alerts were active, in order of series and time; one row each.

    An episode begins with the first step at which a series is found and ends with the first at which its alert is
    neither pending nor firing any more.

    Attributes:
        labels: of the series, `rows` count in it.
        rows: int64[n], which series.
        start_ms: int64[n], since when it was pending.
        fired_ms: int64[n], since when it fired; `NEVER` where it was pending only.
        end_ms: int64[n], when it ended; of an episode that lasts to the end of the time, one step behind the last.
        open: bool[n], whether it lasts to the end of the time.
        peak: float64[n], the value that is farthest from 0 among those found; NaN if all are.
    """

    labels: LabelFrame
    rows: Int64s
    start_ms: Int64s
    fired_ms: Int64s
    end_ms: Int64s
    open: Bools
    peak: Floats

    @property
    def fired(self) -> Bools:
        """bool[n]: which of them fired."""
        return self.fired_ms != NEVER

    @property
    def firing_ms(self) -> Int64s:
        """int64[n]: for how long each fired."""
        return np.where(self.fired, self.end_ms - self.fired_ms, 0)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a replay comes to.

    Attributes:
        alerts: how often an alert fired.
        near_misses: how often one was pending and did not fire.
        series: how many different series fired.
        firing_ms: the time in which alerts fired, all together.
        any_firing_ms: the time in which at least one fired.
        longest_ms: of the longest alert.
    """

    alerts: int
    near_misses: int
    series: int
    firing_ms: int
    any_firing_ms: int
    longest_ms: int


def replay(
    matrix: Matrix, *, step_ms: int, hold_ms: int, keep_firing_ms: int = 0, found: Bools | None = None
) -> Episodes:
    """What a rule would have done.

    Args:
        matrix: the answer to its expression, one step for each evaluation.
        step_ms: the time between two of them.
        hold_ms: `for`.
        keep_firing_ms: `keep_firing_for`.
        found: bool[series, steps], where another condition counts than that there is a sample.
    """
    findings = Findings(start_ms=int(matrix.times[0]) if len(matrix.times) else 0, step_ms=step_ms)
    findings.add(matrix, found)
    return findings.replay(hold_ms=hold_ms, keep_firing_ms=keep_firing_ms)


class Findings:
    """At which steps each series was found, over a time that is evaluated piece by piece.

    What is kept of a piece is where series begin and cease to be found: a month of steps takes little room.

    Attributes:
        count: how many such runs of steps are kept; of expressions that come and go with every step there are many.
    """

    def __init__(self, *, start_ms: int, step_ms: int) -> None:
        """Begin with nothing.

        Args:
            start_ms: the first step of the first piece.
            step_ms: the time between two steps.
        """
        self._start_ms = start_ms
        self._step_ms = step_ms
        self._steps = 0
        self.count = 0
        self._numbers: dict[LabelSet, int] = {}
        self._runs: list[tuple[Int64s, Int64s, Int64s, Floats]] = []

    def add(self, matrix: Matrix, found: Bools | None = None) -> None:
        """Take the next piece: it begins one step behind the end of the former one.

        Args:
            matrix: the answer to the rule's expression.
            found: bool[series, steps], where another condition counts than that there is a sample.
        """
        there = matrix.present if found is None else found & matrix.present
        before, self._steps = self._steps, self._steps + len(matrix.times)
        row, first, last = _runs(there)
        if not len(row):
            return
        self.count += len(row)
        rows, place = np.unique(row, return_inverse=True)
        numbers = self._numbers
        known = [numbers.setdefault(labels, len(numbers)) for labels in matrix.labels.take(rows).label_sets()]
        peak = _peaks(matrix.values, row, first, last)
        self._runs.append((np.array(known, np.int64)[place], first + before, last + before, peak))

    def replay(self, *, hold_ms: int, keep_firing_ms: int = 0) -> Episodes:
        """What the rule would have done with these times."""
        labels = LabelFrame.of(SymbolTable().overlay(), list(self._numbers))
        if not self._runs:
            nothing = np.zeros(0, np.int64)
            return Episodes(labels, nothing, nothing, nothing, nothing, nothing.astype(np.bool_), np.zeros(0))
        row, first, last, peak = self._joined_pieces()
        hold_steps = -(-hold_ms // self._step_ms)
        # How many steps an alert that fires lives on behind the last one at which it is found.
        kept = max(0, -(-keep_firing_ms // self._step_ms)) if keep_firing_ms > 0 else 0
        row, first, last, fire, peak = _joined(row, first, last, peak, hold_steps, kept)
        fires = fire >= 0
        behind = last + 1 + np.where(fires, kept, 0)
        return Episodes(
            labels,
            row,
            start_ms=self._time(first),
            fired_ms=np.where(fires, self._time(fire), NEVER),
            end_ms=self._time(np.minimum(behind, self._steps)),
            open=behind >= self._steps,
            peak=peak,
        )

    def _time(self, steps: Int64s) -> Int64s:
        return self._start_ms + steps * self._step_ms

    def _joined_pieces(self) -> tuple[Int64s, Int64s, Int64s, Floats]:
        """All runs by series and time; one that goes on in the next piece is one."""
        row, first, last, peak = (np.concatenate(parts) for parts in zip(*self._runs, strict=True))
        order = np.lexsort((first, row))
        row, first, last, peak = row[order], first[order], last[order], peak[order]
        begins = np.append(True, (row[1:] != row[:-1]) | (first[1:] != last[:-1] + 1))
        heads = np.flatnonzero(begins)
        tails = np.append(heads[1:], len(row)) - 1
        sizes = np.where(np.isnan(peak), -1.0, np.abs(peak))
        lead = _first_equal(sizes, np.maximum.reduceat(sizes, heads), begins)
        return row[heads], first[heads], last[tails], peak[lead]


def summarise(episodes: Episodes) -> Summary:
    """How many alerts, and how long."""
    fired = episodes.fired
    starts, ends = episodes.fired_ms[fired], episodes.end_ms[fired]
    lengths = ends - starts
    return Summary(
        alerts=int(fired.sum()),
        near_misses=int((~fired).sum()),
        series=len(np.unique(episodes.rows[fired])),
        firing_ms=int(lengths.sum()),
        any_firing_ms=_covered(starts, ends),
        longest_ms=int(lengths.max(initial=0)),
    )


# Thresholds


_COMPARE: Final[dict[BinaryOp, Callable[[Floats, float], Bools]]] = {
    BinaryOp.GTR: lambda values, limit: values > limit,
    BinaryOp.GTE: lambda values, limit: values >= limit,
    BinaryOp.LSS: lambda values, limit: values < limit,
    BinaryOp.LTE: lambda values, limit: values <= limit,
    BinaryOp.EQL: lambda values, limit: values == limit,
    BinaryOp.NEQ: lambda values, limit: values != limit,
}
_TURNED: Final = {
    BinaryOp.GTR: BinaryOp.LSS,
    BinaryOp.LSS: BinaryOp.GTR,
    BinaryOp.GTE: BinaryOp.LTE,
    BinaryOp.LTE: BinaryOp.GTE,
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """An expression of the form `expr > number`.

    Attributes:
        expr: what is compared.
        op: how.
        limit: with what.
    """

    expr: Expr
    op: BinaryOp
    limit: float

    def found(self, matrix: Matrix, limit: float) -> Bools:
        """bool[series, steps]: where the answer to `expr` passes another limit."""
        with np.errstate(invalid="ignore"):
            return _COMPARE[self.op](matrix.values, limit) & matrix.present


def find_threshold(expr: Expr) -> Threshold | None:
    """The threshold of an expression; None where its form is another one."""
    expr = _bare(expr)
    if not isinstance(expr, Binary) or expr.op not in _COMPARE or expr.return_bool:
        return None
    left, right = _number(expr.left), _number(expr.right)
    if right is not None and value_type(expr.left) is ValueType.VECTOR:
        return Threshold(expr.left, expr.op, right)
    if left is not None and value_type(expr.right) is ValueType.VECTOR:
        return Threshold(expr.right, _TURNED.get(expr.op, expr.op), left)
    return None


def with_threshold(expr: Expr, limit: float) -> Expr | None:
    """The expression with another limit; None where it has none."""
    bare = _bare(expr)
    if find_threshold(bare) is None or not isinstance(bare, Binary):
        return None
    number = NumberLiteral(limit)
    if _number(bare.right) is not None:
        return dataclasses.replace(bare, right=number)
    return dataclasses.replace(bare, left=number)


def _bare(expr: Expr) -> Expr:
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def _number(expr: Expr) -> float | None:
    expr = _bare(expr)
    if isinstance(expr, NumberLiteral):
        return expr.value
    if isinstance(expr, Unary):
        inner = _number(expr.expr)
        return None if inner is None else -inner if expr.op == "-" else inner
    return None


# Runs of steps


def _runs(there: Bools) -> tuple[Int64s, Int64s, Int64s]:
    """Row, first and last step of each run of steps without a gap."""
    _, steps = there.shape
    begins = there.copy()
    begins[:, 1:] &= ~there[:, :-1]
    ends = there.copy()
    ends[:, :-1] &= ~there[:, 1:]
    # Places in the flat array: of truth values they are found in a fraction of the time.
    row, first = np.divmod(np.flatnonzero(begins), max(1, steps))
    return row, first, np.flatnonzero(ends) % max(1, steps)


def _joined(
    row: Int64s, first: Int64s, last: Int64s, peak: Floats, hold_steps: int, kept: int
) -> tuple[Int64s, Int64s, Int64s, Int64s, Floats]:
    """Runs joined to episodes, with the step at which each fires, or -1.

    `keep_firing_for` bridges a gap behind a run that fired; what comes behind the gap belongs to the same alert.
    """
    fires = last - first >= hold_steps
    gap = np.full(len(row), np.iinfo(np.int64).max)
    gap[1:] = np.where(row[1:] == row[:-1], first[1:] - last[:-1] - 1, gap[1:])
    begins = np.ones(len(row), np.bool_)
    if kept:
        # A run belongs to the one before it if that one's alert still fires: because it fired itself, or because it
        # was joined to one that did. So from each run that fires on, all runs with small gaps before them are one.
        near = gap <= kept
        chain = np.cumsum(~near) - 1
        order = np.arange(len(row))
        first_firing = np.full(int(chain[-1]) + 1, len(row))
        np.minimum.at(first_firing, chain[fires], order[fires])
        begins = ~(near & (order > first_firing[chain]))
    heads = np.flatnonzero(begins)
    tails = np.append(heads[1:], len(row)) - 1
    fire = np.where(fires[heads], first[heads] + hold_steps, -1)
    sizes = np.where(np.isnan(peak), -1.0, np.abs(peak))
    best = np.maximum.reduceat(sizes, heads)
    lead = _first_equal(sizes, best, begins)
    return row[heads], first[heads], last[tails], fire, peak[lead]


def _first_equal(sizes: Floats, best: Floats, begins: Bools) -> Int64s:
    """For each episode the first of its runs whose size is the best."""
    episode = np.cumsum(begins) - 1
    hits = np.flatnonzero(sizes == best[episode])
    _, firsts = np.unique(episode[hits], return_index=True)
    return hits[firsts]


def _peaks(values: Floats, row: Int64s, first: Int64s, last: Int64s) -> Floats:
    """For each run the value that is farthest from 0."""
    steps = values.shape[1]
    flat = np.ascontiguousarray(values).ravel()
    # Pairs of bounds: reduceat gives every second interval between two runs, which is dropped.
    bounds = np.stack([row * steps + first, row * steps + last + 1], axis=1).ravel()
    if bounds[-1] == len(flat):
        bounds = bounds[:-1]
    low = np.fmin.reduceat(flat, bounds)[::2]
    high = np.fmax.reduceat(flat, bounds)[::2]
    return np.where(np.abs(low) > np.abs(high), low, high)


def _covered(starts: Int64s, ends: Int64s) -> int:
    """The length of the union of some spans."""
    if not len(starts):
        return 0
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    begins = np.append(True, starts[1:] > ends[:-1])
    heads = np.flatnonzero(begins)
    return int((ends[np.append(heads[1:], len(starts)) - 1] - starts[heads]).sum())
