"""How kernels get the samples of one series after the other: as runs, or unpacked from memory.

In runs, each series' samples lie behind each other. Packed, they lie in memory (`Packed`): each series is unpacked
into a scratch that stays in the core's nearest cache, and used there. Either way a kernel is told when a series was
sampled at the same times as the one before it, which is so for all series of one scrape.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vedette.model.kernels import leaf
from vedette.query.promql.values import Floats, Ints
from vedette.query.promql.windows import same_times
from vedette.store.head.unpacking import Packed, no_packed, unpack_run

# What is known of the times of the series before.
PLACE: Final = 0  # where they begin
SIZE: Final = 1  # how many there are; 0 if none are known
BOUNDED: Final = 2  # whether the windows' bounds are those of these times
EVEN: Final = 3  # whether they are evenly spaced

NOT_PACKED: Final[Packed] = no_packed()
"""In place of packed samples, where there are runs."""

NO_RUNS: Final = (np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))
"""In place of runs (offsets, times, values), where samples are packed."""


@leaf
def next_run(
    r: int, offsets: Ints, times: Ints, values: Floats, packed: Packed, known: Ints, room: Ints
) -> tuple[int, int, bool]:
    """Find or unpack series `r`.

    Returns:
        Where it begins in `times` and `values`, how many samples it has, and whether its times are those known.
    """
    if offsets.size > 1:
        low, size = offsets[r], offsets[r + 1] - offsets[r]
        place = known[PLACE]
        same = same_times(times[low : low + size], size, times[place : place + known[SIZE]], known[SIZE])
        return low, size, same
    size, same = unpack_run(r, packed, times, values, known[SIZE], room)
    if not same:
        # They have been overwritten.
        known[SIZE] = 0
    return 0, size, same
