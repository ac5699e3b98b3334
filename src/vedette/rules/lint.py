"""Hints about rules that are valid and probably not what was meant.

`find_hints` sees what the rules themselves show; with what a server knows (`KnownMetrics`) also metrics that nobody
exposes, and types of metrics instead of guesses by their names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from vedette.lang.promql import format_matcher, selectors, value_type, walk
from vedette.lang.promql.ast import Call, Expr, MatrixSelector, Paren, ValueType, VectorSelector
from vedette.model.errors import Location
from vedette.model.labels import METRIC_NAME
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import MetricType
from vedette.rules.alerting import ALERTS, FOR_STATE
from vedette.rules.definitions import AlertingRule, Pairs, RecordingRule, Rule, RuleFile

_OF_COUNTERS: Final = frozenset({"rate", "irate", "increase", "resets"})
_OF_GAUGES: Final = frozenset({"delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"})
_COUNTER_ENDS: Final = ("_total", "_bucket")
_GAUGE_ENDS: Final = (
    "_ratio",
    "_percent",
    "_percentage",
    "_celsius",
    "_temperature",
    "_timestamp_seconds",
    "_free_bytes",
    "_avail_bytes",
    "_available_bytes",
    "_used_bytes",
    "_usage_bytes",
    "_size_bytes",
    "_limit_bytes",
    "_info",
    "_up",
)
_PARTS_OF_HISTOGRAMS: Final = ("_bucket", "_count", "_sum")
_SPECIAL: Final = re.compile(r"[.*+?()\[\]{}|^$\\]")


class HintKind(StrEnum):
    """What a hint is about, by the word that selects it."""

    DUPLICATE_RULES = "duplicate-rules"
    COUNTER_OR_GAUGE = "counter-or-gauge"
    MISSING_FOR = "missing-for"
    MISSING_SEVERITY = "missing-severity"
    MISSING_RUNBOOK = "missing-runbook"
    NEEDLESS_REGEX = "needless-regex"
    RESULT_TYPE = "result-type"
    UNKNOWN_METRIC = "unknown-metric"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something to think about.

    Attributes:
        at: the rule.
        text: what, and of which rule.
        remedy: what to do.
    """

    kind: HintKind
    at: Location
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class KnownMetrics:
    """What a server knows.

    Attributes:
        names: of all metrics that have series.
        types: of metric families, as far as they are known.
    """

    names: frozenset[str]
    types: Mapping[str, MetricType] = field(default_factory=dict[str, MetricType])

    def type_of(self, metric: str) -> MetricType | None:
        """The type of a metric, or of the family that it is a part of."""
        for family in (metric, metric.removesuffix("_total"), *map(metric.removesuffix, _PARTS_OF_HISTOGRAMS)):
            if family in self.types:
                return self.types[family]
        return None


def find_hints(files: Sequence[RuleFile], known: KnownMetrics | None = None) -> list[Hint]:
    """All hints about some files that are used together, in their order."""
    recorded = frozenset(
        rule.name for file in files for group in file.groups for rule in group.rules if isinstance(rule, RecordingRule)
    )
    hints: list[Hint] = []
    for file in files:
        rules = [rule for group in file.groups for rule in group.rules]
        found = [*_duplicates(rules), *(hint for rule in rules for hint in _about(rule, known, recorded))]
        hints.extend(sorted(found, key=lambda hint: (hint.at.line, hint.at.column)))
    return hints


def _duplicates(rules: Sequence[Rule]) -> Iterator[Hint]:
    """Rules of a file that give the same series, or the same alerts."""
    first: dict[tuple[str, Pairs], Rule] = {}
    times = Counter((rule.name, rule.labels) for rule in rules)
    for rule in rules:
        before = first.setdefault((rule.name, rule.labels), rule)
        if before is not rule:
            what = "alerts" if isinstance(rule, AlertingRule) else "records under"
            text = f"`{rule.name}` {what} the same labels {times[rule.name, rule.labels]} times"
            remedy = f"Tell it from the one in line {before.at.line} by a label, or remove it."
            yield Hint(HintKind.DUPLICATE_RULES, rule.at, text, remedy)


