"""Sums over windows, compiled: sum, average, variance and linear regression.

They follow Prometheus' promql/functions.go to the last digit: the same operations in the same order, the
same compensation (Neumaier's) in the same places. What differs is the order of the loops. Windows are lanes:
where they move on evenly, the k-th sample of every window is added before the (k+1)-th of any, so that the
processor adds for many windows at once and each sum is still the same.

`lows` and `highs` are the windows' bounds (see `windows`); `lanes` is scratch space, float64[LANES, steps],
and `dealt` (see `deal`) as long as needed for the longest run.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again
from __future__ import annotations

import math
from typing import Final

import numpy as np

from vedette.model.kernels import inline
from vedette.query.promql.values import Floats, Ints
from vedette.query.promql.windows import FEW, deal, even_stretch

LANES: Final = 8
"""How many rows of scratch space the functions need at most."""


@inline
def add(increment: float, total: float, carry: float) -> tuple[float, float]:
    """Neumaier's compensated addition, as Prometheus' kahansum.Inc."""
    result = total + increment
    lost = (total - result) + increment if abs(total) >= abs(increment) else (increment - result) + total
    return result, 0.0 if abs(result) == np.inf else carry + lost


@inline
def add_lanes(dealt: Floats, length: int, stride: int, start: int, stop: int, totals: Floats, carries: Floats) -> None:
    """Neumaier's addition of the samples from `start` to before `stop` of many windows, dealt out by `deal`."""
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
            total, carry = add(first[i], totals[i], carries[i])
            total, carry = add(second[i], total, carry)
            total, carry = add(third[i], total, carry)
            total, carry = add(fourth[i], total, carry)
            totals[i] = total
            carries[i] = carry
        k += 4
    while k < stop:
        a = (k % stride) * length + k // stride
        first = dealt[a : a + width]
        for i in range(width):
            totals[i], carries[i] = add(first[i], totals[i], carries[i])
        k += 1


@inline
def sum_of(values: Floats, low: int, high: int) -> float:
    """The sum."""
    total, carry = 0.0, 0.0
    for k in range(low, high):
        total, carry = add(values[k], total, carry)
    return total if math.isinf(total) else total + carry


@inline
def sum_row(values: Floats, lows: Ints, highs: Ints, lanes: Floats, dealt: Floats, row: Floats) -> None:
    """sum_over_time."""
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
        for i in range(end - start):
            row[start + i] = totals[i] if math.isinf(totals[i]) else totals[i] + carries[i]
        start = end


@inline
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


@inline
def mean_row(values: Floats, lows: Ints, highs: Ints, lanes: Floats, dealt: Floats, row: Floats) -> None:
    """avg_over_time."""
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
        totals[:] = dealt[: end - start]
        carries[:] = 0.0
        add_lanes(dealt, length, stride, 1, size, totals, carries)
        count = float(size)
        for i in range(end - start):
            row[start + i] = totals[i] / count + carries[i] / count
        for i in range(start, end):
            # The sum overflowed, or a value is infinite or NaN.
            if not math.isfinite(row[i]):
                row[i] = mean_of(values, lows[i], highs[i])
        start = end


@inline
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


@inline
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


@inline
def regression_lanes(
    dealt: Floats,
    length: int,
    stride: int,
    xs: Floats,
    totals: Floats,
    carries: Floats,
    products: Floats,
    product_carries: Floats,
) -> None:
    """Sums of y and of xy for many windows, whose samples are dealt out and lie at the same `xs`."""
    width, size = totals.size, xs.size
    k = 0
    while k + 2 <= size:
        a = (k % stride) * length + k // stride
        b = ((k + 1) % stride) * length + (k + 1) // stride
        first, second = dealt[a : a + width], dealt[b : b + width]
        x, next_x = xs[k], xs[k + 1]
        for i in range(width):
            total, carry = add(first[i], totals[i], carries[i])
            product, product_carry = add(x * first[i], products[i], product_carries[i])
            total, carry = add(second[i], total, carry)
            product, product_carry = add(next_x * second[i], product, product_carry)
            totals[i] = total
            carries[i] = carry
            products[i] = product
            product_carries[i] = product_carry
        k += 2
    if k < size:
        a = (k % stride) * length + k // stride
        first = dealt[a : a + width]
        for i in range(width):
            totals[i], carries[i] = add(first[i], totals[i], carries[i])
            products[i], product_carries[i] = add(xs[k] * first[i], products[i], product_carries[i])


