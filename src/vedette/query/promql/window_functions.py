"""Range functions that look at the first and last samples of windows, or at neighbours, compiled.

They follow Prometheus' promql/functions.go to the last digit. `lows` and `highs` are the windows' bounds (see
`windows`); `lanes` is scratch space, float64[LANES, steps].
"""

from __future__ import annotations

import math

import numpy as np

from vedette.model.kernels import inline
from vedette.query.promql.values import Bools, Floats, Ints


@inline
def mark_present(lows: Ints, highs: Ints, least: int, present: Bools) -> None:
    """Windows with at least that many samples give a value."""
    for i in range(lows.size):
        present[i] = highs[i] - lows[i] >= least


@inline
def extrapolation_edges(
    times: Ints, lows: Ints, highs: Ints, first_end: int, step: int, span: int, lanes: Floats
) -> None:
    """What rate, increase and delta need of the times alone, kept while the times stay the same.

    Lane 0: seconds between the window's first and last sample. Lane 1 and 2: seconds to extrapolate at
    the start and at the end, before a counter's zero is looked at.
    """
    sampled, to_start, to_end = lanes[0], lanes[1], lanes[2]
    last = max(times.size - 1, 0)
    # Differences are far below 2**53 and so exact as floats.
    for i in range(lows.size):
        end = first_end + i * step
        first_time, last_time = times[min(lows[i], last)], times[max(highs[i] - 1, 0)]
        sampled[i] = float(last_time - first_time)
        to_start[i] = float(first_time - (end - span))
        to_end[i] = float(end - last_time)
    for i in range(lows.size):
        seconds = sampled[i] / 1000.0
        average = seconds / float(max(highs[i] - lows[i] - 1, 1))
        threshold = average * 1.1
        before, after = to_start[i] / 1000.0, to_end[i] / 1000.0
        sampled[i] = seconds
        to_start[i] = average / 2.0 if before >= threshold else before
        to_end[i] = average / 2.0 if after >= threshold else after


@inline
def count_resets(values: Floats, size: int) -> int:
    """How often the values fall."""
    falls = 0
    for k in range(1, size):
        falls += values[k] < values[k - 1]
    return falls


@inline
def add_back_resets(values: Floats, lows: Ints, highs: Ints, resets: int, row: Floats) -> None:
    """Add to each window's increase what its counter had reached before each reset, one after the other as they came.

    Windows only ever move on, so that what lies before one lies before all later ones.
    """
    falls = np.empty(resets, np.int64)
    found = 0
    for k in range(1, values.size):
        if values[k] < values[k - 1]:
            falls[found] = k
            found += 1
    passed = 0
    for i in range(lows.size):
        while passed < resets and falls[passed] <= lows[i]:
            passed += 1
        place = passed
        while place < resets and falls[place] < highs[i]:
            row[i] += values[falls[place] - 1]
            place += 1


@inline
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
    sampled, to_start, to_end, firsts = lanes[0], lanes[1], lanes[2], lanes[3]
    size = values.size
    last = max(size - 1, 0)
    for i in range(lows.size):
        firsts[i] = values[min(lows[i], last)]
        row[i] = values[max(highs[i] - 1, 0)] - firsts[i]
    resets = count_resets(values, size) if is_counter else 0
    if resets:
        add_back_resets(values, lows, highs, resets, row)
    scale = per_second_of if per_second_of > 0.0 else 1.0
    for i in range(lows.size):
        grown, seconds, before, first = row[i], sampled[i], to_start[i], firsts[i]
        # A counter starts at zero: do not extrapolate to below.
        to_zero = seconds * (first / grown)
        rises = is_counter and grown > 0.0 and first >= 0.0 and to_zero < before
        before = to_zero if rises else before
        row[i] = grown * ((seconds + before + to_end[i]) / seconds / scale)


@inline
def last_two_row(times: Ints, values: Floats, lows: Ints, highs: Ints, is_rate: bool, row: Floats) -> None:  # noqa: FBT001
    """The values of irate and idelta."""
    for i in range(lows.size):
        high = highs[i]
        if high - lows[i] < 2:
            continue
        newest, previous = values[high - 1], values[high - 2]
        result = newest - previous
        if is_rate:
            if newest < previous:
                result = newest
            result = result / (float(times[high - 1] - times[high - 2]) / 1000.0)
        row[i] = result


@inline
def count_turns_row(values: Floats, lows: Ints, highs: Ints, only_falls: bool, counts: Floats, row: Floats) -> None:  # noqa: FBT001
    """Changes, or with `only_falls` resets: how often a value differs from the one before."""
    size = values.size
    if size:
        counts[0] = 0.0
    for k in range(1, size):
        a, b = values[k - 1], values[k]
        turn = b < a if only_falls else b != a and not (math.isnan(a) and math.isnan(b))
        counts[k] = counts[k - 1] + (1.0 if turn else 0.0)
    for i in range(lows.size):
        if highs[i] > lows[i]:
            row[i] = counts[highs[i] - 1] - counts[lows[i]]


@inline
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
