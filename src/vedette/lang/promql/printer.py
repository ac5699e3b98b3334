"""Print a tree as PromQL: on one line in Prometheus' normal form, or laid out for people.

The normal form is what rule listings and the API show, and what rules are compared by. Parentheses are
printed where the tree has them, so a tree put together by hand needs its own.

Source: Prometheus' `promql/parser/printer.go` and `prettier.go`.
"""

from __future__ import annotations

import math
from typing import Final, assert_never

from vedette.lang.promql.ast import (
    Aggregate,
    AtPoint,
    Binary,
    Call,
    Cardinality,
    Duration,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationParen,
    DurationUnary,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from vedette.lang.promql.numbers import format_number, format_short
from vedette.lang.promql.strings import quote
from vedette.lang.promql.walk import children
from vedette.model.durations import format_duration
from vedette.model.labels import METRIC_NAME, is_legacy_label_name
from vedette.model.matchers import Matcher, MatchOp

MAX_LINE: Final = 100
"""The longest line, in bytes, that `prettify` leaves in one piece."""

_INDENT: Final = "  "
_GROUPS: Final = {Cardinality.MANY_TO_ONE: "group_left", Cardinality.ONE_TO_MANY: "group_right"}


def format_expr(expr: Expr) -> str:  # noqa: PLR0911 - an arm for each kind of node
    """The normal form of an expression, on one line."""
    match expr:
        case NumberLiteral():
            return _number(expr)
        case StringLiteral():
            return quote(expr.value)
        case VectorSelector():
            return f"{_selection(expr)}{_at(expr.at)}{_mode(expr)}{_offset(expr.offset)}"
        case MatrixSelector():
            inner = expr.selector
            window = f"[{_duration(expr.range)}]"
            return f"{_selection(inner)}{window}{_mode(inner)}{_at(inner.at)}{_offset(inner.offset)}"
        case Subquery():
            return f"{format_expr(expr.expr)}{_window(expr)}"
        case Call():
            return f"{expr.function}({', '.join(map(format_expr, expr.args))})"
        case Aggregate():
            param = "" if expr.param is None else f"{format_expr(expr.param)}, "
            return f"{_aggregation(expr)}({param}{format_expr(expr.expr)})"
        case Binary():
            return f"{format_expr(expr.left)} {_operator(expr)} {format_expr(expr.right)}"
        case Unary():
            return f"{expr.op}{format_expr(expr.expr)}"
        case Paren():
            return f"({format_expr(expr.expr)})"
    assert_never(expr)


def prettify(expr: Expr) -> str:
    """An expression laid out over lines wherever it would not fit into one."""
    return _Layout().lay_out(expr, 0)


def format_matcher(matcher: Matcher) -> str:
    """`name="value"`, the name in quotes if it needs them."""
    return f"{_label(matcher.name)}{matcher.op}{quote(matcher.value)}"


def format_duration_expr(expr: DurationExpr) -> str:
    """A duration that has to be computed, as it is written."""
    match expr:
        case NumberLiteral():
            return _number(expr)
        case DurationCall():
            return f"{expr.name}({', '.join(map(format_duration_expr, expr.args))})"
        case DurationUnary():
            return f"{expr.op}{format_duration_expr(expr.expr)}"
        case DurationBinary():
            return f"{format_duration_expr(expr.left)} {expr.op} {format_duration_expr(expr.right)}"
        case DurationParen():
            return f"({format_duration_expr(expr.expr)})"
    assert_never(expr)


class _Layout:
    """One expression's layout; it remembers which nodes fit, so that none is printed once for each level above it."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[int, bool] = {}

    def fits(self, expr: Expr) -> bool:
        """Whether an expression fits into one line."""
        found = self.known.get(id(expr))
        if found is None:
            found = all(self.fits(child) for child in children(expr)) and (
                len(format_expr(expr).encode("utf-8", "surrogatepass")) <= MAX_LINE
            )
            self.known[id(expr)] = found
        return found

    def lay_out(self, expr: Expr, level: int) -> str:  # noqa: PLR0911 - an arm for each kind of node
        """An expression, indented."""
        indent = _INDENT * level
        if self.fits(expr):
            # A subquery that fits is left at the margin, as Prometheus does.
            return format_expr(expr) if isinstance(expr, Subquery) else indent + format_expr(expr)
        match expr:
            case NumberLiteral() | StringLiteral() | VectorSelector() | MatrixSelector():
                return indent + format_expr(expr)
            case Subquery():
                return self.lay_out(expr.expr, level) + _window(expr)
            case Call():
                return f"{indent}{expr.function}(\n{self._inner(expr.args, level)}\n{indent})"
            case Aggregate():
                inner = (expr.expr,) if expr.param is None else (expr.param, expr.expr)
                return f"{indent}{_aggregation(expr)}(\n{self._inner(inner, level)}\n{indent})"
            case Binary():
                left, right = (self.lay_out(side, level + 1) for side in (expr.left, expr.right))
                return f"{left}\n{indent}{_operator(expr)}\n{right}"
            case Unary():
                return f"{indent}{expr.op}{self.lay_out(expr.expr, level).strip()}"
            case Paren():
                return f"{indent}(\n{self._inner((expr.expr,), level)}\n{indent})"
        assert_never(expr)

    def _inner(self, parts: tuple[Expr, ...], level: int) -> str:
        return ",\n".join(self.lay_out(part, level + 1) for part in parts)


def _number(literal: NumberLiteral) -> str:
    if not literal.is_duration:
        return format_number(literal.value)
    # Seconds in a float are a little off: 4.18 s has to be 4s180ms and not 4s179ms.
    return format_duration(round(literal.value * 1000))


def _selection(selector: VectorSelector) -> str:
    """Name and matchers; the one that the name stands for is not repeated."""
    shown = sorted(format_matcher(matcher) for matcher in selector.matchers if not _is_name(matcher, selector.name))
    return f"{selector.name}{{{','.join(shown)}}}" if shown else selector.name


def _is_name(matcher: Matcher, name: str) -> bool:
    return bool(name) and matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL and matcher.value == name


def _mode(selector: VectorSelector) -> str:
    return f" {selector.mode}" if selector.mode else ""


def _at(at: int | AtPoint | None) -> str:
    if at is None:
        return ""
    return f" @ {at}()" if isinstance(at, AtPoint) else f" @ {_seconds(at)}"


def _seconds(time_ms: int) -> str:
    """Milliseconds as seconds with three decimals, exact for any integer."""
    sign = "-" if time_ms < 0 else ""
    whole, rest = divmod(abs(time_ms), 1000)
    return f"{sign}{whole}.{rest:03d}"


def _offset(offset: Duration) -> str:
    return f" offset {_duration(offset)}" if offset != 0 else ""


def _window(subquery: Subquery) -> str:
    """What makes a subquery: range, step and time."""
    step = "" if subquery.step is None else _duration(subquery.step)
    return f"[{_duration(subquery.range)}:{step}]{_at(subquery.at)}{_offset(subquery.offset)}"


def _duration(duration: Duration) -> str:
    return format_duration(duration) if isinstance(duration, int) else format_duration_expr(duration)


def _aggregation(expr: Aggregate) -> str:
    if expr.without:
        return f"{expr.op} without ({_labels(expr.grouping)}) "
    return f"{expr.op} by ({_labels(expr.grouping)}) " if expr.grouping else f"{expr.op}"


def _operator(expr: Binary) -> str:
    """The operator with all that is said about matching."""
    text = f"{expr.op} bool" if expr.return_bool else f"{expr.op}"
    return text if expr.matching is None else text + _matching(expr.matching)


def _matching(matching: VectorMatching) -> str:
    group = _GROUPS.get(matching.cardinality)
    text = ""
    if matching.labels or matching.on or group:
        text += f" {'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})"
    if group:
        text += f" {group} ({_labels(matching.include)})"
    left, right = matching.fill_left, matching.fill_right
    if left is not None and right is not None and _same(left, right):
        return f"{text} fill ({format_short(left)})"
    if left is not None:
        text += f" fill_left ({format_short(left)})"
    if right is not None:
        text += f" fill_right ({format_short(right)})"
    return text


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(map(_label, labels))


def _label(name: str) -> str:
    return name if is_legacy_label_name(name) else quote(name)
