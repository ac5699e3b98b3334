"""The loops over groups of series, compiled: finding the groups, adding up, ranking.

Aggregations see the rows of their input batch by batch and keep one accumulator for each group and step, so
that a million rows need no more memory than their groups.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import kernel, leaf
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.window_orders import quantile_of_sorted, sort_nan_first, sort_plain
from vedette.query.promql.window_sums import add


class Sum(IntEnum):
    """Aggregations that need one accumulator, as the kernel knows them."""

    SUM = 0
    AVG = 1
    MIN = 2
    MAX = 3
    COUNT = 4
    VARIANCE = 5


_SUM, _AVG, _MIN, _MAX, _COUNT = int(Sum.SUM), int(Sum.AVG), int(Sum.MIN), int(Sum.MAX), int(Sum.COUNT)


@kernel("int64(int32[:,::1], int64[::1], int64[::1])")
def find_groups(columns: NDArray[np.int32], groups: Ints, firsts: Ints) -> int:
    """Number the rows by equal values in all columns, in the order of first appearance.

    Args:
        columns: int32[columns, rows].
        groups: set to the group of each row.
        firsts: set to the first row of each group, as far as there are groups.

    Returns:
        How many groups there are.
    """
    rows = columns.shape[1]
    size = 16
    while size < 2 * rows:
        size *= 2
    slots = np.full(size, -1, np.int64)
    hashes = np.zeros(rows, np.uint64)
    for c in range(columns.shape[0]):
        for r in range(rows):
            hashes[r] = (hashes[r] ^ np.uint64(columns[c, r])) * np.uint64(0x9E3779B97F4A7C15)
            hashes[r] ^= hashes[r] >> np.uint64(29)
    found = 0
    for r in range(rows):
        slot = np.int64(hashes[r] & np.uint64(size - 1))
        while True:
            group = slots[slot]
            if group < 0:
                slots[slot] = found
                firsts[found] = r
                groups[r] = found
                found += 1
                break
            other = firsts[group]
            same = True
            for c in range(columns.shape[0]):
                if columns[c, r] != columns[c, other]:
                    same = False
                    break
            if same:
                groups[r] = group
                break
            slot = (slot + 1) & (size - 1)
    return found


@leaf
def sum_lanes(row: Floats, mask: Bools, totals: Floats, carries: Floats, counts: Floats) -> None:
    """Neumaier's addition of a row to its group's sums, where there is something to add."""
    for i in range(row.size):
        value, total, carry, count = row[i], totals[i], carries[i], counts[i]
        result = total + value
        lost = (total - result) + value if abs(total) >= abs(value) else (value - result) + total
        carried = 0.0 if abs(result) == np.inf else carry + lost
        result = value if count == 0.0 else result
        carried = 0.0 if count == 0.0 else carried
        totals[i] = result if mask[i] else total
        carries[i] = carried if mask[i] else carry
        counts[i] = count + 1.0 if mask[i] else count


@leaf
def mean_lanes(row: Floats, mask: Bools, totals: Floats, carries: Floats, counts: Floats, running: Bools) -> None:
    """The same for averages: a running mean from where the sum would overflow."""
    overflows = 0
    for i in range(row.size):
        overflows += mask[i] and (running[i] or (counts[i] > 0.0 and abs(totals[i] + row[i]) == np.inf))
    if overflows == 0:
        sum_lanes(row, mask, totals, carries, counts)
        return
    for i in range(row.size):
        if not mask[i]:
            continue
        counts[i] += 1.0
        count, value = counts[i], row[i]
        if count == 1.0:
            totals[i], carries[i] = value, 0.0
            continue
        if not running[i]:
            result, carry = add(value, totals[i], carries[i])
            if not math.isinf(result):
                totals[i], carries[i] = result, carry
                continue
            running[i] = True
            totals[i] /= count - 1.0
            carries[i] /= count - 1.0
        share = (count - 1.0) / count
        totals[i], carries[i] = add(value / count, share * totals[i], share * carries[i])


@leaf
def variance_step(row: Floats, mask: Bools, means: Floats, squares: Floats, counts: Floats) -> None:
    """Welford's update of mean and sum of squared distances."""
    for i in range(row.size):
        value, mean, square, count = row[i], means[i], squares[i], counts[i] + 1.0
        delta = value - mean
        next_mean = mean + delta / count
        next_square = square + delta * (value - next_mean)
        if count == 1.0:
            next_mean = value
            # NaN for infinities and NaN, else 0.
            next_square = (value - value) * 0.0
        means[i] = next_mean if mask[i] else mean
        squares[i] = next_square if mask[i] else square
        counts[i] = count if mask[i] else counts[i]


