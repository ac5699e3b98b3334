"""Ask a PromQL expression: the functions that the HTTP API, rules and tests call, and what they return.

Synchronous and without a clock: the caller runs it in a thread and passes a `check` that ends it in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.lang.promql import value_type
from vedette.lang.promql.ast import Expr, ValueType
from vedette.model.errors import LimitExceededError, QueryError, QueryExecutionError
from vedette.model.frames import LabelFrame
from vedette.model.samples import SampleRuns
from vedette.query.promql.annotations import Annotations
from vedette.query.promql.durations import QueryTimes
from vedette.query.promql.evaluator import Evaluator
from vedette.query.promql.label_groups import METADATA_LABELS, merge_equal_labels, sort_by_labels
from vedette.query.promql.options import EvalOptions, Stats
from vedette.query.promql.values import Block, Grid, Ints, Ranges, Scalars, Text, Value, single_row
from vedette.query.source import SampleSource


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The answer to a range query: one row per series, one column per step.

    Attributes:
        labels: label set of each row, all different, in the order of label sets.
        times: int64[steps], milliseconds since the epoch, rising by a constant step.
        values: float64[series, steps]; undefined where `present` is false; not to be written to.
        present: bool[series, steps]; a NaN that is present is a value; not to be written to.
    """

    labels: LabelFrame
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    present: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """The answer to an instant query: one value per series.

    Attributes:
        labels: label set of each element, all different; in order of rank where the query asks for one.
        values: float64[series].
    """

    labels: LabelFrame
    time_ms: int
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RangeVector:
    """The answer to an instant query for a range vector such as `up[5m]`: the samples themselves.

    Attributes:
        labels: label set of each series, in the order of label sets.
        runs: their samples, without stale markers.
    """

    labels: LabelFrame
    runs: SampleRuns


@dataclass(frozen=True, slots=True)
class Scalar:
    """The answer to an instant query for a number."""

    time_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class String:
    """The answer to an instant query for a string."""

    time_ms: int
    value: str


InstantValue = Vector | RangeVector | Scalar | String


@dataclass(frozen=True, slots=True, eq=False)
class RangeResult:
    """The answer to a range query, with remarks and what it cost."""

    matrix: Matrix
    annotations: Annotations
    stats: Stats


@dataclass(frozen=True, slots=True, eq=False)
class InstantResult:
    """The answer to an instant query, with remarks and what it cost."""

    value: InstantValue
    annotations: Annotations
    stats: Stats


def evaluate_range(
    expr: Expr,
    *,
    start_ms: int,
    end_ms: int,
    step_ms: int,
    source: SampleSource,
    options: EvalOptions | None = None,
) -> RangeResult:
    """The values of an expression at `start_ms`, `start_ms + step_ms` and so on, up to `end_ms`.

    A scalar becomes a series without labels.

    Raises:
        QueryError: the expression is no scalar or instant vector, or a duration in it is not valid.
        QueryExecutionError: it cannot be answered on these data.
        LimitExceededError: it has too many steps, finds too many series or holds too many samples.
    """
    options = options or EvalOptions()
    if step_ms <= 0:
        raise QueryError("zero or negative query resolution step widths are not accepted")
    if end_ms < start_ms:
        raise QueryError("end timestamp must not be before start time")
    steps = (end_ms - start_ms) // step_ms + 1
    if steps > options.max_points:
        raise LimitExceededError(
            limit="query.max_points", allowed=options.max_points, found=steps, what="points per series"
        )
    kind = value_type(expr)
    if kind not in (ValueType.SCALAR, ValueType.VECTOR):
        raise QueryError(
            f'invalid expression type "{_TYPE_NAMES[kind]}" for range query, must be Scalar or instant Vector',
            span=expr.span,
        )
    times = QueryTimes(start_ms, end_ms, step_ms)
    evaluator = Evaluator(expr, times=times, source=source, options=options, is_range=True)
    grid = Grid(start_ms, step_ms, steps)
    value = _run(evaluator, expr, grid)
    block = single_row(evaluator.symbols, value.values) if isinstance(value, Scalars) else _as_block(value)
    order = sort_by_labels(block.labels)
    if (np.diff(order) != 1).any():
        block = block.take(order)
    matrix = Matrix(block.labels, grid.times(), block.values, block.present)
    return RangeResult(matrix, evaluator.annotations, evaluator.stats)


def evaluate_instant(
    expr: Expr, *, at_ms: int, source: SampleSource, options: EvalOptions | None = None
) -> InstantResult:
    """The value of an expression at one time.

    Raises:
        QueryError: a duration in the expression is not valid.
        QueryExecutionError: it cannot be answered on these data.
        LimitExceededError: it finds too many series or holds too many samples.
    """
    times = QueryTimes(at_ms, at_ms, 0)
    evaluator = Evaluator(expr, times=times, source=source, options=options or EvalOptions(), is_range=False)
    value = _run(evaluator, expr, Grid(at_ms, 1, 1))
    return InstantResult(_instant(value, at_ms), evaluator.annotations, evaluator.stats)


_TYPE_NAMES = {
    ValueType.SCALAR: "scalar",
    ValueType.VECTOR: "instant vector",
    ValueType.MATRIX: "range vector",
    ValueType.STRING: "string",
}


def _run(evaluator: Evaluator, expr: Expr, grid: Grid) -> Value:
    with np.errstate(all="ignore"):
        value = evaluator.value(expr, grid)
    evaluator.finish_remarks()
    if isinstance(value, Block):
        value = _without_dropped_names(value)
    return value


def _without_dropped_names(block: Block) -> Block:
    """The end of delayed name removal."""
    drop = block.drop_name
    if drop is None:
        return block.without_empty_rows()
    columns = {
        name: np.where(drop, 0, column).astype(np.int32) if name in METADATA_LABELS else column
        for name, column in block.labels.columns.items()
    }
    labels = LabelFrame(block.labels.symbols, columns, block.size)
    return merge_equal_labels(Block(labels, block.values, block.present).without_empty_rows())


def _as_block(value: Value) -> Block:
    if not isinstance(value, Block):
        raise QueryExecutionError(f"expected an instant vector, got {type(value).__name__}")
    return value


def _instant(value: Value, at_ms: int) -> InstantValue:
    match value:
        case Block():
            return Vector(value.labels, at_ms, np.ascontiguousarray(value.values[:, 0]))
        case Scalars():
            return Scalar(at_ms, float(value.values[0]))
        case Text():
            return String(at_ms, value.value)
        case Ranges():
            return _sorted_ranges(value)


def _sorted_ranges(value: Ranges) -> RangeVector:
    order = sort_by_labels(value.labels)
    runs = value.runs
    counts: Ints = np.diff(runs.offsets)[order]
    offsets: Ints = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    places: Ints = np.repeat(runs.offsets[order] - offsets[:-1], counts) + np.arange(int(offsets[-1]))
    return RangeVector(value.labels.take(order), SampleRuns(offsets, runs.times[places], runs.values[places]))
