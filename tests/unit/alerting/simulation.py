"""A simulated world around the machine: alerts come, time passes, messages are delivered or not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from vedette.alerting import Effect, Notify, Pipeline, Plan, Record, Remind, Silence, build_plan, parse_alerting
from vedette.alerting.matchers import label_matcher
from vedette.model.alerts import Alert
from vedette.model.labels import label_set
from vedette.model.matchers import MatchOp

NOON_MS = 1_800_014_400_000
"""2027-01-15 12:00 UTC, a Friday."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
LATER = 30 * DAY

SIMPLE = """
route: {receiver: team, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
receivers:
- name: team
  webhook_configs: [{url: 'http://example.org/'}]
"""

INHIBITING = (
    SIMPLE
    + """
inhibit_rules:
- name: worse
  source_matchers: [severity="critical"]
  target_matchers: [severity="warning"]
  equal: [service]
"""
)

CALENDAR = """
route:
  receiver: team
  group_wait: 0s
  group_interval: 10m
  routes:
  - matchers: [team="night"]
    mute_time_intervals: [lunch]
  - matchers: [team="day"]
    active_time_intervals: [office, weekend]
time_intervals:
- name: lunch
  time_intervals: [{times: [{start_time: '12:00', end_time: '13:00'}]}]
- name: office
  time_intervals: [{times: [{start_time: '14:00', end_time: '17:00'}], weekdays: ['monday:friday']}]
- name: weekend
  time_intervals: [{weekdays: [saturday, sunday]}]
receivers:
- name: team
  webhook_configs: [{url: 'http://example.org/'}]
"""

FLAPPING = SIMPLE.replace(
    "route: {", "global: {flapping: {changes: 4, window: 1h, quiet: 20m}}\nroute: {hold_flapping: true, "
)

GUARDED = """
route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 5m}
receivers:
- name: team
  rate_guard: {messages: 2, per: 10m}
  webhook_configs: [{url: 'http://example.org/'}]
"""

DIGEST = """
route: {receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 5m}
receivers:
- name: team
  webhook_configs: [{url: 'http://example.org/', digest: hourly}]
"""


def plan_of(text: str) -> Plan:
    return build_plan(parse_alerting(text, file="alerting.yml"))


def alert(
    name: str = "Down", *, starts_ms: int = NOON_MS, ends_ms: int | None = None, at_ms: int | None = None, **labels: str
) -> Alert:
    end = starts_ms + LATER if ends_ms is None else ends_ms
    return Alert(label_set({"alertname": name, **labels}), (), starts_ms, end, starts_ms if at_ms is None else at_ms)


def silence(name: str, *, starts_ms: int, ends_ms: int, **more: int) -> Silence:
    return Silence((label_matcher("alertname", MatchOp.EQUAL, name),), starts_ms, ends_ms, "ann", "why", **more)


@dataclass
class World:
    """Time starts at noon. Messages are delivered at once, but for those that `deliver` answers with an error."""

    pipeline: Pipeline
    now_ms: int = NOON_MS
    deliver: Callable[[Notify], str | None] = lambda _: ""
    sent: list[Notify] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    reminders: list[Remind] = field(default_factory=list)

    @classmethod
    def of(cls, text: str = SIMPLE) -> World:
        numbers = itertools.count(1)
        return cls(Pipeline(plan_of(text), new_id=lambda: f"silence-{next(numbers)}"))

    def fire(self, name: str = "Down", **labels: str) -> None:
        self.post(alert(name, starts_ms=self.now_ms, at_ms=self.now_ms, **labels))

    def resolve(self, name: str = "Down", **labels: str) -> None:
        self.post(alert(name, starts_ms=self.now_ms, ends_ms=self.now_ms, at_ms=self.now_ms, **labels))

    def post(self, *alerts: Alert) -> None:
        self.take(self.pipeline.receive(alerts, self.now_ms))

    def pass_time(self, ms: int) -> None:
        end_ms = self.now_ms + ms
        while (wake_ms := self.pipeline.wake_at()) is not None and wake_ms <= end_ms:
            self.now_ms = max(self.now_ms, wake_ms)
            self.take(self.pipeline.advance(self.now_ms))
        self.now_ms = end_ms

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Notify():
                    self.sent.append(effect)
                    error = self.deliver(effect)
                    if error is not None:
                        self.take(self.pipeline.report(effect.id, self.now_ms, error=error))
                case Record():
                    self.records.append(effect)
                case Remind():
                    self.reminders.append(effect)

    def messages(self, receiver: str = "") -> list[tuple[int, str, list[str]]]:
        """Of each message: seconds since noon, why, and its alerts, those that ended with a `-`."""
        return [
            (
                (one.at_ms - NOON_MS) // SECOND,
                str(one.reason or one.form),
                [("" if told.firing else "-") + shown(told.alert) for told in one.alerts],
            )
            for one in self.sent
            if not receiver or one.address.receiver == receiver
        ]

    def verdicts(self, name: str) -> list[str]:
        return [
            one.verdict.name
            for one in self.records
            if any(
                held.alert.name == name and held.fingerprint == one.fingerprint
                for held in self.pipeline.holdings.alerts.values()
            )
        ]


def shown(one: Alert) -> str:
    return "/".join(value for _, value in one.labels)
