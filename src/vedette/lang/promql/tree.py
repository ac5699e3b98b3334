"""A tree as plain data, in the form that Prometheus' API gives out (`/api/v1/parse_query`).

Durations that depend on the query's step or range are 0 there; here their text is added under `rangeExpr`,
`stepExpr` and `offsetExpr`, which clients that do not know them ignore.

Source: Prometheus' `web/api/v1/translate_ast.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from vedette.lang.promql.ast import (
    Aggregate,
    AtPoint,
    Binary,
    Call,
    Duration,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    RangeMode,
    StringLiteral,
    Subquery,
    Unary,
    VectorMatching,
    VectorSelector,
)
from vedette.lang.promql.functions import FUNCTIONS
from vedette.lang.promql.numbers import format_number
from vedette.lang.promql.printer import format_duration_expr

Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]


def to_tree(expr: Expr) -> dict[str, Json]:  # noqa: PLR0911 - an arm for each kind of node
    """An expression as data for JSON."""
    match expr:
        case Aggregate():
            return _aggregation(expr)
        case Binary():
            return _binary(expr)
        case Call():
            return _call(expr)
        case MatrixSelector():
            return {"type": "matrixSelector", **_duration("range", expr.range), **_selector(expr.selector)}
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(expr)}
        case Subquery():
            return _subquery(expr)
        case NumberLiteral():
            return {"type": "numberLiteral", "val": format_number(expr.value)}
        case StringLiteral():
            return {"type": "stringLiteral", "val": expr.value}
        case Paren():
            return {"type": "parenExpr", "expr": to_tree(expr.expr)}
        case Unary():
            return {"type": "unaryExpr", "op": expr.op, "expr": to_tree(expr.expr)}
    assert_never(expr)


def _aggregation(expr: Aggregate) -> dict[str, Json]:
    return {
        "type": "aggregation",
        "op": expr.op.value,
        "expr": to_tree(expr.expr),
        "param": None if expr.param is None else to_tree(expr.param),
        "grouping": list(expr.grouping),
        "without": expr.without,
    }


def _binary(expr: Binary) -> dict[str, Json]:
    return {
        "type": "binaryExpr",
        "op": expr.op.value,
        "lhs": to_tree(expr.left),
        "rhs": to_tree(expr.right),
        "matching": None if expr.matching is None else _matching(expr.matching),
        "bool": expr.return_bool,
    }


def _matching(matching: VectorMatching) -> dict[str, Json]:
    return {
        "card": matching.cardinality.value,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    }


def _call(expr: Call) -> dict[str, Json]:
    function = FUNCTIONS[expr.function]
    return {
        "type": "call",
        "func": {
            "name": function.name,
            "argTypes": [arg_type.value for arg_type in function.arg_types],
            "variadic": function.variadic,
            "returnType": function.return_type.value,
        },
        "args": [to_tree(arg) for arg in expr.args],
    }


def _selector(selector: VectorSelector) -> dict[str, Json]:
    return {
        "name": selector.name,
        **_duration("offset", selector.offset),
        "matchers": [
            {"name": matcher.name, "value": matcher.value, "type": matcher.op.value} for matcher in selector.matchers
        ],
        **_time(selector.at),
        "anchored": selector.mode is RangeMode.ANCHORED,
        "smoothed": selector.mode is RangeMode.SMOOTHED,
    }


def _subquery(expr: Subquery) -> dict[str, Json]:
    return {
        "type": "subquery",
        "expr": to_tree(expr.expr),
        **_duration("range", expr.range),
        **_duration("offset", expr.offset),
        **_duration("step", 0 if expr.step is None else expr.step),
        **_time(expr.at),
    }


def _duration(key: str, duration: Duration) -> dict[str, Json]:
    if isinstance(duration, int):
        return {key: duration}
    return {key: 0, f"{key}Expr": format_duration_expr(duration)}


def _time(at: int | AtPoint | None) -> dict[str, Json]:
    if isinstance(at, AtPoint):
        return {"timestamp": None, "startOrEnd": at.value}
    return {"timestamp": at, "startOrEnd": None}
