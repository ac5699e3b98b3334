from __future__ import annotations

import pytest

from vedette.lang.promql import describe_error, format_expr, parse, parse_metric, parse_selector, position
from vedette.lang.promql.ast import (
    Aggregate,
    AtPoint,
    Binary,
    Call,
    Cardinality,
    DurationBinary,
    DurationParen,
    MatrixSelector,
    NumberLiteral,
    Paren,
    RangeMode,
    Subquery,
    Unary,
    VectorSelector,
)
from vedette.lang.promql.cursor import MAX_HEIGHT
from vedette.model.errors import QueryError, Span
from vedette.model.matchers import Matcher, MatchOp


def grouped(text: str) -> str:
    """An expression with a pair of brackets for every operator."""

    def show(expr: object) -> str:
        match expr:
            case Binary():
                return f"[{show(expr.left)} {expr.op} {show(expr.right)}]"
            case Unary():
                return f"[{expr.op}{show(expr.expr)}]"
            case Paren():
                return f"({show(expr.expr)})"
            case NumberLiteral() | VectorSelector() | MatrixSelector() | Subquery() | Call() | Aggregate():
                return format_expr(expr)
        raise AssertionError(expr)

    return show(parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("-1^2", "[-[1 ^ 2]]", id="a sign is weaker than a power"),
        pytest.param("-1*2", "[-1 * 2]", id="a sign is as strong as a product"),
        pytest.param("-x*2", "[[-x] * 2]", id="a sign is not weaker than a product"),
        pytest.param("2^3^4", "[2 ^ [3 ^ 4]]", id="powers group from the right"),
        pytest.param("2^-3^4*5", "[[2 ^ [-[3 ^ 4]]] * 5]", id="a sign within a power"),
        pytest.param("1-2-3", "[[1 - 2] - 3]", id="the rest groups from the left"),
        pytest.param("1+2*3%4 atan2 5", "[1 + [[[2 * 3] % 4] atan2 5]]", id="products before sums"),
        pytest.param("a or b and c unless d", "[a or [[b and c] unless d]]", id="or is the weakest"),
        pytest.param("a > b + 1 == c", "[[a > [b + 1]] == c]", id="comparisons come after sums"),
        pytest.param("a </ 1 > b", "[[a </ 1] > b]", id="trimming is as strong as comparison"),
        pytest.param("-x offset 1m @ 5", "[-x @ 5.000 offset 1m]", id="suffixes come first"),
        pytest.param("x offset 1m + 1m", "[x offset 1m + 1m]", id="an offset ends with its literal"),
        pytest.param("x offset -2 ^ 2", "[x offset -2s ^ 2]", id="also when it has a sign"),
        pytest.param("x offset (5m) + y", "[x offset (5m) + y]", id="also when it is in parentheses"),
        pytest.param("x offset step() * 2", "[x offset step() * 2]", id="also when it is a call"),
    ],
)
def test_operators_bind_as_in_prometheus(text: str, expected: str) -> None:
    assert grouped(text) == expected


def test_a_selector_keeps_name_matchers_offset_time_and_mode() -> None:
    assert parse('x{a="b",c!~"d.*",} smoothed @ start() offset -90s') == VectorSelector(
        name="x",
        matchers=(
            Matcher("a", MatchOp.EQUAL, "b"),
            Matcher("c", MatchOp.NOT_REGEX, "d.*"),
            Matcher("__name__", MatchOp.EQUAL, "x"),
        ),
        offset=-90_000,
        at=AtPoint.START,
        mode=RangeMode.SMOOTHED,
    )


def test_a_name_quoted_between_braces_is_a_matcher() -> None:
    selector = parse('{"näme", "a b"="c"}')

    assert selector == VectorSelector(
        "", (Matcher("__name__", MatchOp.EQUAL, "näme"), Matcher("a b", MatchOp.EQUAL, "c"))
    )


