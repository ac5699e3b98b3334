from __future__ import annotations

import pytest

from vedette.lang.promql import parse, value_type
from vedette.lang.promql.ast import ValueType
from vedette.model.errors import QueryError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 1", ValueType.SCALAR),
        ("1 > bool 2", ValueType.SCALAR),
        ("-(x)", ValueType.VECTOR),
        ("1 + x", ValueType.VECTOR),
        ("x[5m]", ValueType.MATRIX),
        ("x[5m:]", ValueType.MATRIX),
        ("'s'", ValueType.STRING),
        ("time()", ValueType.SCALAR),
        ("vector(1)", ValueType.VECTOR),
        ("sum(x)", ValueType.VECTOR),
    ],
)
def test_an_expression_has_a_type(text: str, expected: ValueType) -> None:
    assert value_type(parse(text)) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rate(x)", 'expected type range vector in call to function "rate", got instant vector'),
        ("abs()", 'expected 1 argument(s) in call to "abs", got 0'),
        ("round()", 'expected at least 1 argument(s) in call to "round", got 0'),
        ("round(x, 1, 2)", 'expected at most 2 argument(s) in call to "round", got 3'),
        ("label_join(x, 'a')", 'expected at least 3 argument(s) in call to "label_join", got 2'),
        ("label_join(x, 'a', 'b', 'c', 1)", 'expected type string in call to function "label_join", got scalar'),
        ("topk('a', x)", "expected type scalar in aggregation parameter, got string"),
        ("count_values(1, x)", "expected type string in aggregation parameter, got scalar"),
        ("sum(1)", "expected type instant vector in aggregation expression, got scalar"),
        ("sum(x, y)", "wrong number of arguments for aggregate expression provided, expected 1, got 2"),
        ("x[5m] + 1", "binary expression must contain only scalar and instant vector types"),
        ("1 + 's'", "binary expression must contain only scalar and instant vector types"),
        ("1 > 2", "comparisons between scalars must use BOOL modifier"),
        ("x + bool y", "bool modifier can only be used on comparison operators"),
        ("x and 1", 'set operator "and" not allowed in binary scalar expression'),
        ("x and on (a) group_left (b) y", 'no grouping allowed for "and" operation'),
        ("x or fill(1) y", "filling in missing series not allowed for set operators"),
        ("x + on (a) 1", "vector matching only allowed between instant vectors"),
        ("x + fill(1) 1", "filling in missing series only allowed between instant vectors"),
        ("x + on (a) group_left (a) y", 'label "a" must not occur in ON and GROUP clause at once'),
        ("-x[5m]", 'unary expression only allowed on expressions of type scalar or instant vector, got "range vector"'),
        ("1[5m:]", "subquery is only allowed on instant vector, got scalar instead"),
        ("x[5m][5m:]", "subquery is only allowed on instant vector, got matrix instead"),
        ("{}", "vector selector must contain at least one non-empty matcher"),
        ('{a="",b=~".*"}', "vector selector must contain at least one non-empty matcher"),
        ("rate({}[5m])", "vector selector must contain at least one non-empty matcher"),
        ('x{__name__="y"}', 'metric name must not be set twice: "x" or "y"'),
        ('x{"y"}', 'metric name must not be set twice: "x" or "y"'),
        ("info(x, y)", "expected label selectors only, got vector selector instead"),
        ("info(x, sum(y))", "expected label selectors only"),
        ("info(x, 1)", 'expected type instant vector in call to function "info", got scalar'),
        ("START()", 'unknown function with name "START"'),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert caught.value.problem == problem


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("info(x, {})", id="info may be told to add all labels"),
        pytest.param('info(x, {a=~".*"})', id="info's matchers may all be empty"),
        pytest.param('{__name__!=""}', id="a matcher that refuses the empty value is enough"),
        pytest.param('{"x", __name__=~"y.*"}', id="a quoted name may be narrowed further"),
        pytest.param("x + ignoring (a) group_left (a) y", id="what is ignored may be copied"),
        pytest.param("histogram_quantiles(x, 'q', 0.5, 0.9, 0.99)", id="quantiles come in any number"),
        pytest.param("sort_by_label(x)", id="labels to sort by may be left out"),
        pytest.param("max_of(1, step()) + start()", id="values of the query are scalars"),
    ],
)
def test_what_fits_is_accepted(text: str) -> None:
    assert parse(text)
