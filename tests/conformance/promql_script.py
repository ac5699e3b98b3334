"""Prometheus' PromQL test scripts: reading them and checking what they expect.

The grammar is described in the README beside the scripts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from memory_source import MemorySource

from vedette.lang.promql import parse, value_type
from vedette.lang.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
)
from vedette.lang.promql.strings import unquote
from vedette.model.errors import QueryError, VedetteError
from vedette.model.labels import LabelSet
from vedette.model.samples import STALE
from vedette.query.promql import (
    EvalOptions,
    InstantResult,
    RangeResult,
    RangeVector,
    Scalar,
    String,
    Vector,
    evaluate_instant,
    evaluate_range,
)

OPTIONS = EvalOptions(lookback_ms=300_000, default_step_ms=60_000, max_samples=10_000, delayed_name_removal=True)

_EVAL = re.compile(
    r"eval(?P<kind>_fail|_warn|_info|_ordered)?\s+"
    r"(?:instant\s+(?:at\s+(?P<at>\S+)\s+)?|range\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)\s+)"
    r"(?P<expr>.+)",
    re.IGNORECASE,
)
_LOAD = re.compile(r"load(?P<nhcb>_with_nhcb)?\s+(?P<interval>\S+)", re.IGNORECASE)
_EXPECT = re.compile(
    r"expect\s+(?P<what>ordered|fail|warn|info|no_warn|no_info|string|range vector)"
    r"(?:\s+(?P<how>msg|regex):\s*(?P<text>.*)|\s+(?P<rest>.*))?$"
)
_RANGE_VECTOR = re.compile(r"from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)")
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_NAME = re.compile(r"[a-zA-Z_:][\w:]*")
_NUMBER = r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|nan)"
_VALUE = re.compile(
    rf"(?P<first>{_NUMBER})(?:(?P<step>[+-](?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))?(?:x(?P<times>\d+))?", re.IGNORECASE
)
_TIME_DEPENDENT = frozenset(
    [
        "days_in_month",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "hour",
        "minute",
        "month",
        "year",
        "predict_linear",
        "time",
        "timestamp",
    ]
)
_QUERY_TIMES = frozenset({"start", "end", "step", "range"})


class Histogram:
    """A native histogram, of which only its being there matters."""

    def __repr__(self) -> str:
        return "native histogram"


HISTOGRAM = Histogram()
Point = float | Histogram | None


@dataclass
class Load:
    """A `load` command."""

    interval_ms: int
    with_nhcb: bool
    series: list[tuple[LabelSet, list[Point], list[int | None]]] = field(default_factory=list)


@dataclass
class Expectation:
    """An `expect` line."""

    what: str
    how: str = ""
    text: str = ""


@dataclass
class Eval:
    """An `eval` command with the loads before it."""

    file: Path
    line: int
    loads: tuple[Load, ...]
    expr: str
    at_ms: int = 0
    end_ms: int = 0
    step_ms: int = 0
    scalar: float | None = None
    series: list[tuple[LabelSet, list[Point]]] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.file.name}:{self.line}"

    def expected(self, what: str) -> list[Expectation]:
        return [expectation for expectation in self.expectations if expectation.what == what]


def read_script(path: Path) -> Iterator[Eval]:
    """All eval commands of a script, in order."""
    loads: list[Load] = []
    command: Load | Eval | None = None
    starts: dict[LabelSet, list[int | None]] = {}
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            if isinstance(command, Eval):
                yield command
            command = None
        elif command is None:
            word = line.split()[0].lower()
            if word == "clear":
                loads = []
            elif (found := _LOAD.fullmatch(line)) is not None:
                command = Load(duration_ms(found["interval"]), found["nhcb"] is not None)
                loads.append(command)
                starts = {}
            elif (found := _EVAL.fullmatch(line)) is not None:
                command = _new_eval(path, number, loads, found)
            else:
                raise ValueError(f"{path.name}:{number}: not a command: {line}")
        elif isinstance(command, Load):
            labels, rest = read_labels(line)
            if rest.startswith("@st"):
                starts[labels] = read_offsets(rest.removeprefix("@st"))
            else:
                command.series.append((labels, read_values(rest), starts.pop(labels, [])))
        else:
            _read_expectation(command, line)
    if isinstance(command, Eval):
        yield command


def _new_eval(path: Path, number: int, loads: list[Load], found: re.Match[str]) -> Eval:
    case = Eval(path, number, tuple(loads), found["expr"])
    if found["start"] is not None:
        case.at_ms, case.end_ms, case.step_ms = (duration_ms(found[name]) for name in ("start", "end", "step"))
    elif found["at"] is not None:
        case.at_ms = duration_ms(found["at"])
    if found["kind"]:
        case.expectations.append(Expectation(found["kind"].lower().removeprefix("_")))
    return case


def _read_expectation(case: Eval, line: str) -> None:
    old = re.fullmatch(r"expected_fail_(message|regexp)\s+(.*)", line)
    if old is not None:
        case.expectations.append(Expectation("fail", "msg" if old[1] == "message" else "regex", old[2]))
    elif (found := _EXPECT.fullmatch(line)) is not None:
        case.expectations.append(Expectation(found["what"], found["how"] or "", found["text"] or found["rest"] or ""))
    elif re.fullmatch(_NUMBER, line, re.IGNORECASE):
        case.scalar = number(line)
    else:
        labels, rest = read_labels(line)
        case.series.append((labels, read_values(rest)))


def duration_ms(text: str) -> int:
    """A duration such as `1h30m`, or a number of seconds."""
    if re.fullmatch(r"-?[\d.]+", text):
        return round(float(text) * 1000)
    sign = -1 if text.startswith("-") else 1
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdwy])", text)
    if "".join(a + b for a, b in parts) != text.lstrip("+-"):
        raise ValueError(f"not a duration: {text}")
    return sign * round(sum(float(amount) * _UNITS_MS[unit] for amount, unit in parts))


def number(text: str) -> float:
    return float(text)


def read_labels(line: str) -> tuple[LabelSet, str]:
    """`metric{labels}` at the start of a line, and the rest."""
    labels: dict[str, str] = {}
    name = _NAME.match(line)
    at = 0
    if name is not None:
        labels["__name__"] = name[0]
        at = name.end()
    if line[at : at + 1] == "{" and line[at : at + 2] != "{{":
        at += 1
        while True:
            while line[at] in " ,\t":
                at += 1
            if line[at] == "}":
                break
            key, at = _token(line, at)
            while line[at] == " ":
                at += 1
            if line[at] != "=":
                labels["__name__"] = key
                continue
            at += 1
            while line[at] == " ":
                at += 1
            value, at = _token(line, at)
            labels[key] = value
        at += 1
    return tuple(sorted((key, value) for key, value in labels.items() if value)), line[at:].strip()


def _token(line: str, at: int) -> tuple[str, int]:
    if line[at] in "\"'`":
        end = at + 1
        while line[end] != line[at]:
            end += 2 if line[end] == "\\" and line[at] != "`" else 1
        return unquote(line[at : end + 1]), end + 1
    name = _NAME.match(line, at)
    if name is None:
        raise ValueError(f"not a label: {line[at:]}")
    return name[0], name.end()


def read_values(text: str) -> list[Point]:
    """The sequence notation."""
    points: list[Point] = []
    for word in re.findall(r"(?:[+-]?\{\{.*?\}\})+(?:x\d+)?|\S+", text):
        if "{{" in word:
            times = re.search(r"\}\}x(\d+)$", word)
            points.extend([HISTOGRAM] * (int(times[1]) + 1 if times else 1))
        elif word.startswith("_"):
            points.extend([None] * (int(word[2:]) if len(word) > 1 else 1))
        elif word.lower() == "stale":
            points.append(float(STALE))
        else:
            found = _VALUE.fullmatch(word)
            if found is None:
                raise ValueError(f"not a value: {word}")
            first, step = number(found["first"]), float(found["step"] or 0)
            value = first
            for _ in range(int(found["times"] or 0) + 1):
                points.append(value)
                value += step
    return points


def read_offsets(text: str) -> list[int | None]:
    """Offsets of start times: durations, `_`, `-1mx3`, `-30s-1mx2`."""
    offsets: list[int | None] = []
    for word in text.split():
        if word.startswith("_"):
            offsets.extend([None] * (int(word[2:]) if len(word) > 1 else 1))
            continue
        found = re.fullmatch(r"([+-]?[\da-z]+?)([+-][\da-z]+?)?(?:x(\d+))?", word)
        if found is None:
            raise ValueError(f"not an offset: {word}")
        first, step = duration_ms(found[1]), duration_ms(found[2]) if found[2] else 0
        offsets.extend(first + i * step for i in range(int(found[3] or 0) + 1))
    return offsets


@dataclass
class Store:
    """What the loads before an eval make."""

    source: MemorySource
    histograms: set[LabelSet]


_stores: dict[tuple[int, ...], Store] = {}


def build_store(loads: tuple[Load, ...]) -> Store:
    key = tuple(id(load) for load in loads)
    if key not in _stores:
        store = _stores[key] = Store(MemorySource(), set())
        for load in loads:
            _load_into(store, load)
    return _stores[key]


def _load_into(store: Store, load: Load) -> None:
    for labels, points, offsets in load.series:
        for i, point in enumerate(points):
            time_ms = i * load.interval_ms
            if isinstance(point, Histogram):
                store.histograms.add(labels)
            elif point is not None:
                offset = offsets[i] if i < len(offsets) else None
                store.source.add(labels, time_ms, point, None if offset is None else time_ms + offset)
        if load.with_nhcb:
            plain = dict(labels)
            name = plain["__name__"]
            for suffix in ("_bucket", "_sum", "_count"):
                if name.endswith(suffix):
                    plain["__name__"] = name.removesuffix(suffix)
                    plain.pop("le", None)
                    store.histograms.add(tuple(sorted(plain.items())))


def selectors(expr: Expr) -> Iterator[VectorSelector]:
    """All selectors in an expression."""
    for node in nodes(expr):
        if isinstance(node, VectorSelector):
            yield node


def nodes(expr: Expr) -> Iterator[Expr]:
    yield expr
    match expr:
        case Call():
            parts: Sequence[Expr] = expr.args
        case Aggregate():
            parts = [expr.expr] if expr.param is None else [expr.param, expr.expr]
        case Binary():
            parts = [expr.left, expr.right]
        case MatrixSelector():
            parts = [expr.selector]
        case Unary() | Paren() | Subquery():
            parts = [expr.expr]
        case _:
            parts = []
    for part in parts:
        yield from nodes(part)


def skip_reason(case: Eval) -> str | None:
    """Why a case cannot be run, by the two rules there are."""
    if any(isinstance(point, Histogram) for _, points in case.series for point in points):
        return "a native histogram is expected"
    try:
        expr = parse(case.expr)
    except QueryError as exc:
        return None if case.expected("fail") else f"the parser refuses the expression: {exc}"
    store = build_store(case.loads)
    for selector in selectors(expr):
        for labels in store.histograms:
            values = dict(labels)
            if all(matcher.matches(values.get(matcher.name, "")) for matcher in selector.matchers):
                return "a native histogram is selected"
    return None


def check(case: Eval) -> None:
    """Run a case and raise AssertionError where the answer is not what the script expects."""
    if case.step_ms:
        _check_range(case)
        return
    source = build_store(case.loads).source
    failed = _check_instant(case, case.expr, parse_or_none(case), case.at_ms)
    expr = parse_or_none(case)
    if failed or expr is None:
        return
    names = {node.function for node in nodes(expr) if isinstance(node, Call)}
    if not names & _QUERY_TIMES and "range()" not in case.expr and "step()" not in case.expr.lower():
        for at_ms, pinned in _pinned(expr, case.at_ms):
            _check_instant(case, f"{case.expr} (pinned to {case.at_ms} ms)", pinned, at_ms)
        _check_middle_of_range(case, expr, source)


def parse_or_none(case: Eval) -> Expr | None:
    try:
        return parse(case.expr)
    except QueryError as exc:
        _check_failure(case, str(exc))
        return None


def _check_instant(case: Eval, shown: str, expr: Expr | None, at_ms: int) -> bool:
    """Whether the query failed as expected."""
    if expr is None:
        return True
    source = build_store(case.loads).source
    try:
        result = evaluate_instant(expr, at_ms=at_ms, source=source, options=OPTIONS)
    except VedetteError as exc:
        _check_failure(case, str(exc))
        return True
    assert not case.expected("fail"), f"{shown} at {at_ms} ms should fail"
    _check_annotations(case, result)
    _check_value(case, result, f"{shown} at {at_ms} ms")
    return False


def _check_failure(case: Eval, message: str) -> None:
    expected = case.expected("fail")
    assert expected, f"{case.expr} failed: {message}"
    for expectation in expected:
        if expectation.how == "msg":
            assert message == expectation.text
        elif expectation.how == "regex":
            assert re.search(expectation.text, message), message


def _check_annotations(case: Eval, result: InstantResult | RangeResult) -> None:
    warnings, infos = result.annotations.render(case.expr, limit=0)
    for kind, found in (("warn", warnings), ("info", infos)):
        assert not (found and case.expected(f"no_{kind}")), f"unexpected: {found}"
        expected = case.expected(kind)
        if not expected:
            continue
        assert found, f"no {kind} annotation"
        exact = [expectation for expectation in expected if expectation.how]
        for text in found if exact else []:
            assert any(_matches(expectation, text) for expectation in exact), text
        for expectation in exact:
            assert any(_matches(expectation, text) for text in found), found


def _matches(expectation: Expectation, text: str) -> bool:
    if expectation.how == "msg":
        return text == expectation.text
    return re.search(expectation.text, text) is not None


def _check_value(case: Eval, result: InstantResult, shown: str) -> None:
    value = result.value
    if case.expected("range vector"):
        _check_range_vector(case, value)
    elif case.expected("string"):
        assert isinstance(value, String)
        assert value.value == unquote(case.expected("string")[0].text)
    elif case.scalar is not None:
        assert isinstance(value, Scalar)
        assert almost_equal(value.value, case.scalar), f"{shown}: {value.value} is not {case.scalar}"
    else:
        assert isinstance(value, Vector), f"{shown} is a {type(value).__name__}"
        found = list(zip(value.labels.label_sets(), value.values.tolist(), strict=True))
        expected = [(labels, points[0]) for labels, points in case.series]
        _compare_vectors(case, found, expected, shown)


def _compare_vectors(
    case: Eval, found: list[tuple[LabelSet, float]], expected: list[tuple[LabelSet, Point]], shown: str
) -> None:
    if case.expected("ordered"):
        assert [labels for labels, _ in found] == [labels for labels, _ in expected], shown
    assert len(dict(found)) == len(found), f"{shown}: equal label sets in {found}"
    assert {labels for labels, _ in found} == {labels for labels, _ in expected}, f"{shown}: {found} is not {expected}"
    by_labels = dict(found)
    for labels, point in expected:
        assert isinstance(point, float)
        assert almost_equal(by_labels[labels], point), f"{shown}: {labels}: {by_labels[labels]!r} is not {point!r}"


def _check_range_vector(case: Eval, value: object) -> None:
    assert isinstance(value, RangeVector)
    found = _RANGE_VECTOR.fullmatch(case.expected("range vector")[0].text)
    assert found
    start, _, step = (duration_ms(text) for text in found.groups())
    expected = {
        labels: [(start + i * step, point) for i, point in enumerate(points) if point is not None]
        for labels, points in case.series
    }
    runs = value.runs
    actual = {
        labels: list(zip(runs.times[low:high].tolist(), runs.values[low:high].tolist(), strict=True))
        for labels, low, high in zip(
            value.labels.label_sets(), runs.offsets.tolist(), runs.offsets[1:].tolist(), strict=False
        )
    }
    assert actual == expected


def _check_middle_of_range(case: Eval, expr: Expr, source: MemorySource) -> None:
    """The same as a range query: its middle step is the instant query's answer."""
    kind = value_type(expr)
    if case.expected("ordered") or kind not in (ValueType.VECTOR, ValueType.SCALAR):
        return
    minute = 60_000
    result = evaluate_range(
        expr,
        start_ms=case.at_ms - minute,
        end_ms=case.at_ms + minute,
        step_ms=minute,
        source=source,
        options=OPTIONS,
    )
    matrix = result.matrix
    rows = np.flatnonzero(matrix.present[:, 1])
    label_sets = matrix.labels.label_sets()
    found = [(label_sets[row], float(matrix.values[row, 1])) for row in rows.tolist()]
    expected = (
        [((), case.scalar)] if case.scalar is not None else [(labels, points[0]) for labels, points in case.series]
    )
    _compare_vectors(case, found, list(expected), f"{case.expr} in the middle of a range")


