"""Pauses between attempts: exponential, with jitter, as Alertmanager makes them."""

from __future__ import annotations

from typing import Final

_GROWTH: Final = 1.5
_SPREAD: Final = 0.5


def pause_s(failures: int, chance: float, *, min_s: float, max_s: float) -> float:
    """Seconds to wait after so many failures in a row.

    Args:
        failures: at least 1.
        chance: in [0, 1): spreads pauses over half of their length to both sides.
        min_s: the first pause, before it is spread.
        max_s: the longest one, likewise.
    """
    # 1.5 ** 200 is beyond any longest pause, and far below what a float holds.
    plain = min(max_s, min_s * _GROWTH ** min(failures - 1, 200))
    return plain * (1 - _SPREAD + 2 * _SPREAD * chance)
