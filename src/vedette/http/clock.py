"""The time, as an argument: tests drive it by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks.

    Attributes:
        now_ms: milliseconds since the epoch, for what is stored; it may jump.
        monotonic_s: seconds that only rise, for delays.
    """

    now_ms: Callable[[], int] = _wall_ms
    monotonic_s: Callable[[], float] = time.monotonic
