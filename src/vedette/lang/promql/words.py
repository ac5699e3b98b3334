"""The words that PromQL gives a meaning, and where they may serve as names all the same.

Keywords are known in any case. As the name of a metric or a label most of them can still be used where only
a name makes sense: `sum by (sum) (sum)` is a query.

Source: the keyword lists of Prometheus' `promql/parser/lex.go` and `generated_parser.y`.
"""

from __future__ import annotations

from typing import Final

from vedette.lang.promql.ast import Aggregation, BinaryOp

AGGREGATIONS: Final = {op.value: op for op in Aggregation}
WORD_OPERATORS: Final = frozenset({"and", "or", "unless", "atan2"})
_LEVELS: Final = (
    ("or",),
    ("and", "unless"),
    ("==", "!=", "<=", "<", ">=", ">", "</", ">/"),
    ("+", "-"),
    ("*", "/", "%", "atan2"),
    ("^",),
)
PRECEDENCE: Final = {word: (level, BinaryOp(word)) for level, words in enumerate(_LEVELS, start=1) for word in words}
"""How strongly each operator binds, from 1, and what it is."""
POWER: Final = len(_LEVELS)
"""The level of `^`, the only one that groups from the right."""
SET_OPERATORS: Final = frozenset(op for op in BinaryOp if op.is_set)
CALLED_KEYWORDS: Final = frozenset({"start", "end", "step", "range", "min_of", "max_of"})
"""Keywords that before a parenthesis are functions."""

_MODIFIERS: Final = (
    *("by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"),
    *("anchored", "smoothed", "fill", "fill_left", "fill_right"),
)
KEYWORDS: Final[dict[str, str]] = (
    dict.fromkeys(AGGREGATIONS, "<aggr:{}>")
    | dict.fromkeys(_MODIFIERS, "<{}>")
    | dict.fromkeys(sorted(WORD_OPERATORS), "<op:{}>")
    | dict.fromkeys(sorted(CALLED_KEYWORDS), '"{}"')
)
"""Every keyword, with the form in which messages show it."""

NUMBER_WORDS: Final = frozenset({"inf", "nan"})

_NAMES: Final = frozenset({"identifier", "metric identifier", *KEYWORDS})
METRIC_NAMES: Final = _NAMES - {"bool", "on", "ignoring", "group_left", "group_right", "atan2"}
"""Kinds of tokens that can be the name of a metric."""
LABEL_NAMES: Final = _NAMES - {"without"}
"""Kinds of tokens that can be the name of a label after `by`, `on` and the like."""
