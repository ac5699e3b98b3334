"""Check what a parsed expression means: types of operands and arguments, rules of matching.

The parser sees to the grammar; here is what a grammar cannot say. The first mistake is raised, in the order
in which Prometheus looks (`checkAST` in its `promql/parser/parse.go`); messages are worded alike.
"""

from __future__ import annotations

from typing import Final, assert_never

from vedette.lang.promql.ast import (
    Aggregate,
    Aggregation,
    Binary,
    Call,
    Cardinality,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorMatching,
    VectorSelector,
)
from vedette.lang.promql.functions import FUNCTIONS
from vedette.lang.promql.strings import quote
from vedette.model.errors import QueryError
from vedette.model.labels import METRIC_NAME

SCALAR, VECTOR, MATRIX, STRING = ValueType.SCALAR, ValueType.VECTOR, ValueType.MATRIX, ValueType.STRING

TYPE_NAMES: Final = {SCALAR: "scalar", VECTOR: "instant vector", MATRIX: "range vector", STRING: "string"}
"""Types as Prometheus' documentation calls them."""

_PARAMETER_TYPES: Final = {
    Aggregation.TOPK: SCALAR,
    Aggregation.BOTTOMK: SCALAR,
    Aggregation.QUANTILE: SCALAR,
    Aggregation.LIMITK: SCALAR,
    Aggregation.LIMIT_RATIO: SCALAR,
    Aggregation.COUNT_VALUES: STRING,
}


def value_type(expr: Expr) -> ValueType:  # noqa: PLR0911 - an arm for each kind of node
    """What an expression that has been checked evaluates to."""
    match expr:
        case NumberLiteral():
            return SCALAR
        case StringLiteral():
            return STRING
        case VectorSelector() | Aggregate():
            return VECTOR
        case MatrixSelector() | Subquery():
            return MATRIX
        case Call():
            return FUNCTIONS[expr.function].return_type
        case Paren() | Unary():
            return value_type(expr.expr)
        case Binary():
            vector = expr.matching is not None or VECTOR in (value_type(expr.left), value_type(expr.right))
            return VECTOR if vector else SCALAR
    assert_never(expr)


def check(expr: Expr) -> ValueType:  # noqa: PLR0911 - an arm for each kind of node
    """The type of an expression, once everything within it has been found to fit.

    Raises:
        QueryError: something does not fit.
    """
    match expr:
        case VectorSelector():
            return _check_selector(expr, may_be_empty=False)
        case MatrixSelector():
            _check_selector(expr.selector, may_be_empty=False)
            return MATRIX
        case NumberLiteral() | StringLiteral():
            return value_type(expr)
        case Call():
            return _check_call(expr)
        case Aggregate():
            return _check_aggregate(expr)
        case Binary():
            return _check_binary(expr)
        case Paren():
            return check(expr.expr)
        case Unary():
            return _check_unary(expr)
        case Subquery():
            return _check_subquery(expr)
    assert_never(expr)


def _check_unary(expr: Unary) -> ValueType:
    found = check(expr.expr)
    if found not in (SCALAR, VECTOR):
        raise QueryError(
            "unary expression only allowed on expressions of type scalar or instant vector, "
            f"got {quote(TYPE_NAMES[found])}",
            span=expr.span,
        )
    return found


def _check_subquery(expr: Subquery) -> ValueType:
    found = check(expr.expr)
    if found is not VECTOR:
        raise QueryError(f"subquery is only allowed on instant vector, got {found} instead", span=expr.span)
    return MATRIX


def _check_selector(selector: VectorSelector, *, may_be_empty: bool) -> ValueType:
    if selector.name:
        for matcher in selector.matchers[:-1]:
            if matcher.name == METRIC_NAME:
                raise QueryError(
                    f"metric name must not be set twice: {quote(selector.name)} or {quote(matcher.value)}",
                    span=selector.span,
                )
    elif not may_be_empty and all(matcher.matches_empty for matcher in selector.matchers):
        # Else a slip of the keyboard would select everything there is.
        raise QueryError("vector selector must contain at least one non-empty matcher", span=selector.span)
    return VECTOR


