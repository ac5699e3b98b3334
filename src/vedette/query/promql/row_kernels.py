"""The kernel of range functions: from samples to the values of all windows of each series, a row of an answer.

Where a series was sampled at the same times as the one before it, what depends on times alone is kept.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

from enum import IntEnum

import numpy as np

from vedette.model.kernels import kernel, leaf
from vedette.query.promql.runs import BOUNDED, EVEN, PLACE, SIZE, next_run
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.window_functions import (
    count_turns_row,
    extrapolated_row,
    extrapolation_edges,
    last_two_row,
    mark_present,
    smoothed_row,
)
from vedette.query.promql.window_lines import regression_row
from vedette.query.promql.window_orders import deviation_row, extreme_row, quantile_row, time_of_extreme_row
from vedette.query.promql.window_sums import LANES, mean_row, sum_row, variance_row
from vedette.query.promql.windows import count_at_steps, drop_stale, spacing
from vedette.store.head.chunks import MAX_SAMPLES
from vedette.store.head.unpacking import BLOCK, CHAINS_TOO_SHORT, PACKED, Packed, find_chains, size_of_run


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


@kernel(
    f"int64(int64, int64[::1], int64[::1], float64[::1], {PACKED}, int64, int64, int64, int64[::1], float64[:,::1],"
    " float64[:,::1], boolean[:,::1])"
)
def fill_windows(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    function: int,
    offsets: Ints,
    times: Ints,
    values: Floats,
    packed: Packed,
    first_end_ms: int,
    step_ms: int,
    range_ms: int,
    step_times: Ints,
    parameters: Floats,
    rows: Floats,
    present: Bools,
) -> int:
    """A range function of each run's windows.

    Args:
        function: a `Window`.
        packed: samples, or `NOT_PACKED` where they are in `offsets`, `times` and `values`.
        first_end_ms: the end of the first window, offset and `@` applied.
        step_ms: how far it advances with each step; 0 where `@` pins it.
        step_times: the steps' own times, for predict_linear.
        parameters: float64[2, steps], the function's scalar arguments at each step.

    Returns:
        0, or `CHAINS_TOO_SHORT`.
    """
    steps = rows.shape[1]
    regresses = function in (_DERIV, _PREDICT)
    bounds = np.empty((2, steps), np.int64)
    lanes = np.empty((LANES, steps), np.float64)
    columns = np.empty((64, 64) if function == _QUANTILE else (0, 0))
    origins = np.empty(steps if regresses else 0)
    known, room = np.zeros(4, np.int64), np.empty(MAX_SAMPLES, np.int64)
    scratch, kept_times = np.empty((0, 0)), times[:0]
    count = rows.shape[0]
    first = 0
    while first < count:
        last = count
        largest = 0
        if offsets.size > 1:
            for r in range(count):
                largest = max(largest, offsets[r + 1] - offsets[r])
        else:
            last = min(first + BLOCK, count)
            if not find_chains(first, last - first, packed):
                return CHAINS_TOO_SHORT
            for r in range(first, last):
                largest = max(largest, size_of_run(r, packed))
            if largest > times.size:
                times, values = np.empty(2 * largest, np.int64), np.empty(2 * largest, np.float64)
                known[SIZE] = 0
        if largest > kept_times.size:
            kept_times = np.empty(2 * largest, np.int64)
            scratch = np.empty((5, 2 * largest + 8))
            known[SIZE] = 0
        slide_over(
            function,
            first,
            last,
            offsets,
            times,
            values,
            packed,
            first_end_ms,
            step_ms,
            range_ms,
            step_times,
            parameters,
            bounds,
            lanes,
            columns,
            origins,
            scratch,
            kept_times,
            known,
            room,
            rows,
            present,
        )
        first = last
    return 0


@leaf
def slide_over(  # noqa: C901, PLR0912, PLR0913, PLR0915 - one dispatch over all functions, a line or two for each
    function: int,
    first_row: int,
    last_row: int,
    offsets: Ints,
    times: Ints,
    values: Floats,
    packed: Packed,
    first_end_ms: int,
    step_ms: int,
    range_ms: int,
    step_times: Ints,
    parameters: Floats,
    bounds: Ints,
    lanes: Floats,
    columns: Floats,
    origins: Floats,
    scratch: Floats,
    kept_times: Ints,
    known: Ints,
    room: Ints,
    rows: Floats,
    present: Bools,
) -> None:
    """Some rows of `fill_windows`.

    Args:
        bounds: int64[2, steps], the windows' bounds in the known times.
        scratch: float64[5, > 2 * samples].
        origins: kept for the known times, for regressions.
    """
    bits = values.view(np.int64)
    steps = bounds.shape[1]
    lows, highs = bounds[0], bounds[1]
    table, dealt, since, kept_values, dealt_times = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    extrapolates = function in (_RATE, _INCREASE, _DELTA)
    regresses = function in (_DERIV, _PREDICT)
    seconds = float(range_ms) / 1000.0 if function == _RATE else 0.0
    least = 2 if extrapolates or regresses or function in (_IRATE, _IDELTA, _SMOOTHING) else 1
    for r in range(first_row, last_row):
        row, mask = rows[r], present[r]
        low, size, same = next_run(r, offsets, times, values, packed, known, room)
        run_times, run_values = times[low : low + size], values[low : low + size]
        if not same:
            known[PLACE], known[SIZE], known[BOUNDED] = low, size, 0
        kept = drop_stale(run_times, run_values, bits[low : low + size], kept_times, kept_values)
        if kept >= 0:
            run_times, run_values = kept_times[:kept], kept_values[:kept]
        size = run_times.size
        if size == 0:
            mask[:] = False
            continue
        fresh = kept >= 0 or known[BOUNDED] == 0
        if fresh:
            distance = spacing(run_times, size)
            count_at_steps(run_times, size, distance, first_end_ms - range_ms, step_ms, lows)
            count_at_steps(run_times, size, distance, first_end_ms, step_ms, highs)
            if extrapolates:
                extrapolation_edges(run_times, distance, lows, highs, first_end_ms, step_ms, range_ms, seconds, lanes)
            elif regresses:
                known[EVEN] = distance > 0
                # Exact: differences are far below 2**53.
                for k in range(size):
                    since[k] = float(run_times[k] - run_times[0])
                for i in range(steps):
                    begin = since[min(lows[i], size - 1)]
                    origins[i] = begin if function == _DERIV else float(step_times[i] - run_times[0])
            known[BOUNDED] = kept < 0
        mark_present(lows, highs, least, mask)
        if extrapolates:
            extrapolated_row(run_values, lows, highs, lanes, function != _DELTA, seconds, row)
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
            even = known[EVEN] > 0
            regression_row(
                since[:size],
                run_values,
                lows,
                highs,
                origins,
                even,
                fresh,
                dealt,
                dealt_times,
                table,
                lanes,
                row,
                ahead,
            )
        elif function in (_MAX, _MIN):
            extreme_row(run_values, lows, highs, function == _MAX, table, dealt, row)
        elif function == _COUNT:
            for i in range(steps):
                row[i] = float(highs[i] - lows[i])
        elif function == _PRESENT:
            row[:] = 1.0
        elif function in (_FIRST, _TIME_OF_FIRST):
            for i in range(steps):
                place = min(lows[i], size - 1)
                row[i] = run_values[place] if function == _FIRST else float(run_times[place]) / 1000.0
        elif function in (_LAST, _TIME_OF_LAST):
            for i in range(steps):
                place = max(highs[i] - 1, 0)
                row[i] = run_values[place] if function == _LAST else float(run_times[place]) / 1000.0
        elif function in (_TIME_OF_MAX, _TIME_OF_MIN):
            time_of_extreme_row(run_times, run_values, lows, highs, function == _TIME_OF_MAX, row)
        elif function in (_CHANGES, _RESETS):
            count_turns_row(run_values, lows, highs, function == _RESETS, dealt.view(np.int64), row)
        elif function == _QUANTILE:
            quantile_row(run_values, lows, highs, parameters[0], table, dealt, columns, room, row)
        elif function == _MAD:
            deviation_row(run_values, lows, highs, table, dealt, room, row)
        elif function == _SMOOTHING:
            smoothed_row(run_values, lows, highs, parameters[0], parameters[1], row)
