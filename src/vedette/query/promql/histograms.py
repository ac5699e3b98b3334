"""histogram_quantile, histogram_quantiles and histogram_fraction on classic histograms.

The series of one histogram differ in `le` alone. Native histograms are not stored, so there are none here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vedette.model.errors import Span
from vedette.model.frames import LabelFrame
from vedette.model.labels import METRIC_NAME
from vedette.query.promql.annotations import Annotations, Forced, bad_bucket_label, forced_monotonicity
from vedette.query.promql.histogram_kernels import FORCED_FIELDS, classic_histograms
from vedette.query.promql.label_groups import METADATA_LABELS, find_equal_rows
from vedette.query.promql.numbers import parse_float
from vedette.query.promql.options import EvalOptions
from vedette.query.promql.rows import plain_array
from vedette.query.promql.values import Block, Bools, Floats, Grid, Ints
from vedette.query.promql.workers import run_all, split

_BUCKET = "le"


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """The histograms in an instant vector.

    Attributes:
        block: their buckets.
        labels: label set of each histogram, without `le` and (unless removal is delayed) the name.
        drop_name: whose name goes at the end.
        names: the metric's name of each, for annotations.
        order: rows of the block, histogram by histogram, within each by rising bound.
        bounds: the upper bounds of those rows.
        starts: histogram g has `order[starts[g]:starts[g + 1]]`.
    """

    block: Block
    labels: LabelFrame
    drop_name: Bools | None
    names: list[str]
    order: Ints
    bounds: Floats
    starts: Ints


def find_histograms(block: Block, span: Span, options: EvalOptions, annotations: Annotations) -> Histograms:
    """Sort an instant vector's series into histograms; what is no bucket is remarked upon and left out."""
    labels = block.labels
    symbols = labels.symbols
    column = labels.columns.get(_BUCKET, np.zeros(labels.size, np.int32))
    names = labels.columns.get(METRIC_NAME, np.zeros(labels.size, np.int32))
    numbers, which = np.unique(column, return_inverse=True)
    parsed = [parse_float(symbols.text(number)) for number in numbers.tolist()]
    bad = np.array([bound is None for bound in parsed], np.bool_)[which]
    for row in np.flatnonzero(bad & block.present.any(axis=1)).tolist():
        metric = symbols.text(int(names[row])) if options.delayed_name_removal else ""
        annotations.add(bad_bucket_label(symbols.text(int(column[row])), metric, span))
    rows = np.flatnonzero(~bad)
    bounds = np.array([math.nan if bound is None else bound for bound in parsed])[which][rows]
    kept = labels.take(rows)
    groups, firsts = find_equal_rows(kept.drop([_BUCKET]))
    within = np.lexsort((bounds, groups))
    starts = np.searchsorted(groups[within], np.arange(len(firsts) + 1)).astype(np.int64)
    found = kept.take(firsts).drop([_BUCKET])
    drop: Bools | None = None
    if options.delayed_name_removal:
        drop = np.ones(found.size, np.bool_)
    else:
        found = found.drop(METADATA_LABELS)
    texts = [symbols.text(number) for number in names[rows][firsts].tolist()]
    return Histograms(block, found, drop, texts, rows[within].astype(np.int64), bounds[within], starts)


def quantiles_of(
    histograms: Histograms, wanted: Floats, span: Span, grid: Grid, options: EvalOptions, annotations: Annotations
) -> Block:
    """One quantile of each histogram."""
    block, forced = _evaluate(histograms, wanted, wanted, options, want_fraction=False)
    for group in np.flatnonzero(forced[:, 0] > 0).tolist():
        count, first, last, low, high, largest = forced[group].tolist()
        detail = Forced(
            grid.start_ms + int(first) * grid.step_ms,
            grid.start_ms + int(last) * grid.step_ms,
            low,
            high,
            largest,
            int(count),
        )
        metric = histograms.names[group] if options.delayed_name_removal else ""
        annotations.add(forced_monotonicity(metric, span, detail))
    return block


def fractions_of(histograms: Histograms, lower: Floats, upper: Floats, options: EvalOptions) -> Block:
    """The share of observations between two limits."""
    return _evaluate(histograms, lower, upper, options, want_fraction=True)[0]


def _evaluate(
    histograms: Histograms, wanted: Floats, upper: Floats, options: EvalOptions, *, want_fraction: bool
) -> tuple[Block, Floats]:
    size, steps = histograms.labels.size, len(wanted)
    values, present = np.empty((size, steps)), np.zeros((size, steps), np.bool_)
    forced = np.zeros((size, FORCED_FIELDS))
    inputs, mask = histograms.block.values, histograms.block.present
    if not inputs.flags.writeable or not mask.flags.writeable:
        inputs, mask = plain_array(inputs), plain_array(mask)
    first_limit, second_limit = plain_array(wanted), plain_array(upper)

    def work(low: int, high: int) -> None:
        options.check()
        classic_histograms(
            want_fraction,
            inputs,
            mask,
            histograms.order,
            histograms.bounds,
            histograms.starts,
            low,
            high,
            first_limit,
            second_limit,
            values,
            present,
            forced,
        )

    tasks: list[Callable[[], None]] = [
        lambda low=low, high=high: work(low, high) for low, high in split(size, options.workers)
    ]
    run_all(tasks, options.executor)
    return Block(histograms.labels, values, present, histograms.drop_name).without_empty_rows(), forced
