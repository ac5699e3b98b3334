"""The time, as an argument: tests drive it by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks and a way to wait.

    Attributes:
        now_ms: milliseconds since the epoch, for what is stored; it may jump.
        monotonic_s: seconds that only rise, for delays.
        sleep: wait for so many seconds.
    """

    now_ms: Callable[[], int] = _wall_ms
    monotonic_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def next_tick(now_ms: int, interval_ms: int, offset_ms: int, last_ms: int | None) -> int:
    """When the next round of something regular is due: at `offset_ms` behind a multiple of the interval.

    Args:
        now_ms: the time.
        interval_ms: how often.
        offset_ms: where in the interval; less than it.
        last_ms: the last round's tick; None before the first. Missed rounds are not made up for, and a clock that
            was set back by more than a round starts anew.

    Returns:
        Milliseconds since the epoch, after `now_ms` or just at it.
    """
    due = (now_ms - offset_ms + interval_ms - 1) // interval_ms * interval_ms + offset_ms
    if last_ms is not None and due <= last_ms < due + interval_ms:
        return last_ms + interval_ms
    return due
