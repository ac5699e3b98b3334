"""Binary operators between two instant vectors: which series find each other, and what comes of it.

Series find each other by signatures, the labels that must be equal. Prometheus looks at every step anew; here
each pair of rows with one signature is a row of the result, there at the steps at which both are. Where a side
holds several rows of one signature they must take turns, which is checked for all steps at once.

Source: `VectorBinop`, `VectorAnd`, `VectorOr`, `VectorUnless` in Prometheus' promql/engine.go.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vedette.lang.promql.ast import BinaryOp, Cardinality, VectorMatching
from vedette.model.errors import QueryExecutionError
from vedette.model.frames import LabelFrame
from vedette.query.promql.elementwise import ARITHMETIC, COMPARISONS
from vedette.query.promql.label_groups import (
    METADATA_LABELS,
    any_by_group,
    count_by_group,
    find_equal_rows,
    group_labels,
    match_rows,
    merge_equal_labels,
    show_labels,
)
from vedette.query.promql.options import EvalOptions, Ledger
from vedette.query.promql.rows import shares
from vedette.query.promql.values import Block, Bools, Floats, Ints
from vedette.query.promql.workers import run_all

_NOBODY: Final = -1
"""In place of a row: the side that is filled in."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The rows of a result: which row of the many side meets which of the one side.

    Attributes:
        many: int64[pairs], rows; `_NOBODY` where the side is filled.
        one: int64[pairs], likewise.
        signatures: int64[pairs].
    """

    many: Ints
    one: Ints
    signatures: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """What a result is computed from; `swapped` where the "many" side is written on the right."""

    many: Block
    one: Block
    pairs: _Pairs
    matching: VectorMatching
    swapped: bool


def combine_sets(op: BinaryOp, left: Block, right: Block, matching: VectorMatching) -> Block:
    """`and`, `or` and `unless`."""
    of_left, of_right, count = match_rows(left.labels, right.labels, matching.labels, on=matching.on)
    if op is BinaryOp.OR:
        taken = any_by_group(left.present, of_left, count)
        rest = Block(right.labels, right.values, right.present & ~taken[of_right], right.drop_name)
        return merge_equal_labels(stack_blocks([left, rest.without_empty_rows()]))
    found = any_by_group(right.present, of_right, count)[of_left]
    present = left.present & (found if op is BinaryOp.AND else ~found)
    return Block(left.labels, left.values, present, left.drop_name).without_empty_rows()


def combine_vectors(
    op: BinaryOp,
    left: Block,
    right: Block,
    matching: VectorMatching,
    *,
    return_bool: bool,
    options: EvalOptions,
    ledger: Ledger,
) -> Block:
    """Arithmetic and comparisons.

    Raises:
        QueryExecutionError: series do not match one to one, or as `group_left` and `group_right` say.
    """
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    # As in Prometheus, what is filled changes sides along with the operands.
    many, one = (right, left) if swapped else (left, right)
    of_many, of_one, count = match_rows(many.labels, one.labels, matching.labels, on=matching.on)
    _check_one_side(many, one, of_one, count, matching)
    one, of_one = _merge_one_side(one, of_one, matching)
    met = np.bincount(of_one, minlength=count)[of_many].sum() if count else 0
    ledger.hold((int(met) + many.size + one.size) * many.values.shape[1])
    pairs = _pair_up(many, one, of_many, of_one, count, matching)
    present = _pair_presence(pairs, many, one, of_many, of_one, count)
    labels = _result_labels(op, pairs, many.labels, one.labels, matching)
    _check_pairs(pairs, present, labels, matching)
    sides = _Sides(many, one, pairs, matching, swapped)
    values, kept = _compute(op, sides, present, options, return_bool=return_bool)
    drop: Bools | None = None
    if return_bool and not options.delayed_name_removal:
        labels = labels.drop(METADATA_LABELS)
    elif return_bool:
        drop = np.ones(labels.size, np.bool_)
    return merge_equal_labels(Block(labels, values, kept, drop).without_empty_rows())


def stack_blocks(blocks: Sequence[Block]) -> Block:
    """The rows of several blocks, one after the other."""
    drop: Bools | None = None
    if any(block.drop_name is not None for block in blocks):
        drop = np.concatenate([_flags(block) for block in blocks])
    return Block(
        LabelFrame.concat([block.labels for block in blocks]),
        np.concatenate([block.values for block in blocks]),
        np.concatenate([block.present for block in blocks]),
        drop,
    )


def _flags(block: Block) -> Bools:
    return np.zeros(block.size, np.bool_) if block.drop_name is None else block.drop_name


def _check_one_side(many: Block, one: Block, of_one: Ints, count: int, matching: VectorMatching) -> None:
    """A signature may stand only once on the "one" side at any step at which there is anything to match."""
    if len(of_one) == count == len(np.unique(of_one)) or len(np.unique(of_one)) == len(of_one):
        return
    fills = matching.fill_left is not None or matching.fill_right is not None
    matters = np.ones(many.values.shape[1], np.bool_) if fills else many.present.any(axis=0)
    several = (count_by_group(one.present, of_one, count) > 1) & matters
    if not several.any():
        return
    signature, step = (int(axis[0]) for axis in np.nonzero(several))
    first, second = np.flatnonzero((of_one == signature) & one.present[:, step])[:2].tolist()
    group = group_labels(one.labels, matching.labels, without=not matching.on).label_set(second)
    side = "left" if matching.cardinality is Cardinality.ONE_TO_MANY else "right"
    raise QueryExecutionError(
        f"found duplicate series for the match group {show_labels(group)} on the {side} hand-side of the operation: "
        f"[{show_labels(one.labels.label_set(second))}, {show_labels(one.labels.label_set(first))}]"
        ";many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _merge_one_side(one: Block, of_one: Ints, matching: VectorMatching) -> tuple[Block, Ints]:
    """Make one row of those that take turns and give the result the same labels."""
    if len(np.unique(of_one)) == len(of_one):
        return one, of_one
    include = matching.include
    kept = one.labels.keep(include)
    told_apart = LabelFrame(kept.symbols, {**kept.columns, "": of_one.astype(np.int32)}, kept.size)
    _, firsts = find_equal_rows(told_apart)
    if len(firsts) == one.size:
        return one, of_one
    # Where they do not take turns there is nothing to match, or it would have been an error.
    merged = merge_equal_labels(dataclasses.replace(one, labels=told_apart), may_overlap=True)
    return Block(one.labels.take(firsts), merged.values, merged.present, merged.drop_name), of_one[firsts]


def _pair_up(many: Block, one: Block, of_many: Ints, of_one: Ints, count: int, matching: VectorMatching) -> _Pairs:
    """Every row of the many side with every row of the one side that has its signature."""
    order = np.argsort(of_one, kind="stable")
    ends = np.cumsum(np.bincount(of_one, minlength=count)) if count else np.zeros(0, np.int64)
    starts = np.r_[0, ends[:-1]] if count else ends
    partners = (ends - starts)[of_many]
    rows = np.repeat(np.arange(many.size), partners)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(partners) - partners, partners)
    manys, ones = [rows], [order[starts[of_many[rows]] + nth]]
    if matching.fill_right is not None:
        manys.append(np.arange(many.size))
        ones.append(np.full(many.size, _NOBODY))
    if matching.fill_left is not None:
        manys.append(np.full(one.size, _NOBODY))
        ones.append(np.arange(one.size))
    left, right = np.concatenate(manys).astype(np.int64), np.concatenate(ones).astype(np.int64)
    signatures = np.empty(len(left), np.int64)
    of_left = left != _NOBODY
    signatures[of_left] = of_many[left[of_left]]
    signatures[~of_left] = of_one[right[~of_left]]
    return _Pairs(left, right, signatures)


def _pair_presence(pairs: _Pairs, many: Block, one: Block, of_many: Ints, of_one: Ints, count: int) -> Bools:
    """At which steps a pair gives something: both there, or one there and none of the other side to meet."""
    filled_many, filled_one = pairs.many == _NOBODY, pairs.one == _NOBODY
    if not filled_many.any() and not filled_one.any():
        return many.present[pairs.many] & one.present[pairs.one]
    present = np.empty((len(pairs.many), many.values.shape[1]), np.bool_)
    both = ~filled_many & ~filled_one
    present[both] = many.present[pairs.many[both]] & one.present[pairs.one[both]]
    lonely = any_by_group(one.present, of_one, count)[pairs.signatures[filled_one]]
    present[filled_one] = many.present[pairs.many[filled_one]] & ~lonely
    lonely = any_by_group(many.present, of_many, count)[pairs.signatures[filled_many]]
    present[filled_many] = one.present[pairs.one[filled_many]] & ~lonely
    return present


def _result_labels(
    op: BinaryOp, pairs: _Pairs, many: LabelFrame, one: LabelFrame, matching: VectorMatching
) -> LabelFrame:
    filled = pairs.many == _NOBODY
    labels = many.take(np.maximum(pairs.many, 0)) if many.size else _without_labels(many, len(filled))
    if filled.any():
        # What is filled has the labels of the signature alone.
        own = group_labels(one, matching.labels, without=not matching.on).take(pairs.one[filled])
        columns = {name: np.where(filled, 0, column).astype(np.int32) for name, column in labels.columns.items()}
        for name, column in own.columns.items():
            columns.setdefault(name, np.zeros(len(filled), np.int32))[filled] = column
        labels = LabelFrame(labels.symbols, columns, len(filled))
    if op in ARITHMETIC:
        labels = labels.drop(METADATA_LABELS)
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        return labels.keep(matching.labels) if matching.on else labels.drop(matching.labels)
    for name in matching.include:
        column = one.columns.get(name)
        included = np.zeros(len(filled), np.int32)
        if column is not None and one.size:
            included = np.where(pairs.one == _NOBODY, 0, column[np.maximum(pairs.one, 0)]).astype(np.int32)
        labels = labels.replace(name, included)
    return labels


def _without_labels(frame: LabelFrame, size: int) -> LabelFrame:
    return LabelFrame(frame.symbols, {}, size)


def _check_pairs(pairs: _Pairs, present: Bools, labels: LabelFrame, matching: VectorMatching) -> None:
    """No signature may give several results with the same labels at one step, even if a filter drops them."""
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        groups = pairs.signatures
        problem = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    else:
        told_apart = {**labels.columns, "": pairs.signatures.astype(np.int32)}
        groups, _ = find_equal_rows(LabelFrame(labels.symbols, told_apart, labels.size))
        problem = "multiple matches for labels: grouping labels must ensure unique matches"
    if len(np.unique(groups)) == len(groups):
        return
    if (count_by_group(present, groups, int(groups.max()) + 1) > 1).any():
        raise QueryExecutionError(problem)


def _compute(
    op: BinaryOp, sides: _Sides, present: Bools, options: EvalOptions, *, return_bool: bool
) -> tuple[Floats, Bools]:
    size, steps = present.shape
    values = np.empty((size, steps))
    kept = present if op in ARITHMETIC or return_bool else np.empty((size, steps), np.bool_)

    def work(low: int, high: int) -> None:
        options.check()
        of_many = _gather(sides.many.values, sides.pairs.many[low:high], sides.matching.fill_left)
        of_one = _gather(sides.one.values, sides.pairs.one[low:high], sides.matching.fill_right)
        left, right = (of_one, of_many) if sides.swapped else (of_many, of_one)
        out = values[low:high]
        if op in ARITHMETIC:
            ARITHMETIC[op](left, right, out=out)
            return
        holds = COMPARISONS[op](left, right)
        if return_bool:
            out[:] = holds
            return
        out[:] = left
        np.logical_and(present[low:high], holds, out=kept[low:high])

    # In pieces that stay in the cache from one operation to the next.
    each = max(1, 65_536 // max(steps, 1))
    tasks: list[Callable[[], None]] = [
        lambda low=low, high=high: _in_pieces(work, low, high, each) for low, high in shares(size, options.workers)
    ]
    run_all(tasks, options.executor)
    return values, kept


def _in_pieces(work: Callable[[int, int], None], low: int, high: int, each: int) -> None:
    for first in range(low, high, each):
        work(first, min(first + each, high))


def _gather(values: Floats, rows: Ints, fill: float | None) -> Floats:
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and rows[0] >= 0 and (np.diff(rows) == 1).all():
        return values[rows[0] : rows[-1] + 1]
    if fill is None:
        return values[rows]
    nobody = rows == _NOBODY
    if not len(values):
        return np.full((len(rows), values.shape[1]), fill)
    taken = values[np.maximum(rows, 0)]
    taken[nobody] = fill
    return taken
