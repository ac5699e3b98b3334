"""A configuration ready for use: routes with what they inherit, compiled rules, intervals, integrations."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vedette.alerting.cron import Cron
from vedette.alerting.flapping import FlappingRule
from vedette.alerting.inhibition import InhibitRule, build_inhibit_rules
from vedette.alerting.intervals import TimeInterval
from vedette.alerting.notification_log import Address
from vedette.alerting.rate_guard import GuardRule
from vedette.alerting.routing import Route, build_routes
from vedette.alerting.settings.file import AlertingConfig


@dataclass(frozen=True, slots=True)
class IntegrationPlan:
    """A way to tell somebody, as far as deciding goes.

    Attributes:
        address: whose it is.
        send_resolved: tell when alerts have ended, too.
        delivered: whether Vedette can send to it.
        digest: when one message tells everything; None for a message at once.
    """

    address: Address
    send_resolved: bool = True
    delivered: bool = True
    digest: Cron | None = None


@dataclass(frozen=True, slots=True)
class ReceiverPlan:
    """Who is told.

    Attributes:
        name: as routes call it.
        integrations: in which ways.
        guard: limit on messages to each of them; None for none.
        labels: what is said of it, to find it by; its name among them.
    """

    name: str
    integrations: tuple[IntegrationPlan, ...] = ()
    guard: GuardRule | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What the machine goes by.

    Attributes:
        root: the routing tree.
        receivers: by name.
        inhibit_rules: in the order of the file.
        intervals: time intervals by name.
        resolve_timeout_ms: how long an alert without an end counts.
        flapping: when an alert counts as flapping.
    """

    root: Route
    receivers: Mapping[str, ReceiverPlan]
    inhibit_rules: tuple[InhibitRule, ...] = ()
    intervals: Mapping[str, tuple[TimeInterval, ...]] = field(default_factory=dict[str, tuple[TimeInterval, ...]])
    resolve_timeout_ms: int = 300_000
    flapping: FlappingRule = FlappingRule()


def build_plan(config: AlertingConfig) -> Plan:
    """A configuration ready for use."""
    receivers: dict[str, ReceiverPlan] = {}
    for receiver in config.receivers:
        integrations = tuple(
            IntegrationPlan(
                Address(receiver.name, entry.kind, entry.number),
                send_resolved=entry.settings.send_resolved,
                delivered=entry.settings.delivered,
                digest=entry.settings.digest.cron() if entry.settings.digest is not None else None,
            )
            for entry in receiver.entries()
        )
        limit = receiver.rate_guard
        guard = GuardRule(limit.messages, limit.per.ms) if limit is not None else None
        receivers[receiver.name] = ReceiverPlan(receiver.name, integrations, guard, dict(receiver.labels))
    flapping = config.shared.flapping
    return Plan(
        root=build_routes(config.route),
        receivers=receivers,
        inhibit_rules=build_inhibit_rules(config.file.inhibit_rules),
        intervals={
            name: tuple(one.interval() for one in named.time_intervals) for name, named in config.intervals.items()
        },
        resolve_timeout_ms=config.shared.resolve_timeout.ms,
        flapping=FlappingRule(flapping.changes, flapping.window.ms, flapping.quiet.ms),
    )
