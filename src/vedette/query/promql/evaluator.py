"""Evaluate the syntax tree: what each kind of node does with what its parts evaluate to.

Nodes that treat each series by itself (selectors, range functions, mathematics, operators with a scalar) are
made into a `RowSource` and run only when an aggregation or the result wants their rows; all others are
evaluated to whole matrices at once.

Source: Prometheus' promql/engine.go, whose order of evaluation decides which of several errors is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

import numpy as np

from vedette.lang.promql import value_type
from vedette.lang.promql.ast import (
    Aggregate,
    Aggregation,
    Binary,
    BinaryOp,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorMatching,
    VectorSelector,
)
from vedette.model.errors import QueryExecutionError, Span
from vedette.model.frames import LabelFrame
from vedette.query.promql import annotations as notes
from vedette.query.promql import elementwise as each
from vedette.query.promql import ranking
from vedette.query.promql.aggregate import aggregate_rows, quantile_by_group
from vedette.query.promql.annotations import Annotations
from vedette.query.promql.calls import elementwise_rows, evaluate_call, is_elementwise
from vedette.query.promql.durations import QueryTimes
from vedette.query.promql.evaluation import mapped, materialised
from vedette.query.promql.label_groups import group_labels
from vedette.query.promql.matching import combine_sets, combine_vectors
from vedette.query.promql.options import EvalOptions, Ledger, Stats
from vedette.query.promql.plan import Plan, unwrap
from vedette.query.promql.ranges import WINDOWS, range_vector, selector_rows, window_rows
from vedette.query.promql.rows import BlockRows, RowSource, materialise
from vedette.query.promql.values import Block, Floats, Grid, Scalars, Text, Value, empty_block, spread
from vedette.query.source import SampleSource

_ONE_ACCUMULATOR: Final = frozenset(
    {
        Aggregation.SUM,
        Aggregation.AVG,
        Aggregation.MIN,
        Aggregation.MAX,
        Aggregation.COUNT,
        Aggregation.GROUP,
        Aggregation.STDDEV,
        Aggregation.STDVAR,
    }
)


class Evaluator:
    """One evaluation of one query."""

    def __init__(
        self, expr: Expr, *, times: QueryTimes, source: SampleSource, options: EvalOptions, is_range: bool
    ) -> None:
        self.times = times
        self.source = source
        self.options = options
        self.is_range = is_range
        self.symbols = source.symbols()
        self.annotations = Annotations()
        self.stats = Stats()
        self.ledger = Ledger(options.max_samples, self.stats)
        self._plan = Plan(expr)
        self._known: dict[tuple[Expr, Grid], tuple[Value, int, list[notes.Annotation]]] = {}
        # Remarks that can be made only when rows have been made.
        self._later: list[Callable[[], None]] = []

    # Values

    def value(self, expr: Expr, grid: Grid) -> Value:
        """What an expression gives at the times of a grid."""
        self.options.check()
        clock = self.options.clock_s
        began = clock() if clock is not None else 0.0
        held = self.ledger.held
        result = self._value(expr, grid)
        if isinstance(result, Block):
            # What the parts held is gone; what this gave stays.
            self.ledger.held = held
            self.ledger.hold(result.cells)
        if clock is not None:
            place = (expr.span.start, expr.span.end)
            self.stats.node_seconds[place] = self.stats.node_seconds.get(place, 0.0) + clock() - began
        return result

    def block(self, expr: Expr, grid: Grid) -> Block:
        """An instant vector."""
        result = self.value(expr, grid)
        if not isinstance(result, Block):
            raise TypeError(f"expected an instant vector, got {type(result).__name__}")
        return result

    def scalars(self, expr: Expr, grid: Grid) -> Floats:
        """A scalar at every step."""
        result = self.value(expr, grid)
        if not isinstance(result, Scalars):
            raise TypeError(f"expected a scalar, got {type(result).__name__}")
        return result.values

    def _value(self, expr: Expr, grid: Grid) -> Value:
        if grid.steps == 0:
            return self._nothing(expr)
        if isinstance(expr, Paren):
            return self.value(expr.expr, grid)
        if grid.steps > 1 and self._plan.is_invariant(expr) and not isinstance(expr, (MatrixSelector, Subquery)):
            return spread(self.value(expr, grid.first()), grid.steps)
        if not self._plan.is_repeated(expr):
            return self._compute(expr, grid)
        known = self._known.get((expr, grid))
        if known is not None:
            value, place, entries = known
            self.annotations.replay(entries, expr.span.start - place)
            return value
        before = len(self.annotations.log)
        # Only this node's rows have been made; others' may still wait.
        waiting, self._later = self._later, []
        value = self._compute(expr, grid)
        self.finish_remarks()
        self._later = waiting
        if isinstance(value, Block):
            value = value.shared()
        self._known[expr, grid] = (value, expr.span.start, self.annotations.log[before:])
        return value

    def later(self, remark: Callable[[], None]) -> None:
        """Put off a remark until the rows have been made."""
        self._later.append(remark)

    def finish_remarks(self) -> None:
        """Make the remarks that waited for rows to be made."""
        while self._later:
            self._later.pop(0)()

    def _nothing(self, expr: Expr) -> Value:
        return Scalars(np.zeros(0)) if value_type(expr) is ValueType.SCALAR else empty_block(self.symbols, 0)

    def _compute(self, expr: Expr, grid: Grid) -> Value:  # noqa: PLR0911 - one return for each kind of node
        match expr:
            case NumberLiteral():
                return Scalars(np.full(grid.steps, expr.value))
            case StringLiteral():
                return Text(expr.value)
            case Paren():
                return self.value(expr.expr, grid)
            case MatrixSelector() | Subquery():
                return range_vector(self, expr, grid)
            case VectorSelector():
                return materialised(self, selector_rows(self, expr, grid), grid)
            case Aggregate():
                return self._aggregate(expr, grid)
            case Unary():
                if value_type(expr) is ValueType.SCALAR:
                    scalars = self.scalars(expr.expr, grid)
                    return Scalars(-scalars if expr.op == "-" else scalars)
                return materialised(self, self._streamed(expr, grid), grid)
            case Binary():
                return self._binary(expr, grid)
            case Call():
                return evaluate_call(self, expr, grid)
        assert_never(expr)

    # Rows

    def rows(self, expr: Expr, grid: Grid) -> RowSource:
        """An instant vector as rows that are made when they are needed."""
        expr = unwrap(expr)
        invariant = grid.steps > 1 and self._plan.is_invariant(expr)
        if grid.steps == 0 or invariant or self._plan.is_repeated(expr) or not self._can_stream(expr):
            return BlockRows(self.block(expr, grid))
        return self._streamed(expr, grid)

    def _can_stream(self, expr: Expr) -> bool:
        match expr:
            case VectorSelector() | Unary():
                return True
            case Call():
                name = expr.function
                return (name in WINDOWS and name != "absent_over_time") or is_elementwise(expr)
            case Binary():
                return self._is_scalar_operation(expr)
            case _:
                return False

    def _is_scalar_operation(self, expr: Binary) -> bool:
        left, right = value_type(expr.left), value_type(expr.right)
        return left is not right and expr.op not in (BinaryOp.TRIM_LOWER, BinaryOp.TRIM_UPPER)

    def _streamed(self, expr: Expr, grid: Grid) -> RowSource:
        match expr:
            case VectorSelector():
                return selector_rows(self, expr, grid)
            case Unary():
                rows = self.rows(expr.expr, grid)
                return mapped(self, rows, each.negate, grid) if expr.op == "-" else rows
            case Binary():
                return self._scalar_operation(expr, grid)
            case Call():
                return window_rows(self, expr, grid) if expr.function in WINDOWS else elementwise_rows(self, expr, grid)
            case _:
                return BlockRows(self.block(expr, grid))

    def _scalar_operation(self, expr: Binary, grid: Grid) -> RowSource:
        scalar_left = value_type(expr.left) is ValueType.SCALAR
        if scalar_left:
            scalars, rows = self.scalars(expr.left, grid), self.rows(expr.right, grid)
        else:
            rows, scalars = self.rows(expr.left, grid), self.scalars(expr.right, grid)
        mapping = each.apply_scalar(expr.op, scalars, scalar_left=scalar_left, return_bool=expr.return_bool)
        return mapped(self, rows, mapping, grid, drop_names=expr.op in each.ARITHMETIC or expr.return_bool)

    def _binary(self, expr: Binary, grid: Grid) -> Value:
        left_type, right_type = value_type(expr.left), value_type(expr.right)
        if left_type is right_type is ValueType.SCALAR:
            left, right = self.scalars(expr.left, grid), self.scalars(expr.right, grid)
            operation = each.ARITHMETIC.get(expr.op) or each.COMPARISONS[expr.op]
            with np.errstate(all="ignore"):
                return Scalars(np.asarray(operation(left, right), np.float64))
        if expr.op in (BinaryOp.TRIM_LOWER, BinaryOp.TRIM_UPPER):
            return self._trim(expr, grid)
        if left_type is not right_type:
            return materialised(self, self._streamed(expr, grid), grid)
        left_block, right_block = self.block(expr.left, grid), self.block(expr.right, grid)
        matching = expr.matching if expr.matching is not None else VectorMatching()
        if expr.op.is_set:
            return combine_sets(expr.op, left_block, right_block, matching)
        return combine_vectors(
            expr.op,
            left_block,
            right_block,
            matching,
            return_bool=expr.return_bool,
            options=self.options,
            ledger=self.ledger,
        )

    def _trim(self, expr: Binary, grid: Grid) -> Block:
        """`</` and `>/` apply to native histograms alone."""
        for side in (expr.left, expr.right):
            value = self.value(side, grid)
            if isinstance(value, Block) and value.present.any():
                self.annotations.add(notes.incompatible_types("float", str(expr.op), "float", expr.span))
        return empty_block(self.symbols, grid.steps)

    # Aggregations

    def _aggregate(self, expr: Aggregate, grid: Grid) -> Block:
        op = expr.op
        if op is Aggregation.COUNT_VALUES:
            return self._count_values(expr, grid)
        parameter = np.zeros(grid.steps) if expr.param is None else self.scalars(unwrap(expr.param), grid)
        rows = self.rows(expr.expr, grid)
        grouping = group_labels(rows.labels, expr.grouping, without=expr.without)
        if op in _ONE_ACCUMULATOR:
            return aggregate_rows(op, rows, grouping, grid.steps, self.options, self.ledger)
        if op is Aggregation.TOPK or op is Aggregation.BOTTOMK:
            limits = ranking.check_count(parameter)
            if limits is None:
                return empty_block(self.symbols, grid.steps)
            return ranking.rank_by_group(op, rows, grouping, limits, self.options, self.ledger)
        span = expr.param.span if expr.param is not None else expr.span
        return self._aggregate_whole(op, rows, grouping, parameter, span)

    def _aggregate_whole(
        self, op: Aggregation, rows: RowSource, grouping: LabelFrame, parameter: Floats, span: Span
    ) -> Block:
        """Aggregations that need all rows at once."""
        steps = len(parameter)
        if op is Aggregation.LIMIT_RATIO:
            return self._limit_ratio(rows, parameter, span)
        if op is Aggregation.LIMITK:
            limits = ranking.check_count(parameter)
            if limits is None:
                return empty_block(self.symbols, steps)
            block = materialise(rows, steps, self.options, self.ledger)
            return ranking.limit_by_group(block, grouping, limits)
        for quantile in self._extremes(parameter, 0.0, 1.0):
            self.annotations.add(notes.invalid_quantile(quantile, span))
        return quantile_by_group(materialise(rows, steps, self.options, self.ledger), grouping, parameter, self.options)

    def _count_values(self, expr: Aggregate, grid: Grid) -> Block:
        label = unwrap(expr.param) if expr.param is not None else None
        name = label.value if isinstance(label, StringLiteral) else ""
        if not name:
            raise QueryExecutionError(f"invalid label name {notes.quote(name)}")
        block = self.block(expr.expr, grid)
        return ranking.count_values(block, name, expr.grouping, without=expr.without, ledger=self.ledger)

    def _limit_ratio(self, rows: RowSource, ratios: Floats, span: Span) -> Block:
        steps = len(ratios)
        if (ratios == 0).all():
            return empty_block(self.symbols, steps)
        if np.isnan(ratios).any():
            raise QueryExecutionError("Ratio value is NaN")
        for ratio in self._extremes(ratios, -1.0, 1.0):
            self.annotations.add(notes.invalid_ratio(ratio, 1.0 if ratio > 0 else -1.0, span))
        return ranking.limit_by_ratio(materialise(rows, steps, self.options, self.ledger), ratios)

    def _extremes(self, values: Floats, lowest: float, highest: float) -> list[float]:
        """Of values outside their range the largest and the smallest, which are remarked upon."""
        found = [np.nan] if np.isnan(values).any() else []
        known = values[~np.isnan(values)]
        if known.size and known.max() > highest:
            found.append(float(known.max()))
        if known.size and known.min() < lowest:
            found.append(float(known.min()))
        return found
