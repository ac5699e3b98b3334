"""Aggregations that pick some of their elements: topk, bottomk, limitk, limit_ratio; and count_values.

Source: Prometheus' promql/engine.go. Of equal values the same ones are kept as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from vedette.lang.promql.ast import Aggregation
from vedette.model.errors import QueryExecutionError
from vedette.model.frames import LabelFrame
from vedette.model.labels import LabelSet
from vedette.query.promql.group_kernels import merge_heaps, rank_rows
from vedette.query.promql.label_groups import find_equal_rows, group_labels
from vedette.query.promql.numbers import format_general, format_plain
from vedette.query.promql.options import EvalOptions, Ledger
from vedette.query.promql.rows import RowSource, for_each_batch, materialise, shares
from vedette.query.promql.values import Block, Bools, Floats, Ints, empty_block
from vedette.query.promql.workers import run_all

_LARGEST_INT: Final = 9223372036854774784.0
_SMALLEST_INT: Final = -9223372036854775808.0
_LONG_LABEL: Final = 255
_MOST_ENTRIES: Final = 2_000_000
"""With more entries than this in the heaps, one thread ranks alone."""


@dataclass(frozen=True, slots=True, eq=False)
class _Heaps:
    """What one thread kept: for each group and step up to `width` values, the worst first."""

    values: Floats
    owners: Ints
    sizes: Ints


def check_count(counts: Floats) -> Ints | None:
    """How many elements to keep at each step; None where that is none at all.

    Raises:
        QueryExecutionError: a number is NaN or too large.
    """
    if counts.max() < 1:
        return None
    if np.isnan(counts).any():
        raise QueryExecutionError("Parameter value is NaN")
    if counts.min() <= _SMALLEST_INT:
        raise QueryExecutionError(f"Scalar value {format_general(float(counts.min()))} underflows int64")
    if counts.max() >= _LARGEST_INT:
        raise QueryExecutionError(f"Scalar value {format_general(float(counts.max()))} overflows int64")
    return counts.astype(np.int64)


def rank_by_group(
    op: Aggregation, rows: RowSource, grouping: LabelFrame, limits: Ints, options: EvalOptions, ledger: Ledger
) -> Block:
    """The elements of topk and bottomk: at one step in order of rank, otherwise in the order of the input."""
    steps = len(limits)
    size = rows.labels.size
    if size == 0:
        return empty_block(rows.labels.symbols, steps)
    groups, firsts = find_equal_rows(grouping)
    members = np.bincount(groups, minlength=len(firsts))
    if steps > 1 and limits.min() >= members.max():
        # All are among the best.
        return materialise(rows, steps, options, ledger).without_empty_rows()
    limits = np.minimum(limits, size)
    widths = np.minimum(members, int(limits.max())).astype(np.int64)
    bases = np.zeros(len(firsts) + 1, np.int64)
    np.cumsum(widths * steps, out=bases[1:])
    entries = int(bases[-1])
    parts = shares(size, options.workers if entries <= _MOST_ENTRIES else 1)
    ledger.hold(2 * entries * len(parts))
    sign = 1.0 if op is Aggregation.TOPK else -1.0

    def rank(low: int, high: int) -> _Heaps:
        heaps = _Heaps(np.empty(entries), np.full(entries, -1, np.int64), np.zeros((len(firsts), steps), np.int64))

        def use(first: int, values: Floats, present: Bools) -> None:
            taken = groups[first : first + len(values)]
            rank_rows(
                values, present, first, taken, limits, bases, widths, heaps.values, heaps.owners, heaps.sizes, sign
            )

        for_each_batch(rows, steps, options, low, high, use)
        return heaps

    best, *others = run_all([lambda low=low, high=high: rank(low, high) for low, high in parts], options.executor)
    for other in others:
        merge_heaps(
            limits, bases, widths, best.values, best.owners, best.sizes, other.values, other.owners, other.sizes
        )
    values, owners, at_step, at_group = _entries(best, bases, widths, steps)
    if steps == 1:
        with np.errstate(all="ignore"):
            order = np.lexsort((owners, -values, np.isnan(values), at_group))
        values, owners, at_step = values[order], owners[order], at_step[order]
    return _scatter(rows, values * sign, owners, at_step, steps)


def _entries(best: _Heaps, bases: Ints, widths: Ints, steps: int) -> tuple[Floats, Ints, Ints, Ints]:
    """All that is in the heaps, as one list: value, row, step, group."""
    group_of: Ints = np.repeat(np.arange(len(widths), dtype=np.int64), widths * steps)
    within: Ints = np.arange(int(bases[-1]), dtype=np.int64) - bases[group_of]
    step_of: Ints = within // np.maximum(widths[group_of], 1)
    place: Ints = within % np.maximum(widths[group_of], 1)
    used: Bools = place < best.sizes[group_of, step_of]
    return best.values[used], best.owners[used], step_of[used], group_of[used]


def _scatter(rows: RowSource, values: Floats, owners: Ints, at_step: Ints, steps: int) -> Block:
    """Rows again, from a list of values."""
    if steps == 1:
        kept, line = owners, np.arange(len(owners))
    else:
        chosen = np.zeros(rows.labels.size, np.bool_)
        chosen[owners] = True
        kept = np.flatnonzero(chosen)
        line = (np.cumsum(chosen) - 1)[owners]
    block = Block(
        rows.labels.take(kept),
        np.zeros((len(kept), steps)),
        np.zeros((len(kept), steps), np.bool_),
        None if rows.drop_name is None else rows.drop_name[kept],
    )
    block.values[line, at_step] = values
    block.present[line, at_step] = True
    return block


def limit_by_group(block: Block, grouping: LabelFrame, limits: Ints) -> Block:
    """limitk: the first elements of each group."""
    groups, firsts = find_equal_rows(grouping)
    taken = np.zeros((len(firsts), len(limits)), np.int64)
    present = np.zeros(block.present.shape, np.bool_)
    for row, group in enumerate(groups.tolist()):
        count = taken[group]
        np.logical_and(block.present[row], count < limits, out=present[row])
        count += present[row]
    return Block(block.labels, block.values, present, block.drop_name).without_empty_rows()


def limit_by_ratio(block: Block, ratios: Floats) -> Block:
    """limit_ratio: a share of the elements, chosen by their labels and so the same at every step."""
    ratios = np.clip(ratios, -1.0, 1.0)
    offsets = np.array([_sample_offset(labels) for labels in block.labels.label_sets()]).reshape(-1, 1)
    chosen = np.where(ratios >= 0, offsets < ratios, offsets >= 1.0 + ratios)
    return Block(block.labels, block.values, block.present & chosen, block.drop_name).without_empty_rows()


def _sample_offset(labels: LabelSet) -> float:
    """A number in [0, 1] made of a label set: Prometheus' own hash, so that both choose alike."""
    parts: list[bytes] = []
    for pair in labels:
        for text in pair:
            data = text.encode()
            if len(data) < _LONG_LABEL:
                parts.append(bytes([len(data)]))
            else:
                parts.append(b"\xff" + len(data).to_bytes(3, "little"))
            parts.append(data)
    return xxhash.xxh64_intdigest(b"".join(parts)) / float(2**64 - 1)


