"""Work out durations that are written as arithmetic, such as `[step() * 4]`.

They are known once the query's step and range are. The unit is the second, the result whole milliseconds.

Source: Prometheus' promql/durations.go.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import assert_never

from vedette.lang.promql.ast import (
    BinaryOp,
    Duration,
    DurationBinary,
    DurationCall,
    DurationExpr,
    DurationParen,
    DurationUnary,
    NumberLiteral,
)
from vedette.model.errors import QueryError

_LONGEST_S = 9_223_372_036
"""As many seconds as Go's time.Duration holds."""


@dataclass(frozen=True, slots=True)
class QueryTimes:
    """When a whole query is evaluated.

    Attributes:
        start_ms: the first step's time.
        end_ms: as it was asked for; the last step may lie before it.
        step_ms: 0 for an instant query.
    """

    start_ms: int
    end_ms: int
    step_ms: int


def resolve_duration(duration: Duration, times: QueryTimes, *, signed: bool) -> int:
    """A duration in milliseconds.

    Args:
        signed: whether 0 and below are allowed, as after `offset`.

    Raises:
        QueryError: it divides by zero, or the result is not allowed.
    """
    if isinstance(duration, int):
        return duration
    seconds = _evaluate(duration, times)
    if seconds <= 0 and not signed:
        raise QueryError("duration must be greater than 0", span=duration.span)
    if math.isnan(seconds) or abs(seconds) > _LONGEST_S:
        raise QueryError("duration is out of range", span=duration.span)
    return int(seconds * 1000)


def _evaluate(expr: DurationExpr, times: QueryTimes) -> float:
    match expr:
        case NumberLiteral():
            return expr.value
        case DurationParen():
            return _evaluate(expr.expr, times)
        case DurationUnary():
            value = _evaluate(expr.expr, times)
            return -value if expr.op == "-" else value
        case DurationCall():
            return _call(expr, times)
        case DurationBinary():
            return _binary(expr, _evaluate(expr.left, times), _evaluate(expr.right, times))
    assert_never(expr)


def _call(expr: DurationCall, times: QueryTimes) -> float:
    match expr.name:
        case "step":
            return times.step_ms / 1000
        case "range":
            return (times.end_ms - times.start_ms) / 1000
        case "min_of":
            return min(_evaluate(arg, times) for arg in expr.args)
        case "max_of":
            return max(_evaluate(arg, times) for arg in expr.args)
        case _:
            raise QueryError(f"unknown function {expr.name!r} in a duration", span=expr.span)


def _binary(expr: DurationBinary, left: float, right: float) -> float:
    match expr.op:
        case BinaryOp.ADD:
            return left + right
        case BinaryOp.SUB:
            return left - right
        case BinaryOp.MUL:
            return left * right
        case BinaryOp.DIV:
            if right == 0:
                raise QueryError("division by zero", span=expr.span)
            return left / right
        case BinaryOp.MOD:
            if right == 0:
                raise QueryError("modulo by zero", span=expr.span)
            return math.fmod(left, right)
        case BinaryOp.POW:
            try:
                return math.pow(left, right)
            except (OverflowError, ValueError):
                raise QueryError("duration is out of range", span=expr.span) from None
        case _:
            raise QueryError(f'unexpected duration expression operator "{expr.op}"', span=expr.span)
