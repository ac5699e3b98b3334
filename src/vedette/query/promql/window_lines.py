"""Lines through windows, compiled: linear regression, for deriv and predict_linear.

As in `window_sums`: the sums are Prometheus' to the last digit, windows are lanes. What depends on times alone is kept
while the times stay the same. `lanes` is scratch space, float64[LANES, steps], and holds for each window the sums of
x, x**2, y and xy, each followed by its carry.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again
from __future__ import annotations

import math
from typing import Final

from vedette.model.kernels import leaf
from vedette.query.promql.values import Floats, Ints
from vedette.query.promql.window_sums import add, add_finite
from vedette.query.promql.windows import FEW, deal, even_stretch

_TILE: Final = 256
"""So many windows are worked on at a time, so that their sums stay in the core's nearest cache."""


@leaf
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
            total, carry = add_finite(first[i], totals[i], carries[i])
            product, product_carry = add_finite(x * first[i], products[i], product_carries[i])
            total, carry = add_finite(second[i], total, carry)
            product, product_carry = add_finite(next_x * second[i], product, product_carry)
            totals[i] = total
            carries[i] = carry
            products[i] = product
            product_carries[i] = product_carry
        k += 2
    if k < size:
        a = (k % stride) * length + k // stride
        first = dealt[a : a + width]
        for i in range(width):
            totals[i], carries[i] = add_finite(first[i], totals[i], carries[i])
            products[i], product_carries[i] = add_finite(xs[k] * first[i], products[i], product_carries[i])


@leaf
def regress_alone(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    times: Floats,
    values: Floats,
    low: int,
    high: int,
    origin: float,
    with_times: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    xs: Floats,
    lanes: Floats,
    lane: int,
) -> None:
    """The sums for one window: x, x**2, y, xy, each with its carry, in lanes 0 to 7.

    Args:
        with_times: whether to find the sums of x and x**2, and `xs`; otherwise they are known.
        xs: where the samples lie, in seconds behind the origin.
    """
    size = high - low
    window, taken = values[low:high], times[low:high]
    if with_times:
        for k in range(size):
            xs[k] = (taken[k] - origin) / 1e3
        total, carry, product, product_carry = 0.0, 0.0, 0.0, 0.0
        for k in range(size):
            total, carry = add(xs[k], total, carry)
            product, product_carry = add(xs[k] * xs[k], product, product_carry)
        lanes[0, lane], lanes[1, lane], lanes[2, lane], lanes[3, lane] = total, carry, product, product_carry
    total, carry, product, product_carry = 0.0, 0.0, 0.0, 0.0
    for k in range(size):
        total, carry = add_finite(window[k], total, carry)
        product, product_carry = add_finite(xs[k] * window[k], product, product_carry)
    if not math.isfinite(total + carry + product + product_carry):
        total, carry, product, product_carry = 0.0, 0.0, 0.0, 0.0
        for k in range(size):
            total, carry = add(window[k], total, carry)
            product, product_carry = add(xs[k] * window[k], product, product_carry)
    lanes[4, lane], lanes[5, lane], lanes[6, lane], lanes[7, lane] = total, carry, product, product_carry


@leaf
def uneven_regression_lanes(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    dealt: Floats,
    dealt_times: Floats,
    length: int,
    stride: int,
    size: int,
    origins: Floats,
    with_times: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    lanes: Floats,
    begin: int,
) -> None:
    """As `regression_lanes`, where each window has times of its own; with the sums of x and x**2 if they are asked for.

    Args:
        dealt: the values from the first window on, dealt out; `dealt_times` likewise.
        origins: of the windows.
        lanes: the sums, to the columns from `begin` on.
    """
    width = origins.size
    until = begin + width
    # One by one, because slices of slices are not known to be contiguous.
    x_totals, x_carries = lanes[0, begin:until], lanes[1, begin:until]
    squares, square_carries = lanes[2, begin:until], lanes[3, begin:until]
    totals, carries = lanes[4, begin:until], lanes[5, begin:until]
    products, product_carries = lanes[6, begin:until], lanes[7, begin:until]
    for k in range(size):
        a = (k % stride) * length + k // stride
        values, times = dealt[a : a + width], dealt_times[a : a + width]
        if with_times:
            for i in range(width):
                x = (times[i] - origins[i]) / 1e3
                x_totals[i], x_carries[i] = add_finite(x, x_totals[i], x_carries[i])
                squares[i], square_carries[i] = add_finite(x * x, squares[i], square_carries[i])
        for i in range(width):
            x = (times[i] - origins[i]) / 1e3
            totals[i], carries[i] = add_finite(values[i], totals[i], carries[i])
            products[i], product_carries[i] = add_finite(x * values[i], products[i], product_carries[i])


