"""Run the tests of a file: time passes, all groups are evaluated, and what is there is compared with what is expected.

Time starts at 0 and goes on by `evaluation_interval`; of what was put in only the samples up to that time can be seen.
What an expression gives is looked at after the last evaluation, as in promtool, and so with the samples up to then.

Source: promtool's `unittest.go`, whose sentences are kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vedette.lang.promql import describe_error, parse, selectors, walk
from vedette.lang.promql.ast import Call, Expr
from vedette.lang.promql.parser import parse_metric
from vedette.lang.promql.series_notation import parse_series
from vedette.model.alerts import Alert
from vedette.model.durations import format_duration
from vedette.model.errors import ConfigErrors, QueryError, VedetteError
from vedette.model.labels import LabelSet
from vedette.query.promql import EvalOptions, InstantValue, Scalar, evaluate_instant
from vedette.rules.definitions import ALERT_NAME, Pairs, RuleGroup
from vedette.rules.expansion import NoTemplates, Surroundings, Templates
from vedette.rules.files import load_rules, read_bytes
from vedette.rules.group import GroupAtWork, GroupDefaults, RuleAtWork, open_group
from vedette.rules.outcome import as_vector
from vedette.rules.state import AlertState
from vedette.rules.unit_tests.files import (
    DEFAULT_INTERVAL,
    AlertTest,
    ExpectedSample,
    ExpressionTest,
    TestGroup,
    UnitTestFile,
    parse_unit_tests,
)
from vedette.rules.unit_tests.store import UnitTestStore
from vedette.rules.unit_tests.wording import (
    ShownAlert,
    ShownSample,
    alerts_text,
    go_duration,
    indented,
    quoted,
    samples_text,
)

HISTOGRAMS: Final = "native histograms cannot be compared yet"

_MOST_ROUNDS: Final = 1_000_000
"""Evaluations in one test; years of minutes."""

Observer = Callable[[str, int, Sequence[Alert]], None]
"""Is told of the alerts that become due to be sent: the test's name, when (milliseconds from its start), and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run tests.

    Attributes:
        templates: the language of labels and annotations.
        only: a pattern that the names of the tests to be run contain; None for all.
        ignore_unknown: whether rule files may have keys that are not known.
        observe: is told of alerts that would be sent; for expectations about notifications.
    """

    templates: Templates = field(default_factory=NoTemplates)
    only: re.Pattern[str] | None = None
    ignore_unknown: bool = False
    observe: Observer | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One test.

    Attributes:
        name: its name, or its number where it has none.
        failures: what was not as expected; empty if all was.
    """

    name: str
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileResult:
    """One test file.

    Attributes:
        file: its path.
        cases: its tests, as far as they were run.
        problems: why it could not be run; empty if it was.
        warnings: what does not keep it from being run.
    """

    file: str
    cases: tuple[CaseResult, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """All that is wrong."""
        return (*self.problems, *(failure for case in self.cases for failure in case.failures))


def run_file(path: str, options: RunOptions) -> FileResult:
    """Run a test file. What is wrong with it is a part of the result."""
    try:
        settings = parse_unit_tests(read_bytes(path), path)
    except ConfigErrors as exc:
        return FileResult(path, problems=tuple(map(str, exc.errors)))
    repeated = [name for i, name in enumerate(settings.group_eval_order) if name in settings.group_eval_order[:i]]
    if repeated:
        return FileResult(path, problems=(f"group name repeated in evaluation order: {repeated[0]}",))
    files, warnings = _matched(settings.rule_files, Path(path).parent)
    groups, broken = _load(files, settings, options)
    cases: list[CaseResult] = []
    for number, test in enumerate(settings.tests):
        if options.only is not None and not options.only.search(test.name):
            continue
        name = test.name or f"unnamed#{number}"
        failures = broken or _Test(test, name, settings, groups, options).run()
        cases.append(CaseResult(name, tuple(failures)))
    return FileResult(path, tuple(cases), warnings=tuple(warnings))


def _matched(patterns: Sequence[str], folder: Path) -> tuple[list[str], list[str]]:
    files: list[str] = []
    warnings: list[str] = []
    for pattern in patterns:
        # A pattern that is absolute counts from the root, in `glob` too.
        base = Path(pattern).anchor
        relative = pattern[len(base) :] if base else pattern
        found = sorted(map(str, _glob(Path(base) if base else folder, relative)))
        if not found:
            warnings.append(f"no file match pattern {Path(base or folder) / relative}")
        files.extend(found)
    return files, warnings


def _glob(folder: Path, pattern: str) -> list[Path]:
    if not re.search(r"[*?\[]", pattern):
        return [folder / pattern] if (folder / pattern).exists() else []
    # `..` is taken literally by `Path.glob`, but not everywhere in a pattern.
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if re.search(r"[*?\[]", part))
    return list(folder.joinpath(*parts[:fixed]).glob(str(Path(*parts[fixed:]))))


