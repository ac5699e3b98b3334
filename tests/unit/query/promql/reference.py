"""PromQL the slow and obvious way: one step after the other, one series after the other, lists and dictionaries.

It knows selectors, range functions, subqueries, aggregations, operators and matching, on the language's own
tree, and does with every number what Prometheus does, in the same order. Names go at once (no delayed removal).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise

from memory_source import MemorySource

from vedette.lang.promql.ast import (
    Aggregate,
    Aggregation,
    Binary,
    BinaryOp,
    Call,
    Cardinality,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from vedette.model.errors import QueryExecutionError
from vedette.model.labels import LabelSet
from vedette.model.samples import STALE_BITS

Points = list[tuple[int, float]]
VectorAt = dict[LabelSet, float]
LOOKBACK_MS = 300_000
DEFAULT_STEP_MS = 60_000


def is_stale(value: float) -> bool:
    return struct.unpack("<Q", struct.pack("<d", value))[0] == STALE_BITS


def without_name(labels: LabelSet) -> LabelSet:
    return tuple(pair for pair in labels if pair[0] != "__name__")


def put(vector: VectorAt, labels: LabelSet, value: float) -> None:
    if labels in vector:
        raise QueryExecutionError("vector cannot contain metrics with the same labelset")
    vector[labels] = value


@dataclass
class Reference:
    """Evaluates an expression at one time."""

    source: MemorySource

    def at(self, expr: Expr, now: int) -> VectorAt | float:  # noqa: PLR0911 - one return for each kind of node
        match expr:
            case NumberLiteral():
                return expr.value
            case Paren():
                return self.at(expr.expr, now)
            case VectorSelector():
                return self.select(expr, now)
            case Unary():
                value = self.at(expr.expr, now)
                if expr.op == "+":
                    return value
                return -value if isinstance(value, float) else renamed(value, lambda v: -v)
            case Call():
                return self.call(expr, now)
            case Aggregate():
                return self.aggregate(expr, now)
            case Binary():
                return self.binary(expr, now)
            case _:
                raise TypeError(type(expr).__name__)

    def vector(self, expr: Expr, now: int) -> VectorAt:
        value = self.at(expr, now)
        assert isinstance(value, dict)
        return value

    def scalar(self, expr: Expr, now: int) -> float:
        value = self.at(expr, now)
        assert isinstance(value, float)
        return value

    def series(self, selector: VectorSelector) -> list[tuple[LabelSet, Points]]:
        found = []
        for labels, samples in self.source.series.items():
            values = dict(labels)
            if all(matcher.matches(values.get(matcher.name, "")) for matcher in selector.matchers):
                found.append((labels, sorted(samples.items())))
        return found

    def select(self, selector: VectorSelector, now: int) -> VectorAt:
        now = moved(selector, now)
        vector: VectorAt = {}
        for labels, points in self.series(selector):
            before = [(t, v) for t, v in points if t <= now]
            if before and before[-1][0] > now - LOOKBACK_MS and not is_stale(before[-1][1]):
                vector[labels] = before[-1][1]
        return vector

    def ranges(self, expr: Expr, now: int) -> tuple[list[tuple[LabelSet, Points]], int, int]:
        """The series with the samples of the window, and the window's start and end."""
        if isinstance(expr, MatrixSelector):
            assert isinstance(expr.range, int)
            end = moved(expr.selector, now)
            start = end - expr.range
            return (
                [
                    (ls, [p for p in ps if start < p[0] <= end and not is_stale(p[1])])
                    for ls, ps in self.series(expr.selector)
                ],
                start,
                end,
            )
        assert isinstance(expr, Subquery)
        assert isinstance(expr.range, int)
        step = expr.step if isinstance(expr.step, int) else DEFAULT_STEP_MS
        end = moved(expr, now)
        start = end - expr.range
        found: dict[LabelSet, Points] = {}
        time = math.floor(start / step) * step + step
        while time <= end:
            for labels, value in self.vector(expr.expr, time).items():
                found.setdefault(labels, []).append((time, value))
            time += step
        return list(found.items()), start, end

    def call(self, call: Call, now: int) -> VectorAt | float:  # noqa: PLR0911 - one return for each function
        name = call.function
        if name == "vector":
            return {(): self.scalar(call.args[0], now)}
        if name == "time":
            return now / 1000
        if name == "timestamp":
            return renamed(self.vector(call.args[0], now), lambda _: now / 1000)
        if name == "abs":
            return renamed(self.vector(call.args[0], now), abs)
        if name == "absent":
            return {} if self.vector(call.args[0], now) else {(): 1.0}
        if name == "scalar":
            found = list(self.vector(call.args[0], now).values())
            return found[0] if len(found) == 1 else math.nan
        scalars = [self.scalar(arg, now) for arg in call.args if not isinstance(arg, (MatrixSelector, Subquery))]
        arg = next(arg for arg in call.args if isinstance(arg, (MatrixSelector, Subquery)))
        series, start, end = self.ranges(arg, now)
        result: VectorAt = {}
        for labels, points in series:
            value = window(name, points, start, end, now, scalars) if points else None
            if value is not None:
                put(result, labels if name in ("last_over_time", "first_over_time") else without_name(labels), value)
        return result

    def aggregate(self, expr: Aggregate, now: int) -> VectorAt:
        groups: dict[LabelSet, list[tuple[LabelSet, float]]] = {}
        for labels, value in self.vector(expr.expr, now).items():
            if expr.without:
                key = tuple(pair for pair in without_name(labels) if pair[0] not in expr.grouping)
            else:
                key = tuple(pair for pair in labels if pair[0] in expr.grouping)
            groups.setdefault(key, []).append((labels, value))
        param = self.scalar(expr.param, now) if expr.param is not None else 0.0
        result: VectorAt = {}
        for key, members in groups.items():
            if expr.op in (Aggregation.TOPK, Aggregation.BOTTOMK):
                for labels, value in ranked(members, int(param), largest=expr.op is Aggregation.TOPK):
                    result[labels] = value
            elif expr.op is Aggregation.LIMITK:
                for labels, value in members[: int(param)]:
                    result[labels] = value
            else:
                result[key] = folded(expr.op, [value for _, value in members], param)
        return result

    def binary(self, expr: Binary, now: int) -> VectorAt | float:
        left, right = self.at(expr.left, now), self.at(expr.right, now)
        op = expr.op
        if isinstance(left, float) and isinstance(right, float):
            value, holds = applied(op, left, right)
            return value if not op.is_comparison else float(holds)
        result: VectorAt = {}
        if isinstance(left, float) or isinstance(right, float):
            vector = right if isinstance(left, float) else left
            assert isinstance(vector, dict)
            for labels, element in vector.items():
                value, holds = (
                    applied(op, left, element) if isinstance(left, float) else applied(op, element, float(right))
                )  # type: ignore[arg-type]
                if not op.is_comparison:
                    put(result, without_name(labels), value)
                elif expr.return_bool:
                    put(result, without_name(labels), float(holds))
                elif holds:
                    put(result, labels, element)
            return result
        matching = expr.matching or VectorMatching()
        if op.is_set:
            return sets(op, left, right, matching)
        return matched(op, left, right, matching, return_bool=expr.return_bool)