@leaf
def regress_together(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    times: Floats,
    values: Floats,
    low: int,
    stride: int,
    size: int,
    origins: Floats,
    even: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    fresh: bool,  # noqa: FBT001
    dealt: Floats,
    dealt_times: Floats,
    xs: Floats,
    lanes: Floats,
    start: int,
) -> None:
    """The sums for a stretch of windows of `size` samples, the first from `low` on, each `stride` further on.

    Args:
        origins: of these windows.
        lanes: the sums, to the columns from `start` on.
    """
    windows = origins.size
    end = start + windows
    length = deal(values, low, stride, size, windows, dealt)
    # Whether the windows move as the origins do.
    moved = times[low + (windows - 1) * stride] - times[low]
    alike = even and moved == origins[windows - 1] - origins[0]
    if alike:
        regress_alone(times, values, low, low + size, origins[0], True, xs, lanes, start)  # noqa: FBT003
    else:
        deal(times, low, stride, size, windows, dealt_times)
    # Lanes 0 to 3 depend on times alone.
    for k in range(0 if fresh else 4, 8):
        lane = lanes[k, start:end]
        known = lane[0] if k < 4 and alike else 0.0
        for i in range(lane.size):
            lane[i] = known
    for first in range(0, windows, _TILE):
        last = min(first + _TILE, windows)
        begin, until = start + first, start + last
        if alike:
            regression_lanes(
                dealt[first:],
                length,
                stride,
                xs[:size],
                lanes[4, begin:until],
                lanes[5, begin:until],
                lanes[6, begin:until],
                lanes[7, begin:until],
            )
        else:
            own = origins[first:last]
            uneven_regression_lanes(dealt[first:], dealt_times[first:], length, stride, size, own, fresh, lanes, begin)
    for i in range(windows):
        lane = start + i
        # A sum overflowed, or a value is infinite or NaN.
        if not math.isfinite(lanes[4, lane] + lanes[5, lane] + lanes[6, lane] + lanes[7, lane]):
            begin = low + i * stride
            regress_alone(times, values, begin, begin + size, origins[i], True, xs, lanes, lane)  # noqa: FBT003


@leaf
def regression_row(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    times: Floats,
    values: Floats,
    lows: Ints,
    highs: Ints,
    origins: Floats,
    even: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    fresh: bool,  # noqa: FBT001
    dealt: Floats,
    dealt_times: Floats,
    xs: Floats,
    lanes: Floats,
    row: Floats,
    ahead: Floats,
) -> None:
    """The values of deriv (no `ahead`) and predict_linear (seconds ahead of `origins`, one for each step).

    Args:
        times: of the samples, in milliseconds since any time near them.
        origins: the time of each window that counts as 0; for deriv that of the window's first sample.
        even: whether the samples' times are, so that all windows of a stretch see them at the same distances.
        fresh: whether anything but the values is new since the last call; `xs` and `lanes` are kept between calls.
        dealt_times: scratch space, as `dealt`.
        xs: scratch space as long as the run.
    """
    steps = lows.size
    start = 0
    while start < steps:
        end = even_stretch(lows, highs, start)
        low, size = lows[start], highs[start] - lows[start]
        stride = lows[start + 1] - low if end - start > 1 else 0
        if end - start >= FEW and stride > 0 and size > 0:
            part = origins[start:end]
            regress_together(times, values, low, stride, size, part, even, fresh, dealt, dealt_times, xs, lanes, start)
        else:
            for i in range(start, end):
                # Where there is one window only, `xs` are still those of the last call.
                regress_alone(times, values, lows[i], highs[i], origins[i], fresh or steps > 1, xs, lanes, i)
        start = end
    for i in range(steps):
        if highs[i] - lows[i] >= 2:
            slope, intercept = line_through(values[lows[i] : highs[i]], lanes, i)
            row[i] = slope * ahead[i] + intercept if ahead.size else slope


@leaf
def line_through(values: Floats, lanes: Floats, i: int) -> tuple[float, float]:
    """Slope and intercept of the regression of the i-th window, which has these values."""
    first = values[0]
    for k in range(1, values.size):
        if values[k] != first:
            count = float(values.size)
            x, xx = lanes[0, i] + lanes[1, i], lanes[2, i] + lanes[3, i]
            y, xy = lanes[4, i] + lanes[5, i], lanes[6, i] + lanes[7, i]
            slope = (xy - x * y / count) / (xx - x * x / count)
            return slope, y / count - slope * x / count
    return (math.nan, math.nan) if math.isinf(first) else (0.0, first)
