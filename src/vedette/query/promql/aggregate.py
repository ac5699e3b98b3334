"""Aggregations: `sum by (job) (...)` and its kin.

Those that need one accumulator for each group take their input batch by batch, so that
`sum(rate(x[5m]))` over ten thousand series never holds ten thousand rows. Each thread has accumulators of its
own, which are added together in the order of the rows: the same data give the same answer to the last digit.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vedette.lang.promql.ast import Aggregation
from vedette.model.frames import LabelFrame
from vedette.query.promql.group_kernels import Sum, accumulate, quantile_groups
from vedette.query.promql.label_groups import find_equal_rows
from vedette.query.promql.options import EvalOptions, Ledger
from vedette.query.promql.rows import PickedRows, RowSource, for_each_batch, materialise, plain_array, shares
from vedette.query.promql.values import Block, Bools, Floats, Ints
from vedette.query.promql.workers import run_all, split

_OPERATIONS: Final = {
    Aggregation.SUM: Sum.SUM,
    Aggregation.AVG: Sum.AVG,
    Aggregation.MIN: Sum.MIN,
    Aggregation.MAX: Sum.MAX,
    Aggregation.COUNT: Sum.COUNT,
    Aggregation.GROUP: Sum.COUNT,
    Aggregation.STDDEV: Sum.VARIANCE,
    Aggregation.STDVAR: Sum.VARIANCE,
}

_MOST_CELLS_EACH: Final = 4_000_000
"""With more groups and steps than this, threads do not get accumulators of their own."""

_FEW_ROWS_EACH: Final = 8
"""Nor where groups have no more rows than this on average."""

_ROWS_AT_A_TIME: Final = 64
"""Groups are worked through in portions of about so many rows."""


@dataclass(frozen=True, slots=True, eq=False)
class _Accumulators:
    """One for each group and step; see `accumulate` for what they hold."""

    totals: Floats
    carries: Floats
    counts: Floats
    running: Bools

    @classmethod
    def empty(cls, groups: int, steps: int, operation: Sum) -> _Accumulators:
        unused = np.zeros((0, steps))
        with_carry = operation in (Sum.SUM, Sum.AVG, Sum.VARIANCE)
        return cls(
            np.zeros((groups, steps)),
            np.zeros((groups, steps)) if with_carry else np.zeros((groups, 0)),
            np.zeros((groups, steps)),
            np.zeros((groups, steps) if operation is Sum.AVG else (groups, 0), np.bool_) if groups else unused > 0,
        )


def aggregate_rows(
    op: Aggregation, rows: RowSource, grouping: LabelFrame, steps: int, options: EvalOptions, ledger: Ledger
) -> Block:
    """Sum, average, smallest, largest, count, group, standard deviation or variance of each group.

    Args:
        grouping: the rows' labels that tell groups apart.
    """
    groups, firsts = find_equal_rows(grouping)
    cells = len(firsts) * steps
    if cells > _MOST_CELLS_EACH or len(firsts) * _FEW_ROWS_EACH > max(groups.size, _ROWS_AT_A_TIME):
        values, present = _aggregate_in_portions(op, rows, groups, len(firsts), steps, options, ledger)
    else:
        values, present = _aggregate_all_along(op, rows, groups, len(firsts), steps, options, ledger)
    drop = group_drop_name(rows.drop_name, groups, len(firsts))
    return Block(grouping.take(firsts), values, present, drop).without_empty_rows()


def _aggregate_all_along(
    op: Aggregation, rows: RowSource, groups: Ints, count: int, steps: int, options: EvalOptions, ledger: Ledger
) -> tuple[Floats, Bools]:
    """Few groups: each thread has accumulators for all of them, and adds rows as they come."""
    operation = _OPERATIONS[op]
    parts = shares(rows.labels.size, options.workers)
    ledger.hold(3 * count * steps * len(parts))

    def add_up(low: int, high: int) -> _Accumulators:
        sums = _Accumulators.empty(count, steps, operation)

        def use(first: int, values: Floats, present: Bools) -> None:
            accumulate(
                int(operation),
                values,
                present,
                groups[first : first + len(values)],
                sums.totals,
                sums.carries,
                sums.counts,
                sums.running,
            )

        for_each_batch(rows, steps, options, low, high, use)
        return sums

    tasks: list[Callable[[], _Accumulators]] = [lambda low=low, high=high: add_up(low, high) for low, high in parts]
    found = run_all(tasks, options.executor) or [_Accumulators.empty(0, steps, operation)]
    with np.errstate(all="ignore"):
        total = found[0]
        for other in found[1:]:
            total = _merge(operation, total, other)
        return _finish(op, total), total.counts > 0


def _aggregate_in_portions(
    op: Aggregation, rows: RowSource, groups: Ints, count: int, steps: int, options: EvalOptions, ledger: Ledger
) -> tuple[Floats, Bools]:
    """Many groups: each thread takes some groups, and finishes a few at a time."""
    operation = _OPERATIONS[op]
    ledger.hold(count * steps)
    ordered = groups
    if (np.diff(groups) < 0).any():
        block = materialise(rows, steps, options, ledger)
        order = np.argsort(groups, kind="stable")
        rows, ordered = PickedRows(block, order), groups[order]
    starts = np.searchsorted(ordered, np.arange(count + 1))
    each = max(1, _ROWS_AT_A_TIME * count // max(groups.size, 1))
    values, present = np.empty((count, steps)), np.empty((count, steps), np.bool_)

    def work(low: int, high: int) -> None:
        for first in range(low, high, each):
            last = min(first + each, high)
            sums = _Accumulators.empty(last - first, steps, operation)

            def use(row: int, made: Floats, mask: Bools, first: int = first, sums: _Accumulators = sums) -> None:
                taken = ordered[row : row + len(made)] - first
                accumulate(int(operation), made, mask, taken, sums.totals, sums.carries, sums.counts, sums.running)

            for_each_batch(rows, steps, options, int(starts[first]), int(starts[last]), use)
            values[first:last] = _finish(op, sums)
            np.greater(sums.counts, 0, out=present[first:last])

    run_all(
        [lambda low=low, high=high: work(low, high) for low, high in shares(count, options.workers)], options.executor
    )
    return values, present


def group_drop_name(drop_name: Bools | None, groups: Ints, count: int) -> Bools | None:
    """Groups of which any row is to lose its metric name lose it too."""
    if drop_name is None:
        return None
    drop = np.zeros(count, np.bool_)
    drop[groups[drop_name]] = True
    return drop


def quantile_by_group(block: Block, grouping: LabelFrame, wanted: Floats, options: EvalOptions) -> Block:
    """The quantile over the series of each group."""
    groups, firsts = find_equal_rows(grouping)
    steps = len(wanted)
    order = np.argsort(groups, kind="stable").astype(np.int64)
    starts = np.searchsorted(groups[order], np.arange(len(firsts) + 1)).astype(np.int64)
    values, present = np.empty((len(firsts), steps)), np.zeros((len(firsts), steps), np.bool_)
    inputs, mask = block.values, block.present
    if not inputs.flags.writeable:
        inputs, mask = plain_array(inputs), plain_array(mask)

    def rank(low: int, high: int) -> None:
        options.check()
        quantile_groups(inputs, mask, order, starts, low, high, plain_array(wanted), values, present)

    parts = split(steps, 4 * options.workers if options.workers > 1 else 1, multiple=8)
    run_all([lambda low=low, high=high: rank(low, high) for low, high in parts], options.executor)
    drop = group_drop_name(block.drop_name, groups, len(firsts))
    return Block(grouping.take(firsts), values, present, drop).without_empty_rows()


def _merge(operation: Sum, a: _Accumulators, b: _Accumulators) -> _Accumulators:
    """Two threads' accumulators as one; `a` has seen the earlier rows."""
    counts = a.counts + b.counts
    only_b = a.counts == 0
    only_a = b.counts == 0
    if operation is Sum.COUNT:
        return _Accumulators(a.totals, a.carries, counts, a.running)
    if operation in (Sum.MIN, Sum.MAX):
        better = b.totals > a.totals if operation is Sum.MAX else b.totals < a.totals
        totals = np.where(only_b | (~only_a & (better | np.isnan(a.totals))), b.totals, a.totals)
        return _Accumulators(totals, a.carries, counts, a.running)
    if operation is Sum.VARIANCE:
        delta = b.totals - a.totals
        means = a.totals + delta * (b.counts / counts)
        squares = a.carries + b.carries + delta * delta * (a.counts * b.counts / counts)
        totals = np.where(only_a, a.totals, np.where(only_b, b.totals, means))
        carries = np.where(only_a, a.carries, np.where(only_b, b.carries, squares))
        return _Accumulators(totals, carries, counts, a.running)
    totals = a.totals + b.totals
    larger = np.abs(a.totals) >= np.abs(b.totals)
    lost = np.where(larger, (a.totals - totals) + b.totals, (b.totals - totals) + a.totals)
    carries = np.where(np.isinf(totals), 0.0, a.carries + b.carries + lost)
    running = a.running
    if operation is Sum.AVG:
        running = a.running | b.running | (np.isinf(totals) & ~only_a & ~only_b)
        mean = _means(a) * (a.counts / counts) + _means(b) * (b.counts / counts)
        totals, carries = np.where(running, mean, totals), np.where(running, 0.0, carries)
    totals = np.where(only_a, a.totals, np.where(only_b, b.totals, totals))
    carries = np.where(only_a, a.carries, np.where(only_b, b.carries, carries))
    if operation is Sum.AVG:
        running = np.where(only_a, a.running, np.where(only_b, b.running, running))
    return _Accumulators(totals, carries, counts, running)


def _means(sums: _Accumulators) -> Floats:
    direct = sums.totals / sums.counts + sums.carries / sums.counts
    return np.where(sums.running, sums.totals + sums.carries, direct)


def _finish(op: Aggregation, sums: _Accumulators) -> Floats:  # noqa: PLR0911 - a table
    match op:
        case Aggregation.SUM:
            return sums.totals + sums.carries
        case Aggregation.AVG:
            return _means(sums)
        case Aggregation.COUNT:
            return sums.counts
        case Aggregation.GROUP:
            return np.ones_like(sums.counts)
        case Aggregation.STDVAR:
            return sums.carries / sums.counts
        case Aggregation.STDDEV:
            return np.sqrt(sums.carries / sums.counts)
        case _:
            return sums.totals
