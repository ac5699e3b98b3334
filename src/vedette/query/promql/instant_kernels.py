"""The kernel of selectors: from samples to the newest one at every step, a row of an answer for each series."""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

import numpy as np

from vedette.model.kernels import kernel, leaf
from vedette.query.promql.runs import PLACE, SIZE, next_run
from vedette.query.promql.values import Bools, Floats, Ints
from vedette.query.promql.windows import count_at_steps, spacing
from vedette.store.head.chunks import MAX_SAMPLES
from vedette.store.head.unpacking import BLOCK, CHAINS_TOO_SHORT, PACKED, Packed, find_chains, size_of_run


@kernel(
    f"int64(int64[::1], int64[::1], float64[::1], {PACKED}, int64, int64, int64, boolean, float64[:,::1],"
    " boolean[:,::1])"
)
def fill_instants(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    offsets: Ints,
    times: Ints,
    values: Floats,
    packed: Packed,
    first_ms: int,
    step_ms: int,
    lookback_ms: int,
    want_times: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    rows: Floats,
    present: Bools,
) -> int:
    """The newest sample at each step, unless it is older than the lookback or a stale marker.

    Args:
        packed: samples, or `NOT_PACKED` where they are in `offsets`, `times` and `values`.
        first_ms: the time to look back from at the first step, offset and `@` applied.
        step_ms: how far it advances with each step; 0 where `@` pins it.
        want_times: fill in the samples' times in seconds instead of their values.

    Returns:
        0, or `CHAINS_TOO_SHORT`.
    """
    counts = np.empty(rows.shape[1], np.int64)
    known, room = np.zeros(4, np.int64), np.empty(MAX_SAMPLES, np.int64)
    count = rows.shape[0]
    first = 0
    while first < count:
        last = count
        if offsets.size <= 1:
            last = min(first + BLOCK, count)
            if not find_chains(first, last - first, packed):
                return CHAINS_TOO_SHORT
            largest = 0
            for r in range(first, last):
                largest = max(largest, size_of_run(r, packed))
            if largest > times.size:
                times, values = np.empty(2 * largest, np.int64), np.empty(2 * largest, np.float64)
                known[SIZE] = 0
        look_back(
            first,
            last,
            offsets,
            times,
            values,
            packed,
            first_ms,
            step_ms,
            lookback_ms,
            want_times,
            counts,
            known,
            room,
            rows,
            present,
        )
        first = last
    return 0


@leaf
def look_back(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    first_row: int,
    last_row: int,
    offsets: Ints,
    times: Ints,
    values: Floats,
    packed: Packed,
    first_ms: int,
    step_ms: int,
    lookback_ms: int,
    want_times: bool,  # noqa: FBT001 - Numba knows no keyword-only arguments
    counts: Ints,
    known: Ints,
    room: Ints,
    rows: Floats,
    present: Bools,
) -> None:
    """Some rows of `fill_instants`."""
    bits = values.view(np.int64)
    steps = counts.size
    for r in range(first_row, last_row):
        row, mask = rows[r], present[r]
        low, size, same = next_run(r, offsets, times, values, packed, known, room)
        if size == 0:
            mask[:] = False
            continue
        run = times[low : low + size]
        if not same:
            known[PLACE], known[SIZE] = low, size
            count_at_steps(run, size, spacing(run, size), first_ms, step_ms, counts)
            oldest = first_ms - lookback_ms
            for i in range(steps):
                place = counts[i] - 1
                # -1 marks that there is no sample.
                counts[i] = place if place >= 0 and run[place] > oldest + i * step_ms else -1
        run_values, run_bits = values[low : low + size], bits[low : low + size]
        for i in range(steps):
            # Unsigned, because signed places may count from the end.
            place = np.uint64(max(counts[i], 0))
            row[i] = run_values[place]
            mask[i] = (counts[i] >= 0) & (run_bits[place] != np.int64(0x7FF0000000000002))
        if want_times:
            for i in range(steps):
                row[i] = float(run[max(counts[i], 0)]) / 1000.0
