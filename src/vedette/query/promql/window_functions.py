"""Range functions that look at the first and last samples of windows, or at neighbours, compiled.

They follow Prometheus' promql/functions.go to the last digit. `lows` and `highs` are the windows' bounds (see
`windows`); `lanes` is scratch space, float64[LANES, steps].
"""

from __future__ import annotations

import numpy as np

from vedette.model.kernels import leaf
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.windows import even_stretch


@leaf
def mark_present(lows: Ints, highs: Ints, least: int, present: Bools) -> None:
    """Windows with at least that many samples give a value."""
    for i in range(lows.size):
        present[i] = highs[i] - lows[i] >= least


@leaf
def extrapolation_edges(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    times: Ints,
    distance: int,
    lows: Ints,
    highs: Ints,
    first_end: int,
    step: int,
    span: int,
    per_second_of: float,
    lanes: Floats,
) -> None:
    """What rate, increase and delta need of the times alone, kept while the times stay the same.

    Lane 0: seconds between the window's first and last sample. Lane 1 and 2: seconds to extrapolate at
    the start and at the end, before a counter's zero is looked at. Lane 3: by what to multiply the growth.
    `distance` is the times' `spacing`.
    """
    sampled, to_start, to_end, factors = lanes[0], lanes[1], lanes[2], lanes[3]
    last = max(times.size - 1, 0)
    scale = per_second_of if per_second_of > 0.0 else 1.0
    start = 0
    while start < lows.size:
        end = even_stretch(lows, highs, start)
        # Where windows move as the samples do, they are all alike.
        alike = end - start > 1 and distance > 0 and (lows[start + 1] - lows[start]) * distance == step
        for i in range(start, start + 1 if alike else end):
            until = first_end + i * step
            first_time, last_time = times[min(lows[i], last)], times[max(highs[i] - 1, 0)]
            # Differences are far below 2**53 and so exact as floats.
            seconds = float(last_time - first_time) / 1000.0
            average = seconds / float(max(highs[i] - lows[i] - 1, 1))
            threshold = average * 1.1
            before, after = float(first_time - (until - span)) / 1000.0, float(until - last_time) / 1000.0
            before = average / 2.0 if before >= threshold else before
            after = average / 2.0 if after >= threshold else after
            sampled[i], to_start[i], to_end[i] = seconds, before, after
            factors[i] = (seconds + before + after) / seconds / scale
        if alike:
            for lane in range(4):
                edges = lanes[lane, start:end]
                edge = edges[0]
                for i in range(edges.size):
                    edges[i] = edge
        start = end


@leaf
def count_falls(values: Floats) -> int:
    """How often a value is smaller than the one before."""
    falls = 0
    for k in range(1, values.size):
        falls += values[k] < values[k - 1]
    return falls


@leaf
def add_resets(values: Floats, lows: Ints, highs: Ints, row: Floats) -> None:
    """Add to each window what a counter had reached whenever it was reset, in the order of time.

    The windows that hold a reset lie side by side, so that they are added to together.
    """
    if count_falls(values) == 0:
        return
    steps = lows.size
    entered = left = 0
    for start in range(1, values.size, 64):
        end = min(start + 64, values.size)
        if count_falls(values[start - 1 : end]) == 0:
            continue
        for k in range(start, end):
            reached = values[k - 1]
            if values[k] < reached:
                while entered < steps and highs[entered] <= k:
                    entered += 1
                while left < steps and lows[left] < k:
                    left += 1
                holding = row[entered : max(left, entered)]
                for i in range(holding.size):
                    holding[i] += reached


