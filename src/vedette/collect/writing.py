"""Samples that Vedette itself makes of a source: `up` and its companions, and stale markers."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.ingest.limits import Drop
from vedette.ingest.writer import MetricsWriter
from vedette.model.errors import OverloadedError
from vedette.model.samples import STALE

PATIENCE_MS: Final = 750
"""How long collected samples may wait to be committed. With the time that writing takes it stays below a second: what
is older than that outlives a crash."""

TOLERANCE_MS: Final = 10
"""A round that starts so little late gets the time it was due: evenly spaced times take no room."""

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]


def write_now(writer: MetricsWriter, source: str, slots: Int64s, values: Float64s, now_ms: int) -> bool:
    """Store samples of one time, or book them as lost; says which. Series without a slot are left out."""
    known = slots >= 0
    slots, values = slots[known], values[known]
    if not len(slots):
        return True
    try:
        writer.take(source, slots, np.full(len(slots), now_ms, np.int64), values, patience_ms=PATIENCE_MS)
    except OverloadedError as exc:
        writer.refuse(source, Drop.OVERLOADED, len(slots), str(exc))
        return False
    return True


def mark_stale(writer: MetricsWriter, source: str, slots: Int64s, now_ms: int) -> bool:
    """End series; as `write_now`."""
    return write_now(writer, source, slots, np.full(len(slots), STALE), now_ms)


def reached_tick_ms(due_ms: int, now_ms: int, interval_ms: int) -> int:
    """The tick that a round stands for which was due and began now: another one if the clock has jumped meanwhile."""
    moved_ms = now_ms - due_ms
    return due_ms if abs(moved_ms) < interval_ms else due_ms + moved_ms // interval_ms * interval_ms


def round_time_ms(due_ms: int, now_ms: int, interval_ms: int) -> int:
    """The time that the samples of a round get: when it was due, unless it is late or the clock has jumped."""
    return due_ms if abs(now_ms - due_ms) <= min(TOLERANCE_MS, interval_ms // 100) else now_ms