def _pinned(expr: Expr, at_ms: int) -> list[tuple[int, Expr]]:
    """The expression with `@` on its selectors, and other times at which it must give the same."""
    if any(isinstance(node, Call) and node.function in _TIME_DEPENDENT for node in nodes(expr)):
        return []
    pinned = pin(expr, at_ms)
    times = (-10 * at_ms, 0, at_ms // 5, at_ms, 10 * at_ms) if at_ms else (-1000, 0, 1000)
    return [(time_ms, pinned) for time_ms in times]


def pin(expr: Expr, at_ms: int) -> Expr:  # noqa: PLR0911 - one return for each kind of node
    match expr:
        case VectorSelector():
            return expr if expr.at is not None else replace(expr, at=at_ms)
        case MatrixSelector():
            selector = pin(expr.selector, at_ms)
            assert isinstance(selector, VectorSelector)
            return replace(expr, selector=selector)
        case Subquery():
            return expr if expr.at is not None else replace(expr, at=at_ms)
        case Call():
            if expr.function == "info":
                return replace(expr, args=(pin(expr.args[0], at_ms), *expr.args[1:]))
            return replace(expr, args=tuple(pin(arg, at_ms) for arg in expr.args))
        case Aggregate():
            param = None if expr.param is None else pin(expr.param, at_ms)
            return replace(expr, expr=pin(expr.expr, at_ms), param=param)
        case Binary():
            return replace(expr, left=pin(expr.left, at_ms), right=pin(expr.right, at_ms))
        case Unary() | Paren():
            return replace(expr, expr=pin(expr.expr, at_ms))
        case _:
            return expr


def _check_range(case: Eval) -> None:
    expr = parse_or_none(case)
    if expr is None:
        return
    source = build_store(case.loads).source
    try:
        result = evaluate_range(
            expr, start_ms=case.at_ms, end_ms=case.end_ms, step_ms=case.step_ms, source=source, options=OPTIONS
        )
    except VedetteError as exc:
        _check_failure(case, str(exc))
        return
    assert not case.expected("fail"), f"{case.expr} should fail"
    _check_annotations(case, result)
    matrix = result.matrix
    label_sets = matrix.labels.label_sets()
    assert label_sets == sorted(label_sets), "not in the order of label sets"
    found = {
        labels: [float(value) if there else None for value, there in zip(row, mask, strict=True)]
        for labels, row, mask in zip(label_sets, matrix.values.tolist(), matrix.present.tolist(), strict=True)
    }
    assert len(found) == len(label_sets)
    steps = len(matrix.times)
    expected = {labels: (points + [None] * steps)[:steps] for labels, points in case.series}
    assert set(found) == set(expected), f"{found} is not {expected}"
    for labels, points in expected.items():
        for i, (value, point) in enumerate(zip(found[labels], points, strict=True)):
            assert (value is None) == (point is None), f"{labels} at step {i}: {found[labels]} is not {points}"
            if value is not None and isinstance(point, float):
                assert almost_equal(value, point), f"{labels} at step {i}: {value!r} is not {point!r}"


def almost_equal(a: float, b: float) -> bool:
    """Equal as far as the scripts demand."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if a == b:
        return True
    total, difference = abs(a) + abs(b), abs(a - b)
    if a == 0 or b == 0 or total < np.finfo(np.float64).tiny:
        return bool(difference < 1e-6 * np.finfo(np.float64).tiny)
    return difference / min(total, np.finfo(np.float64).max) < 1e-6


@lru_cache
def read_all(folder: Path) -> tuple[Eval, ...]:
    """Every eval of every script in a folder."""
    return tuple(case for path in sorted(folder.glob("*.test")) for case in read_script(path))