def moved(node: VectorSelector | Subquery, now: int) -> int:
    assert isinstance(node.offset, int)
    assert node.at is None or isinstance(node.at, int)
    return (now if node.at is None else int(node.at)) - node.offset


def renamed(vector: VectorAt, change: Callable[[float], float]) -> VectorAt:
    result: VectorAt = {}
    for labels, value in vector.items():
        put(result, without_name(labels), change(value))
    return result


def add(increment: float, total: float, carry: float) -> tuple[float, float]:
    result = total + increment
    if math.isinf(result):
        return result, 0.0
    if abs(total) >= abs(increment):
        return result, carry + ((total - result) + increment)
    return result, carry + ((increment - result) + total)


def mean(values: list[float]) -> float:
    total, carry, running, average, count = values[0], 0.0, False, 0.0, 1.0
    for place, value in enumerate(values[1:], 2):
        count = float(place)
        if not running:
            result, lost = add(value, total, carry)
            if not math.isinf(result):
                total, carry = result, lost
                continue
            running = True
            average = total / (count - 1)
            carry /= count - 1
        share = (count - 1) / count
        average, carry = add(value / count, share * average, share * carry)
    return average + carry if running else total / count + carry / count


def quantile(q: float, values: list[float]) -> float:
    if math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    ordered = sorted(values, key=lambda v: (0, 0.0) if math.isnan(v) else (1, v))
    rank = q * (len(ordered) - 1)
    low = max(0, math.floor(rank))
    high = min(len(ordered) - 1, low + 1)
    weight = rank - math.floor(rank)
    return ordered[low] * (1 - weight) + ordered[high] * weight