def _check_aggregate(expr: Aggregate) -> ValueType:
    _expect(expr.expr, VECTOR, "aggregation expression")
    wanted = _PARAMETER_TYPES.get(expr.op)
    if wanted is not None and expr.param is not None:
        _expect(expr.param, wanted, "aggregation parameter")
    return VECTOR


def _expect(expr: Expr, wanted: ValueType, context: str) -> None:
    found = check(expr)
    if found is not wanted:
        raise QueryError(f"expected type {TYPE_NAMES[wanted]} in {context}, got {TYPE_NAMES[found]}", span=expr.span)


def _check_call(call: Call) -> ValueType:
    function = FUNCTIONS[call.function]
    given = len(call.args)
    context = f"call to {quote(function.name)}, got {given}"
    if not function.variadic and given != function.min_args:
        raise QueryError(f"expected {function.min_args} argument(s) in {context}", span=call.span)
    if given < function.min_args:
        raise QueryError(f"expected at least {function.min_args} argument(s) in {context}", span=call.span)
    if function.max_args is not None and given > function.max_args:
        raise QueryError(f"expected at most {function.max_args} argument(s) in {context}", span=call.span)
    last = len(function.arg_types) - 1
    for i, arg in enumerate(call.args):
        if i == 1 and function.name == "info":
            _check_info_selector(arg, call)
        else:
            _expect(arg, function.arg_types[min(i, last)], f"call to function {quote(function.name)}")
    return function.return_type


def _check_info_selector(arg: Expr, call: Call) -> None:
    """The second argument of `info` has the form of a selector, but only says which labels to add."""
    if isinstance(arg, VectorSelector):
        if arg.name:
            raise QueryError("expected label selectors only, got vector selector instead", span=arg.span)
        _check_selector(arg, may_be_empty=True)
        return
    found = check(arg)
    if found is not VECTOR:
        raise QueryError(
            f'expected type {TYPE_NAMES[VECTOR]} in call to function "info", got {TYPE_NAMES[found]}', span=call.span
        )
    raise QueryError("expected label selectors only", span=arg.span)


def _check_binary(expr: Binary) -> ValueType:
    left = check(expr.left)
    right = check(expr.right)
    op = expr.op
    if expr.return_bool and not op.is_comparison:
        raise QueryError("bool modifier can only be used on comparison operators", span=expr.op_span)
    if op.is_comparison and not expr.return_bool and left is right is SCALAR:
        raise QueryError("comparisons between scalars must use BOOL modifier", span=expr.op_span)
    if expr.matching is not None and expr.matching.on:
        include = frozenset(expr.matching.include)
        for label in expr.matching.labels:
            if label in include:
                problem = f"label {quote(label)} must not occur in ON and GROUP clause at once"
                raise QueryError(problem, span=expr.op_span)
    for side, found in ((expr.left, left), (expr.right, right)):
        if found not in (SCALAR, VECTOR):
            raise QueryError("binary expression must contain only scalar and instant vector types", span=side.span)
    vectors = left is right is VECTOR
    if expr.matching is not None:
        _check_matching(expr, expr.matching, vectors=vectors)
    if op.is_set and not vectors:
        raise QueryError(f"set operator {quote(op)} not allowed in binary scalar expression", span=expr.span)
    return SCALAR if left is right is SCALAR else VECTOR


def _check_matching(expr: Binary, matching: VectorMatching, *, vectors: bool) -> None:
    fills = matching.fill_left is not None or matching.fill_right is not None
    if not vectors:
        # The parser drops a matching that says nothing.
        problem = (
            "vector matching only allowed between instant vectors"
            if matching.labels
            else "filling in missing series only allowed between instant vectors"
        )
        raise QueryError(problem, span=expr.span)
    if expr.op.is_set:
        if matching.cardinality is not Cardinality.MANY_TO_MANY:
            raise QueryError(f"no grouping allowed for {quote(expr.op)} operation", span=expr.span)
        if fills:
            raise QueryError("filling in missing series not allowed for set operators", span=expr.span)
