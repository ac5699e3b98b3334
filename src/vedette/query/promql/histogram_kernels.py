"""Quantiles and fractions of classic histograms, compiled.

A classic histogram is a group of series, one for each upper bound (`le`), with counts that include those of
the lower bounds. What is wrong in the data is mended as Prometheus does (promql/quantile.go): equal bounds are
added up, differences that come from rounding are ignored, counts that fall are raised.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

import math
import sys
from typing import Final

import numpy as np

from vedette.model.kernels import kernel, leaf
from vedette.query.promql.values import Bools, Floats, Ints

FORCED_FIELDS: Final = 6
"""Columns of `forced`: how often, first step, last step, lowest bound, highest bound, largest correction."""

_TOLERANCE: Final = 1e-12
_SMALLEST_NORMAL: Final = sys.float_info.min
_LARGEST: Final = sys.float_info.max


@leaf
def almost_equal(a: float, b: float) -> bool:
    """Whether two counts differ by no more than rounding explains."""
    total, difference = abs(a) + abs(b), abs(a - b)
    if a == 0.0 or b == 0.0 or total < _SMALLEST_NORMAL:
        return difference < _TOLERANCE * _SMALLEST_NORMAL
    return difference / min(total, _LARGEST) < _TOLERANCE


@leaf
def bucket_quantile(  # noqa: C901, PLR0911 - the cases of Prometheus' BucketQuantile, in its order
    q: float, bounds: Floats, counts: Floats, size: int, note: Floats
) -> float:
    """The q-quantile, by linear interpolation within its bucket.

    Args:
        bounds: rising and different.
        counts: corrected in place.
        note: set to lowest bound, highest bound and size of corrections; the last is 0 where there were none.
    """
    note[2] = 0.0
    if math.isnan(q):
        return math.nan
    if q < 0.0:
        return -math.inf
    if q > 1.0:
        return math.inf
    if bounds[size - 1] != math.inf:
        return math.nan
    before = counts[0]
    note[0], note[1] = math.inf, -math.inf
    for k in range(1, size):
        count = counts[k]
        if count == before:
            continue
        if almost_equal(before, count):
            counts[k] = before
        elif count < before:
            counts[k] = before
            note[0], note[1] = min(note[0], bounds[k]), max(note[1], bounds[k])
            note[2] = max(note[2], before - count)
        else:
            before = count
    if size < 2 or counts[size - 1] == 0.0:
        return math.nan
    rank = q * counts[size - 1]
    bucket = 0
    while bucket < size - 1 and not counts[bucket] >= rank:
        bucket += 1
    if bucket == size - 1:
        return bounds[size - 2]
    if bucket == 0 and bounds[0] <= 0.0:
        return bounds[0]
    start, count = 0.0, counts[bucket]
    if bucket > 0:
        start = bounds[bucket - 1]
        count -= counts[bucket - 1]
        rank -= counts[bucket - 1]
    return start + (bounds[bucket] - start) * (rank / count)


@leaf
def rank_of(limit: float, low: float, high: float, rank: float, count: float) -> float:
    """How many observations lie below a limit within a bucket."""
    if low == -math.inf:
        return count
    return rank + (count - rank) * (limit - low) / (high - low)


@leaf
def bucket_fraction(lower: float, upper: float, bounds: Floats, counts: Floats, size: int) -> float:
    """The share of observations between two limits."""
    observed = counts[size - 1]
    if bounds[size - 1] != math.inf or observed == 0.0 or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    rank, lower_rank, upper_rank = 0.0, 0.0, 0.0
    lower_set, upper_set = False, False
    low = -math.inf if bounds[0] <= 0.0 else 0.0
    for k in range(size):
        if k > 0:
            low = bounds[k - 1]
        high, count = bounds[k], counts[k]
        if not lower_set and low >= lower:
            lower_rank, lower_set = rank, True
        if not upper_set and low >= upper:
            upper_rank, upper_set = rank, True
        if not lower_set and low < lower and high > lower:
            lower_rank, lower_set = rank_of(lower, low, high, rank, count), True
        if not upper_set and low < upper and high > upper:
            upper_rank, upper_set = rank_of(upper, low, high, rank, count), True
        if lower_set and upper_set:
            break
        rank = count
    if not lower_set or lower_rank > observed:
        lower_rank = observed
    if not upper_set or upper_rank > observed:
        upper_rank = observed
    return (upper_rank - lower_rank) / observed


@kernel(
    "void(boolean, float64[:,:], boolean[:,:], int64[::1], float64[::1], int64[::1], int64, int64, float64[::1],"
    " float64[::1], float64[:,::1], boolean[:,::1], float64[:,::1])"
)
def classic_histograms(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    want_fraction: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    values: Floats,
    present: Bools,
    order: Ints,
    order_bounds: Floats,
    starts: Ints,
    first_group: int,
    last_group: int,
    wanted: Floats,
    upper: Floats,
    out: Floats,
    out_present: Bools,
    forced: Floats,
) -> None:
    """A quantile or a fraction of each histogram at every step.

    Args:
        order: rows, histogram by histogram, within each by rising bound.
        order_bounds: the bounds of those rows.
        starts: histogram g has `order[starts[g]:starts[g + 1]]`.
        first_group: work from here ...
        last_group: ... to before here.
        wanted: float64[steps], the quantile, or the lower limit of the fraction.
        upper: float64[steps], the upper limit of the fraction.
        forced: float64[groups, FORCED_FIELDS], what had to be corrected, added up over the steps.
    """
    note = np.zeros(3, np.float64)
    for group in range(first_group, last_group):
        first, last = starts[group], starts[group + 1]
        bounds, counts = np.empty(last - first, np.float64), np.empty(last - first, np.float64)
        for i in range(wanted.size):
            size = 0
            for k in range(first, last):
                row = order[k]
                if not present[row, i]:
                    continue
                if size and bounds[size - 1] == order_bounds[k]:
                    counts[size - 1] += values[row, i]
                    continue
                bounds[size], counts[size] = order_bounds[k], values[row, i]
                size += 1
            out_present[group, i] = size > 0
            if size == 0:
                continue
            if want_fraction:
                out[group, i] = bucket_fraction(wanted[i], upper[i], bounds, counts, size)
                continue
            out[group, i] = bucket_quantile(wanted[i], bounds, counts, size, note)
            if note[2] > 0.0:
                seen = forced[group]
                if seen[0] == 0.0:
                    seen[1], seen[3], seen[4] = float(i), note[0], note[1]
                seen[0] += 1.0
                seen[2] = float(i)
                seen[3], seen[4] = min(seen[3], note[0]), max(seen[4], note[1])
                seen[5] = max(seen[5], note[2])
