"""Selectors and range functions: from the series that a selector finds to rows, and what there is to remark.

Nothing is read here but labels; samples are read when the rows are made.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vedette.lang.promql.ast import AtPoint, Call, Expr, MatrixSelector, RangeMode, Subquery, VectorSelector
from vedette.model.errors import QueryExecutionError
from vedette.model.frames import LabelFrame
from vedette.model.labels import METRIC_NAME
from vedette.model.samples import SampleRuns, is_stale
from vedette.query.promql import annotations as notes
from vedette.query.promql.durations import resolve_duration
from vedette.query.promql.evaluation import Evaluation, materialised, may_collide, no_flags
from vedette.query.promql.extended import ANCHORED, SMOOTHED, ExtendedRows, smoothed_selector
from vedette.query.promql.label_groups import METADATA_LABELS, SAME_LABELS, has_equal_rows
from vedette.query.promql.plan import unwrap
from vedette.query.promql.row_kernels import Window
from vedette.query.promql.rows import (
    BlockRows,
    InstantRows,
    RowSource,
    Runs,
    StoredRuns,
    SubqueryRuns,
    Wanted,
    WindowRows,
    materialise,
)
from vedette.query.promql.values import Bools, Floats, Grid, Ranges
from vedette.query.source import Selection

WINDOWS: Final = {
    "rate": Window.RATE,
    "increase": Window.INCREASE,
    "delta": Window.DELTA,
    "irate": Window.IRATE,
    "idelta": Window.IDELTA,
    "sum_over_time": Window.SUM,
    "avg_over_time": Window.AVG,
    "stdvar_over_time": Window.STDVAR,
    "stddev_over_time": Window.STDDEV,
    "deriv": Window.DERIV,
    "predict_linear": Window.PREDICT,
    "max_over_time": Window.MAX,
    "min_over_time": Window.MIN,
    "count_over_time": Window.COUNT,
    "present_over_time": Window.PRESENT,
    "absent_over_time": Window.PRESENT,
    "first_over_time": Window.FIRST,
    "last_over_time": Window.LAST,
    "ts_of_first_over_time": Window.TIME_OF_FIRST,
    "ts_of_last_over_time": Window.TIME_OF_LAST,
    "ts_of_max_over_time": Window.TIME_OF_MAX,
    "ts_of_min_over_time": Window.TIME_OF_MIN,
    "changes": Window.CHANGES,
    "resets": Window.RESETS,
    "quantile_over_time": Window.QUANTILE,
    "mad_over_time": Window.MAD,
    "double_exponential_smoothing": Window.SMOOTHING,
}
"""Range functions, by what the kernel calls them."""

_KEEP_NAMES: Final = frozenset({"last_over_time", "first_over_time"})
_OF_COUNTERS: Final = frozenset({"rate", "increase"})
_COUNTER_SUFFIXES: Final = ("_total", "_sum", "_count", "_bucket")
_COUNTER_TYPES: Final = ("counter", "histogram")


def selector_rows(ev: Evaluation, selector: VectorSelector, grid: Grid, wanted: Wanted = Wanted.VALUE) -> RowSource:
    """The newest sample of each series at every step."""
    first, step = shifted(ev, selector, grid.start_ms, grid.step_ms)
    last = first + step * (grid.steps - 1)
    lookback = ev.options.lookback_ms
    if selector.mode is RangeMode.SMOOTHED:
        selection, runs = _select(ev, selector, first - lookback + 1, last + lookback)
        return smoothed_selector(runs, selection.labels, no_flags(ev, selection.labels), first, step, lookback)
    selection, runs = _select(ev, selector, first - lookback + 1, last)
    flags = no_flags(ev, selection.labels)
    return InstantRows(runs, selection.labels, flags, first, step, lookback, wanted)


def window_rows(ev: Evaluation, call: Call, grid: Grid) -> RowSource:
    """A range function of each series at every step.

    Raises:
        QueryExecutionError: series become equal once their names are gone.
    """
    name = call.function
    place, arg = _range_argument(call)
    labels, runs, (first_end, step, span_ms), flags = _runs(ev, arg, grid)
    others = [unwrap(part) for i, part in enumerate(call.args) if i != place]
    parameters = _parameters(ev, name, others, labels, grid)
    kept = name in _KEEP_NAMES
    out_labels, drop = labels, flags
    if ev.options.delayed_name_removal:
        drop = flags if kept else np.ones(labels.size, np.bool_)
    elif not kept:
        out_labels = labels.drop(METADATA_LABELS)
    rows: RowSource
    filled = np.zeros(labels.size, np.bool_)
    overlaps = np.zeros(labels.size, np.bool_)
    mode = arg.selector.mode if isinstance(arg, MatrixSelector) else RangeMode.PLAIN
    if mode is not RangeMode.PLAIN and isinstance(runs, StoredRuns):
        _check_mode(name, mode)
        smoothed = mode is RangeMode.SMOOTHED
        window, lookback = int(WINDOWS[name]), ev.options.lookback_ms
        rows = ExtendedRows(runs, out_labels, drop, window, smoothed, first_end, step, span_ms, lookback)
        if name in _OF_COUNTERS and _suspects(ev, labels):
            block = materialise(rows, grid.steps, ev.options, ev.ledger)
            filled[:] = block.present.any(axis=1)
            _remark_on_counters(ev, labels, filled, overlaps, arg)
            rows = BlockRows(block)
    else:
        look = name in _OF_COUNTERS and _suspects(ev, labels)
        rows = WindowRows(
            runs,
            out_labels,
            drop,
            int(WINDOWS[name]),
            first_end,
            step,
            span_ms,
            grid.times(),
            parameters,
            overlaps,
            filled if look else None,
        )
        if name in _OF_COUNTERS:
            ev.later(lambda: _remark_on_counters(ev, labels, filled, overlaps, arg))
    collides = out_labels is not labels and may_collide(labels) and has_equal_rows(out_labels)
    invalid = name == "quantile_over_time" and invalid_quantiles(parameters[0])
    if not collides and not invalid:
        return rows
    block = materialised(ev, rows, grid)
    if collides and has_equal_rows(block.labels):
        raise QueryExecutionError(SAME_LABELS)
    if invalid:
        for quantile in invalid_quantiles(parameters[0][block.present.any(axis=0)]):
            ev.annotations.add(notes.invalid_quantile(quantile, others[0].span))
    return BlockRows(block)


def range_vector(ev: Evaluation, node: MatrixSelector | Subquery, grid: Grid) -> Ranges:
    """`x[5m]` by itself: the samples in the window, without stale markers."""
    labels, runs, (end, _, span_ms), _ = _runs(ev, node, grid)
    return _cut_out(ev, labels, runs, end - span_ms, end)


def shifted(ev: Evaluation, node: VectorSelector | Subquery, start_ms: int, step_ms: int) -> tuple[int, int]:
    """Where a selector looks when the evaluation is at some time: `@`, then offset."""
    at = _at(ev, node.at)
    offset = resolve_duration(node.offset, ev.times, signed=True)
    return (start_ms - offset, step_ms) if at is None else (at - offset, 0)


def invalid_quantiles(quantiles: Floats) -> list[float]:
    """Those outside [0, 1], each once."""
    return np.unique(quantiles[~((quantiles >= 0) & (quantiles <= 1))]).tolist()


def _runs(
    ev: Evaluation, arg: MatrixSelector | Subquery, grid: Grid
) -> tuple[LabelFrame, Runs, tuple[int, int, int], Bools | None]:
    """A range vector: its series, their samples, and the windows (first end, step, length)."""
    span_ms = resolve_duration(arg.range, ev.times, signed=False)
    if isinstance(arg, Subquery):
        first_end, step = shifted(ev, arg, grid.start_ms, grid.step_ms)
        inner = _inner_grid(ev, arg, first_end, first_end + step * (grid.steps - 1), span_ms)
        block = ev.block(arg.expr, inner)
        return block.labels, SubqueryRuns(block, inner.times()), (first_end, step, span_ms), block.drop_name
    selector = arg.selector
    first_end, step = shifted(ev, selector, grid.start_ms, grid.step_ms)
    start, end = first_end - span_ms + 1, first_end + step * (grid.steps - 1)
    if selector.mode is not RangeMode.PLAIN:
        start -= ev.options.lookback_ms
    if selector.mode is RangeMode.SMOOTHED:
        end += ev.options.lookback_ms
    selection, runs = _select(ev, selector, start, end)
    return selection.labels, runs, (first_end, step, span_ms), no_flags(ev, selection.labels)


def _inner_grid(ev: Evaluation, subquery: Subquery, first_end: int, last_end: int, span_ms: int) -> Grid:
    """The multiples of a subquery's step within all of its windows."""
    step = ev.options.default_step_ms
    if subquery.step is not None:
        step = resolve_duration(subquery.step, ev.times, signed=False)
    start = ((first_end - span_ms) // step + 1) * step
    steps = max((last_end - start) // step + 1, 0)
    ev.ledger.hold(steps)
    return Grid(start, step, steps)


def _at(ev: Evaluation, at: int | AtPoint | None) -> int | None:
    match at:
        case AtPoint.START:
            return ev.times.start_ms
        case AtPoint.END:
            return ev.times.end_ms
        case _:
            return at


def _select(ev: Evaluation, selector: VectorSelector, start_ms: int, end_ms: int) -> tuple[Selection, StoredRuns]:
    selection = ev.source.select(selector.matchers, start_ms, end_ms, ev.symbols, max_series=ev.options.max_series)
    ev.stats.series_selected += selection.labels.size
    return selection, StoredRuns(ev.source, selection.handles, start_ms, end_ms, ev.ledger)


def _parameters(ev: Evaluation, name: str, args: list[Expr], labels: LabelFrame, grid: Grid) -> Floats:
    parameters = np.zeros((2, grid.steps))
    for i, arg in enumerate(args):
        parameters[i] = ev.scalars(arg, grid)
    if name == "double_exponential_smoothing" and labels.size:
        for what, factors in zip(("smoothing", "trend"), parameters, strict=True):
            wrong = factors[~((factors > 0) & (factors < 1)) & ~np.isnan(factors)]
            if wrong.size:
                sign = {"smoothing": "sf", "trend": "tf"}[what]
                raise QueryExecutionError(f"invalid {what} factor. Expected: 0 < {sign} < 1, got: {float(wrong[0]):f}")
    return parameters


def _suspects(ev: Evaluation, labels: LabelFrame) -> bool:
    """Whether any series is not named (or labelled) as counters are."""
    return bool(_suspicious(ev, labels).any())


def _suspicious(ev: Evaluation, labels: LabelFrame) -> Bools:
    names = labels.columns.get(METRIC_NAME)
    if names is None or not labels.size:
        return np.zeros(labels.size, np.bool_)
    if ev.options.type_and_unit_labels:
        types = labels.columns.get("__type__", np.zeros(labels.size, np.int32))
        fine = [ev.symbols.intern(text) for text in _COUNTER_TYPES]
        return (names != 0) & ~np.isin(types, fine)
    different: list[int] = [int(names[0])] if (names == names[0]).all() else np.unique(names).tolist()
    odd = [number for number in different if number and not ev.symbols.text(number).endswith(_COUNTER_SUFFIXES)]
    return np.isin(names, odd) if odd else np.zeros(labels.size, np.bool_)


def _remark_on_counters(
    ev: Evaluation, labels: LabelFrame, filled: Bools, overlaps: Bools, arg: MatrixSelector | Subquery
) -> None:
    """What there is to say of rate and increase, once all rows have been made."""
    names = labels.columns.get(METRIC_NAME, np.zeros(labels.size, np.int32))
    if filled.any():
        types = labels.columns.get("__type__", np.zeros(labels.size, np.int32))
        found = _suspicious(ev, labels) & filled
        pairs = np.unique(np.stack([names[found], types[found]]), axis=1).T.tolist()
        for name, kind in pairs:
            metric = ev.symbols.text(name)
            if ev.options.type_and_unit_labels:
                ev.annotations.add(notes.possible_non_counter_type(metric, ev.symbols.text(kind), arg.span))
            else:
                ev.annotations.add(notes.possible_non_counter(metric, arg.span))
    for name in np.unique(names[overlaps]).tolist() if overlaps.any() else ():
        ev.annotations.add(notes.overlapping_start(ev.symbols.text(name), arg.span))


def _cut_out(ev: Evaluation, labels: LabelFrame, runs: Runs, after_ms: int, until_ms: int) -> Ranges:
    found = runs.read(0, labels.size)
    within = (found.times > after_ms) & (found.times <= until_ms) & ~is_stale(found.values)
    counts = np.diff(np.r_[0, np.cumsum(within)][found.offsets])
    rows = np.flatnonzero(counts > 0)
    offsets = np.r_[0, np.cumsum(counts[rows])].astype(np.int64)
    ev.ledger.hold(int(offsets[-1]))
    return Ranges(labels.take(rows), SampleRuns(offsets, found.times[within], found.values[within]))


def _range_argument(call: Call) -> tuple[int, MatrixSelector | Subquery]:
    for i, part in enumerate(call.args):
        arg = unwrap(part)
        if isinstance(arg, (MatrixSelector, Subquery)):
            return i, arg
    raise TypeError(f"{call.function} has no range vector among its arguments")


def _check_mode(name: str, mode: RangeMode) -> None:
    allowed = ANCHORED if mode is RangeMode.ANCHORED else SMOOTHED
    if name not in allowed:
        raise QueryExecutionError(f"{mode} modifier can only be used with: {', '.join(allowed)} - not with {name}")
