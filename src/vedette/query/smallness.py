"""Which queries are so small that handing them to a thread costs more than answering them.

Decided by the expression alone, without looking at any data: every selector names exact label values, and the windows
of its range functions are few and short. How many series and samples that finds is limited while it is evaluated.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from vedette.lang.promql.ast import Call, Expr, MatrixSelector, Subquery, VectorSelector
from vedette.lang.promql.walk import walk
from vedette.model.matchers import MatchOp

_SERIES_AT_ONE_TIME: Final = 256
_SERIES_OF_A_RANGE: Final = 16
_POINTS_OF_A_RANGE: Final = 6_000
MAX_SAMPLES: Final = 20_000
"""That a small query holds at a time."""

_MAX_NODES: Final = 32
_MAX_STEPS: Final = 2_000
_MAX_WINDOW_MS: Final = 500_000_000
"""Length of all windows of a selector together: six hours of five minutes, every 15 s, are 432,300 s."""
_FINDS_OTHERS: Final = "info"
"""The function that selects series beyond its arguments."""

_KEPT: Final = 512


def max_series(steps: int) -> int:
    """How many series each selector of a small query may find."""
    return _SERIES_AT_ONE_TIME if steps == 1 else max(1, min(_SERIES_OF_A_RANGE, _POINTS_OF_A_RANGE // steps))


def most_steps(expr: Expr) -> int:
    """At how many steps a query can be answered at once; 0 if it is not small even at one."""
    most = _MAX_STEPS
    for count, node in enumerate(walk(expr)):
        if count >= _MAX_NODES:
            return 0
        most = min(most, _most_steps_of(node))
    return most


def _most_steps_of(node: Expr) -> int:
    match node:
        case Subquery():
            return 0
        case Call():
            return 0 if node.function == _FINDS_OTHERS else _MAX_STEPS
        case MatrixSelector():
            return _MAX_WINDOW_MS // node.range if isinstance(node.range, int) and node.range > 0 else 0
        case VectorSelector():
            exact = all(matcher.op is MatchOp.EQUAL and matcher.value for matcher in node.matchers)
            return _MAX_STEPS if exact else 0
        case _:
            return _MAX_STEPS


class Judgements:
    """Remembers `most_steps` of expressions that come again, by identity: the parser hands out the same tree."""

    def __init__(self) -> None:
        # The tree is kept with the number, so that its id belongs to nobody else.
        self._known: OrderedDict[int, tuple[Expr, int]] = OrderedDict()

    def most_steps(self, expr: Expr) -> int:
        """See the function of this name."""
        known = self._known.get(id(expr))
        if known is not None:
            return known[1]
        most = most_steps(expr)
        self._known[id(expr)] = (expr, most)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return most
