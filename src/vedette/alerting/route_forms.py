"""Routes and an alert's way through them as plain data, for JSON."""

from __future__ import annotations

from typing import Any

from vedette.alerting.matchers import format_matchers
from vedette.alerting.routing import Route, Step


def tree_fields(root: Route) -> list[dict[str, Any]]:
    """A node and all below it, each with its depth, in the order of the file."""
    shown: list[dict[str, Any]] = []

    def walk(route: Route, depth: int) -> None:
        shown.append(route_fields(route, depth))
        for child in route.routes:
            walk(child, depth + 1)

    walk(root, 0)
    return shown


def step_fields(step: Step) -> dict[str, Any]:
    """A node that an alert came by."""
    return {
        **route_fields(step.route, step.depth),
        "matched": step.matched,
        "refusedBy": None if step.refused_by is None else str(step.refused_by),
        "taken": step.taken,
    }


def route_fields(route: Route, depth: int) -> dict[str, Any]:
    """A node."""
    return {
        "depth": depth,
        "id": route.id,
        "receiver": route.receiver,
        "matchers": format_matchers(route.matchers),
        "continue": route.goes_on,
        "groupBy": ["..."] if route.group_by_all else list(route.group_by),
        "groupWaitSeconds": route.group_wait_ms / 1000,
        "groupIntervalSeconds": route.group_interval_ms / 1000,
        "repeatIntervalSeconds": route.repeat_interval_ms / 1000,
        "muteTimeIntervals": list(route.mute_intervals),
        "activeTimeIntervals": list(route.active_intervals),
    }
