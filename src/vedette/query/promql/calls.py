"""Function calls, but for range functions: what each does with its arguments.

Source: Prometheus' promql/functions.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from vedette.lang.promql.ast import Aggregation, Call, Expr, RangeMode, VectorSelector
from vedette.model.frames import LabelFrame
from vedette.query.promql import annotations as notes
from vedette.query.promql import elementwise as each
from vedette.query.promql import histograms, info
from vedette.query.promql.aggregate import aggregate_rows
from vedette.query.promql.evaluation import Evaluation, mapped, materialised, no_flags
from vedette.query.promql.label_functions import (
    absent_labels,
    join_labels,
    replace_label,
    sort_by_label_values,
    sort_by_value,
    text_argument,
)
from vedette.query.promql.label_groups import merge_equal_labels
from vedette.query.promql.matching import stack_blocks
from vedette.query.promql.numbers import format_open_metrics
from vedette.query.promql.plan import unwrap
from vedette.query.promql.ranges import WINDOWS, invalid_quantiles, selector_rows, shifted, window_rows
from vedette.query.promql.rows import BlockRows, RowSource, Wanted
from vedette.query.promql.values import Block, Floats, Grid, Scalars, Value, empty_block, single_row

_NATIVE_ONLY: Final = frozenset(
    {"histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"}
)


def is_elementwise(call: Call) -> bool:
    """Whether a function looks at each element by itself."""
    name = call.function
    return (
        name in each.MATH
        or name in ("clamp", "clamp_min", "clamp_max", "round", "timestamp", "start_timestamp")
        or (name in each.DATES and bool(call.args))
    )


def elementwise_rows(ev: Evaluation, call: Call, grid: Grid) -> RowSource:
    """A function of each element by itself, on top of its argument's rows."""
    name = call.function
    arg = unwrap(call.args[0])
    if name in ("timestamp", "start_timestamp"):
        return _time_rows(ev, name, arg, grid)
    rows = ev.rows(arg, grid)
    if name in each.MATH:
        return mapped(ev, rows, each.apply_math(name), grid)
    if name in each.DATES:
        return mapped(ev, rows, each.apply_date(name), grid)
    others = [ev.scalars(part, grid) for part in call.args[1:]]
    if name == "round":
        return mapped(ev, rows, each.apply_round(others[0] if others else np.ones(grid.steps)), grid)
    lower, upper = np.full(grid.steps, -np.inf), np.full(grid.steps, np.inf)
    if name == "clamp":
        lower, upper = others
    elif name == "clamp_min":
        lower = others[0]
    else:
        upper = others[0]
    return mapped(ev, rows, each.apply_clamp(lower, upper), grid)


def evaluate_call(ev: Evaluation, call: Call, grid: Grid) -> Value:
    """What a call gives."""
    name = call.function
    constant = _constant(ev, call, grid)
    if constant is not None:
        return Scalars(constant)
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](ev, call, grid)
    if name in _NATIVE_ONLY:
        ev.block(call.args[0], grid)
        return empty_block(ev.symbols, grid.steps)
    if name in each.DATES and not call.args:
        seconds = np.floor_divide(grid.times(), 1000)
        return single_row(ev.symbols, each.DATES[name](seconds).astype(np.float64))
    rows = window_rows(ev, call, grid) if name in WINDOWS else elementwise_rows(ev, call, grid)
    return materialised(ev, rows, grid)


def _constant(ev: Evaluation, call: Call, grid: Grid) -> Floats | None:  # noqa: PLR0911 - a table
    """Scalars that depend on time alone, or on other scalars."""
    times = ev.times
    match call.function:
        case "time":
            return grid.times() / 1000.0
        case "pi":
            return np.full(grid.steps, np.pi)
        case "start":
            return np.full(grid.steps, times.start_ms / 1000.0)
        case "end":
            return np.full(grid.steps, times.end_ms / 1000.0)
        case "step":
            return np.full(grid.steps, times.step_ms / 1000.0)
        case "range":
            return np.full(grid.steps, (times.end_ms - times.start_ms) / 1000.0)
        case "min_of" | "max_of":
            first, second = (ev.scalars(arg, grid) for arg in call.args)
            return np.minimum(first, second) if call.function == "min_of" else np.maximum(first, second)
        case _:
            return None


def _time_rows(ev: Evaluation, name: str, arg: Expr, grid: Grid) -> RowSource:
    """`timestamp` of a selector is the time of its samples, of anything else that of the evaluation."""
    if isinstance(arg, VectorSelector) and arg.mode is RangeMode.PLAIN:
        wanted = Wanted.TIME if name == "timestamp" else Wanted.START
        return mapped(ev, selector_rows(ev, arg, grid, wanted), each.leave, grid)
    if name == "start_timestamp":
        ev.block(arg, grid)
        return BlockRows(empty_block(ev.symbols, grid.steps))
    return mapped(ev, ev.rows(arg, grid), each.set_to(grid.times() / 1000.0), grid)


def _absent(ev: Evaluation, call: Call, grid: Grid) -> Block:
    return _missing(ev, ev.rows(call.args[0], grid), call.args[0], grid)


def _absent_over_time(ev: Evaluation, call: Call, grid: Grid) -> Block:
    return _missing(ev, window_rows(ev, call, grid), call.args[0], grid)