@pytest.mark.parametrize(
    ("text", "range_ms"),
    [("x[300]", 300_000), ("x[1h30m]", 5_400_000), ("x[1.5]", 1500), ("x[+5m]", 300_000), ("x[ 1e2 ]", 100_000)],
)
def test_a_range_is_a_duration_or_a_number_of_seconds(text: str, range_ms: int) -> None:
    expr = parse(text)

    assert isinstance(expr, MatrixSelector)
    assert expr.range == range_ms


def test_a_duration_that_is_computed_stays_a_tree() -> None:
    expr = parse("x[5m + step():(1m)]")

    assert isinstance(expr, Subquery)
    assert isinstance(expr.range, DurationBinary)
    assert expr.step == DurationParen(NumberLiteral(60.0, is_duration=True))


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [("x @ 1.2345", 1235), ("x @ -1", -1000), ("x @ 5m", 300_000), ("x @ 0xA", 10_000), ("x @ -0.0005", -1)],
)
def test_a_time_is_rounded_to_the_millisecond(text: str, at_ms: int) -> None:
    expr = parse(text)

    assert isinstance(expr, VectorSelector)
    assert expr.at == at_ms


@pytest.mark.parametrize("text", ["sum by (a, b) (x)", "sum(x) by (a, b)", "SUM(x) BY (a, 'b',)", 'sum by ("a", b)(x)'])
def test_grouping_may_stand_before_or_after(text: str) -> None:
    expr = parse(text)

    assert isinstance(expr, Aggregate)
    assert (expr.grouping, expr.without, expr.explicit) == (("a", "b"), False, True)


@pytest.mark.parametrize("name", ["sum", "by", "without", "offset", "and", "start", "fill", "anchored", "limitk", "Or"])
def test_most_keywords_are_names_where_only_a_name_makes_sense(name: str) -> None:
    selector = parse(f'{name}{{x="y"}}')

    assert isinstance(selector, VectorSelector)
    assert selector.name == name


def test_every_matching_modifier_is_kept() -> None:
    expr = parse("a == bool on (b) group_left (c) fill_right(-1) fill_left(2) d")

    assert isinstance(expr, Binary)
    assert expr.return_bool
    assert expr.matching is not None
    assert (expr.matching.on, expr.matching.labels, expr.matching.include) == (True, ("b",), ("c",))
    assert expr.matching.cardinality is Cardinality.MANY_TO_ONE
    assert (expr.matching.fill_left, expr.matching.fill_right) == (2.0, -1.0)


def test_only_two_vectors_are_matched() -> None:
    for text, matched in [("a + b", True), ("a + 1", False), ("1 + a", False), ("1 + 1", False), ("a + on() 1", False)]:
        expr = parse(text)

        assert isinstance(expr, Binary)
        assert (expr.matching is not None) is matched


