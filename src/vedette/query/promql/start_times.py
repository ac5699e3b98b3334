"""rate, increase, irate and resets of counters whose samples say when they began, compiled.

A start time tells a reset that the values do not show, and the value with which a counter began: zero. Where
no sample has one, `fill_windows` does the work.

Source: `extrapolatedRate`, `instantValue`, `isStartTimestampReset` in Prometheus' promql/functions.go.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

import numpy as np

from vedette.model.kernels import kernel, leaf
from vedette.query.promql.row_kernels import Window
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.windows import count_until

_RATE, _INCREASE, _IRATE = int(Window.RATE), int(Window.INCREASE), int(Window.IRATE)


@leaf
def begins_anew(before_start: int, before: int, start: int, at: int) -> bool:
    """Whether a counter was reset between two samples, by their start times."""
    if start == 0 or start >= at or start < before:
        return False
    if start > before:
        return True
    # It began with the sample before: a delta, or a counter of unknown start.
    return before_start not in (0, before) and before_start < before


@kernel(
    "void(int64, int64[::1], int64[::1], float64[::1], int64[::1], int64, int64, int64, float64[:,::1],"
    " boolean[:,::1], boolean[::1])"
)
def fill_started(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    function: int,
    offsets: Ints,
    times: Ints,
    values: Floats,
    starts: Ints,
    first_end_ms: int,
    step_ms: int,
    range_ms: int,
    rows: Floats,
    present: Bools,
    overlaps: Bools,
) -> None:
    """As `fill_windows`, for samples with start times.

    Args:
        starts: of each sample; 0 where it is not known.
        overlaps: set where a sample claims to begin before the sample that precedes it.
    """
    bits = values.view(np.int64)
    for r in range(offsets.size - 1):
        t, v, s = np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64)
        kept = bits[offsets[r] : offsets[r + 1]] != np.int64(0x7FF0000000000002)
        t = times[offsets[r] : offsets[r + 1]][kept]
        v = values[offsets[r] : offsets[r + 1]][kept]
        s = starts[offsets[r] : offsets[r + 1]][kept]
        low, high = 0, 0
        for i in range(rows.shape[1]):
            end = first_end_ms + i * step_ms
            low = count_until(t, t.size, low, end - range_ms)
            high = count_until(t, t.size, high, end)
            present[r, i] = False
            if high <= low:
                continue
            if function in (_RATE, _INCREASE):
                for k in range(low + 1, high):
                    if s[k] != 0 and s[k] < t[k - 1] and s[k] != s[k - 1]:
                        overlaps[r] = True
                done, result = started_rate(t, v, s, low, high, end, range_ms)
                present[r, i] = done
                rows[r, i] = result / (float(range_ms) / 1000.0) if function == _RATE else result
            elif function == _IRATE:
                if high - low > 1:
                    a, b = high - 2, high - 1
                    reset = v[b] < v[a] or begins_anew(s[a], t[a], s[b], t[b])
                    rows[r, i] = (v[b] if reset else v[b] - v[a]) / (float(t[b] - t[a]) / 1000.0)
                    present[r, i] = True
            else:
                resets = 0
                for k in range(low + 1, high):
                    resets += v[k] < v[k - 1] or begins_anew(s[k - 1], t[k - 1], s[k], t[k])
                rows[r, i] = float(resets)
                present[r, i] = True


@leaf
def started_rate(t: Ints, v: Floats, s: Ints, low: int, high: int, end: int, span: int) -> tuple[bool, float]:
    """How much a counter grew in a window, and whether that can be said."""
    between = high - low - 1
    grown = v[high - 1] - v[low]
    for k in range(low + 1, high):
        if v[k] < v[k - 1] or begins_anew(s[k - 1], t[k - 1], s[k], t[k]):
            grown += v[k - 1]
    before, after = float(t[low] - (end - span)) / 1000.0, float(end - t[high - 1]) / 1000.0
    sampled = float(t[high - 1] - t[low]) / 1000.0
    average = sampled / float(between) if between > 0 else 0.0
    threshold = average * 1.1
    if s[low] != 0 and s[low] > end - span and s[low] < t[low]:
        # It began within the window, at zero: nothing to extrapolate there.
        before = 0.0
        sampled = float(t[high - 1] - s[low]) / 1000.0
        grown += v[low]
    elif between == 0:
        return False, 0.0
    else:
        if before >= threshold:
            before = average / 2.0
        if grown > 0.0 and v[low] >= 0.0:
            before = min(before, sampled * (v[low] / grown))
    if after >= threshold:
        after = average / 2.0
    factor = (sampled + before + after) / sampled if sampled != 0.0 else 1.0
    return True, grown * factor
