"""Random trees, printed and parsed again, here and by another parser of the same language.

What the other parser (promql-parser) cannot read is left out of the trees that it is given: `anchored` and
`smoothed`, durations that have to be computed, `</` and `>/`, numbers other than plain decimal ones, and
functions that are newer than it is. It drops a `+` before an expression, knows a duration from a number no
more, and keeps no places.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.promql import ast, format_expr, parse, prettify, walk
from vedette.lang.promql.ast import (
    Aggregate,
    Aggregation,
    AtPoint,
    Binary,
    BinaryOp,
    Call,
    Cardinality,
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
from vedette.lang.promql.printer import format_matcher
from vedette.model.errors import QueryError
from vedette.model.labels import METRIC_NAME
from vedette.model.matchers import Matcher, MatchOp

LABELS = ["a", "job", "le", "by", "on", "sum", "group_left", "offset"]
METRICS = ["x", "up", "foo:bar", "sum", "start", "http_requests_total", "by", "Sum"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISON = ["==", "!=", "<", "<=", ">", ">="]
SETS = ["and", "or", "unless"]
DURATIONS_MS = st.integers(1, 10**9) | st.sampled_from([1000, 60_000, 300_000, 86_400_000])

numbers = st.builds(NumberLiteral, st.integers(0, 10**6).map(float) | st.floats(0, 1e6)) | st.builds(
    NumberLiteral, DURATIONS_MS.map(lambda ms: ms / 1000), st.just(value=True)
)
label_names = st.lists(st.sampled_from(LABELS), max_size=3, unique=True).map(tuple)
plain_text = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)


@st.composite
def selectors(draw: st.DrawFn, *, everything: bool) -> VectorSelector:
    name = draw(st.sampled_from(METRICS))
    texts = st.text(st.characters(codec="utf-8"), max_size=8) if everything else plain_text
    tests = draw(
        st.lists(
            st.builds(
                Matcher,
                st.sampled_from(["a", "job", "le"] + (["näme", "a.b"] if everything else [])),
                st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]),
                texts,
            )
            | st.builds(
                Matcher,
                st.sampled_from(["a", "job"]),
                st.sampled_from([MatchOp.REGEX, MatchOp.NOT_REGEX]),
                st.sampled_from(["x.*", "a|b", "", "[a-c]+"]),
            ),
            max_size=3,
        )
    )
    return VectorSelector(
        name=name,
        matchers=(*sorted(tests, key=format_matcher), Matcher(METRIC_NAME, MatchOp.EQUAL, name)),
        offset=draw(offsets(everything=everything)),
        at=draw(times),
        mode=draw(st.sampled_from(list(RangeMode))) if everything else RangeMode.PLAIN,
    )


times = st.none() | st.integers(0, 10**12) | st.sampled_from(list(AtPoint))


def computed() -> st.SearchStrategy[Any]:
    """Durations that have to be computed."""
    literals = st.builds(NumberLiteral, st.integers(1, 1000).map(float), st.booleans())
    calls = st.sampled_from([ast.DurationCall("step"), ast.DurationCall("range")])
    inner = st.recursive(
        literals | calls,
        lambda some: (
            st.builds(
                ast.DurationParen,
                st.builds(ast.DurationBinary, st.sampled_from([BinaryOp(op) for op in ARITHMETIC[:-1]]), some, some),
            )
            | st.builds(ast.DurationCall, st.sampled_from(["min_of", "max_of"]), st.tuples(some, some))
        ),
        max_leaves=4,
    )
    return inner.filter(lambda expr: not isinstance(expr, NumberLiteral))


def offsets(*, everything: bool) -> st.SearchStrategy[Any]:
    plain = st.just(0) | DURATIONS_MS | DURATIONS_MS.map(lambda ms: -ms)
    signed = computed().map(lambda expr: ast.DurationUnary("-", expr))
    return plain | computed() | signed if everything else plain


def windows(*, everything: bool) -> st.SearchStrategy[Any]:
    return DURATIONS_MS | computed() if everything else DURATIONS_MS


def operand(expr: Expr) -> Expr:
    """What can stand beside an operator without changing its meaning."""
    return Paren(expr) if isinstance(expr, Binary | Unary | NumberLiteral) else expr


@st.composite
def vector_matchings(draw: st.DrawFn, op: BinaryOp) -> VectorMatching:
    labels = draw(label_names)
    on = draw(st.booleans())
    if op.is_set:
        return VectorMatching(Cardinality.MANY_TO_MANY, on, labels)
    cardinality = draw(st.sampled_from([Cardinality.ONE_TO_ONE, Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY]))
    include = () if cardinality is Cardinality.ONE_TO_ONE else draw(label_names)
    if on:
        include = tuple(label for label in include if label not in labels)
    fills = st.none() | st.integers(-5, 5).map(float)
    return VectorMatching(cardinality, on, labels, include, draw(fills), draw(fills))


@st.composite
def binaries(draw: st.DrawFn, left: Any, right: Any, *, everything: bool, vectors: bool, both: bool) -> Binary:
    names = ARITHMETIC + COMPARISON + (SETS if both else []) + (["</", ">/"] if everything and vectors else [])
    op = BinaryOp(draw(st.sampled_from(names)))
    return_bool = op.is_comparison and (not vectors or draw(st.booleans()))
    matching = draw(vector_matchings(op)) if both else None
    return Binary(op, operand(draw(left)), operand(draw(right)), return_bool, matching)


def expressions(*, everything: bool) -> st.SearchStrategy[Any]:
    """Scalars and vectors of every form."""
    scalars = st.deferred(lambda: numbers | some_scalars)
    vectors = st.deferred(lambda: selectors(everything=everything) | some_vectors)
    windows_ = windows(everything=everything)
    matrices = st.builds(MatrixSelector, selectors(everything=everything), windows_) | st.builds(
        Subquery,
        vectors.map(lambda expr: Paren(expr) if isinstance(expr, Binary | Unary) else expr),
        windows_,
        st.none() | windows_,
        offsets(everything=everything),
        times,
    )
    signs = st.sampled_from("+-" if everything else "-")
    some_scalars = st.one_of(
        st.builds(Paren, scalars),
        st.builds(Unary, signs, scalars.map(operand)),
        binaries(scalars, scalars, everything=everything, vectors=False, both=False),
        st.builds(Call, st.just("scalar"), st.tuples(vectors)),
        st.just(Call("time", ())),
    )
    some_vectors = st.one_of(
        st.builds(Paren, vectors),
        st.builds(Unary, signs, vectors.map(operand)),
        binaries(vectors, vectors, everything=everything, vectors=True, both=True),
        binaries(vectors, scalars, everything=everything, vectors=True, both=False),
        binaries(scalars, vectors, everything=everything, vectors=True, both=False),
        st.builds(Call, st.sampled_from(["rate", "avg_over_time"]), st.tuples(matrices)),
        st.builds(Call, st.just("quantile_over_time"), st.tuples(scalars, matrices)),
        st.builds(Call, st.just("vector"), st.tuples(scalars)),
        st.builds(Call, st.just("label_join"), st.tuples(vectors, *[plain_text.map(StringLiteral)] * 3)),
        aggregates(vectors, scalars),
    )
    return scalars | vectors


@st.composite
def aggregates(draw: st.DrawFn, vectors: Any, scalars: Any) -> Aggregate:
    op = draw(st.sampled_from(list(Aggregation)))
    param: Expr | None = None
    if op is Aggregation.COUNT_VALUES:
        param = StringLiteral(draw(plain_text))
    elif op.takes_parameter:
        param = draw(scalars)
    grouping = draw(label_names)
    without = draw(st.booleans())
    return Aggregate(op, draw(vectors), param, grouping, without, explicit=without or bool(grouping))


@given(expressions(everything=True))
def test_a_printed_expression_parses_to_the_same_tree(expr: Expr) -> None:
    assert parse(format_expr(expr)) == expr


@given(expressions(everything=True))
def test_a_laid_out_expression_parses_to_the_same_tree(expr: Expr) -> None:
    assert parse(prettify(expr)) == expr


@given(expressions(everything=True))
def test_the_text_at_a_node_s_place_is_that_node(expr: Expr) -> None:
    text = format_expr(expr)

    for node in walk(parse(text)):
        part = text[node.span.start : node.span.end]
        if isinstance(node, VectorSelector):
            assert part.startswith(node.name)
        else:
            assert parse(part) == node


@given(expressions(everything=False))
def test_another_parser_reads_a_printed_expression_alike(expr: Expr) -> None:
    text = format_expr(expr)

    assert shape(parse(text)) == other_shape(promql_parser.parse(text))


OPERATORS = [*ARITHMETIC, "and", "or", "unless", "== bool", "> bool", "<", "!="]
SIGNED = st.sampled_from(["x", "1", "(y)", "-x", "- 2", "-(z)", "x offset 5m", "sum(x)", "-x[5m:]", "rate(x[1m])"])


@given(SIGNED, st.lists(st.tuples(st.sampled_from(OPERATORS), SIGNED), max_size=6))
def test_another_parser_groups_a_chain_of_operators_alike(first: str, more: list[tuple[str, str]]) -> None:
    text = " ".join([first, *(f"{op} {right}" for op, right in more)])

    assert outcome(text) == other_outcome(text)


FRAGMENTS = st.sampled_from(
    [
        *("a", "sum", "by", "(", ")", "{", "}", "[", "]", ",", "=", "=~", "!=", "~", "!", '"s"', "'t'", "`u`", '"\\'),
        *("5", "5m", "1e3", "0x1F", "1_000", ".", ":", "@", "start()", "offset", "-", "+", "*", "^", "==", "<", ">"),
        *("/", "#", "\n", " ", "and", "on", "group_left", "bool", "fill(", "anchored", "step()", "range()", "max_of("),
        *("info(", "NaN", "Inf", "\\", "é", "\x00", "\ud800", "rate(", "x[5m]", "topk(1,"),
    ]
)


@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=20).map("".join))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    expr, error = parsed(text)

    if expr is not None:
        assert format_expr(parse(format_expr(expr))) == format_expr(expr)
    if error is not None:
        assert error.problem
        assert error.span is not None
        assert 0 <= error.span.start <= error.span.end <= len(text)


def parsed(text: str) -> tuple[Expr | None, QueryError | None]:
    try:
        return parse(text), None
    except QueryError as exc:
        return None, exc


def outcome(text: str) -> Any:
    try:
        return shape(parse(text))
    except QueryError:
        return "refused"


def other_outcome(text: str) -> Any:
    try:
        return other_shape(promql_parser.parse(text))
    except ValueError:
        return "refused"


def shape(expr: Expr) -> Any:  # noqa: PLR0911 - an arm for each kind of node
    """A tree as plain tuples, without what the other parser does not tell."""
    match expr:
        case NumberLiteral():
            return ("number", number(expr.value))
        case StringLiteral():
            return ("string", expr.value)
        case VectorSelector():
            tests = sorted((m.name, m.op.value, m.value) for m in expr.matchers if m.name != METRIC_NAME)
            return ("vector", expr.name, tests, expr.offset, at(expr.at))
        case MatrixSelector():
            return ("matrix", shape(expr.selector), expr.range)
        case Subquery():
            return ("subquery", shape(expr.expr), expr.range, expr.step, expr.offset, at(expr.at))
        case Call():
            return ("call", expr.function, [shape(arg) for arg in expr.args])
        case Aggregate():
            grouping = (expr.without, list(expr.grouping))
            param = None if expr.param is None else shape(expr.param)
            return ("aggregate", expr.op.value, shape(expr.expr), param, grouping)
        case Binary():
            matching = expr.matching or VectorMatching()
            return (
                *("binary", expr.op.value, shape(expr.left), shape(expr.right), expr.return_bool),
                *(matching.on, list(matching.labels), matching.cardinality.value, list(matching.include)),
                *(number(matching.fill_left), number(matching.fill_right)),
            )
        case Unary():
            return ("minus", shape(expr.expr)) if expr.op == "-" else shape(expr.expr)
        case Paren():
            return ("paren", shape(expr.expr))
    pytest.fail(f"no shape for {expr!r}")


CARDINALITIES = {
    "OneToOne": "one-to-one",
    "ManyToOne": "many-to-one",
    "OneToMany": "one-to-many",
    "ManyToMany": "many-to-many",
}
OPS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def other_shape(expr: Any) -> Any:  # noqa: PLR0911 - an arm for each kind of node
    match type(expr).__name__:
        case "NumberLiteral":
            return ("number", number(expr.val))
        case "StringLiteral":
            return ("string", expr.val)
        case "VectorSelector":
            tests = sorted((m.name, OPS[str(m.op).split(".")[1]], m.value) for m in expr.matchers.matchers)
            return ("vector", expr.name, tests, milliseconds(expr.offset) or 0, other_at(expr.at))
        case "MatrixSelector":
            return ("matrix", other_shape(expr.vector_selector), milliseconds(expr.range))
        case "SubqueryExpr":
            window = (milliseconds(expr.range), milliseconds(expr.step))
            return ("subquery", other_shape(expr.expr), *window, milliseconds(expr.offset) or 0, other_at(expr.at))
        case "Call":
            return ("call", expr.func.name, [other_shape(arg) for arg in expr.args])
        case "AggregateExpr":
            modifier = expr.modifier
            grouping = (
                modifier is not None and str(modifier.type).endswith("Without"),
                modifier.labels if modifier else [],
            )
            param = None if expr.param is None else other_shape(expr.param)
            return ("aggregate", str(expr.op), other_shape(expr.expr), param, grouping)
        case "BinaryExpr":
            return other_binary(expr)
        case "UnaryExpr":
            return ("minus", other_shape(expr.expr))
        case "ParenExpr":
            return ("paren", other_shape(expr.expr))
    pytest.fail(f"no shape for {expr!r}")


def other_binary(expr: Any) -> Any:
    modifier = expr.modifier
    sides = (other_shape(expr.lhs), other_shape(expr.rhs))
    if modifier is None:
        cardinality = "many-to-many" if str(expr.op) in SETS else "one-to-one"
        return ("binary", str(expr.op), *sides, False, False, [], cardinality, [], None, None)
    matching = modifier.matching
    return (
        *("binary", str(expr.op), *sides, modifier.return_bool),
        matching is not None and str(matching.type).endswith("Include"),
        matching.labels if matching else [],
        CARDINALITIES[str(modifier.card).split(".")[1]],
        modifier.group_labels or [],
        *(number(modifier.fill_values.lhs), number(modifier.fill_values.rhs)),
    )


def number(value: float | None) -> Any:
    # The other parser turns durations into seconds with an error in the last digits.
    return None if value is None else "NaN" if math.isnan(value) else round(value, 9)


def milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // timedelta(milliseconds=1)


def at(point: int | AtPoint | None) -> Any:
    return f"{point}()" if isinstance(point, AtPoint) else point


def other_at(modifier: Any) -> Any:
    if modifier is None:
        return None
    if modifier.at is None:
        return str(modifier.type).split(".")[1].lower() + "()"
    epoch = datetime.fromtimestamp(0, tz=modifier.at.tzinfo)
    return (modifier.at - epoch) // timedelta(milliseconds=1)