@leaf
def extrapolated_row(
    values: Floats,
    lows: Ints,
    highs: Ints,
    lanes: Floats,
    is_counter: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    per_second_of: float,
    row: Floats,
) -> None:
    """Rate (`per_second_of` is the range in seconds), increase and delta (0)."""
    sampled, to_start, to_end, factors, firsts = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    last = max(values.size - 1, 0)
    for i in range(lows.size):
        # Unsigned, because signed places may count from the end.
        first = values[np.uint64(min(lows[i], last))]
        firsts[i] = first
        row[i] = values[np.uint64(max(highs[i] - 1, 0))] - first
    if not is_counter:
        for i in range(lows.size):
            row[i] *= factors[i]
        return
    add_resets(values, lows, highs, row)
    scale = per_second_of if per_second_of > 0.0 else 1.0
    if count_near_zero(sampled, to_start, firsts, row) == 0:
        for i in range(lows.size):
            row[i] *= factors[i]
        return
    for start in range(0, lows.size, 64):
        end = min(start + 64, lows.size)
        part, seconds, befores = row[start:end], sampled[start:end], to_start[start:end]
        afters, begins, usual = to_end[start:end], firsts[start:end], factors[start:end]
        if count_near_zero(seconds, befores, begins, part) == 0:
            for i in range(part.size):
                part[i] *= usual[i]
            continue
        for i in range(part.size):
            grown, before, first = part[i], befores[i], begins[i]
            # A counter starts at zero: do not extrapolate to below.
            to_zero = seconds[i] * (first / grown)
            rises = (grown > 0.0) & (first >= 0.0) & (to_zero < before)
            before = to_zero if rises else before
            part[i] = grown * ((seconds[i] + before + afters[i]) / seconds[i] / scale)


@leaf
def count_near_zero(sampled: Floats, to_start: Floats, firsts: Floats, grown: Floats) -> int:
    """How many counters may have been zero within the time to extrapolate, if they grew steadily.

    Those that are counted need a division to be sure, the others do not.
    """
    near = 0
    for i in range(grown.size):
        reach = sampled[i] * firsts[i]
        above = (reach > to_start[i] * grown[i] * 1.0000001) & (reach > 1e-280)
        near += (grown[i] > 0.0) & (firsts[i] >= 0.0) & (not above)
    return near


@leaf
def last_two_row(times: Ints, values: Floats, lows: Ints, highs: Ints, is_rate: bool, row: Floats) -> None:  # noqa: FBT001
    """The values of irate and idelta; of no meaning where a window has not got two samples."""
    for i in range(lows.size):
        last, before = np.uint64(max(highs[i] - 1, 0)), np.uint64(max(highs[i] - 2, 0))
        newest, previous = values[last], values[before]
        result = newest - previous
        if is_rate:
            result = newest if newest < previous else result
            result = result / (float(times[last] - times[before]) / 1000.0)
        row[i] = result


@leaf
def count_turns_row(values: Floats, lows: Ints, highs: Ints, only_falls: bool, counts: Ints, row: Floats) -> None:  # noqa: FBT001
    """Changes, or with `only_falls` resets: how often a value differs from the one before."""
    turns = 0
    for k in range(1, values.size):
        a, b = values[k - 1], values[k]
        # A NaN is not equal to itself, but no change from another one.
        turns += b < a if only_falls else (b != a) & ((a == a) | (b == b))  # noqa: PLR0124
        counts[k] = turns
    counts[0] = 0
    for i in range(lows.size):
        if highs[i] > lows[i]:
            row[i] = float(counts[highs[i] - 1] - counts[lows[i]])


@leaf
def smoothed_row(values: Floats, lows: Ints, highs: Ints, smoothing: Floats, trend: Floats, row: Floats) -> None:
    """double_exponential_smoothing."""
    for i in range(lows.size):
        low = lows[i]
        if highs[i] - low < 2:
            continue
        before, level = 0.0, values[low]
        slope = values[low + 1] - values[low]
        for k in range(low + 1, highs[i]):
            scaled = smoothing[i] * values[k]
            if k > low + 1:
                slope = trend[i] * (level - before) + (1.0 - trend[i]) * slope
            before, level = level, scaled + (1.0 - smoothing[i]) * (level + slope)
        row[i] = level