def divided(a: float, b: float) -> float:
    if b == 0:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def extrapolated(points: Points, start: int, end: int, *, counter: bool, per_second: bool) -> float | None:
    if len(points) < 2:
        return None
    first, last = points[0], points[-1]
    result = last[1] - first[1]
    if counter:
        for (_, a), (_, b) in pairwise(points):
            if b < a:
                result += a
    before, after = (first[0] - start) / 1000, (end - last[0]) / 1000
    sampled = (last[0] - first[0]) / 1000
    average = sampled / (len(points) - 1)
    threshold = average * 1.1
    if before >= threshold:
        before = average / 2
    if counter:
        to_zero = before
        if result > 0 and first[1] >= 0:
            to_zero = sampled * divided(first[1], result)
        before = min(before, to_zero)
    if after >= threshold:
        after = average / 2
    factor = (sampled + before + after) / sampled
    if per_second:
        factor /= (end - start) / 1000
    return result * factor


def regression(points: Points, origin: int) -> tuple[float, float]:
    sums = [(0.0, 0.0)] * 4
    for t, y in points:
        x = (t - origin) / 1000
        sums = [add(part, *known) for part, known in zip((x, y, x * y, x * x), sums, strict=True)]
    if all(y == points[0][1] for _, y in points[1:]):
        return (math.nan, math.nan) if math.isinf(points[0][1]) else (0.0, points[0][1])
    n = float(len(points))
    x, y, xy, xx = (total + carry for total, carry in sums)
    slope = divided(xy - x * y / n, xx - x * x / n)
    return slope, y / n - slope * x / n