def _missing(ev: Evaluation, rows: RowSource, arg: Expr, grid: Grid) -> Block:
    nobody = LabelFrame(ev.symbols, {}, rows.labels.size)
    found = aggregate_rows(Aggregation.GROUP, rows, nobody, grid.steps, ev.options, ev.ledger)
    there = found.present.any(axis=0) if found.size else np.zeros(grid.steps, np.bool_)
    labels = {name: np.array([ev.symbols.intern(value)], np.int32) for name, value in absent_labels(arg).items()}
    frame = LabelFrame(ev.symbols, labels, 1)
    flags = no_flags(ev, frame)
    return Block(frame, np.ones((1, grid.steps)), ~there.reshape(1, -1), flags).without_empty_rows()


def _scalar(ev: Evaluation, call: Call, grid: Grid) -> Scalars:
    block = ev.block(call.args[0], grid)
    if block.size == 0:
        return Scalars(np.full(grid.steps, np.nan))
    alone = block.present.sum(axis=0) == 1
    values = np.take_along_axis(block.values, block.present.argmax(axis=0)[np.newaxis, :], axis=0)[0]
    return Scalars(np.where(alone, values, np.nan))


def _vector(ev: Evaluation, call: Call, grid: Grid) -> Block:
    block = single_row(ev.symbols, ev.scalars(call.args[0], grid))
    return Block(block.labels, block.values, block.present, no_flags(ev, block.labels))


def _sort(ev: Evaluation, call: Call, grid: Grid) -> Block:
    block = ev.block(call.args[0], grid)
    if ev.is_range:
        ev.annotations.add(notes.ineffective_sort(call.span))
        return block
    if grid.steps > 1:
        return block
    descending = call.function.endswith("_desc")
    if call.function.startswith("sort_by_label"):
        names = [text_argument(call, i) for i in range(1, len(call.args))]
        return sort_by_label_values(block, names, descending=descending)
    return sort_by_value(block, descending=descending)


def _label_replace(ev: Evaluation, call: Call, grid: Grid) -> Block:
    return merge_equal_labels(replace_label(lambda: ev.block(call.args[0], grid), call))


def _label_join(ev: Evaluation, call: Call, grid: Grid) -> Block:
    return merge_equal_labels(join_labels(lambda: ev.block(call.args[0], grid), call))


def _histogram_quantile(ev: Evaluation, call: Call, grid: Grid) -> Block:
    wanted, arg = ev.scalars(call.args[0], grid), call.args[1]
    block = ev.block(arg, grid)
    _remark_on_quantiles(ev, wanted, call.args[0])
    found = histograms.find_histograms(block, arg.span, ev.options, ev.annotations)
    return merge_equal_labels(histograms.quantiles_of(found, wanted, arg.span, grid, ev.options, ev.annotations))


def _histogram_quantiles(ev: Evaluation, call: Call, grid: Grid) -> Block:
    arg, label = call.args[0], text_argument(call, 1)
    block = ev.block(arg, grid)
    wanted = [ev.scalars(part, grid) for part in call.args[2:]]
    for values, part in zip(wanted, call.args[2:], strict=True):
        _remark_on_quantiles(ev, values, part)
    found = histograms.find_histograms(block, arg.span, ev.options, ev.annotations)
    parts: list[Block] = []
    for values in wanted:
        part = histograms.quantiles_of(found, values, arg.span, grid, ev.options, ev.annotations)
        for value in np.unique(values).tolist():
            here = np.isnan(values) if np.isnan(value) else values == value
            column = np.full(part.size, ev.symbols.intern(format_open_metrics(value)), np.int32)
            labels = part.labels.replace(label, column)
            parts.append(Block(labels, part.values, part.present & here, part.drop_name))
    return merge_equal_labels(stack_blocks(parts).without_empty_rows())


def _remark_on_quantiles(ev: Evaluation, quantiles: Floats, arg: Expr) -> None:
    for quantile in invalid_quantiles(quantiles):
        ev.annotations.add(notes.invalid_quantile(quantile, arg.span))


def _histogram_fraction(ev: Evaluation, call: Call, grid: Grid) -> Block:
    lower, upper, arg = ev.scalars(call.args[0], grid), ev.scalars(call.args[1], grid), call.args[2]
    found = histograms.find_histograms(ev.block(arg, grid), arg.span, ev.options, ev.annotations)
    return merge_equal_labels(histograms.fractions_of(found, lower, upper, ev.options))


def _info(ev: Evaluation, call: Call, grid: Grid) -> Block:
    request = info.Request.of(call)
    base = ev.block(call.args[0], grid)
    matchers = info.info_matchers(base.labels, request)
    found = empty_block(ev.symbols, grid.steps)
    if matchers:
        start, step = grid.start_ms, grid.step_ms
        for node in info.find_reference(call.args[0]):
            start, step = shifted(ev, node, start, step)
        selector = VectorSelector("", tuple(matchers), 0, None)
        seen_from = Grid(start, step, grid.steps)
        found = materialised(ev, selector_rows(ev, selector, seen_from, Wanted.TIME), grid)
    return info.enrich(base, found, request, ev.ledger)


_FUNCTIONS: Final[dict[str, Callable[[Evaluation, Call, Grid], Value]]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "scalar": _scalar,
    "vector": _vector,
    "sort": _sort,
    "sort_desc": _sort,
    "sort_by_label": _sort,
    "sort_by_label_desc": _sort,
    "label_replace": _label_replace,
    "label_join": _label_join,
    "histogram_quantile": _histogram_quantile,
    "histogram_quantiles": _histogram_quantiles,
    "histogram_fraction": _histogram_fraction,
    "info": _info,
}
