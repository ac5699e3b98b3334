"""Orders within windows, compiled: largest, smallest, quantile and median deviation.

`lows` and `highs` are the windows' bounds (see `windows`).
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again
from __future__ import annotations

import math

from vedette.model.kernels import leaf
from vedette.query.promql.values import Floats, Ints
from vedette.query.promql.windows import FEW, deal, even_stretch, longest_window


@leaf
def extreme_row(
    values: Floats,
    lows: Ints,
    highs: Ints,
    is_max: bool,  # noqa: FBT001
    table: Floats,
    other: Floats,
    row: Floats,
) -> None:
    """max_over_time and min_over_time; a NaN counts only where there is nothing else.

    Two overlapping stretches of a power of two samples cover a window; `table` holds the extreme of the
    stretch that begins at each sample, so that the cost does not grow with the size of the windows.

    Args:
        table: scratch space as long as the run; `other` likewise.
    """
    size = values.size
    longest = longest_window(lows, highs)
    width = 1
    while width * 2 <= longest:
        width *= 2
    for k in range(size):
        table[k] = values[k] if is_max else -values[k]
    reach = 1
    while reach < width:
        # Back and forth between two arrays, so that many places can be worked on at once.
        widen_stretches(table[:size], reach, other)
        reach *= 2
        if reach < width:
            widen_stretches(other[:size], reach, table)
            reach *= 2
        else:
            for k in range(size):
                table[k] = other[k]
    for i in range(lows.size):
        low, high = lows[i], highs[i]
        if high <= low:
            continue
        if high - low >= width:
            a, b = table[low], table[high - width]
            best = b if b > a or a != a else a  # noqa: PLR0124
            row[i] = best if is_max else -best
            continue
        best = values[low]
        for k in range(low + 1, high):
            value = values[k]
            if (value > best if is_max else value < best) or math.isnan(best):
                best = value
        row[i] = best


@leaf
def widen_stretches(best: Floats, reach: int, wider: Floats) -> None:
    """From the largest value of the `reach` ones that begin at each place to that of twice as many."""
    ahead = best[min(reach, best.size) :]
    for k in range(ahead.size):
        a, b = best[k], ahead[k]
        wider[k] = b if (b > a) | (a != a) else a  # noqa: PLR0124 - a NaN is not equal to itself
    for k in range(ahead.size, best.size):
        wider[k] = best[k]


@leaf
def time_of_extreme_row(
    times: Ints,
    values: Floats,
    lows: Ints,
    highs: Ints,
    is_max: bool,  # noqa: FBT001
    row: Floats,
) -> None:
    """ts_of_max_over_time and ts_of_min_over_time: the newest of equal ones."""
    for i in range(lows.size):
        if highs[i] <= lows[i]:
            continue
        best, place = values[lows[i]], lows[i]
        for k in range(lows[i], highs[i]):
            value = values[k]
            if (value >= best if is_max else value <= best) or math.isnan(best):
                best, place = value, k
        row[i] = float(times[place]) / 1000.0


@leaf
def quantile_of_sorted(ordered: Floats, size: int, q: float) -> float:
    """The q-quantile of values in rising order, NaN first."""
    if size == 0 or math.isnan(q):
        return math.nan
    if q < 0.0:
        return -math.inf
    if q > 1.0:
        return math.inf
    rank = q * float(size - 1)
    low = math.floor(rank)
    high = min(float(size - 1), low + 1.0)
    weight = rank - low
    return ordered[int(low)] * (1.0 - weight) + ordered[int(high)] * weight


@leaf
def position(ordered: Floats, size: int, value: float) -> int:
    """Where a value belongs among values in rising order, NaN first."""
    if math.isnan(value):
        return 0
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        found = ordered[middle]
        if found < value or math.isnan(found):
            low = middle + 1
        else:
            high = middle
    return low


@leaf
def slide(values: Floats, ordered: Floats, held: Ints, low: int, high: int) -> int:
    """Bring the ordered samples of one window up to date with the next.

    Args:
        held: the bounds of the window that `ordered` holds; set to the new ones.

    Returns:
        How many samples there are.
    """
    if low >= held[1] or low < held[0] or high < held[1]:
        held[0] = held[1] = low
    size = held[1] - held[0]
    for taken in range(held[1], high):
        place = position(ordered, size, values[taken])
        for k in range(size, place, -1):
            ordered[k] = ordered[k - 1]
        ordered[place] = values[taken]
        size += 1
    for left in range(held[0], low):
        for k in range(position(ordered, size, values[left]), size - 1):
            ordered[k] = ordered[k + 1]
        size -= 1
    held[0], held[1] = low, high
    return size


@leaf
def sort_lanes(columns: Floats, size: int, width: int) -> None:
    """Sort many columns of `size` values at once by Batcher's odd-even merge network.

    A network compares the same places whatever the values are, so it needs no branches and works on all
    columns side by side.
    """
    run = 1
    while run < size:
        reach = run
        while reach >= 1:
            for block in range(reach % run, size - reach, 2 * reach):
                for i in range(min(reach, size - block - reach)):
                    low = block + i
                    if low // (2 * run) == (low + reach) // (2 * run):
                        upper, lower = columns[low, :width], columns[low + reach, :width]
                        for lane in range(width):
                            a, b = upper[lane], lower[lane]
                            upper[lane] = min(a, b)
                            lower[lane] = max(a, b)
            reach //= 2
        run *= 2


@leaf
def quantile_row(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    values: Floats,
    lows: Ints,
    highs: Ints,
    wanted: Floats,
    ordered: Floats,
    dealt: Floats,
    columns: Floats,
    held: Ints,
    row: Floats,
) -> None:
    """quantile_over_time: small windows are sorted many at once, large ones kept in order while they slide.

    Args:
        ordered: scratch space as long as the run.
        columns: scratch space, float64[samples of a small window, lanes].
        held: scratch space, int64[2].
    """
    held[0] = held[1] = 0
    plain = True
    for k in range(values.size):
        plain &= math.isfinite(values[k])
    start = 0
    while start < lows.size:
        end = even_stretch(lows, highs, start)
        low, size = lows[start], highs[start] - lows[start]
        stride = lows[start + 1] - low if end - start > 1 else 0
        if not plain or end - start < FEW or stride == 0 or size <= 0 or size > columns.shape[0]:
            for i in range(start, end):
                if highs[i] > lows[i]:
                    size = slide(values, ordered, held, lows[i], highs[i])
                    row[i] = quantile_of_sorted(ordered, size, wanted[i])
            start = end
            continue
        length = deal(values, low, stride, size, end - start, dealt)
        for first in range(start, end, columns.shape[1]):
            width = min(columns.shape[1], end - first)
            for k in range(size):
                place = (k % stride) * length + k // stride + first - start
                for lane in range(width):
                    columns[k, lane] = dealt[place + lane]
            sort_lanes(columns, size, width)
            for lane in range(width):
                for k in range(size):
                    ordered[k] = columns[k, lane]
                row[first + lane] = quantile_of_sorted(ordered, size, wanted[first + lane])
        # What was in `ordered` is overwritten: the next window that slides begins anew.
        held[0] = held[1] = 0
        start = end


@leaf
def median_distance(ordered: Floats, size: int, median: float) -> float:
    """The median of the distances from the median, of finite values in rising order: from the middle outwards."""
    right = position(ordered, size, median)
    left = right - 1
    wanted = (size - 1) // 2
    below = distance = 0.0
    for taken in range(size // 2 + 1):
        if right >= size or (left >= 0 and median - ordered[left] <= ordered[right] - median):
            distance = abs(ordered[left] - median)
            left -= 1
        else:
            distance = abs(ordered[right] - median)
            right += 1
        if taken == wanted:
            below = distance
            if size % 2 == 1:
                return below
    return below * 0.5 + distance * 0.5


@leaf
def deviation_row(
    values: Floats, lows: Ints, highs: Ints, ordered: Floats, window: Floats, held: Ints, row: Floats
) -> None:
    """mad_over_time: the median of the distances from the median."""
    held[0] = held[1] = 0
    for i in range(lows.size):
        if highs[i] <= lows[i]:
            continue
        size = slide(values, ordered, held, lows[i], highs[i])
        median = quantile_of_sorted(ordered, size, 0.5)
        if math.isfinite(ordered[0]) and math.isfinite(ordered[size - 1]):
            row[i] = median_distance(ordered, size, median)
            continue
        for k in range(size):
            window[k] = abs(values[lows[i] + k] - median)
        sort_nan_first(window[:size])
        row[i] = quantile_of_sorted(window, size, 0.5)


@leaf
def sort_nan_first(window: Floats) -> None:
    """Rising order, NaN before all else."""
    nans = 0
    for k in range(window.size):
        if math.isnan(window[k]):
            window[k] = window[nans]
            window[nans] = math.nan
            nans += 1
    sort_plain(window[nans:])


@leaf
def sort_plain(values: Floats) -> None:
    """Rising order of values without NaN, in place: few by insertion, many by a heap."""
    size = values.size
    if size <= 24:
        for k in range(1, size):
            value = values[k]
            place = k
            while place > 0 and values[place - 1] > value:
                values[place] = values[place - 1]
                place -= 1
            values[place] = value
        return
    for start in range(size // 2 - 1, -1, -1):
        sift_down(values, start, size)
    for end in range(size - 1, 0, -1):
        values[0], values[end] = values[end], values[0]
        sift_down(values, 0, end)


@leaf
def sift_down(heap: Floats, start: int, size: int) -> None:
    """Let a value sink in a heap whose largest is on top."""
    value = heap[start]
    parent = start
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[parent] = heap[child]
        parent = child
    heap[parent] = value
