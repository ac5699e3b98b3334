"""The grammar of durations: what stands in `[ ]`, after its colon and after `offset`.

Mostly that is one duration or number. It may also be arithmetic in seconds, with the query's own `step()` and
`range()`, whose value is known only when the query runs.

Source: `duration_expr` and `offset_duration_expr` in Prometheus' `promql/parser/generated_parser.y`.
"""

from __future__ import annotations

import math
from typing import Final

from vedette.lang.promql.ast import (
    Duration,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationParen,
    DurationUnary,
    NumberLiteral,
)
from vedette.lang.promql.cursor import SIGNS, Cursor
from vedette.lang.promql.lexer import DURATION, NUMBER
from vedette.lang.promql.words import POWER, PRECEDENCE
from vedette.model.errors import QueryError, Span

Context = tuple[str, str]
"""For messages: where the duration stands, and what could have stood there."""

_A_DURATION: Final = "number, duration, step(), or range()"
RANGE: Final[Context] = ("subquery or range selector", _A_DURATION)
STEP: Final[Context] = ("subquery selector", 'number, duration, step(), range(), or "]"')
_OFFSET: Final[Context] = ("offset", _A_DURATION)
_OPERATORS: Final = frozenset("+-*/%^")
_CALLS: Final = frozenset({"step", "range", "min_of", "max_of"})
_MAX_DURATION_S: Final = 2**63 / 1e9  # as many as fit an int64 of nanoseconds


def positive_duration(cursor: Cursor, context: Context) -> Duration:
    """A range or a step; one that is known already has to be more than nothing."""
    found = _duration(cursor, 1, context)
    if not isinstance(found, NumberLiteral):
        return found
    if not found.value > 0:
        raise QueryError("duration must be greater than 0", span=found.span)
    return _milliseconds(found)


def offset_duration(cursor: Cursor) -> Duration:
    """What follows `offset`: arithmetic only within parentheses, so that `x offset (5m) + y` is a sum of vectors."""
    sign_at = cursor.at
    if cursor.kinds[sign_at] in SIGNS:
        cursor.at += 1
        found = _signed_duration(cursor, sign_at, _duration_operand(cursor, _OFFSET))
    else:
        found = _duration_operand(cursor, _OFFSET)
    return _milliseconds(found) if isinstance(found, NumberLiteral) else found


def _duration(cursor: Cursor, minimum: int, context: Context) -> DurationExpr:
    cursor.enter()
    kinds = cursor.kinds
    if kinds[cursor.at] in SIGNS:
        sign_at = cursor.at
        cursor.at += 1
        left = _signed_duration(cursor, sign_at, _duration(cursor, POWER, context))
    else:
        left = _duration_operand(cursor, context)
    height = cursor.height
    while (kind := kinds[cursor.at]) in _OPERATORS and PRECEDENCE[kind][0] >= minimum:
        level, op = PRECEDENCE[kind]
        op_at = cursor.at
        cursor.at += 1
        right = _duration(cursor, level if level == POWER else level + 1, context)
        if kind in "/%" and isinstance(right, NumberLiteral) and right.value == 0:
            problem = "division by zero" if kind == "/" else "modulo by zero"
            raise QueryError(problem, span=cursor.span(op_at))
        left = DurationBinary(op, left, right, Span(left.span.start, right.span.end))
        cursor.grow(height, op_at)
        height = cursor.height
    cursor.nesting -= 1
    return left


def _duration_operand(cursor: Cursor, context: Context) -> DurationExpr:
    kinds = cursor.kinds
    at = cursor.at
    kind = kinds[at]
    cursor.height = 1
    if kind is NUMBER or kind is DURATION:
        return _within_bounds(cursor, cursor.take_number(), at)
    if kind not in _CALLS and kind != "(":
        cursor.unexpected(*context)
    cursor.at += 1
    if kind == "(":
        inner = _duration(cursor, 1, context)
        cursor.take(")", context)
        cursor.grow(0, at)
        # One pair of parentheses says as much as many.
        inner = inner.expr if isinstance(inner, DurationParen) else inner
        return DurationParen(inner, Span(cursor.starts[at], cursor.end()))
    cursor.take("(", context)
    args: tuple[DurationExpr, ...] = ()
    if kind in ("min_of", "max_of"):
        first = _duration(cursor, 1, context)
        height = cursor.height
        cursor.take(",", context)
        args = (first, _duration(cursor, 1, context))
        cursor.grow(height, at)
    cursor.take(")", context)
    return DurationCall(kind, args, Span(cursor.starts[at], cursor.end()))


def _signed_duration(cursor: Cursor, sign_at: int, operand: DurationExpr) -> DurationExpr:
    minus = cursor.kinds[sign_at] == "-"
    span = Span(cursor.starts[sign_at], operand.span.end)
    if isinstance(operand, NumberLiteral):
        value = -operand.value if minus else operand.value
        return _within_bounds(cursor, NumberLiteral(value, operand.is_duration, span), sign_at)
    return DurationUnary("-", operand, span) if minus else operand


def _within_bounds(cursor: Cursor, literal: NumberLiteral, at: int) -> NumberLiteral:
    if not abs(literal.value) <= _MAX_DURATION_S:
        raise QueryError("duration out of range", span=cursor.span(at))
    return literal


def rounded(value: float) -> int:
    """The nearest integer; halves go away from zero."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(0.5 - value)


def _milliseconds(literal: NumberLiteral) -> int:
    """A duration in seconds, cut to the millisecond as Prometheus does after rounding it to the nanosecond."""
    nanoseconds = rounded(literal.value * 1e9)
    return nanoseconds // 1_000_000 if nanoseconds >= 0 else -(-nanoseconds // 1_000_000)