@kernel(
    "void(int64, float64[:,::1], boolean[:,::1], int64[::1], float64[:,::1], float64[:,::1], float64[:,::1],"
    " boolean[:,::1])"
)
def accumulate(
    operation: int,
    rows: Floats,
    present: Bools,
    groups: Ints,
    totals: Floats,
    carries: Floats,
    counts: Floats,
    running: Bools,
) -> None:
    """Add a batch of rows to the accumulators of their groups.

    Args:
        operation: a `Sum`.
        groups: the group of each row.
        totals: float64[groups, steps]: sum, mean, smallest or largest value.
        carries: float64[groups, steps]: the compensation; for variances the sum of squared distances.
        counts: float64[groups, steps]: how many values have been seen.
        running: bool[groups, steps]: where an average has become a running mean.
    """
    add_rows(operation, rows, present, groups, totals, carries, counts, running)


@leaf
def add_rows(
    operation: int,
    rows: Floats,
    present: Bools,
    groups: Ints,
    totals: Floats,
    carries: Floats,
    counts: Floats,
    running: Bools,
) -> None:
    """The work of `accumulate`."""
    for r in range(groups.size):
        group = groups[r]
        row, mask = rows[r], present[r]
        total, count = totals[group], counts[group]
        if operation == _SUM:
            sum_lanes(row, mask, total, carries[group], count)
        elif operation == _AVG:
            mean_lanes(row, mask, total, carries[group], count, running[group])
        elif operation == _MAX:
            for i in range(row.size):
                best = total[i]
                better = mask[i] and (best < row[i] or best != best or count[i] == 0.0)  # noqa: PLR0124
                total[i] = row[i] if better else best
                count[i] = 1.0 if mask[i] else count[i]
        elif operation == _MIN:
            for i in range(row.size):
                best = total[i]
                better = mask[i] and (best > row[i] or best != best or count[i] == 0.0)  # noqa: PLR0124
                total[i] = row[i] if better else best
                count[i] = 1.0 if mask[i] else count[i]
        elif operation == _COUNT:
            for i in range(row.size):
                count[i] += 1.0 if mask[i] else 0.0
        else:
            variance_step(row, mask, total, carries[group], count)


@leaf
def ranks_below(a: float, b: float) -> bool:
    """Whether a is to be thrown out before b."""
    return math.isnan(a) or a < b


@leaf
def offer(value: float, row: int, size: int, limit: int, heap: Floats, owners: Ints) -> int:
    """Put a value into a heap of the `limit` largest, the smallest on top.

    The steps are those of Go's container/heap, so that of equal values the same ones stay.

    Returns:
        The heap's size.
    """
    if size < limit:
        child = size
        heap[child], owners[child] = value, row
        while child > 0:
            parent = (child - 1) // 2
            if not ranks_below(heap[child], heap[parent]):
                break
            heap[child], heap[parent] = heap[parent], heap[child]
            owners[child], owners[parent] = owners[parent], owners[child]
            child = parent
        return size + 1
    if not (heap[0] < value or (math.isnan(heap[0]) and not math.isnan(value))):
        return size
    heap[0], owners[0] = value, row
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and ranks_below(heap[child + 1], heap[child]):
            child += 1
        if not ranks_below(heap[child], heap[parent]):
            break
        heap[child], heap[parent] = heap[parent], heap[child]
        owners[child], owners[parent] = owners[parent], owners[child]
        parent = child
    return size


@kernel(
    "void(float64[:,::1], boolean[:,::1], int64, int64[::1], int64[::1], int64[::1], int64[::1], float64[::1],"
    " int64[::1], int64[:,::1], float64)"
)
def rank_rows(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    rows: Floats,
    present: Bools,
    first_row: int,
    groups: Ints,
    limits: Ints,
    bases: Ints,
    widths: Ints,
    heaps: Floats,
    owners: Ints,
    sizes: Ints,
    sign: float,
) -> None:
    """Offer a batch of rows to the heaps of their groups.

    Args:
        first_row: the number of the batch's first row.
        limits: int64[steps], how many to keep at each step.
        bases: where the heaps of each group begin; that of step i at `bases[g] + i * widths[g]`.
        widths: how many values a heap of each group holds at most.
        sizes: int64[groups, steps], how many each heap holds.
        sign: 1 to keep the largest, -1 to keep the smallest; heaps hold values times this.
    """
    for r in range(groups.size):
        group = groups[r]
        width = widths[group]
        for i in range(limits.size):
            limit = min(limits[i], width)
            if not present[r, i] or limit < 1:
                continue
            value = rows[r, i] * sign
            base = bases[group] + i * width
            # Most are not among the best.
            if sizes[group, i] == limit and not (heaps[base] < value or heaps[base] != heaps[base]):
                continue
            sizes[group, i] = offer(
                value, first_row + r, sizes[group, i], limit, heaps[base : base + width], owners[base : base + width]
            )