def test_set_operators_match_many_to_many() -> None:
    for text in ("a and b", "a or on (c) b", "a unless ignoring (c) b"):
        expr = parse(text)

        assert isinstance(expr, Binary)
        assert expr.matching is not None
        assert expr.matching.cardinality is Cardinality.MANY_TO_MANY


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        pytest.param("rate(foo[5m])", "args.0", "foo[5m]", id="an argument"),
        pytest.param("quantile(0.5, foo)", "param", "0.5", id="a parameter"),
        pytest.param("(sum(foo) )", "expr", "sum(foo)", id="an aggregation ends with its parenthesis"),
        pytest.param("sum(foo) by (bar) + 1", "left", "sum(foo) by (bar)", id="or with its grouping"),
        pytest.param("1 + foo{a='b'} @ 5 offset 1m", "right", "foo{a='b'} @ 5 offset 1m", id="a selector and its time"),
        pytest.param("foo[5m] offset 1m", "selector", "foo", id="the selector within a range"),
        pytest.param("foo [5m:]", "", "foo [5m:]", id="a subquery begins with its expression"),
        pytest.param(" - foo ^ 2 ", "", "- foo ^ 2", id="a sign begins its expression"),
        pytest.param("foo  ==  bool bar", "op_span", "==", id="an operator"),
        pytest.param("foo[5m] smoothed", "", "foo[5m] smoothed", id="a mode"),
    ],
)
def test_a_node_knows_its_place(text: str, path: str, expected: str) -> None:
    node: object = parse(text)
    for step in filter(None, path.split(".")):
        node = node[int(step)] if isinstance(node, tuple) else getattr(node, step)
    span = node if isinstance(node, Span) else getattr(node, "span")  # noqa: B009 - of any kind of node

    assert text[span.start : span.end] == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("foo{", "1:5: parse error: unexpected end of input inside braces", id="at the end"),
        pytest.param("sum(foo) +\n  ]", "2:3: parse error: unexpected right bracket ']'", id="in another line"),
        pytest.param('{a="ä"} + }', "1:12: parse error: unexpected character: '}'", id="columns count bytes"),
        pytest.param("a{b=~'('}", "1:3: parse error: error parsing regexp: missing )", id="in a regular expression"),
        pytest.param("rate(foo)", "1:6: parse error: expected type range vector in call to function", id="of a type"),
        pytest.param("foo bar", '1:5: parse error: unexpected identifier "bar"', id="one thing after another"),
        pytest.param("", "unknown position: parse error: no expression found in input", id="without any text"),
    ],
)
def test_an_error_says_line_column_and_reason(text: str, error: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert describe_error(text, caught.value).startswith(error)


def test_a_position_counts_lines_and_columns_from_one() -> None:
    assert position("a\nbc", 0) == (1, 1)
    assert position("a\nbc", 3) == (2, 2)
    assert position("ä b", 2) == (1, 4)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 100_000, id="parentheses"),
        pytest.param("(" * 1000 + "x" + ")" * 1000, id="parentheses that are closed"),
        pytest.param("-" * 100_000 + "1", id="signs"),
        pytest.param("a^" * 1000 + "a", id="powers"),
        pytest.param("a+" * 100_000 + "a", id="a chain of operators"),
        pytest.param("sum(" * 1000 + "a" + ")" * 1000, id="aggregations"),
        pytest.param("abs(" * 1000 + "a" + ")" * 1000, id="calls"),
        pytest.param("foo[" + "(" * 100_000 + "1", id="durations"),
        pytest.param("foo[" + "1+" * 10_000 + "1]", id="a chain of durations"),
        pytest.param("(" * 100 + "a" + "+a" * 200 + ")+a" * 100, id="chains within parentheses"),
        pytest.param("a" + "[5m:]" * 1000, id="subqueries of subqueries"),
    ],
)
def test_deep_nesting_is_refused_before_it_can_hurt(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


def test_a_tree_of_the_greatest_height_can_be_printed_and_compared() -> None:
    text = " + ".join(["a"] * MAX_HEIGHT)

    expr = parse(text)

    assert format_expr(expr) == text
    assert parse(text) == expr
    assert hash(expr) == hash(parse(text))


def test_a_query_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(QueryError, match="longer than 10 characters"):
        parse("a" * 11, max_length=10)
    assert parse("a" * 10, max_length=10)


@pytest.mark.parametrize(
    "text", ["x offset 1m offset 1m", "x @ 1 @ 2", "x offset step() offset 1m", "x anchored smoothed"]
)
def test_a_modifier_stands_once(text: str) -> None:
    with pytest.raises(QueryError, match=r"multiple times|together"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "count"), [("up", 1), ('up{job="a"}', 2), ('{__name__=~"a|b", c!="d"}', 2), ("{}", 0), ("sum", 1)]
)
def test_a_selector_alone_gives_its_matchers(text: str, count: int) -> None:
    assert len(parse_selector(text)) == count


@pytest.mark.parametrize("text", ["", "up[5m]", "up offset 5m", "sum(up)", "up or up", "1"])
def test_only_a_selector_is_a_selector(text: str) -> None:
    with pytest.raises(QueryError):
        parse_selector(text)


def test_a_metric_is_written_like_a_selector_with_equal_signs() -> None:
    assert parse_metric('up{job="a", "b.c"="d"}') == (("__name__", "up"), ("b.c", "d"), ("job", "a"))
    assert parse_metric("{}") == ()
    assert parse_metric("") == ()
    with pytest.raises(QueryError, match="label set"):
        parse_metric('up{job!="a"}')
