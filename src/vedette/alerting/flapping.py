"""Flapping: an alert that fires and ends again and again within a short time.

An alert that changed at least `changes` times within `window` is flapping until it has stayed as it is for `quiet`.
Routes may treat a flapping alert as one that keeps firing: people hear of it once, and once more when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_MOST_CHANGES: Final = 1000


@dataclass(frozen=True, slots=True)
class FlappingRule:
    """When an alert counts as flapping.

    Attributes:
        changes: how many changes within the window; 0 for never.
        window_ms: how far back they count.
        quiet_ms: how long without a change ends it.
    """

    changes: int = 6
    window_ms: int = 3_600_000
    quiet_ms: int = 900_000


@dataclass(slots=True)
class Changes:
    """The recent changes of one alert.

    Attributes:
        times: when it changed between firing and ended, milliseconds since the epoch, rising.
        flapping: whether the changes made it flapping; it may have become quiet since.
    """

    times: list[int] = field(default_factory=list[int])
    flapping: bool = False

    def add(self, at_ms: int, rule: FlappingRule) -> None:
        """Take note of a change."""
        if self.flapping and not self.is_flapping(at_ms, rule):
            self.flapping = False
        self.times = [one for one in self.times if one > at_ms - rule.window_ms][-_MOST_CHANGES:]
        self.times.append(at_ms)
        if rule.changes and len(self.times) >= rule.changes:
            self.flapping = True

    def is_flapping(self, now_ms: int, rule: FlappingRule) -> bool:
        """Whether it is flapping at a time."""
        return self.flapping and bool(rule.changes) and now_ms < self.quiet_at_ms(rule)

    def quiet_at_ms(self, rule: FlappingRule) -> int:
        """When it stops flapping if nothing changes."""
        return self.times[-1] + rule.quiet_ms if self.times else 0

    def is_idle(self, now_ms: int, rule: FlappingRule) -> bool:
        """Whether it can be forgotten."""
        return not self.times or self.times[-1] <= now_ms - max(rule.window_ms, rule.quiet_ms)
