"""Rules as they are written: what is evaluated, under which name, and what becomes of the answer.

A group's rules are evaluated in order at one time, so that a later rule sees what an earlier one has recorded. Rules
are plain values: what they have found so far is in `alerting` and `recording`.

Source: Prometheus' `model/rulefmt` and https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from vedette.config import ConfigWarning
from vedette.lang.promql.ast import Expr
from vedette.model.errors import Location

ALERT_NAME: Final = "alertname"

Pairs = tuple[tuple[str, str], ...]
"""Names with texts, sorted by name. Unlike in a label set a text may be empty: that label is removed."""

_NOWHERE: Final = Location("")


class RuleType(StrEnum):
    """The signal that a group's expressions ask, by the word in `type`."""

    METRICS = "metrics"
    LOGS = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """An expression whose answer is stored as series of their own.

    Attributes:
        name: the metric's name.
        expr: what is evaluated.
        query: the same as canonical text, for people and links.
        labels: set on every series; those of the group included. A label with an empty text is removed.
        at: where it is written.
    """

    name: str
    expr: Expr
    query: str
    labels: Pairs = ()
    at: Location = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingRule:
    """An expression each of whose series is something wrong.

    Attributes:
        name: label `alertname` of its alerts.
        expr: what is evaluated.
        query: the same as canonical text, for people and links.
        hold_ms: `for`: how long a series must be there until its alert fires.
        keep_firing_ms: `keep_firing_for`: how long an alert fires on after its series has gone.
        labels: templates, set on every alert; those of the group included.
        annotations: templates of what people are told.
        says_hold: whether `for` is written, be it 0.
        at: where it is written.
    """

    name: str
    expr: Expr
    query: str
    hold_ms: int = 0
    keep_firing_ms: int = 0
    labels: Pairs = ()
    annotations: Pairs = ()
    says_hold: bool = field(default=False, compare=False)
    at: Location = field(default=_NOWHERE, compare=False)


Rule = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated one after the other, again and again.

    Attributes:
        file: where it is written; with the name it identifies the group.
        name: unique in its file.
        rules: in order of evaluation.
        interval_ms: how often; None for the global `evaluation_interval`.
        query_offset_ms: how far in the past is evaluated, so that late samples are there; None for the global
            `rule_query_offset`.
        limit: the most alerts of an alerting rule, or series of a recording rule; a rule with more fails. 0 for any.
        labels: set by all its rules unless they set them too; a part of their `labels` already.
        at: where it is written.
    """

    file: str
    name: str
    rules: tuple[Rule, ...]
    interval_ms: int | None = None
    query_offset_ms: int | None = None
    limit: int = 0
    labels: Pairs = ()
    at: Location = field(default=_NOWHERE, compare=False)

    @property
    def key(self) -> str:
        """Its identity, as in the label `rule_group` of Prometheus' metrics."""
        return f"{self.file};{self.name}"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The content of a rule file.

    Attributes:
        file: its path.
        groups: in order.
        warnings: what is allowed and probably not meant.
    """

    file: str
    groups: tuple[RuleGroup, ...]
    warnings: tuple[ConfigWarning, ...] = ()
