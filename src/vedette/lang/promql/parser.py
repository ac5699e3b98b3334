"""Parse PromQL: text to the tree of `ast`, with the place of every node.

A recursive descent by operator precedence. All of Prometheus 3's syntax is read, experimental or not. What
a mistake is called and where it is seen follows Prometheus, so that people find its message on the web; only
the first one is raised. Text, nesting and the height of the tree are bounded, so whoever walks a tree may
recurse.

Source: the grammar in Prometheus' `promql/parser/generated_parser.y`; `check` holds what comes after it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from vedette.lang.promql.ast import (
    Aggregate,
    AtPoint,
    Binary,
    Call,
    Cardinality,
    Duration,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    RangeMode,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorMatching,
    VectorSelector,
)
from vedette.lang.promql.check import check
from vedette.lang.promql.cursor import MAX_HEIGHT, SIGNS, Cursor
from vedette.lang.promql.duration_grammar import RANGE, STEP, offset_duration, positive_duration, rounded
from vedette.lang.promql.functions import FUNCTIONS
from vedette.lang.promql.lexer import DURATION, EOF, ERROR, IDENTIFIER, NUMBER, STRING
from vedette.lang.promql.strings import quote, unquote
from vedette.lang.promql.words import (
    AGGREGATIONS,
    CALLED_KEYWORDS,
    LABEL_NAMES,
    METRIC_NAMES,
    POWER,
    PRECEDENCE,
    SET_OPERATORS,
)
from vedette.model.errors import QueryError, Span
from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.model.matchers import Matcher, MatchOp, compile_anchored

MAX_LENGTH: Final = 1 << 20
"""The longest query that is read, in characters, unless the caller says otherwise."""

_MATCH_OPS: Final = {op.value: op for op in MatchOp}
_REGEX_OPS: Final = (MatchOp.REGEX, MatchOp.NOT_REGEX)
_SUFFIXES: Final = frozenset({"[", "offset", "@", "anchored", "smoothed"})
_VECTOR, _MATRIX, _SCALAR, _STRING = ValueType.VECTOR, ValueType.MATRIX, ValueType.SCALAR, ValueType.STRING
_ONE_TO_ONE: Final = VectorMatching()
_MANY_TO_MANY: Final = VectorMatching(cardinality=Cardinality.MANY_TO_MANY)
# In seconds, as many as fit an int64 of milliseconds with room for an offset.
_MAX_TIME_S: Final = 2**62 / 1e3


def parse(text: str, *, max_length: int = MAX_LENGTH) -> Expr:
    """The checked tree of a PromQL expression.

    Raises:
        QueryError: the text is no expression, its types do not fit, or it is too long or too deeply nested.
    """
    parser = _Parser(text, max_length)
    if parser.kinds[0] is EOF:
        raise QueryError("no expression found in input", span=Span(0, 0))
    expr = parser.expression(1)
    parser.take_end()
    if parser.height > MAX_HEIGHT:
        parser.too_deep(expr.span)
    check(expr)
    return expr


def parse_selector(text: str, *, max_length: int = MAX_LENGTH) -> tuple[Matcher, ...]:
    """The matchers of a series selector alone, as `match[]` takes it: `up{job="node"}`.

    Whether they may all match the empty value is for the caller to say.

    Raises:
        QueryError: the text is no selector, or is too long.
    """
    parser = _Parser(text, max_length)
    selector = parser.selector()
    parser.take_end()
    return selector.matchers


def parse_metric(text: str, *, max_length: int = MAX_LENGTH) -> LabelSet:
    """The label set of one series, written like a selector with nothing but `=`: `up{job="node"}`; `{}` is none.

    Raises:
        QueryError: the text is no label set, or is too long.
    """
    parser = _Parser(text, max_length)
    if parser.kinds[0] is EOF:
        return ()
    matchers = parser.selector().matchers
    parser.take_end()
    for matcher in matchers:
        if matcher.op is not MatchOp.EQUAL:
            raise QueryError(f'unexpected {quote(matcher.op)} in label set, expected "="', span=Span(0, len(text)))
    return label_set((matcher.name, matcher.value) for matcher in matchers)


class _Parser(Cursor):
    """The rules of the grammar, from the loosest to the tightest; each reads what it is named after."""

    __slots__ = ()

    # Expressions

    def expression(self, minimum: int) -> Expr:
        """An expression whose operators bind at least as strongly as `minimum` says."""
        self.enter()
        kinds = self.kinds
        left = self._signed() if kinds[self.at] in SIGNS else self._operand()
        height, left_type = self.height, self.type
        while (found := PRECEDENCE.get(kinds[self.at])) is not None and found[0] >= minimum:
            level, op = found
            op_span = self.span(self.at)
            self.at += 1
            return_bool = kinds[self.at] == "bool"
            if return_bool:
                self.at += 1
            written = self._matching()
            # Only `^` groups from the right.
            right = self.expression(level if level == POWER else level + 1)
            both_vectors = left_type is _VECTOR and self.type is _VECTOR
            if not both_vectors:
                # What was written between other types is kept for `check` to complain about, if it says anything.
                keep = written.labels or written.fill_left is not None or written.fill_right is not None
                matching = written if keep else None
            elif op in SET_OPERATORS and written.cardinality is Cardinality.ONE_TO_ONE:
                plain = written is _ONE_TO_ONE
                matching = _MANY_TO_MANY if plain else replace(written, cardinality=Cardinality.MANY_TO_MANY)
            else:
                matching = written
            left_type = _SCALAR if left_type is _SCALAR and self.type is _SCALAR else _VECTOR
            span = Span(left.span.start, right.span.end)
            left = Binary(op, left, right, return_bool, matching, span, op_span)
            height = max(height, self.height) + 1
            if height > MAX_HEIGHT:
                self.too_deep(op_span)
        self.nesting -= 1
        self.height, self.type = height, left_type
        return left

    def _signed(self) -> Expr:
        """A sign binds like `*`: less than `^`, more than `+`."""
        sign = self.kinds[self.at]
        start = self.starts[self.at]
        self.at += 1
        operand = self.expression(POWER)
        span = Span(start, operand.span.end)
        if isinstance(operand, NumberLiteral):
            value = -operand.value if sign == "-" else operand.value
            return NumberLiteral(value, operand.is_duration, span)
        self.height += 1
        return Unary(sign, operand, span)

    def _operand(self) -> Expr:
        kinds = self.kinds
        at = self.at
        kind = kinds[at]
        self.height = 1
        expr: Expr
        if kind is IDENTIFIER:
            expr = self._call() if kinds[at + 1] == "(" else self.selector()
        elif kind in AGGREGATIONS:
            expr = self._aggregate() if kinds[at + 1] in ("(", "by", "without") else self.selector()
        elif kind is NUMBER or kind is DURATION:
            expr = self.take_number()
            self.type = _SCALAR
        elif kind == "(":
            expr = self._paren()
        elif kind is STRING:
            self.at += 1
            self.type = _STRING
            expr = StringLiteral(unquote(self.texts[at]), self.span(at))
        elif kind in CALLED_KEYWORDS and kinds[at + 1] == "(":
            expr = self._call()
        else:
            expr = self.selector()
        while kinds[self.at] in _SUFFIXES:
            expr = self._suffixed(expr)
        return expr

    def _paren(self) -> Expr:
        start = self.starts[self.at]
        self.at += 1
        inner = self.expression(1)
        self.take(")")
        self.height += 1
        return Paren(inner, Span(start, self.end()))

    # Calls and aggregations

    def _call(self) -> Call:
        at = self.at
        name = self.texts[at]
        self.at += 1
        args = self._arguments()
        function = FUNCTIONS.get(name)
        if function is None:
            raise QueryError(f"unknown function with name {quote(name)}", span=self.span(at))
        self.type = function.return_type
        return Call(function.name, args, Span(self.starts[at], self.end()))

    def _arguments(self) -> tuple[Expr, ...]:
        """Expressions in parentheses; `height` is theirs and one more."""
        kinds = self.kinds
        self.take("(")
        args: list[Expr] = []
        height = 0
        if kinds[self.at] != ")":
            args.append(self.expression(1))
            height = self.height
            while kinds[self.at] == ",":
                self.at += 1
                if kinds[self.at] in (")", ","):
                    span = self.span(self.at - 1)
                    raise QueryError("trailing commas not allowed in function call args", span=span)
                args.append(self.expression(1))
                height = max(height, self.height)
        self.take(")")
        self.height = height + 1
        return tuple(args)

    def _aggregate(self) -> Aggregate:
        kinds = self.kinds
        at = self.at
        op = AGGREGATIONS[kinds[at]]
        self.at += 1
        clause, grouping = self._grouping_clause()
        if kinds[self.at] != "(":
            self.unexpected("aggregation")
        args = self._arguments()
        if not clause:
            height = self.height
            clause, grouping = self._grouping_clause()
            self.height = height
        span = Span(self.starts[at], self.end())
        if not args:
            raise QueryError("no arguments for aggregate expression provided", span=span)
        wanted = 2 if op.takes_parameter else 1
        if len(args) != wanted:
            raise QueryError(
                f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(args)}",
                span=span,
            )
        self.type = _VECTOR
        param = args[0] if wanted > 1 else None
        return Aggregate(op, args[-1], param, grouping, clause == "without", bool(clause), span)

    def _grouping_clause(self) -> tuple[str, tuple[str, ...]]:
        kind = self.kinds[self.at]
        if kind not in ("by", "without"):
            return "", ()
        self.at += 1
        return kind, self._labels()

    def _labels(self) -> tuple[str, ...]:
        """Names of labels in parentheses; a comma may follow the last."""
        kinds = self.kinds
        if kinds[self.at] != "(":
            self.unexpected("grouping opts", '"("')
        self.at += 1
        labels: list[str] = []
        while kinds[self.at] != ")":
            at = self.at
            if kinds[at] in LABEL_NAMES:
                label = self.texts[at]
            elif kinds[at] is STRING:
                label = unquote(self.texts[at])
            else:
                self.unexpected("grouping opts", "label")
            if not label:
                raise QueryError('invalid label name for grouping: ""', span=self.span(at))
            labels.append(label)
            self.at += 1
            if kinds[self.at] == ",":
                self.at += 1
                if kinds[self.at] == ",":
                    self.unexpected("grouping opts", "label")
            elif kinds[self.at] != ")":
                self.unexpected("grouping opts", '"," or ")"')
        self.at += 1
        return tuple(labels)

    # Matching of vectors

    def _matching(self) -> VectorMatching:
        """What stands between an operator (and its `bool`) and the right side."""
        kinds = self.kinds
        kind = kinds[self.at]
        on = kind == "on"
        labels: tuple[str, ...] = ()
        include: tuple[str, ...] = ()
        cardinality = Cardinality.ONE_TO_ONE
        if on or kind == "ignoring":
            self.at += 1
            labels = self._labels()
            group = kinds[self.at]
            if group in ("group_left", "group_right"):
                cardinality = Cardinality.MANY_TO_ONE if group == "group_left" else Cardinality.ONE_TO_MANY
                self.at += 1
                if kinds[self.at] == "(":
                    include = self._labels()
        elif not kind.startswith("fill"):
            return _ONE_TO_ONE
        fill_left, fill_right = self._fills()
        return VectorMatching(cardinality, on, labels, include, fill_left, fill_right)

    def _fills(self) -> tuple[float | None, float | None]:
        """`fill(x)`, or `fill_left(x)` and `fill_right(y)` in any order, each at most once."""
        kinds = self.kinds
        if kinds[self.at] == "fill":
            value = self._fill()
            return value, value
        fills: dict[str, float] = {}
        while (kind := kinds[self.at]) in ("fill_left", "fill_right") and kind not in fills:
            fills[kind] = self._fill()
        return fills.get("fill_left"), fills.get("fill_right")

    def _fill(self) -> float:
        self.at += 1
        self.take("(")
        sign = self.kinds[self.at]
        if sign in SIGNS:
            self.at += 1
        value = self.take_number().value
        self.take(")")
        return -value if sign == "-" else value

    # Selectors

    def selector(self) -> VectorSelector:
        """`name`, `name{...}` or `{...}`."""
        kinds = self.kinds
        at = self.at
        name = ""
        matchers: list[Matcher] = []
        if kinds[at] in METRIC_NAMES:
            name = self.texts[at]
            self.at += 1
        elif kinds[at] != "{":
            self.unexpected()
        if kinds[self.at] == "{":
            self.at += 1
            self._matchers(matchers)
        if name:
            matchers.append(Matcher(METRIC_NAME, MatchOp.EQUAL, name))
        self.type = _VECTOR
        return VectorSelector(name, tuple(matchers), span=Span(self.starts[at], self.end()))

    def _matchers(self, matchers: list[Matcher]) -> None:
        """What stands between braces, and the closing one."""
        kinds = self.kinds
        while kinds[self.at] != "}":
            matchers.append(self._matcher())
            if kinds[self.at] == ",":
                self.at += 1
            elif kinds[self.at] != "}":
                self.unexpected("label matching", '"," or "}"')
        self.at += 1

    def _matcher(self) -> Matcher:
        kinds = self.kinds
        at = self.at
        kind = kinds[at]
        quoted = kind is STRING
        if quoted:
            name = unquote(self.texts[at])
        elif kind is IDENTIFIER:
            name = self.texts[at]
        else:
            self.unexpected("label matching", 'identifier or "}"')
        self.at += 1
        op = _MATCH_OPS.get(kinds[self.at])
        if op is None:
            if not quoted:
                self.unexpected("label matching", "label matching operator")
            if kinds[self.at] is ERROR:
                self.unexpected()
            return Matcher(METRIC_NAME, MatchOp.EQUAL, name)
        self.at += 1
        if kinds[self.at] is not STRING:
            self.unexpected("label matching", "string")
        value = unquote(self.texts[self.at])
        self.at += 1
        if op in _REGEX_OPS:
            try:
                compile_anchored(value)
            except QueryError as exc:
                raise QueryError(exc.problem, span=Span(self.starts[at], self.end())) from exc
        return Matcher(name, op, value)

    # Suffixes: ranges, offset, @, anchored, smoothed

    def _suffixed(self, expr: Expr) -> Expr:
        at = self.at
        kind = self.kinds[at]
        self.at += 1
        if kind == "[":
            return self._ranged(expr, at)
        if kind == "offset":
            return self._with_offset(expr, offset_duration(self))
        if kind == "@":
            return self._with_at(expr)
        return self._with_mode(expr, RangeMode(kind))

    def _ranged(self, expr: Expr, opened_at: int) -> Expr:
        """`[range]` or `[range:step]`; the opening bracket has been read."""
        kinds = self.kinds
        height = self.height
        window = positive_duration(self, RANGE)
        if kinds[self.at] == ":":
            self.at += 1
            step = None if kinds[self.at] == "]" else positive_duration(self, STEP)
            if kinds[self.at] != "]":
                self.unexpected("subquery selector", '"]"')
            self.at += 1
            self.grow(height, opened_at)
            self.type = _MATRIX
            return Subquery(expr, window, step, span=Span(expr.span.start, self.end()))
        if kinds[self.at] != "]":
            self.unexpected("subquery or range", '":" or "]"')
        self.at += 1
        self.grow(height, opened_at)
        span = Span(self.starts[opened_at], self.end())
        if not isinstance(expr, VectorSelector):
            raise QueryError("ranges only allowed for vector selectors", span=span)
        if expr.offset != 0:
            raise QueryError("no offset modifiers allowed before range", span=span)
        if expr.at is not None:
            raise QueryError("no @ modifiers allowed before range", span=span)
        self.type = _MATRIX
        return MatrixSelector(expr, window, Span(expr.span.start, span.end))

    def _with_offset(self, expr: Expr, offset: Duration) -> Expr:
        target = expr.selector if isinstance(expr, MatrixSelector) else expr
        if not isinstance(target, VectorSelector | Subquery):
            raise QueryError(
                "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                span=expr.span,
            )
        if target.offset != 0:
            raise QueryError("offset may not be set multiple times", span=expr.span)
        return self._retimed(expr, offset=offset, at=target.at)

    def _with_at(self, expr: Expr) -> Expr:
        kinds = self.kinds
        point: int | AtPoint
        if kinds[self.at] in ("start", "end"):
            point = AtPoint(kinds[self.at])
            if kinds[self.at + 1] != "(":
                self.at += 1
                self.unexpected("@", "timestamp")
            self.at += 2
            if kinds[self.at] != ")":
                self.unexpected("@", "timestamp")
            self.at += 1
        else:
            point = self._timestamp(expr)
        target = expr.selector if isinstance(expr, MatrixSelector) else expr
        if not isinstance(target, VectorSelector | Subquery):
            raise QueryError(
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                span=expr.span,
            )
        if target.at is not None:
            raise QueryError("@ <timestamp> may not be set multiple times", span=expr.span)
        return self._retimed(expr, offset=target.offset, at=point)

    def _timestamp(self, expr: Expr) -> int:
        """A time in seconds, in milliseconds."""
        sign = self.kinds[self.at]
        if sign in SIGNS:
            self.at += 1
        if self.kinds[self.at] not in (NUMBER, DURATION):
            self.unexpected("@", "timestamp")
        seconds = self.take_number().value
        if sign == "-":
            seconds = -seconds
        if not abs(seconds) < _MAX_TIME_S:
            shown = {math.inf: "+Inf", -math.inf: "-Inf"}.get(seconds, "NaN" if math.isnan(seconds) else f"{seconds:f}")
            raise QueryError(f"timestamp out of bounds for @ modifier: {shown}", span=expr.span)
        return rounded(seconds * 1000)

    def _retimed(self, expr: Expr, *, offset: Duration, at: int | AtPoint | None) -> Expr:
        """A selector or subquery with its time modifiers, and with them in its span."""
        span = Span(expr.span.start, self.end())
        if isinstance(expr, MatrixSelector):
            return replace(expr, selector=replace(expr.selector, offset=offset, at=at), span=span)
        if isinstance(expr, VectorSelector | Subquery):
            return replace(expr, offset=offset, at=at, span=span)
        raise AssertionError(expr)

    def _with_mode(self, expr: Expr, mode: RangeMode) -> Expr:
        target = expr.selector if isinstance(expr, MatrixSelector) else expr
        if isinstance(target, Subquery):
            raise QueryError(f"{mode} modifier is not supported for subqueries", span=expr.span)
        if not isinstance(target, VectorSelector):
            raise QueryError(f"{mode} modifier not implemented", span=expr.span)
        if target.mode not in (RangeMode.PLAIN, mode):
            raise QueryError("anchored and smoothed modifiers cannot be used together", span=expr.span)
        span = Span(expr.span.start, self.end())
        if isinstance(expr, MatrixSelector):
            return replace(expr, selector=replace(target, mode=mode), span=span)
        return replace(target, mode=mode, span=span)
