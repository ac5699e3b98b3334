"""Sums over windows, compiled: sum, average and variance.

They follow Prometheus' promql/functions.go to the last digit: the same operations in the same order, the
same compensation (Neumaier's) in the same places. What differs is the order of the loops. Windows are lanes:
where they move on evenly, the k-th sample of every window is added before the (k+1)-th of any, so that the
processor adds for many windows at once and each sum is still the same. There what an addition lost is found as Knuth
does (`add_finite`), without asking which of the two is larger: both ways find exactly what was lost.

`lows` and `highs` are the windows' bounds (see `windows`); `lanes` is scratch space, float64[LANES, steps],
and `dealt` (see `deal`) as long as needed for the longest run.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again
from __future__ import annotations

import math
from typing import Final

import numpy as np

from vedette.model.kernels import leaf
from vedette.query.promql.values import Floats, Ints
from vedette.query.promql.windows import FEW, deal, even_stretch

LANES: Final = 8
"""How many rows of scratch space the functions need at most."""


@leaf
def add(increment: float, total: float, carry: float) -> tuple[float, float]:
    """Neumaier's compensated addition, as Prometheus' kahansum.Inc."""
    result = total + increment
    lost = (total - result) + increment if abs(total) >= abs(increment) else (increment - result) + total
    return result, 0.0 if abs(result) == np.inf else carry + lost


@leaf
def add_finite(increment: float, total: float, carry: float) -> tuple[float, float]:
    """The same as `add`, where neither the sums nor what is added are infinite or NaN; the carry is NaN otherwise."""
    result = total + increment
    part = result - total
    return result, carry + ((total - (result - part)) + (increment - part))


@leaf
def add_lanes(dealt: Floats, length: int, stride: int, start: int, stop: int, totals: Floats, carries: Floats) -> None:
    """`add_finite` of the samples from `start` to before `stop` of many windows, dealt out by `deal`."""
    width = totals.size
    k = start
    while k + 4 <= stop:
        # Four at a time, so that totals and carries are loaded and stored a quarter as often.
        a = (k % stride) * length + k // stride
        b = ((k + 1) % stride) * length + (k + 1) // stride
        c = ((k + 2) % stride) * length + (k + 2) // stride
        d = ((k + 3) % stride) * length + (k + 3) // stride
        first, second = dealt[a : a + width], dealt[b : b + width]
        third, fourth = dealt[c : c + width], dealt[d : d + width]
        for i in range(width):
            total, carry = add_finite(first[i], totals[i], carries[i])
            total, carry = add_finite(second[i], total, carry)
            total, carry = add_finite(third[i], total, carry)
            total, carry = add_finite(fourth[i], total, carry)
            totals[i] = total
            carries[i] = carry
        k += 4
    while k < stop:
        a = (k % stride) * length + k // stride
        first = dealt[a : a + width]
        for i in range(width):
            totals[i], carries[i] = add_finite(first[i], totals[i], carries[i])
        k += 1


@leaf
def sum_of(values: Floats, low: int, high: int) -> float:
    """The sum."""
    total, carry = 0.0, 0.0
    for k in range(low, high):
        total, carry = add(values[k], total, carry)
    return total if math.isinf(total) else total + carry


@leaf
def whole_sums(values: Floats, sums: Ints) -> bool:
    """Whether all values are whole and so small that their sums are exact in any order; then sums up to each place.

    Args:
        sums: int64[> samples], set to the sums of the first 0, 1, 2 ... values.
    """
    odd = 0
    limit = 2.0**53 / float(values.size)
    for k in range(values.size):
        value = values[k]
        odd += (np.rint(value) != value) | (abs(value) > limit)
    if odd != 0:
        return False
    total = 0
    sums[0] = 0
    for k in range(values.size):
        total += np.int64(values[k])
        sums[k + 1] = total
    return True


@leaf
def sum_row(values: Floats, lows: Ints, highs: Ints, lanes: Floats, dealt: Floats, row: Floats) -> None:
    """sum_over_time."""
    sums = dealt.view(np.int64)
    if lows.size >= FEW and whole_sums(values, sums):
        for i in range(lows.size):
            row[i] = float(sums[np.uint64(highs[i])] - sums[np.uint64(lows[i])])
        return
    start = 0
    while start < lows.size:
        end = even_stretch(lows, highs, start)
        low, size = lows[start], highs[start] - lows[start]
        stride = lows[start + 1] - low if end - start > 1 else 0
        if end - start < FEW or stride == 0 or size <= 0:
            row[start] = sum_of(values, low, low + size)
            for i in range(start + 1, end):
                row[i] = row[start] if stride == 0 else sum_of(values, lows[i], highs[i])
            start = end
            continue
        totals, carries = lanes[0, start:end], lanes[1, start:end]
        totals[:] = 0.0
        carries[:] = 0.0
        length = deal(values, low, stride, size, end - start, dealt)
        add_lanes(dealt, length, stride, 0, size, totals, carries)
        part = row[start:end]
        for i in range(part.size):
            part[i] = totals[i] + carries[i]
        for i in range(start, end):
            # The sum overflowed, or a value is infinite or NaN.
            if not math.isfinite(row[i]):
                row[i] = sum_of(values, lows[i], highs[i])
        start = end


@leaf
def mean_of(values: Floats, low: int, high: int) -> float:
    """The average, by running mean from where the sum would overflow."""
    total, carry = values[low], 0.0
    mean = 0.0
    running = False
    for k in range(low + 1, high):
        count = float(k - low + 1)
        value = values[k]
        if not running:
            result, lost = add(value, total, carry)
            if not math.isinf(result):
                total, carry = result, lost
                continue
            running = True
            mean = total / (count - 1.0)
            carry = carry / (count - 1.0)
        share = (count - 1.0) / count
        mean, carry = add(value / count, share * mean, share * carry)
    if running:
        return mean + carry
    count = float(high - low)
    return total / count + carry / count


@leaf
def mean_row(values: Floats, lows: Ints, highs: Ints, lanes: Floats, dealt: Floats, row: Floats) -> None:
    """avg_over_time."""
    sums = dealt.view(np.int64)
    if lows.size >= FEW and whole_sums(values, sums):
        for i in range(lows.size):
            row[i] = float(sums[np.uint64(highs[i])] - sums[np.uint64(lows[i])]) / float(highs[i] - lows[i])
        return
    start = 0
    while start < lows.size:
        end = even_stretch(lows, highs, start)
        low, size = lows[start], highs[start] - lows[start]
        stride = lows[start + 1] - low if end - start > 1 else 0
        if size <= 0:
            start = end
            continue
        if end - start < FEW or stride == 0:
            row[start] = mean_of(values, low, low + size)
            for i in range(start + 1, end):
                row[i] = row[start] if stride == 0 else mean_of(values, lows[i], highs[i])
            start = end
            continue
        totals, carries = lanes[0, start:end], lanes[1, start:end]
        length = deal(values, low, stride, size, end - start, dealt)
        for i in range(end - start):
            totals[i] = dealt[i]
            carries[i] = 0.0
        add_lanes(dealt, length, stride, 1, size, totals, carries)
        count = float(size)
        for i in range(end - start):
            row[start + i] = totals[i] / count + carries[i] / count
        for i in range(start, end):
            # The sum overflowed, or a value is infinite or NaN.
            if not math.isfinite(row[i]):
                row[i] = mean_of(values, lows[i], highs[i])
        start = end


@leaf
def variance_lanes(
    values: Floats, count: float, means: Floats, mean_carries: Floats, squares: Floats, square_carries: Floats
) -> None:
    """One more value (the `count`-th) for each of many variances."""
    for i in range(values.size):
        mean, square, value = means[i], squares[i], values[i]
        delta = value - (mean + mean_carries[i])
        part = delta / count
        new_mean = mean + part
        lost = (mean - new_mean) + part if abs(mean) >= abs(part) else (part - new_mean) + mean
        carry = 0.0 if abs(new_mean) == np.inf else mean_carries[i] + lost
        part = delta * (value - (new_mean + carry))
        new_square = square + part
        lost = (square - new_square) + part if abs(square) >= abs(part) else (part - new_square) + square
        square_carries[i] = 0.0 if abs(new_square) == np.inf else square_carries[i] + lost
        mean_carries[i] = carry
        means[i] = new_mean
        squares[i] = new_square


@leaf
def variance_row(values: Floats, lows: Ints, highs: Ints, lanes: Floats, dealt: Floats, row: Floats) -> None:
    """stdvar_over_time."""
    start = 0
    while start < lows.size:
        end = even_stretch(lows, highs, start)
        low, size = lows[start], highs[start] - lows[start]
        stride = lows[start + 1] - low if end - start > 1 else 0
        if stride == 0 or end - start < FEW or size <= 0:
            # One at a time, or one for all of them.
            end = end if stride == 0 else start + 1
        width = end - start if stride else 1
        means, mean_carries = lanes[0, start : start + width], lanes[1, start : start + width]
        squares, square_carries = lanes[2, start : start + width], lanes[3, start : start + width]
        for lane in range(4):
            lanes[lane, start : start + width] = 0.0
        length = deal(values, low, max(stride, 1), size, width, dealt) if width > 1 else 0
        for k in range(size):
            place = (k % stride) * length + k // stride if width > 1 else 0
            taken = dealt[place : place + width] if width > 1 else values[low + k : low + k + 1]
            variance_lanes(taken, float(k + 1), means, mean_carries, squares, square_carries)
        for i in range(end - start):
            lane = i if width > 1 else 0
            row[start + i] = (squares[lane] + square_carries[lane]) / float(size)
        start = end
