"""Which rows have equal labels, and what follows when they do; the order of label sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import QueryExecutionError
from vedette.model.frames import LabelFrame
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.query.promql.annotations import quote
from vedette.query.promql.group_kernels import find_groups
from vedette.query.promql.values import Block, Bools, Ints

METADATA_LABELS: Final = (METRIC_NAME, "__type__", "__unit__")
"""Labels that say what a metric is; gone once a function has made something else of it."""

_FEW_ROWS: Final = 200
"""So many are put in order faster without NumPy."""

SAME_LABELS: Final = "vector cannot contain metrics with the same labelset"


def find_equal_rows(labels: LabelFrame) -> tuple[Ints, Ints]:
    """Rows by equal label sets.

    Returns:
        int64[size], the group of each row, numbered by first appearance; and int64[groups], the first
        row of each group.
    """
    size = labels.size
    columns = list(labels.columns.values())
    if not columns or not size:
        return np.zeros(size, np.int64), np.zeros(min(size, 1), np.int64)
    groups, firsts = np.empty(size, np.int64), np.empty(size, np.int64)
    found = find_groups(np.ascontiguousarray(np.stack(columns), np.int32), groups, firsts)
    return groups, firsts[:found]


def has_equal_rows(labels: LabelFrame) -> bool:
    """Whether any label set stands in several rows."""
    return labels.size > 1 and len(find_equal_rows(labels)[1]) < labels.size


def group_labels(labels: LabelFrame, names: Sequence[str], *, without: bool) -> LabelFrame:
    """The labels that tell groups apart: `by` the names, or `without` them and the metric's name."""
    return labels.drop([*names, METRIC_NAME]) if without else labels.keep(names)


def match_rows(left: LabelFrame, right: LabelFrame, names: Sequence[str], *, on: bool) -> tuple[Ints, Ints, int]:
    """Number the matching signatures of two sides.

    Returns:
        The signature of each row on the left and on the right, and how many there are.
    """
    joined = LabelFrame.concat([group_labels(side, names, without=not on) for side in (left, right)])
    groups, firsts = find_equal_rows(joined)
    return groups[: left.size], groups[left.size :], len(firsts)


def any_by_group(present: Bools, groups: Ints, count: int) -> Bools:
    """At which steps any row of each group is there: bool[count, steps]."""
    steps = present.shape[1]
    found = np.zeros((count, steps), np.bool_)
    if len(groups) == 0:
        return found
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    if len(starts) == len(order):
        found[groups] = present
    else:
        found[ordered[starts]] = np.logical_or.reduceat(present[order], starts, axis=0)
    return found


def count_by_group(present: Bools, groups: Ints, count: int) -> NDArray[np.int32]:
    """How many rows of each group are there at each step: int32[count, steps]."""
    found = np.zeros((count, present.shape[1]), np.int32)
    if len(groups):
        order = np.argsort(groups, kind="stable")
        ordered = groups[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        found[ordered[starts]] = np.add.reduceat(present[order].view(np.uint8), starts, axis=0, dtype=np.int32)
    return found


def merge_equal_labels(block: Block, *, may_overlap: bool = False) -> Block:
    """Make one row of the rows with equal labels.

    Args:
        block: the rows.
        may_overlap: whether several of them may be there at one step; any of them counts then.

    Raises:
        QueryExecutionError: they overlap in time and may not.
    """
    if block.size <= 1:
        return block
    groups, firsts = find_equal_rows(block.labels)
    if len(firsts) == block.size:
        return block
    values, present = block.values[firsts], block.present[firsts]
    for row in np.setdiff1d(np.arange(block.size), firsts).tolist():
        group = int(groups[row])
        mask = block.present[row]
        if not may_overlap and (present[group] & mask).any():
            raise QueryExecutionError(SAME_LABELS)
        np.copyto(values[group], block.values[row], where=mask)
        present[group] |= mask
    drop = None if block.drop_name is None else block.drop_name[firsts]
    return Block(block.labels.take(firsts), values, present, drop)


def sort_by_labels(labels: LabelFrame) -> Ints:
    """The order of the rows by their label sets: by name and value of the first label, the second, and so on.

    A label set that ends where another goes on comes first.
    """
    size = labels.size
    if size <= 1:
        return np.arange(size, dtype=np.int64)
    keys: list[NDArray[np.int64]] = []
    ends = np.ones(size, np.bool_)
    for name in sorted(labels.columns, reverse=True):
        column = labels.columns[name]
        if (column == column[0]).all():
            if column[0]:
                # No order among these; but what all have may come behind what some have.
                ends[:] = False
            continue
        ranks = _ranks_of_texts(column, labels)
        absent = column == 0
        # Without this label the next one counts, whose name is larger; or there is none, and it comes first.
        keys.append(np.where(absent, np.where(ends, 0, size + 1), ranks))
        ends &= absent
    return np.lexsort(keys).astype(np.int64) if keys else np.arange(size, dtype=np.int64)


def _ranks_of_texts(column: NDArray[np.int32], labels: LabelFrame) -> NDArray[np.int64]:
    """The place of each row's text among the different texts in their order, from 1 on."""
    text = labels.symbols.text
    if labels.size <= _FEW_ROWS:
        numbers: list[int] = column.tolist()
        place = {number: i for i, number in enumerate(sorted(set(numbers), key=text), 1)}
        return np.array([place[number] for number in numbers], np.int64)
    different, inverse = np.unique(column, return_inverse=True)
    texts = [text(number) for number in different.tolist()]
    ranks = np.empty(len(texts), np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(1, len(texts) + 1)
    return ranks[inverse]


def show_labels(labels: LabelSet) -> str:
    """A label set as Prometheus shows it in errors: `{__name__="up", job="node"}`."""
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels) + "}"
