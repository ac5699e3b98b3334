"""Which queries are so small that handing them to a thread costs more than answering them.

Decided by the expression alone, without looking at any data: every selector names exact label values, and the windows
of its range functions are few and short. How many series and samples that finds is limited while it is evaluated.
"""

from __future__ import annotations

from typing import Final

from vedette.lang.promql.ast import Call, Expr, MatrixSelector, Subquery, VectorSelector
from vedette.lang.promql.walk import walk
from vedette.model.matchers import MatchOp

_SERIES_AT_ONE_TIME: Final = 256
_SERIES_OF_A_RANGE: Final = 16
MAX_SAMPLES: Final = 20_000
"""That a small query holds at a time."""

_MAX_NODES: Final = 32
_MAX_STEPS: Final = 400
_MAX_WINDOW_SECONDS: Final = 150_000
"""Length of all windows of a selector together: six hours of five minutes, once a minute, are 108,000."""
_FINDS_OTHERS: Final = "info"
"""The function that selects series beyond its arguments."""


def max_series(steps: int) -> int:
    """How many series each selector of a small query may find."""
    return _SERIES_AT_ONE_TIME if steps == 1 else _SERIES_OF_A_RANGE


def is_small(expr: Expr, steps: int) -> bool:
    """Whether a query can be answered at once, at so many steps."""
    if steps > _MAX_STEPS:
        return False
    return all(count < _MAX_NODES and _is_small_node(node, steps) for count, node in enumerate(walk(expr)))


def _is_small_node(node: Expr, steps: int) -> bool:
    match node:
        case Subquery():
            return False
        case Call():
            return node.function != _FINDS_OTHERS
        case MatrixSelector():
            return isinstance(node.range, int) and steps * node.range <= _MAX_WINDOW_SECONDS * 1000
        case VectorSelector():
            return all(matcher.op is MatchOp.EQUAL and matcher.value for matcher in node.matchers)
        case _:
            return True