def count_values(block: Block, label: str, grouping: Sequence[str], *, without: bool, ledger: Ledger) -> Block:
    """How often each value stands in each group; the value becomes a label."""
    steps = block.values.shape[1]
    labels = block.labels.drop([label])
    kept = group_labels(labels, [name for name in grouping if name != label], without=without)
    groups, firsts = find_equal_rows(kept)
    row, step = np.nonzero(block.present)
    texts, codes = _value_texts(block.values[row, step], block)
    if without and label in grouping:
        # The label made is left out again at once.
        texts, codes = np.zeros(1, np.int32), np.zeros(len(codes), np.int64)
    keys, line = np.unique(groups[row] * len(texts) + codes, return_inverse=True)
    ledger.hold(len(keys) * steps)
    counts = np.bincount(line * steps + step, minlength=len(keys) * steps).reshape(len(keys), steps)
    frame = kept.take(firsts[keys // max(len(texts), 1)]).replace(label, texts[keys % max(len(texts), 1)])
    return Block(frame, counts.astype(np.float64), counts > 0)


def _value_texts(values: Floats, block: Block) -> tuple[NDArray[np.int32], Ints]:
    """Symbols of the different values' texts, and for each value which it is."""
    different, codes = np.unique(values, return_inverse=True)
    texts = [block.labels.symbols.intern(format_plain(value)) for value in different.tolist()]
    symbols, same = np.unique(np.array(texts, np.int32), return_inverse=True)
    return symbols.astype(np.int32), same[codes].astype(np.int64)