@inline
def regression_of(times: Floats, values: Floats, low: int, high: int, origin: float, lanes: Floats, lane: int) -> None:
    """The sums for one window: x, y, xy, x**2 and their carries in lanes 0 to 7."""
    x_total, x_carry, y_total, y_carry = 0.0, 0.0, 0.0, 0.0
    xy_total, xy_carry, xx_total, xx_carry = 0.0, 0.0, 0.0, 0.0
    for k in range(low, high):
        x, y = (times[k] - origin) / 1e3, values[k]
        x_total, x_carry = add(x, x_total, x_carry)
        y_total, y_carry = add(y, y_total, y_carry)
        xy_total, xy_carry = add(x * y, xy_total, xy_carry)
        xx_total, xx_carry = add(x * x, xx_total, xx_carry)
    lanes[0, lane], lanes[1, lane], lanes[2, lane], lanes[3, lane] = x_total, x_carry, y_total, y_carry
    lanes[4, lane], lanes[5, lane], lanes[6, lane], lanes[7, lane] = xy_total, xy_carry, xx_total, xx_carry


@inline
def regression_row(  # noqa: C901, PLR0913 - a kernel takes columns and numbers, not objects
    times: Floats,
    values: Floats,
    lows: Ints,
    highs: Ints,
    origins: Floats,
    even: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    lanes: Floats,
    dealt: Floats,
    table: Floats,
    row: Floats,
    ahead: Floats,
) -> None:
    """The values of deriv (no `ahead`) and predict_linear (seconds ahead of `origins`, one for each step).

    Args:
        times: of the samples, in milliseconds since any time near them.
        origins: the time of each window that counts as 0; for deriv that of the window's first sample.
        even: whether the samples' times are, so that all windows of a stretch see them at the same distances.
        table: scratch space as long as the run.
    """
    start = 0
    while start < lows.size:
        end = even_stretch(lows, highs, start)
        low, size = lows[start], highs[start] - lows[start]
        stride = lows[start + 1] - low if end - start > 1 else 0
        same = even and end - start >= FEW and stride > 0 and size > 0
        if same:
            # The windows move as the origins do.
            same = times[lows[end - 1]] - origins[end - 1] == times[low] - origins[start]
        if not same:
            for i in range(start, end):
                regression_of(times, values, lows[i], highs[i], origins[i], lanes, i)
            start = end
            continue
        regression_of(times, values, low, low + size, origins[start], lanes, start)
        for i in range(start + 1, end):
            lanes[0, i], lanes[1, i] = lanes[0, start], lanes[1, start]
            lanes[6, i], lanes[7, i] = lanes[6, start], lanes[7, start]
        for lane in range(2, 6):
            lanes[lane, start:end] = 0.0
        xs = table[:size]
        for k in range(size):
            xs[k] = (times[low + k] - origins[start]) / 1e3
        length = deal(values, low, stride, size, end - start, dealt)
        regression_lanes(
            dealt,
            length,
            stride,
            xs,
            lanes[2, start:end],
            lanes[3, start:end],
            lanes[4, start:end],
            lanes[5, start:end],
        )
        start = end
    for i in range(lows.size):
        low, high = lows[i], highs[i]
        if high - low < 2:
            continue
        constant = True
        first = values[low]
        for k in range(low + 1, high):
            if values[k] != first:
                constant = False
                break
        if constant:
            slope, intercept = (math.nan, math.nan) if math.isinf(first) else (0.0, first)
        else:
            count = float(high - low)
            x, y = lanes[0, i] + lanes[1, i], lanes[2, i] + lanes[3, i]
            xy, xx = lanes[4, i] + lanes[5, i], lanes[6, i] + lanes[7, i]
            slope = (xy - x * y / count) / (xx - x * x / count)
            intercept = y / count - slope * x / count
        row[i] = slope * ahead[i] + intercept if ahead.size else slope
