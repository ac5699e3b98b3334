"""Go through the nodes of a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from vedette.lang.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly within one, in the order in which they are written."""
    match expr:
        case NumberLiteral() | StringLiteral() | VectorSelector():
            return ()
        case MatrixSelector():
            return (expr.selector,)
        case Call():
            return expr.args
        case Aggregate():
            return (expr.expr,) if expr.param is None else (expr.param, expr.expr)
        case Binary():
            return (expr.left, expr.right)
        case Paren() | Unary() | Subquery():
            return (expr.expr,)
    assert_never(expr)


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and everything within it, the outer before the inner and the left before the right."""
    todo = [expr]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(children(node)))


def selectors(expr: Expr) -> Iterator[VectorSelector]:
    """All selections of series within an expression, those of range selectors included."""
    return (node for node in walk(expr) if isinstance(node, VectorSelector))
