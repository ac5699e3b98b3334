"""What the parts of the evaluator share: the state of one evaluation, and how they call each other.

`Evaluator` is the one implementation. Selectors, range functions and calls stand in modules of their own and
evaluate their arguments through this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from vedette.lang.promql.ast import Expr
from vedette.model.frames import LabelFrame, QuerySymbols
from vedette.query.promql.annotations import Annotations
from vedette.query.promql.durations import QueryTimes
from vedette.query.promql.label_groups import METADATA_LABELS, has_equal_rows, merge_equal_labels
from vedette.query.promql.options import EvalOptions, Ledger, Stats
from vedette.query.promql.rows import BlockRows, MappedRows, Mapping, RowSource, materialise
from vedette.query.promql.values import Block, Bools, Floats, Grid
from vedette.query.source import SampleSource


class Evaluation(Protocol):
    """One evaluation of one query.

    Attributes:
        times: when the whole query is evaluated; subqueries have grids of their own.
        is_range: whether it is a range query.
    """

    times: QueryTimes
    source: SampleSource
    options: EvalOptions
    is_range: bool
    symbols: QuerySymbols
    annotations: Annotations
    stats: Stats
    ledger: Ledger

    def block(self, expr: Expr, grid: Grid) -> Block:
        """An instant vector at the times of a grid."""
        ...

    def scalars(self, expr: Expr, grid: Grid) -> Floats:
        """A scalar at every step."""
        ...

    def rows(self, expr: Expr, grid: Grid) -> RowSource:
        """An instant vector as rows that are made when they are needed."""
        ...

    def later(self, remark: Callable[[], None]) -> None:
        """Put off a remark until the rows have been made."""
        ...


def mapped(ev: Evaluation, rows: RowSource, mapping: Mapping, grid: Grid, *, drop_names: bool = True) -> RowSource:
    """Rows with a mapping on top, which usually makes another metric of them."""
    if not drop_names:
        return MappedRows(rows, rows.labels, rows.drop_name, mapping)
    if ev.options.delayed_name_removal:
        return MappedRows(rows, rows.labels, np.ones(rows.labels.size, np.bool_), mapping)
    labels = rows.labels.drop(METADATA_LABELS)
    mapped = MappedRows(rows, labels, None, mapping)
    if not may_collide(rows.labels) or not has_equal_rows(labels):
        return mapped
    return BlockRows(merge_equal_labels(materialised(ev, mapped, grid)))


def may_collide(labels: LabelFrame) -> bool:
    """Whether series may become equal when their metadata go."""
    for name in METADATA_LABELS:
        column = labels.columns.get(name)
        if column is not None and labels.size > 1 and (column != column[0]).any():
            return True
    return False


def no_flags(ev: Evaluation, labels: LabelFrame) -> Bools | None:
    """The `drop_name` of rows that keep their names."""
    return np.zeros(labels.size, np.bool_) if ev.options.delayed_name_removal else None


def materialised(ev: Evaluation, rows: RowSource, grid: Grid) -> Block:
    """All rows at once, without those that are empty."""
    return materialise(rows, grid.steps, ev.options, ev.ledger).without_empty_rows()