def window(name: str, points: Points, start: int, end: int, now: int, scalars: list[float]) -> float | None:  # noqa: C901, PLR0911, PLR0912 - one case for each function
    values = [v for _, v in points]
    pairs = list(pairwise(values))
    match name:
        case "rate":
            return extrapolated(points, start, end, counter=True, per_second=True)
        case "increase":
            return extrapolated(points, start, end, counter=True, per_second=False)
        case "delta":
            return extrapolated(points, start, end, counter=False, per_second=False)
        case "irate" | "idelta":
            if len(points) < 2:
                return None
            (t0, a), (t1, b) = points[-2:]
            if name == "idelta":
                return b - a
            return (b if b < a else b - a) / ((t1 - t0) / 1000)
        case "sum_over_time":
            total, carry = 0.0, 0.0
            for value in values:
                total, carry = add(value, total, carry)
            return total if math.isinf(total) else total + carry
        case "avg_over_time":
            return mean(values)
        case "count_over_time":
            return float(len(values))
        case "present_over_time":
            return 1.0
        case "last_over_time":
            return values[-1]
        case "first_over_time":
            return values[0]
        case "ts_of_last_over_time":
            return points[-1][0] / 1000
        case "ts_of_first_over_time":
            return points[0][0] / 1000
        case "max_over_time" | "min_over_time":
            best = values[0]
            for value in values:
                if math.isnan(best) or (value > best if name == "max_over_time" else value < best):
                    best = value
            return best
        case "ts_of_max_over_time" | "ts_of_min_over_time":
            t, best = points[0]
            for time, value in points:
                if math.isnan(best) or (value >= best if name == "ts_of_max_over_time" else value <= best):
                    t, best = time, value
            return t / 1000
        case "changes":
            return float(sum(b != a and not (math.isnan(a) and math.isnan(b)) for a, b in pairs))
        case "resets":
            return float(sum(b < a for a, b in pairs))
        case "stdvar_over_time" | "stddev_over_time":
            average, average_carry, square, square_carry = 0.0, 0.0, 0.0, 0.0
            for count, value in enumerate(values, 1):
                delta = value - (average + average_carry)
                average, average_carry = add(delta / count, average, average_carry)
                square, square_carry = add(delta * (value - (average + average_carry)), square, square_carry)
            variance = (square + square_carry) / len(values)
            if name == "stdvar_over_time":
                return variance
            return math.sqrt(variance) if variance >= 0 else math.nan
        case "quantile_over_time":
            return quantile(scalars[0], values)
        case "mad_over_time":
            median = quantile(0.5, values)
            return quantile(0.5, [abs(value - median) for value in values])
        case "deriv":
            return regression(points, points[0][0])[0] if len(points) > 1 else None
        case "predict_linear":
            if len(points) < 2:
                return None
            slope, intercept = regression(points, now)
            return slope * scalars[0] + intercept
        case "double_exponential_smoothing":
            return smoothed(values, *scalars)
        case _:
            raise TypeError(name)


def smoothed(values: list[float], smoothing: float, trend: float) -> float | None:
    if len(values) < 2:
        return None
    before, level, slope = 0.0, values[0], values[1] - values[0]
    for place, value in enumerate(values[1:]):
        scaled = smoothing * value
        if place > 0:
            slope = trend * (level - before) + (1 - trend) * slope
        before, level = level, scaled + (1 - smoothing) * (level + slope)
    return level


def folded(op: Aggregation, values: list[float], param: float) -> float:  # noqa: C901, PLR0911 - one return for each operator
    match op:
        case Aggregation.SUM:
            total, carry = values[0], 0.0
            for value in values[1:]:
                total, carry = add(value, total, carry)
            return total + carry
        case Aggregation.AVG:
            return mean(values)
        case Aggregation.COUNT:
            return float(len(values))
        case Aggregation.GROUP:
            return 1.0
        case Aggregation.MAX | Aggregation.MIN:
            best = values[0]
            for value in values[1:]:
                if math.isnan(best) or (value > best if op is Aggregation.MAX else value < best):
                    best = value
            return best
        case Aggregation.STDVAR | Aggregation.STDDEV:
            average, square = values[0], 0.0 if math.isfinite(values[0]) else math.nan
            for count, value in enumerate(values[1:], 2):
                delta = value - average
                average += delta / count
                square += delta * (value - average)
            variance = square / len(values)
            if op is Aggregation.STDVAR:
                return variance
            return math.sqrt(variance) if variance >= 0 else math.nan
        case Aggregation.QUANTILE:
            return quantile(param, values)
        case _:
            raise TypeError(op)


def ranked(members: list[tuple[LabelSet, float]], count: int, *, largest: bool) -> list[tuple[LabelSet, float]]:
    """The best; of equal ones the first. (Only for values that are all different is this what Prometheus gives.)"""

    def compare(a: tuple[LabelSet, float], b: tuple[LabelSet, float]) -> int:
        x, y = a[1], b[1]
        if math.isnan(x) or math.isnan(y):
            return int(math.isnan(x)) - int(math.isnan(y))
        difference = (y > x) - (y < x)
        return difference if largest else -difference

    return sorted(members, key=cmp_to_key(compare))[: max(count, 0)]


