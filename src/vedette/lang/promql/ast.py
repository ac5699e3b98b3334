"""The syntax tree of PromQL, with the place of every node in the query's text.

Made by `parse`, checked there for types, printed by `format_expr`, evaluated by `vedette.query.promql`.
Durations and times are milliseconds. Nodes are immutable and compare by value, except that places do
not count: `a+b` equals `a + b`.

Source: Prometheus 3 (https://prometheus.io/docs/prometheus/latest/querying/basics/).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from vedette.model.errors import Span
from vedette.model.matchers import Matcher


class ValueType(StrEnum):
    """What an expression evaluates to, by the names that the HTTP API uses."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"


class AtPoint(StrEnum):
    """The named times that `@` takes."""

    START = "start"
    END = "end"


class RangeMode(StrEnum):
    """How a selector treats the edges of its window (experimental in Prometheus)."""

    PLAIN = ""
    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


class BinaryOp(StrEnum):
    """Binary operators as they are written."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    MOD = "%"
    POW = "^"
    ATAN2 = "atan2"
    EQL = "=="
    NEQ = "!="
    GTR = ">"
    LSS = "<"
    GTE = ">="
    LTE = "<="
    AND = "and"
    OR = "or"
    UNLESS = "unless"
    TRIM_UPPER = "</"
    TRIM_LOWER = ">/"

    @property
    def is_comparison(self) -> bool:
        """Whether it filters, or with `bool` gives 0 and 1."""
        return self in _COMPARISONS

    @property
    def is_set(self) -> bool:
        """Whether it works on label sets alone."""
        return self in _SETS


_COMPARISONS = frozenset({BinaryOp.EQL, BinaryOp.NEQ, BinaryOp.GTR, BinaryOp.LSS, BinaryOp.GTE, BinaryOp.LTE})
_SETS = frozenset({BinaryOp.AND, BinaryOp.OR, BinaryOp.UNLESS})


class Aggregation(StrEnum):
    """Aggregation operators as they are written."""

    SUM = "sum"
    AVG = "avg"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    GROUP = "group"
    STDDEV = "stddev"
    STDVAR = "stdvar"
    TOPK = "topk"
    BOTTOMK = "bottomk"
    COUNT_VALUES = "count_values"
    QUANTILE = "quantile"
    LIMITK = "limitk"
    LIMIT_RATIO = "limit_ratio"

    @property
    def takes_parameter(self) -> bool:
        """Whether a parameter comes before the vector, as in `topk(5, x)`."""
        return self in _WITH_PARAMETER


_WITH_PARAMETER = frozenset(
    {
        Aggregation.TOPK,
        Aggregation.BOTTOMK,
        Aggregation.COUNT_VALUES,
        Aggregation.QUANTILE,
        Aggregation.LIMITK,
        Aggregation.LIMIT_RATIO,
    }
)


class Cardinality(StrEnum):
    """How many series on each side of a vector match may share a signature."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"  # group_left
    ONE_TO_MANY = "one-to-many"  # group_right
    MANY_TO_MANY = "many-to-many"  # and, or, unless


_NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number, or a duration written where a number is expected (then in seconds)."""

    value: float
    is_duration: bool = False
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """A string, without its quotes and escapes."""

    value: str
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationCall:
    """`step()`, `range()`, `min_of(a, b)` or `max_of(a, b)` in a duration expression."""

    name: str
    args: tuple[DurationExpr, ...] = ()
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationUnary:
    """A sign before a duration expression."""

    op: str
    expr: DurationExpr
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationBinary:
    """Arithmetic in a duration expression, in seconds."""

    op: BinaryOp
    left: DurationExpr
    right: DurationExpr
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DurationParen:
    """A duration expression in parentheses."""

    expr: DurationExpr
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


DurationExpr = NumberLiteral | DurationCall | DurationUnary | DurationBinary | DurationParen
"""What may stand inside `[ ]` and after `offset`; its unit is the second. A plain duration is parsed to int."""

Duration = int | DurationExpr
"""Milliseconds, or an expression that gives them once the query's step and range are known."""


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """`name{matchers} offset d @ t`.

    Attributes:
        name: the metric's name as written before the braces; "" if there is none, or if it is quoted within them.
        matchers: all tests, the one on `__name__` included.
        offset: how far back to look; negative looks ahead.
        at: a fixed time in milliseconds, or a named one; None for the evaluation's own time.
        mode: anchored and smoothed selectors.
    """

    name: str
    matchers: tuple[Matcher, ...]
    offset: Duration = 0
    at: int | AtPoint | None = None
    mode: RangeMode = RangeMode.PLAIN
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """`selector[range]`; offset, `@` and mode are kept on the selector."""

    selector: VectorSelector
    range: Duration
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Subquery:
    """`expr[range:step]`.

    Attributes:
        step: None where the default step (the global evaluation interval) counts.
    """

    expr: Expr
    range: Duration
    step: Duration | None = None
    offset: Duration = 0
    at: int | AtPoint | None = None
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    function: str
    args: tuple[Expr, ...]
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`op by (grouping) (param, expr)`.

    Attributes:
        without: whether `grouping` names the labels to leave out instead of those to keep.
        explicit: whether `by` or `without` was written; `sum(x)` and `sum by () (x)` mean the same.
    """

    op: Aggregation
    expr: Expr
    param: Expr | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    explicit: bool = False
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VectorMatching:
    """How the series of two sides find each other.

    Attributes:
        on: whether `labels` are those that must be equal (else those that are ignored).
        labels: named after `on` or `ignoring`.
        include: labels copied from the "one" side, named after `group_left` or `group_right`.
        fill_left: value for a missing left side; None where it is not filled.
        fill_right: value for a missing right side.
    """

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`; `matching` is None unless both sides are vectors."""

    op: BinaryOp
    left: Expr
    right: Expr
    return_bool: bool = False
    matching: VectorMatching | None = None
    span: Span = field(default=_NOWHERE, compare=False, repr=False)
    op_span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before an expression."""

    op: str
    expr: Expr
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Paren:
    """An expression in parentheses."""

    expr: Expr
    span: Span = field(default=_NOWHERE, compare=False, repr=False)


Expr = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Call
    | Aggregate
    | Binary
    | Unary
    | Paren
)