def _load(files: Sequence[str], settings: UnitTestFile, options: RunOptions) -> tuple[list[RuleGroup], list[str]]:
    try:
        loaded = load_rules(files, templates=options.templates, ignore_unknown=options.ignore_unknown)
    except ConfigErrors as exc:
        return [], [str(error) for error in exc.errors]
    order = {name: number for number, name in enumerate(settings.group_eval_order)}
    groups = {group.key: group for file in loaded for group in file.groups}
    return sorted(groups.values(), key=lambda group: order.get(group.name, 0)), []


class _Test:
    """One test being run."""

    def __init__(
        self, test: TestGroup, name: str, settings: UnitTestFile, groups: Sequence[RuleGroup], options: RunOptions
    ) -> None:
        self._test = test
        self._name = name
        self._fuzzy = settings.fuzzy_compare
        self._observe = options.observe
        self._step_ms = (settings.evaluation_interval or DEFAULT_INTERVAL).ms
        self._store = UnitTestStore()
        # By expression: how many series there were when it selected none of them, and what it gave.
        self._idle: dict[int, tuple[int, InstantValue]] = {}
        self._options = EvalOptions(default_step_ms=self._step_ms)
        around = Surroundings(test.external_labels, test.external_url, self._ask)
        defaults = GroupDefaults(interval_ms=test.interval.ms or self._step_ms)
        self._groups = [
            open_group(group, defaults, self._store, templates=options.templates, around=around, restored=True)
            for group in groups
        ]

    def run(self) -> list[str]:
        test = self._test
        start_ms = test.start_timestamp
        unnamed = next((one for one in test.alert_rule_test if not one.alertname), None)
        try:
            self._put_in()
        except _InputError as exc:
            return [str(exc)]
        if unnamed is not None:
            where = f" (in TestGroup {test.name})" if test.name else ""
            at = format_duration(unnamed.eval_time.ms)
            return [f"an item under alert_rule_test misses required attribute alertname at eval_time {at}{where}"]
        if test.end_ms // self._step_ms > _MOST_ROUNDS:
            return [f"the test takes more than {_MOST_ROUNDS:,} evaluations"]
        failures: list[str] = []
        waiting = sorted(test.alert_rule_test, key=lambda one: one.eval_time.ms)
        for passed_ms in range(0, test.end_ms + 1, self._step_ms):
            errors = self._evaluate(start_ms + passed_ms)
            if errors:
                return [*failures, *errors]
            while waiting and waiting[0].eval_time.ms < passed_ms + self._step_ms:
                failures.extend(self._check_alerts(waiting.pop(0)))
        for one in test.promql_expr_test:
            failure = self._check_expression(one)
            if failure:
                failures.append(failure)
        return failures

    def _put_in(self) -> None:
        interval_ms = self._test.interval.ms or self._step_ms
        for series in self._test.input_series:
            text = f"{series.series} {series.values}"
            try:
                described = parse_series(text)
                self._store.put(
                    described.labels, described.values, start_ms=self._test.start_timestamp, interval_ms=interval_ms
                )
            except QueryError as exc:
                raise _InputError(f"error in input series {text.strip()}: {describe_error(text, exc)}") from exc
            except ValueError as exc:
                raise _InputError(f"error in input series {text.strip()}: {exc}") from exc

    # Evaluating

    def _evaluate(self, at_ms: int) -> list[str]:
        self._store.now_ms = at_ms
        errors: list[str] = []
        for group in self._groups:
            for rule in group.rules:
                error = self._evaluate_rule(group, rule, at_ms)
                if error:
                    errors.append(f"    rule: {rule.rule.name}, time: {go_duration(at_ms)}, err: {error}")
            group.finish(at_ms=at_ms)
        return errors

    def _evaluate_rule(self, group: GroupAtWork, rule: RuleAtWork, at_ms: int) -> str:
        rule.evaluated_ms = at_ms
        try:
            value = self._answer(rule.rule.expr, at_ms - group.offset_ms)
            evaluated = group.apply(rule, value, at_ms=at_ms)
            problem = group.store(rule, evaluated, at_ms=at_ms)
        except VedetteError as exc:
            return str(exc)
        if evaluated.due and self._observe is not None:
            self._observe(self._name, at_ms - self._test.start_timestamp, evaluated.due)
        return problem

    def _answer(self, expr: Expr, at_ms: int) -> InstantValue:
        """What an expression gives. Where it selects nothing, as most do in most tests, it is evaluated only once."""
        count = self._store.series_count
        known = self._idle.get(id(expr))
        if known is not None and known[0] == count:
            return known[1]
        value = evaluate_instant(expr, at_ms=at_ms, source=self._store, options=self._options).value
        if is_timeless(expr) and not any(self._store.has(selector.matchers) for selector in selectors(expr)):
            self._idle[id(expr)] = (count, value)
        return value

    def _ask(self, query: str, at_ms: int) -> list[tuple[LabelSet, float]]:
        """The answer to an expression, a scalar as a series without labels."""
        result = evaluate_instant(parse(query), at_ms=at_ms, source=self._store, options=self._options)
        value = as_vector(result.value)
        if isinstance(value, Scalar):
            return [((), value.value)]
        return list(zip(value.labels.label_sets(), value.values.tolist(), strict=True))

    # Comparing

    def _check_alerts(self, test: AlertTest) -> list[str]:
        found = sorted(
            ShownAlert(alert.labels, alert.annotations)
            for group in self._groups
            for machine in group.alerting()
            if machine.rule.name == test.alertname
            for alert in machine.active()
            if alert.state is AlertState.FIRING
        )
        name = (ALERT_NAME, test.alertname)
        expected = sorted(
            ShownAlert(_with(one.exp_labels, name), tuple(sorted(one.exp_annotations))) for one in test.exp_alerts
        )
        if found == expected:
            return []
        indent = " " * 12
        named = f"    name: {self._test.name},\n" if self._test.name else ""
        failure = (
            f"{named}    alertname: {test.alertname}, time: {format_duration(test.eval_time.ms)}, "
            f"\n        exp:{indented(alerts_text(expected), indent)}, "
            f"\n        got:{indented(alerts_text(found), indent)}"
        )
        return [failure]

    def _check_expression(self, test: ExpressionTest) -> str:
        where = f"    expr: {quoted(test.expr)}, time: {format_duration(test.eval_time.ms)},"
        try:
            answer = self._ask(test.expr, self._test.start_timestamp + test.eval_time.ms)
        except QueryError as exc:
            return f"{where} err: {describe_error(test.expr, exc)}"
        except VedetteError as exc:
            return f"{where} err: {exc}"
        expected: list[ShownSample] = []
        for sample in test.exp_samples:
            try:
                expected.append(_expected(sample))
            except QueryError as exc:
                return f"{where} err: labels {quoted(sample.labels)}: {describe_error(sample.labels, exc)}"
        found = sorted((ShownSample(labels, value) for labels, value in answer), key=lambda one: one.labels)
        expected.sort(key=lambda one: one.labels)
        if any(one.histogram for one in expected):
            return f"{where} err: {HISTOGRAMS}"
        if len(found) == len(expected) and all(map(self._equal, found, expected)):
            return ""
        return f"{where}\n        exp: {samples_text(expected)}\n        got: {samples_text(found)}"

    def _equal(self, one: ShownSample, other: ShownSample) -> bool:
        if one.labels != other.labels:
            return False
        a, b = one.value, other.value
        if a == b or (math.isnan(a) and math.isnan(b)):
            return True
        return self._fuzzy and b in (math.nextafter(a, -math.inf), math.nextafter(a, math.inf))


def is_timeless(expr: Expr) -> bool:
    """Whether an expression gives the same at all times, on the same samples."""
    # Functions of the date take the present time where they are given none.
    return not any(isinstance(node, Call) and (node.function == "time" or not node.args) for node in walk(expr))


class _InputError(Exception):
    """A series that cannot be put in."""


def _expected(sample: ExpectedSample) -> ShownSample:
    return ShownSample(parse_metric(sample.labels), sample.value, sample.histogram)


def _with(pairs: Pairs, added: tuple[str, str]) -> Pairs:
    return tuple(sorted((dict(pairs) | dict([added])).items()))