def _about(rule: Rule, known: KnownMetrics | None, recorded: frozenset[str]) -> Iterator[Hint]:
    def hint(kind: HintKind, text: str, remedy: str) -> Hint:
        return Hint(kind, rule.at, f"`{rule.name}`: {text}", remedy)

    if value_type(rule.expr) not in (ValueType.VECTOR, ValueType.SCALAR):
        text = "the expression is no instant vector, and every evaluation will fail"
        yield hint(HintKind.RESULT_TYPE, text, "Aggregate the range, for example by `max_over_time(...)`.")
    yield from _counters_and_gauges(rule.expr, hint, known)
    yield from _regexes(rule.expr, hint)
    if known is not None:
        yield from _unknown(rule.expr, hint, known.names | recorded)
    if isinstance(rule, AlertingRule):
        yield from _alert(rule, hint)


_Make = Callable[[HintKind, str, str], Hint]


def _alert(rule: AlertingRule, hint: _Make) -> Iterator[Hint]:
    # An alert on nothing stored is meant to fire always.
    if not rule.says_hold and any(True for _ in selectors(rule.expr)):
        text = "there is no `for`: a single evaluation makes it fire"
        yield hint(HintKind.MISSING_FOR, text, "Add `for: 5m`, or `for: 0s` if that is meant.")
    if "severity" not in dict(rule.labels):
        yield hint(HintKind.MISSING_SEVERITY, "there is no label `severity`", "Routes usually go by it: add one.")
    if "runbook_url" not in dict(rule.annotations):
        text = "there is no annotation `runbook_url`"
        yield hint(HintKind.MISSING_RUNBOOK, text, "Say where it is written what to do.")


def _counters_and_gauges(expr: Expr, hint: _Make, known: KnownMetrics | None) -> Iterator[Hint]:
    for node in walk(expr):
        if not isinstance(node, Call) or node.function not in _OF_COUNTERS | _OF_GAUGES:
            continue
        for argument in node.args:
            metric = _range_of(argument)
            if not metric:
                continue
            sort, sure = _sort_of(metric, known)
            said = "is" if sure else "is by its name"
            if sort is MetricType.GAUGE and node.function in _OF_COUNTERS:
                text = f"{node.function}() is for counters, and `{metric}` {said} a gauge"
                yield hint(HintKind.COUNTER_OR_GAUGE, text, "Use delta(), deriv() or avg_over_time().")
            elif sort is MetricType.COUNTER and node.function in _OF_GAUGES:
                text = f"{node.function}() is for gauges, and `{metric}` {said} a counter"
                yield hint(HintKind.COUNTER_OR_GAUGE, text, "Use increase() or rate().")


def _range_of(expr: Expr) -> str:
    while isinstance(expr, Paren):
        expr = expr.expr
    return _metric(expr.selector) if isinstance(expr, MatrixSelector) else ""


def _sort_of(metric: str, known: KnownMetrics | None) -> tuple[MetricType | None, bool]:
    """Counter or gauge, and whether that is more than a guess."""
    told = known.type_of(metric) if known is not None else None
    if told is MetricType.HISTOGRAM or (told is MetricType.SUMMARY and metric.endswith(_PARTS_OF_HISTOGRAMS)):
        return MetricType.COUNTER, True
    if told in (MetricType.COUNTER, MetricType.GAUGE):
        return told, True
    if told is None and ":" not in metric:
        if metric.endswith(_COUNTER_ENDS):
            return MetricType.COUNTER, False
        if metric == "up" or metric.endswith(_GAUGE_ENDS):
            return MetricType.GAUGE, False
    return None, False


def _regexes(expr: Expr, hint: _Make) -> Iterator[Hint]:
    seen: set[Matcher] = set()
    for selector in selectors(expr):
        for matcher in selector.matchers:
            if matcher in seen or matcher.op not in (MatchOp.REGEX, MatchOp.NOT_REGEX):
                continue
            seen.add(matcher)
            if not _SPECIAL.search(matcher.value):
                exact = MatchOp.EQUAL if matcher.op is MatchOp.REGEX else MatchOp.NOT_EQUAL
                text = f"the regular expression in {format_matcher(matcher)} matches one value only"
                better = format_matcher(Matcher(matcher.name, exact, matcher.value))
                yield hint(HintKind.NEEDLESS_REGEX, text, f"Write {better}.")


def _unknown(expr: Expr, hint: _Make, names: frozenset[str]) -> Iterator[Hint]:
    asked = dict.fromkeys(_metric(selector) for selector in selectors(expr))
    for metric in asked:
        if metric and metric not in names and metric not in (ALERTS, FOR_STATE):
            text = f"no target exposes `{metric}`, and no rule records it"
            yield hint(HintKind.UNKNOWN_METRIC, text, "Check its spelling, or scrape what exposes it.")


def _metric(selector: VectorSelector) -> str:
    for matcher in selector.matchers:
        if matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL:
            return matcher.value
    return ""
