"""A rule group at work: its rules' state, how they fared, and what a new version of the group takes over.

A rule keeps its state through a reload while its group, name, labels and expression stay; of equal rules the first
takes over from the first. What the others had been writing ends with the next evaluation.

Source: Prometheus' `rules/group.go` (`CopyState`), where the expression may change too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from vedette.model.alerts import Alert
from vedette.model.errors import OverloadedError
from vedette.model.labels import LabelSet
from vedette.query.promql import InstantValue
from vedette.rules.alerting import Alerting
from vedette.rules.definitions import AlertingRule, RecordingRule, Rule, RuleGroup
from vedette.rules.expansion import Surroundings, Templates
from vedette.rules.outcome import Samples
from vedette.rules.recording import Recording
from vedette.rules.state import AlertState
from vedette.rules.writing import SampleWriter, SeriesWriter, end_series


class Health(StrEnum):
    """How a rule's last evaluation went."""

    UNKNOWN = "unknown"
    OK = "ok"
    ERROR = "err"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDefaults:
    """What holds for groups that do not say otherwise.

    Attributes:
        interval_ms: `evaluation_interval`.
        query_offset_ms: `rule_query_offset`.
        resend_delay_ms: how often a firing alert is sent again.
    """

    interval_ms: int = 60_000
    query_offset_ms: int = 0
    resend_delay_ms: int = 60_000


@dataclass(slots=True, eq=False)
class RuleAtWork:
    """One rule with its state.

    Attributes:
        machine: what it has found.
        writer: what it has stored.
        health: how the last evaluation went.
        error: what went wrong with it; empty if nothing did.
        evaluated_ms: when it began; None before the first.
        duration_s: how long it took.
    """

    machine: Recording | Alerting
    writer: SeriesWriter
    health: Health = Health.UNKNOWN
    error: str = ""
    evaluated_ms: int | None = None
    duration_s: float = 0.0

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.machine.rule

    @property
    def state(self) -> AlertState | None:
        """The most pressing state of an alerting rule's alerts; None where it has not been evaluated, or records."""
        if isinstance(self.machine, Recording) or self.evaluated_ms is None:
            return None
        return self.machine.state

    def fail(self, error: str) -> None:
        """Note that the last evaluation failed."""
        self.health, self.error = Health.ERROR, error


@dataclass(slots=True, eq=False)
class GroupAtWork:
    """A group with the state of its rules.

    Attributes:
        group: the group.
        defaults: what the group does not say.
        around: what templates can ask, and where people reach this server.
        rules: in order.
        evaluated_ms: when the last evaluation began; None before the first.
        duration_s: how long it took.
    """

    group: RuleGroup
    defaults: GroupDefaults
    around: Surroundings
    rules: list[RuleAtWork]
    _writer: SampleWriter
    evaluated_ms: int | None = None
    duration_s: float = 0.0
    _orphans: list[LabelSet] = field(default_factory=list[LabelSet])

    @property
    def interval_ms(self) -> int:
        """How often it is evaluated."""
        return self.group.interval_ms or self.defaults.interval_ms

    @property
    def offset_ms(self) -> int:
        """How far in the past it is evaluated."""
        own = self.group.query_offset_ms
        return self.defaults.query_offset_ms if own is None else own

    def is_of(self, group: RuleGroup, defaults: GroupDefaults, around: Surroundings) -> bool:
        """Whether opening a group anew with these would make the same."""
        return (self.group, self.defaults, self.around) == (group, defaults, around)

    def move(self, group: RuleGroup) -> None:
        """Note where an equal group is written now."""
        self.group = group
        for work, rule in zip(self.rules, group.rules, strict=True):
            if isinstance(rule, AlertingRule):
                if isinstance(work.machine, Alerting):
                    work.machine.rule = rule
            elif isinstance(work.machine, Recording):
                work.machine.rule = rule

    def alerting(self) -> Iterator[Alerting]:
        """Its alerting rules."""
        return (rule.machine for rule in self.rules if isinstance(rule.machine, Alerting))

    def apply(self, rule: RuleAtWork, value: InstantValue, *, at_ms: int) -> Evaluated:
        """Take the answer to a rule's expression; nothing is stored yet.

        Raises:
            RuleError: the answer cannot be used.
        """
        machine, limit = rule.machine, self.group.limit
        if isinstance(machine, Recording):
            return Evaluated(machine.step(value, limit=limit), [])
        samples = machine.step(value, at_ms=at_ms, limit=limit)
        due = machine.send(
            at_ms=at_ms,
            resend_delay_ms=self.defaults.resend_delay_ms,
            interval_ms=self.interval_ms,
            external_url=self.around.external_url,
        )
        return Evaluated(samples, due)

    def store(self, rule: RuleAtWork, evaluated: Evaluated, *, at_ms: int) -> str:
        """Store what a rule gave; returns a sentence about what was not taken, if any.

        Raises:
            OverloadedError: nothing was stored.
        """
        problem, ended = rule.writer.write(evaluated.samples, at_ms - self.offset_ms)
        rule.machine.forget(ended)
        return problem

    def finish(self, *, at_ms: int) -> None:
        """After all rules: end what former rules had been writing, unless one of these writes it now."""
        if self._orphans:
            alive = {labels for rule in self.rules for labels in rule.writer.alive()}
            orphans = [labels for labels in self._orphans if labels not in alive]
            try:
                end_series(self._writer, orphans, at_ms - self.offset_ms)
            except OverloadedError:
                return  # with the next evaluation
            self._orphans = []

    def alive(self) -> list[LabelSet]:
        """All series that it writes, or still has to end."""
        return [*(labels for rule in self.rules for labels in rule.writer.alive()), *self._orphans]

    def take_over(self, former: GroupAtWork, templates: Templates) -> None:
        """Go on where a former version of the group ended."""
        self.evaluated_ms, self.duration_s = former.evaluated_ms, former.duration_s
        waiting: dict[object, list[RuleAtWork]] = defaultdict(list)
        for rule in reversed(former.rules):
            waiting[_identity(rule.rule)].append(rule)
        for number, rule in enumerate(self.rules):
            same = waiting[_identity(rule.rule)]
            if not same:
                continue
            taken = self.rules[number] = same.pop()
            if isinstance(taken.machine, Alerting) and isinstance(rule.rule, AlertingRule):
                taken.machine.revise(rule.rule, templates, self.around)
            elif isinstance(taken.machine, Recording) and isinstance(rule.rule, RecordingRule):
                taken.machine.rule = rule.rule
        left = (rule for rules in waiting.values() for rule in rules)
        self._orphans = [*former._orphans, *(labels for rule in left for labels in rule.writer.alive())]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What a rule's answer came to.

    Attributes:
        samples: to be stored.
        due: alerts to be sent.
    """

    samples: Samples
    due: list[Alert]


def open_group(
    group: RuleGroup,
    defaults: GroupDefaults,
    writer: SampleWriter,
    *,
    templates: Templates,
    around: Surroundings,
    restored: bool,
) -> GroupAtWork:
    """A group that has not been evaluated yet."""
    rules: list[RuleAtWork] = []
    for rule in group.rules:
        if isinstance(rule, AlertingRule):
            machine = Alerting(rule, templates, around, restored=restored)
        else:
            machine = Recording(rule)
        rules.append(RuleAtWork(machine, SeriesWriter(writer)))
    return GroupAtWork(group, defaults, around, rules, writer)


def _identity(rule: Rule) -> object:
    return type(rule), rule.name, rule.labels, rule.query
