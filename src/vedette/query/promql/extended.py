"""Selectors that look beyond the edges of their window: `x[5m] anchored`, `x[5m] smoothed`, `x smoothed`.

Anchored windows begin with the last sample at or before their start; smoothed ones are interpolated at both
edges. Experimental in Prometheus (PROM-52), as here.

Source: `extendedRate`, `pickFirstSampleIndex`, `smoothSeries` in Prometheus' promql package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from vedette.model.frames import LabelFrame
from vedette.model.kernels import kernel, leaf
from vedette.query.promql.row_kernels import Window
from vedette.query.promql.rows import StoredRuns
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.windows import count_until

ANCHORED: Final = ("changes", "delta", "increase", "rate", "resets")
"""Functions that take an anchored range."""

SMOOTHED: Final = ("delta", "increase", "rate")
"""Functions that take a smoothed range."""

_POINT: Final = -1
_RATE, _INCREASE, _DELTA = int(Window.RATE), int(Window.INCREASE), int(Window.DELTA)
_RESETS = int(Window.RESETS)


@dataclass(frozen=True, slots=True, eq=False)
class ExtendedRows:
    """A range function, or (function `POINT`) a smoothed selector, at every step."""

    runs: StoredRuns
    labels: LabelFrame
    drop_name: Bools | None
    function: int
    smoothed: bool
    first_end_ms: int
    step_ms: int
    range_ms: int
    lookback_ms: int

    @property
    def cost(self) -> int:
        """About how many samples are read for one row."""
        return self.runs.cost

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`."""
        runs = self.runs.read(low, high)
        fill_extended(
            self.function,
            self.smoothed,
            runs.offsets,
            runs.times,
            runs.values,
            self.first_end_ms,
            self.step_ms,
            self.range_ms,
            self.lookback_ms,
            values,
            present,
        )
        return values, present


def smoothed_selector(
    runs: StoredRuns, labels: LabelFrame, drop_name: Bools | None, first_ms: int, step_ms: int, lookback_ms: int
) -> ExtendedRows:
    """A selector whose values are interpolated between the samples before and after each step."""
    return ExtendedRows(runs, labels, drop_name, _POINT, True, first_ms, step_ms, 0, lookback_ms)  # noqa: FBT003


@leaf
def between(times: Ints, values: Floats, k: int, at: int, is_counter: bool) -> float:  # noqa: FBT001
    """The value at a time between samples k and k + 1; a counter that was reset starts from zero."""
    before, after = values[k], values[k + 1]
    if is_counter and after < before:
        before = 0.0
    return before + (after - before) * float(at - times[k]) / float(times[k + 1] - times[k])


@leaf
def extended_growth(
    t: Ints,
    v: Floats,
    low: int,
    high: int,
    start: int,
    end: int,
    smoothed: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    is_counter: bool,  # noqa: FBT001
) -> tuple[bool, float]:
    """How much the values in [low, high) grew from `start` to `end`, and whether that can be said."""
    last = high - 1
    first = max(low, count_until(t, last, low, start) - 1)
    if smoothed:
        last = count_until(t, last, low, end - 1)
    if t[last] <= start or (smoothed and t[first] > end):
        return False, 0.0
    left = between(t, v, first, start, is_counter) if smoothed and t[first] < start else v[first]
    right = between(t, v, last - 1, end, is_counter) if smoothed and last > low and t[last] > end else v[last]
    result = right - left
    if is_counter:
        if t[first] <= start:
            first += 1
        if t[last] >= end:
            last -= 1
        before, correction = left, 0.0
        for k in range(first, last + 1):
            if v[k] < before:
                correction += before
            before = v[k]
        if right < before:
            correction += before
        result += correction
    return True, result


@kernel(
    "void(int64, boolean, int64[::1], int64[::1], float64[::1], int64, int64, int64, int64, float64[:,::1],"
    " boolean[:,::1])"
)
def fill_extended(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    function: int,
    smoothed: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    offsets: Ints,
    times: Ints,
    values: Floats,
    first_end_ms: int,
    step_ms: int,
    range_ms: int,
    lookback_ms: int,
    rows: Floats,
    present: Bools,
) -> None:
    """As `fill_windows`, for anchored and smoothed ranges; function -1 is a smoothed selector."""
    bits = values.view(np.int64)
    for r in range(offsets.size - 1):
        kept = bits[offsets[r] : offsets[r + 1]] != np.int64(0x7FF0000000000002)
        t, v = times[offsets[r] : offsets[r + 1]][kept], values[offsets[r] : offsets[r + 1]][kept]
        low, high = 0, 0
        for i in range(rows.shape[1]):
            end = first_end_ms + i * step_ms
            start = end - range_ms
            low = count_until(t, t.size, low, start - lookback_ms)
            high = count_until(t, t.size, high, end + lookback_ms if smoothed else end)
            present[r, i] = False
            if high <= low:
                continue
            if function == _POINT:
                place = count_until(t, high, low, end - 1)
                if place < high and t[place] == end:
                    rows[r, i], present[r, i] = v[place], True
                elif place > low:
                    rows[r, i] = between(t, v, place - 1, end, False) if place < high else v[place - 1]  # noqa: FBT003
                    present[r, i] = True
                continue
            if function in (_RATE, _INCREASE, _DELTA):
                done, grown = extended_growth(t, v, low, high, start, end, smoothed, function != _DELTA)
                rows[r, i] = grown / (float(range_ms) / 1000.0) if function == _RATE else grown
                present[r, i] = done
                continue
            if t[high - 1] <= start:
                continue
            turns = 0
            for k in range(max(low, count_until(t, high - 1, low, start) - 1) + 1, high):
                a, b = v[k - 1], v[k]
                turns += b < a if function == _RESETS else b != a and not (math.isnan(a) and math.isnan(b))
            rows[r, i], present[r, i] = float(turns), True
