"""How rules fare, under the names that Prometheus gives it, so that its dashboards and alerts work."""

from __future__ import annotations

import contextlib

from prometheus_client import CollectorRegistry, Counter, Gauge, Summary


class RuleMetrics:
    """Metrics of all groups; those by group have the label `rule_group`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"prometheus_{name}", text, ["rule_group"], registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"prometheus_{name}", text, ["rule_group"], registry=registry)

        self.rule_duration = Summary(
            "prometheus_rule_evaluation_duration_seconds", "The duration for a rule to execute.", registry=registry
        )
        self.group_duration = Summary(
            "prometheus_rule_group_duration_seconds", "The duration of rule group evaluations.", registry=registry
        )
        self.missed = counter("rule_group_iterations_missed", "Evaluations missed because the ones before were slow.")
        self.scheduled = counter("rule_group_iterations", "Evaluations that were due, whether executed or missed.")
        self.evaluations = counter("rule_evaluations", "Rule evaluations.")
        self.failures = counter("rule_evaluation_failures", "Rule evaluation failures.")
        self.interval = gauge("rule_group_interval_seconds", "The interval of a rule group.")
        self.last_evaluation = gauge(
            "rule_group_last_evaluation_timestamp_seconds", "The time of the last rule group evaluation."
        )
        self.last_duration = gauge("rule_group_last_duration_seconds", "How long the last evaluation took.")
        self.last_restore = gauge(
            "rule_group_last_restore_duration_seconds", "How long it took to look up the alerts of before the start."
        )
        self.rules = gauge("rule_group_rules", "The number of rules.")
        self.samples = gauge("rule_group_last_evaluation_samples", "Samples given by the last evaluation.")

    def open_group(self, key: str, *, interval_ms: int, rules: int) -> None:
        """A group is there; all its metrics are from now on."""
        for metric in (self.missed, self.scheduled, self.evaluations, self.failures):
            metric.labels(key)
        for metric in (self.last_evaluation, self.last_duration, self.samples):
            metric.labels(key)
        self.interval.labels(key).set(interval_ms / 1000)
        self.rules.labels(key).set(rules)

    def close_group(self, key: str) -> None:
        """A group is gone."""
        for counter in (self.missed, self.scheduled, self.evaluations, self.failures):
            _remove(counter, key)
        for gauge in (self.interval, self.last_evaluation, self.last_duration, self.last_restore):
            _remove(gauge, key)
        for gauge in (self.rules, self.samples):
            _remove(gauge, key)


def _remove(metric: Counter | Gauge, key: str) -> None:
    with contextlib.suppress(KeyError):  # it never had a value
        metric.remove(key)