def applied(op: BinaryOp, a: float, b: float) -> tuple[float, bool]:  # noqa: PLR0911 - a table
    match op:
        case BinaryOp.ADD:
            return a + b, True
        case BinaryOp.SUB:
            return a - b, True
        case BinaryOp.MUL:
            return a * b, True
        case BinaryOp.DIV:
            return divided(a, b), True
        case BinaryOp.EQL:
            return a, a == b
        case BinaryOp.NEQ:
            return a, a != b
        case BinaryOp.GTR:
            return a, a > b
        case BinaryOp.LSS:
            return a, a < b
        case BinaryOp.GTE:
            return a, a >= b
        case BinaryOp.LTE:
            return a, a <= b
        case _:
            raise TypeError(op)


def signature(labels: LabelSet, matching: VectorMatching) -> LabelSet:
    if matching.on:
        return tuple(pair for pair in labels if pair[0] in matching.labels)
    return tuple(pair for pair in without_name(labels) if pair[0] not in matching.labels)


def sets(op: BinaryOp, left: VectorAt, right: VectorAt, matching: VectorMatching) -> VectorAt:
    of_right = {signature(labels, matching) for labels in right}
    of_left = {signature(labels, matching) for labels in left}
    if op is BinaryOp.AND:
        return {labels: v for labels, v in left.items() if signature(labels, matching) in of_right}
    if op is BinaryOp.UNLESS:
        return {labels: v for labels, v in left.items() if signature(labels, matching) not in of_right}
    result = dict(left)
    for labels, value in right.items():
        if signature(labels, matching) not in of_left:
            put(result, labels, value)
    return result


def matched(  # noqa: C901 - all of matching in one place, as in the original
    op: BinaryOp, left: VectorAt, right: VectorAt, matching: VectorMatching, *, return_bool: bool
) -> VectorAt:
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    fill_many, fill_one = matching.fill_left, matching.fill_right
    if (not many and not one) or ((not many or not one) and fill_many is None and fill_one is None):
        return {}
    by_signature: dict[LabelSet, LabelSet] = {}
    for labels in one:
        key = signature(labels, matching)
        if key in by_signature:
            raise QueryExecutionError("many-to-many matching not allowed")
        by_signature[key] = labels
    result: VectorAt = {}
    met: dict[LabelSet, set[LabelSet]] = {}

    def meet(key: LabelSet, of_many: LabelSet, of_one: LabelSet, a: float, b: float) -> None:
        value, holds = applied(op, b, a) if swapped else applied(op, a, b)
        if return_bool:
            value, holds = float(holds), True
        metric = result_labels(of_many, of_one)
        if matching.cardinality is Cardinality.ONE_TO_ONE and key in met:
            raise QueryExecutionError("multiple matches for labels")
        if metric in met.setdefault(key, set()):
            raise QueryExecutionError("multiple matches for labels")
        met[key].add(metric)
        if holds:
            put(result, metric, value)

    def result_labels(of_many: LabelSet, of_one: LabelSet) -> LabelSet:
        labels = dict(of_many)
        if not op.is_comparison or return_bool:
            labels.pop("__name__", None)
        if matching.cardinality is Cardinality.ONE_TO_ONE:
            kept = {k: v for k, v in labels.items() if (k in matching.labels) == matching.on}
            labels = kept
        for name in matching.include:
            labels.pop(name, None)
            if name in dict(of_one):
                labels[name] = dict(of_one)[name]
        return tuple(sorted(labels.items()))

    for labels, value in many.items():
        key = signature(labels, matching)
        if key in by_signature:
            meet(key, labels, by_signature[key], value, one[by_signature[key]])
        elif fill_one is not None:
            meet(key, labels, key, value, fill_one)
    if fill_many is not None:
        for key, labels in by_signature.items():
            if key not in met:
                meet(key, key, labels, fill_many, one[labels])
    return result
