"""Muting by the calendar: a route's `mute_time_intervals` and `active_time_intervals`.

Source: Alertmanager's `notify/mute.go`: outside of all active intervals, or inside of any mute interval, nothing is
sent; alerts go on being grouped, and what is still firing afterwards is told then.
"""

from __future__ import annotations

from collections.abc import Mapping

from vedette.alerting.intervals import TimeInterval
from vedette.alerting.routing import Route

Intervals = Mapping[str, tuple[TimeInterval, ...]]
"""Time intervals by name."""


def contains(intervals: Intervals, name: str, at_ms: int) -> bool:
    """Whether a time is in the intervals of a name."""
    return any(one.contains(at_ms) for one in intervals[name])


def inactive_outside(route: Route, intervals: Intervals, at_ms: int) -> tuple[str, ...]:
    """The active intervals of a route if the time is in none of them; nothing if the route is active."""
    names = route.active_intervals
    return () if any(contains(intervals, name, at_ms) for name in names) else names


def muted_in(route: Route, intervals: Intervals, at_ms: int) -> tuple[str, ...]:
    """The mute intervals of a route that the time is in."""
    return tuple(name for name in route.mute_intervals if contains(intervals, name, at_ms))
