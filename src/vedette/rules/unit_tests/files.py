"""Test files as they are written: what is put in, and what is expected.

Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ and promtool's `unittest.go`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainValidator

from vedette.config.diagnosis import read_settings
from vedette.config.document import parse_document
from vedette.config.fields import DurationOption, Flag, Labels, MappingOf, kind_of
from vedette.config.settings import Settings, wrong
from vedette.model.durations import Duration
from vedette.model.errors import ConfigErrors

_NUMBER: Final = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?)", re.ASCII
)
_SPECIAL: Final = {"inf": math.inf, "nan": math.nan}
_SECONDS: Final = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST: Final = 60

DEFAULT_INTERVAL: Final = Duration(60_000)

_AT_ONCE: Final = Duration(0)


def _value(found: object) -> float:
    if isinstance(found, str) and len(found) <= _LONGEST:
        if _NUMBER.fullmatch(found):
            text = found.replace("_", "")
            return float(int(text, 16)) if "x" in text.lower() else float(text)
        sign, word = (found[:1], found[1:]) if found[:1] in ("-", "+") else ("", found)
        special = _SPECIAL.get(word.removeprefix(".").lower())
        if special is not None:
            return -special if sign == "-" else special
    raise wrong(f"expected a number, found {kind_of(found)}")


def _start(found: object) -> int:
    """Milliseconds of RFC 3339, or of seconds since the epoch."""
    text = found if isinstance(found, str) else ""
    if _SECONDS.fullmatch(text) and len(text) <= _LONGEST and abs(float(text)) < 1e12:
        return round(float(text) * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise wrong(f"expected a time, found {kind_of(found)}", "Write RFC 3339 (2026-05-01T14:30:00Z) or seconds.")
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _texts(found: object) -> object:
    """A list of texts, or one text alone."""
    return [found] if isinstance(found, str) else found


Value = Annotated[float, PlainValidator(_value)]
Start = Annotated[int, PlainValidator(_start)]
Pairs = Annotated[tuple[tuple[str, str], ...], MappingOf(str)]
Names = Annotated[tuple[str, ...], BeforeValidator(_texts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSeries(Settings):
    """A series that is there."""

    series: str = ""
    """Its labels, as in PromQL."""

    values: str = ""
    """Its samples, one for each interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert(Settings):
    """An alert that has to fire."""

    exp_labels: Pairs = ()
    """Its labels but for `alertname`."""

    exp_annotations: Pairs = ()
    """Its annotations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTest(Settings):
    """Which alerts fire at one time."""

    eval_time: DurationOption = _AT_ONCE
    """When, counted from the start."""

    alertname: str = ""
    """The rule."""

    exp_alerts: tuple[ExpectedAlert, ...] = ()
    """All of its alerts that fire then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSample(Settings):
    """A sample that has to be in an answer."""

    labels: str = ""
    """Its series."""

    value: Value = 0.0
    """Its value."""

    histogram: str = ""
    """Its value where it is a native histogram."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionTest(Settings):
    """What an expression gives at one time."""

    expr: str = ""
    """The expression."""

    eval_time: DurationOption = _AT_ONCE
    """When, counted from the start."""

    exp_samples: tuple[ExpectedSample, ...] = ()
    """The whole answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestGroup(Settings):
    """Series, and what is expected of the rules and of expressions."""

    __test__ = False  # for pytest, which would take it for a test by its name

    name: str = ""
    """Named in what is reported."""

    interval: DurationOption = _AT_ONCE
    """The time between two samples; `evaluation_interval` unless it is given."""

    input_series: tuple[InputSeries, ...] = ()
    """What is there."""

    alert_rule_test: tuple[AlertTest, ...] = ()
    """What has to fire."""

    promql_expr_test: tuple[ExpressionTest, ...] = ()
    """What expressions have to give."""

    external_labels: Labels = ()
    """For templates."""

    external_url: str = ""
    """For templates."""

    start_timestamp: Start = 0
    """When the test begins."""

    @property
    def end_ms(self) -> int:
        """The latest time that is asked about, counted from the start."""
        times = [test.eval_time.ms for test in (*self.alert_rule_test, *self.promql_expr_test)]
        return max(times, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTestFile(Settings):
    """A test file."""

    rule_files: Names = ()
    """Paths and patterns, relative to the test file."""

    evaluation_interval: DurationOption = _AT_ONCE
    """How often all groups are evaluated; a minute unless it is given."""

    group_eval_order: Names = ()
    """Groups that are evaluated before the others, in this order."""

    tests: tuple[TestGroup, ...] = ()
    """The tests."""

    fuzzy_compare: Flag = False
    """Whether numbers that are next to each other count as equal."""


def parse_unit_tests(raw: bytes, file: str) -> UnitTestFile:
    """Read a test file.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    document = parse_document(raw, file=file)
    settings, errors = read_settings(document, UnitTestFile)
    if errors or settings is None:
        raise ConfigErrors(errors)
    return settings
