from __future__ import annotations

import pytest

from vedette.lang.promql import format_expr, parse, prettify


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('x{b="c",a!="d"}', 'x{a!="d",b="c"}', id="matchers are sorted"),
        pytest.param('{"x y"}', '{__name__="x y"}', id="a quoted name is a matcher"),
        pytest.param("x @ -1.5", "x @ -1.500", id="a time has three decimals"),
        pytest.param("1h30m + 4.18", "1h30m + 4.18", id="durations stay durations"),
        pytest.param("4s180ms", "4s180ms", id="and are not cut short"),
        pytest.param("-5m", "-5m", id="with their sign"),
        pytest.param("x[90m:] offset -1w", "x[1h30m:] offset -1w", id="a subquery without a step"),
        pytest.param("sum without () (x)", "sum without () (x)", id="without nothing says something"),
        pytest.param("sum(x) by (a)", "sum by (a) (x)", id="grouping comes first"),
        pytest.param("a+fill(1e6)b", "a + fill (1e+06) b", id="a filled value"),
        pytest.param("1e21", "1000000000000000000000", id="a large number"),
        pytest.param("Inf", "+Inf", id="infinity"),
        pytest.param("x offset +(5)", "x offset (5)", id="a plus before a duration is dropped"),
        pytest.param("x[((5m))]", "x[(5m)]", id="one pair of parentheses is enough for a duration"),
        pytest.param("'it\\'s'", '"it\'s"', id="strings get double quotes"),
        pytest.param("+x", "+x", id="a plus before a vector stays"),
    ],
)
def test_the_normal_form(text: str, expected: str) -> None:
    assert format_expr(parse(text)) == expected


LONG = "a_rather_long_name_of_a_metric_total"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("sum(x)", "sum(x)", id="what fits stays in one line"),
        pytest.param(
            f"sum by (job) (rate({LONG}[5m])) / on (job) sum by (job) (rate({LONG}[5m]))",
            f"  sum by (job) (rate({LONG}[5m]))\n/ on (job)\n  sum by (job) (rate({LONG}[5m]))",
            id="an operator stands between its sides",
        ),
        pytest.param(
            f"topk(5, {LONG} + {LONG} + {LONG})",
            f"topk(\n  5,\n    {LONG} + {LONG}\n  +\n    {LONG}\n)",
            id="parameters and vectors have lines of their own",
        ),
        pytest.param(
            f"-(histogram_quantile(0.99, {LONG} + {LONG} + {LONG}))",
            f"-(\n  histogram_quantile(\n    0.99,\n      {LONG} + {LONG}\n    +\n      {LONG}\n  )\n)",
            id="signs, parentheses and calls",
        ),
        pytest.param(
            f"max_over_time(({LONG} + {LONG} + {LONG})[5m:1m] offset 1h)",
            f"max_over_time(\n  (\n      {LONG} + {LONG}\n    +\n      {LONG}\n  )[5m:1m] offset 1h\n)",
            id="a subquery's window follows its expression",
        ),
    ],
)
def test_a_long_expression_is_laid_out_over_lines(text: str, expected: str) -> None:
    assert prettify(parse(text)) == expected
