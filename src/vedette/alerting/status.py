"""How alerts and groups stand right now, as the API and the web interface show them.

Source: Alertmanager's API v2: an alert is unprocessed until its group was looked at, then active or suppressed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from vedette.alerting.holdings import Group, Held
from vedette.alerting.pipeline import Pipeline


class AlertState(StrEnum):
    """What becomes of an alert."""

    UNPROCESSED = "unprocessed"
    ACTIVE = "active"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """How an alert stands.

    Attributes:
        state: whether it is told.
        silenced_by: ids of silences in force.
        inhibited_by: fingerprints of some alerts that inhibit it.
        muted_by: time intervals that mute its groups.
        receivers: who is told of it, sorted.
        flapping: whether it fires and ends again and again.
    """

    state: AlertState
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    muted_by: tuple[str, ...]
    receivers: tuple[str, ...]
    flapping: bool


def alert_status(pipeline: Pipeline, held: Held, now_ms: int) -> AlertStatus:
    """How an alert stands."""
    groups = list(groups_of(pipeline, held))
    silenced = pipeline.silenced(held, now_ms)
    inhibited = pipeline.inhibited(held, now_ms)
    muted = tuple(dict.fromkeys(name for group in groups for name in group.muted_by))
    if silenced or inhibited or muted:
        state = AlertState.SUPPRESSED
    elif any(group.flushed for group in groups):
        state = AlertState.ACTIVE
    else:
        state = AlertState.UNPROCESSED
    receivers = tuple(sorted({route.receiver for route, _ in held.routes}))
    return AlertStatus(state, silenced, inhibited, muted, receivers, pipeline.is_flapping(held, now_ms))


def groups_of(pipeline: Pipeline, held: Held) -> Iterator[Group]:
    """The groups that an alert is in."""
    for _, group_id in held.routes:
        group = pipeline.holdings.groups.get(group_id)
        if group is not None and held.fingerprint in group.alerts:
            yield group


def sorted_groups(pipeline: Pipeline) -> list[Group]:
    """All groups, by their labels and receivers."""
    return sorted(
        pipeline.holdings.groups.values(), key=lambda one: (one.id.labels, one.route.receiver, one.id.route_id)
    )