@kernel(
    "void(int64[::1], int64[::1], int64[::1], float64[::1], int64[::1], int64[:,::1], float64[::1], int64[::1],"
    " int64[:,::1])"
)
def merge_heaps(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    limits: Ints,
    bases: Ints,
    widths: Ints,
    heaps: Floats,
    owners: Ints,
    sizes: Ints,
    other_heaps: Floats,
    other_owners: Ints,
    other_sizes: Ints,
) -> None:
    """Offer what another thread kept to the heaps of `rank_rows`."""
    for group in range(widths.size):
        width = widths[group]
        for i in range(limits.size):
            base = bases[group] + i * width
            limit = min(limits[i], width)
            for k in range(base, base + other_sizes[group, i]):
                sizes[group, i] = offer(
                    other_heaps[k],
                    other_owners[k],
                    sizes[group, i],
                    limit,
                    heaps[base : base + width],
                    owners[base : base + width],
                )


@kernel(
    "void(float64[:,:], boolean[:,:], int64[::1], int64[::1], int64, int64, float64[::1], float64[:,::1],"
    " boolean[:,::1])"
)
def quantile_groups(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    values: Floats,
    present: Bools,
    order: Ints,
    starts: Ints,
    first_step: int,
    last_step: int,
    wanted: Floats,
    out: Floats,
    out_present: Bools,
) -> None:
    """The quantile over the series of each group, at every step.

    Args:
        order: rows, group by group; group g has `order[starts[g]:starts[g + 1]]`.
        first_step: work from here ...
        last_step: ... to before here.
        wanted: float64[steps], the quantile.
    """
    block = 8  # so many float64 lie in one line of the cache
    for group in range(starts.size - 1):
        members = order[starts[group] : starts[group + 1]]
        columns = np.empty((block, members.size), np.float64)
        counts = np.zeros(block, np.int64)
        for left in range(first_step, last_step, block):
            width = min(block, last_step - left)
            counts[:] = 0
            for r in members:
                for i in range(width):
                    if present[r, left + i]:
                        columns[i, counts[i]] = values[r, left + i]
                        counts[i] += 1
            for i in range(width):
                column = columns[i, : counts[i]]
                out_present[group, left + i] = column.size > 0
                out[group, left + i] = quantile_of(column, wanted[left + i])


@leaf
def quantile_of(values: Floats, q: float) -> float:
    """The q-quantile of values in any order; they are reordered."""
    size = values.size
    few = 32
    if size <= few or not 0.0 <= q <= 1.0:
        sort_nan_first(values)
        return quantile_of_sorted(values, size, q)
    nans = 0
    for k in range(size):
        if math.isnan(values[k]):
            values[k] = values[nans]
            values[nans] = math.nan
            nans += 1
    rank = q * float(size - 1)
    low = math.floor(rank)
    weight = rank - low
    place = int(low)
    part = values[nans:]
    below = math.nan
    if place >= nans:
        select(part, place - nans)
        below = part[place - nans]
    above = below
    if place + 1 < size:
        above = math.nan
        if place + 1 >= nans:
            above = part[place + 1 - nans]
            for k in range(place + 2 - nans, part.size):
                above = min(above, part[k])
            if place < nans:
                for k in range(part.size):
                    above = min(above, part[k])
    return below * (1.0 - weight) + above * weight


@leaf
def select(values: Floats, place: int) -> None:
    """Reorder so that `values[place]` is what sorting would put there, and nothing behind it is smaller."""
    low, high = 0, values.size - 1
    rounds = 0
    while high > low:
        rounds += 1
        if rounds > 64:
            sort_plain(values[low : high + 1])
            return
        a, b, c = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if place <= right:
            high = right
        elif place >= left:
            low = left
        else:
            return
