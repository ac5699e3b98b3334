"""Look at a query as a whole before it is evaluated: what needs to be done only once.

A part that does not depend on the evaluation time (`@` on all its selectors) is evaluated for one step and
repeated; a part that stands in the query several times is evaluated once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

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

_TIME_DEPENDENT: Final = frozenset(
    {
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
        # Only where its argument is not a selector; there it does not matter.
        "timestamp",
    }
)
"""Functions whose result depends on the evaluation time although their arguments do not."""


def children(expr: Expr) -> Iterator[Expr]:
    """The parts that an expression is made of, in the order in which they are evaluated."""
    match expr:
        case Call():
            yield from expr.args
        case Aggregate():
            if expr.param is not None:
                yield expr.param
            yield expr.expr
        case Binary():
            yield expr.left
            yield expr.right
        case Unary() | Paren() | Subquery():
            yield expr.expr
        case MatrixSelector():
            yield expr.selector
        case _:
            return


def unwrap(expr: Expr) -> Expr:
    """Without parentheses around it."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


class Plan:
    """What is known of each node of a query. Nodes are told apart by identity."""

    def __init__(self, expr: Expr) -> None:
        self._invariant: dict[int, bool] = {}
        self._seen: dict[Expr, int] = {}
        # The ids above are valid as long as the tree lives.
        self.expr = expr
        nodes: list[Expr] = []
        self._visit(expr, nodes)
        # What reads no samples is computed again for less than it takes to compare it.
        if sum(isinstance(node, VectorSelector) for node in nodes) > 1:
            for node in nodes:
                self._seen[node] = self._seen.get(node, 0) + 1

    def is_invariant(self, expr: Expr) -> bool:
        """Whether it gives the same at every step."""
        return self._invariant.get(id(expr), False)

    def is_repeated(self, expr: Expr) -> bool:
        """Whether an equal expression stands elsewhere in the query."""
        return bool(self._seen) and self._seen.get(expr, 0) > 1

    def _visit(self, expr: Expr, nodes: list[Expr]) -> bool:
        parts = [self._visit(part, nodes) for part in children(expr)]
        match expr:
            case NumberLiteral() | StringLiteral():
                invariant = True
            case VectorSelector() | Subquery():
                # The inside of a subquery has steps of its own.
                invariant = expr.at is not None
            case Call():
                invariant = all(parts) and expr.function not in _TIME_DEPENDENT
            case _:
                invariant = all(parts)
        self._invariant[id(expr)] = invariant
        if isinstance(expr, (Call, Aggregate, Binary, VectorSelector)):
            nodes.append(expr)
        return invariant
