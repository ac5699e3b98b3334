"""The ticks of a plot's axes: round numbers in the unit of the values, and round local times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vedette.cli.units import Scale, Unit, scale_for

_DECIMAL: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_BINARY: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
_TIME_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 91 * 86_400, 365 * 86_400,
)  # fmt: skip
_DAY_S: Final = 86_400
_ALMOST_NOTHING: Final = 1e-280
"""Below it a step between two ticks is no number any more."""


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The axis of values.

    Attributes:
        low: its lower end.
        high: its upper end; above `low`.
        ticks: values with a label, rising.
        scale: how they are written.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    scale: Scale


def value_axis(low: float, high: float, unit: Unit | None, most: int) -> ValueAxis:
    """An axis on which all values from `low` to `high` have their place, with up to `most` ticks.

    It begins at zero unless the values are far from it: a line near the top says that little changes.
    """
    if low >= 0 and low <= high * 0.6:
        low = 0.0
    elif high <= 0 and high >= low * 0.6:
        high = 0.0
    largest = max(abs(low), abs(high))
    if largest < _ALMOST_NOTHING:
        low, high = 0.0, 1.0
    elif high - low <= largest * 1e-9:
        low, high = min(low, 0.0), max(high, 0.0)
    step = _round_step((high - low) / max(1, most - 1), unit)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(number * step for number in range(first, last + 1))
    return ValueAxis(ticks[0], ticks[-1], ticks, scale_for(unit, max(abs(ticks[0]), abs(ticks[-1])), step))


def time_ticks(
    start_s: float, end_s: float, most: int, local: Callable[[float], datetime]
) -> Sequence[tuple[float, str]]:
    """Up to `most` round times between two, with their labels."""
    span_s = end_s - start_s
    step_s = next((step for step in _TIME_STEPS_S if span_s / step <= max(most, 1)), _TIME_STEPS_S[-1])
    first = local(start_s)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if step_s >= _DAY_S:
        # Counted in days, so that midnights stay midnights when clocks change.
        days = step_s // _DAY_S
        moments = (_again_local(midnight + timedelta(days=days * number), local) for number in range(most + 2))
    else:
        moments = (midnight.timestamp() + step_s * number for number in range(int(_DAY_S + span_s) // step_s + 2))
    return [(moment, _label(local(moment), step_s)) for moment in moments if start_s <= moment <= end_s]


def _again_local(moment: datetime, local: Callable[[float], datetime]) -> float:
    """The same hour of the clock, by the rules of that day."""
    drift = moment.replace(tzinfo=None) - local(moment.timestamp()).replace(tzinfo=None)
    return (moment + drift).timestamp()


def _label(moment: datetime, step_s: int) -> str:
    if step_s >= 28 * _DAY_S:
        return f"{moment:%b %Y}"
    if step_s >= _DAY_S or (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M:%S}" if step_s < 60 else f"{moment:%H:%M}"


def _round_step(step: float, unit: Unit | None) -> float:
    """The next round number, in multiples that suit the unit."""
    base = unit.base if unit is not None else ""
    if base == "bytes" and step >= 1:
        power = 1024.0 ** math.floor(math.log2(step) / 10 + 1e-9)
        return next(power * m for m in _BINARY if power * m >= step * (1 - 1e-9))
    if base == "seconds" and step >= 10:
        for rounded in _TIME_STEPS_S:
            if rounded >= step:
                return float(rounded)
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * m for m in _DECIMAL if power * m >= step * (1 - 1e-9))
