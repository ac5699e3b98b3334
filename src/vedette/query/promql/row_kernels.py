"""The two kernels that turn runs of samples into rows of an answer.

`fill_instants` is a selector at every step; `fill_windows` is a range function of a range selector. Both
notice that a series was sampled at the same times as the one before it, which is so for all series of one
scrape, and then keep what depends on times alone.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

from enum import IntEnum

import numpy as np

from vedette.model.kernels import kernel
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.window_functions import (
    count_turns_row,
    extrapolated_row,
    extrapolation_edges,
    last_two_row,
    mark_present,
    smoothed_row,
)
from vedette.query.promql.window_orders import deviation_row, extreme_row, quantile_row, time_of_extreme_row
from vedette.query.promql.window_sums import LANES, mean_row, regression_row, sum_row, variance_row
from vedette.query.promql.windows import count_at_steps, drop_stale, same_times, spacing


class Window(IntEnum):
    """Range functions, as the kernel knows them."""

    RATE = 0
    INCREASE = 1
    DELTA = 2
    IRATE = 3
    IDELTA = 4
    SUM = 5
    AVG = 6
    STDVAR = 7
    STDDEV = 8
    DERIV = 9
    PREDICT = 10
    MAX = 11
    MIN = 12
    COUNT = 13
    PRESENT = 14
    FIRST = 15
    LAST = 16
    TIME_OF_FIRST = 17
    TIME_OF_LAST = 18
    TIME_OF_MAX = 19
    TIME_OF_MIN = 20
    CHANGES = 21
    RESETS = 22
    QUANTILE = 23
    MAD = 24
    SMOOTHING = 25


_RATE, _INCREASE, _DELTA, _IRATE, _IDELTA = (
    int(w) for w in (Window.RATE, Window.INCREASE, Window.DELTA, Window.IRATE, Window.IDELTA)
)
_SUM, _AVG, _STDVAR, _STDDEV = (int(w) for w in (Window.SUM, Window.AVG, Window.STDVAR, Window.STDDEV))
_DERIV, _PREDICT, _MAX, _MIN = (int(w) for w in (Window.DERIV, Window.PREDICT, Window.MAX, Window.MIN))
_COUNT, _PRESENT, _FIRST, _LAST = (int(w) for w in (Window.COUNT, Window.PRESENT, Window.FIRST, Window.LAST))
_TIME_OF_FIRST, _TIME_OF_LAST = int(Window.TIME_OF_FIRST), int(Window.TIME_OF_LAST)
_TIME_OF_MAX, _TIME_OF_MIN = int(Window.TIME_OF_MAX), int(Window.TIME_OF_MIN)
_CHANGES, _RESETS, _QUANTILE, _MAD, _SMOOTHING = (
    int(w) for w in (Window.CHANGES, Window.RESETS, Window.QUANTILE, Window.MAD, Window.SMOOTHING)
)


@kernel("void(int64[::1], int64[::1], float64[::1], int64, int64, int64, boolean, float64[:,::1], boolean[:,::1])")
def fill_instants(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    offsets: Ints,
    times: Ints,
    values: Floats,
    first_ms: int,
    step_ms: int,
    lookback_ms: int,
    want_times: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    rows: Floats,
    present: Bools,
) -> None:
    """The newest sample at each step, unless it is older than the lookback or a stale marker.

    Args:
        first_ms: the time to look back from at the first step, offset and `@` applied.
        step_ms: how far it advances with each step; 0 where `@` pins it.
        want_times: fill in the samples' times in seconds instead of their values.
    """
    bits = values.view(np.int64)
    steps = rows.shape[1]
    counts = np.empty(steps, np.int64)
    known_low, known_size = 0, -1
    for r in range(offsets.size - 1):
        low, high = offsets[r], offsets[r + 1]
        size = high - low
        run = times[low:high]
        row, mask = rows[r], present[r]
        if size == 0:
            mask[:] = False
            continue
        if not same_times(run, size, times[known_low : known_low + max(known_size, 0)], known_size):
            count_at_steps(run, size, first_ms, step_ms, counts)
            known_low, known_size = low, size
            oldest = first_ms - lookback_ms
            for i in range(steps):
                place = counts[i] - 1
                # -1 marks that there is no sample.
                counts[i] = place if place >= 0 and run[place] > oldest + i * step_ms else -1
        for i in range(steps):
            place = max(counts[i], 0) + low
            row[i] = values[place]
            mask[i] = counts[i] >= 0 and bits[place] != np.int64(0x7FF0000000000002)
        if want_times:
            for i in range(steps):
                row[i] = float(times[max(counts[i], 0) + low]) / 1000.0


@kernel(
    "void(int64, int64[::1], int64[::1], float64[::1], int64, int64, int64, int64[::1], float64[:,::1],"
    " float64[:,::1], boolean[:,::1])"
)
def fill_windows(  # noqa: C901, PLR0912, PLR0913, PLR0915 - one dispatch over all functions, a line or two for each
    function: int,
    offsets: Ints,
    times: Ints,
    values: Floats,
    first_end_ms: int,
    step_ms: int,
    range_ms: int,
    step_times: Ints,
    parameters: Floats,
    rows: Floats,
    present: Bools,
) -> None:
    """A range function of each run's windows.

    Args:
        function: a `Window`.
        first_end_ms: the end of the first window, offset and `@` applied.
        step_ms: how far it advances with each step; 0 where `@` pins it.
        step_times: the steps' own times, for predict_linear.
        parameters: float64[2, steps], the function's scalar arguments at each step.
    """
    bits = values.view(np.int64)
    steps = rows.shape[1]
    lows, highs = np.empty(steps, np.int64), np.empty(steps, np.int64)
    lanes = np.empty((LANES, steps), np.float64)
    largest = 0
    for r in range(offsets.size - 1):
        largest = max(largest, offsets[r + 1] - offsets[r])
    table, dealt = np.empty(largest, np.float64), np.empty(2 * largest + 8, np.float64)
    columns = np.empty((64, 64) if function == _QUANTILE else (0, 0))
    regresses = function in (_DERIV, _PREDICT)
    origins, since = np.empty(steps if regresses else 0), np.empty(largest if regresses else 0)
    kept_times, kept_values = np.empty(largest, np.int64), np.empty(largest, np.float64)
    known = times[:0]
    even = False
    extrapolates = function in (_RATE, _INCREASE, _DELTA)
    least = 1
    if extrapolates or function in (_IRATE, _IDELTA, _DERIV):
        least = 2
    if function in (_PREDICT, _SMOOTHING):
        least = 2
    for r in range(offsets.size - 1):
        run_times, run_values = times[offsets[r] : offsets[r + 1]], values[offsets[r] : offsets[r + 1]]
        row, mask = rows[r], present[r]
        kept = drop_stale(run_times, run_values, bits[offsets[r] : offsets[r + 1]], kept_times, kept_values)
        if kept >= 0:
            run_times, run_values = kept_times[:kept], kept_values[:kept]
            known = times[:0]
        if run_times.size == 0:
            mask[:] = False
            continue
        if not same_times(run_times, run_times.size, known, known.size):
            count_at_steps(run_times, run_times.size, first_end_ms - range_ms, step_ms, lows)
            count_at_steps(run_times, run_times.size, first_end_ms, step_ms, highs)
            if extrapolates:
                extrapolation_edges(run_times, lows, highs, first_end_ms, step_ms, range_ms, lanes)
            elif regresses:
                even = spacing(run_times, run_times.size) > 0
                # Exact: differences are far below 2**53.
                for k in range(run_times.size):
                    since[k] = float(run_times[k] - run_times[0])
                for i in range(steps):
                    first = since[min(lows[i], run_times.size - 1)]
                    origins[i] = first if function == _DERIV else float(step_times[i] - run_times[0])
            known = times[:0] if kept >= 0 else run_times
        mark_present(lows, highs, least, mask)
        if function == _RATE:
            extrapolated_row(run_values, lows, highs, lanes, True, float(range_ms) / 1000.0, row)  # noqa: FBT003
        elif function == _INCREASE:
            extrapolated_row(run_values, lows, highs, lanes, True, 0.0, row)  # noqa: FBT003
        elif function == _DELTA:
            extrapolated_row(run_values, lows, highs, lanes, False, 0.0, row)  # noqa: FBT003
        elif function in (_IRATE, _IDELTA):
            last_two_row(run_times, run_values, lows, highs, function == _IRATE, row)
        elif function == _SUM:
            sum_row(run_values, lows, highs, lanes, dealt, row)
        elif function == _AVG:
            mean_row(run_values, lows, highs, lanes, dealt, row)
        elif function in (_STDVAR, _STDDEV):
            variance_row(run_values, lows, highs, lanes, dealt, row)
            if function == _STDDEV:
                for i in range(steps):
                    row[i] = np.sqrt(row[i])
        elif regresses:
            ahead = parameters[0] if function == _PREDICT else parameters[0, :0]
            regression_row(
                since[: run_times.size], run_values, lows, highs, origins, even, lanes, dealt, table, row, ahead
            )
        elif function in (_MAX, _MIN):
            extreme_row(run_values, lows, highs, function == _MAX, table, row)
        elif function == _COUNT:
            for i in range(steps):
                row[i] = float(highs[i] - lows[i])
        elif function == _PRESENT:
            row[:] = 1.0
        elif function in (_FIRST, _TIME_OF_FIRST):
            for i in range(steps):
                place = min(lows[i], run_times.size - 1)
                row[i] = run_values[place] if function == _FIRST else float(run_times[place]) / 1000.0
        elif function in (_LAST, _TIME_OF_LAST):
            for i in range(steps):
                place = max(highs[i] - 1, 0)
                row[i] = run_values[place] if function == _LAST else float(run_times[place]) / 1000.0
        elif function in (_TIME_OF_MAX, _TIME_OF_MIN):
            time_of_extreme_row(run_times, run_values, lows, highs, function == _TIME_OF_MAX, row)
        elif function in (_CHANGES, _RESETS):
            count_turns_row(run_values, lows, highs, function == _RESETS, table, row)
        elif function == _QUANTILE:
            quantile_row(run_values, lows, highs, parameters[0], table, dealt, columns, row)
        elif function == _MAD:
            deviation_row(run_values, lows, highs, table, dealt, row)
        elif function == _SMOOTHING:
            smoothed_row(run_values, lows, highs, parameters[0], parameters[1], row)
