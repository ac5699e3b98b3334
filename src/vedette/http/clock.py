"""The time, as an argument: tests drive it by hand. And the time as answers say it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate


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


def http_date() -> bytes:
    """Now, for the header Date."""
    return _written(int(time.time()))


@functools.lru_cache(maxsize=1)
def _written(now_s: int) -> bytes:
    return formatdate(now_s, usegmt=True).encode()
