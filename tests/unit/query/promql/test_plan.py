from __future__ import annotations

import pytest

from vedette.lang.promql import parse
from vedette.lang.promql.ast import Binary
from vedette.query.promql.plan import Plan


@pytest.mark.parametrize(
    ("text", "invariant"),
    [
        ("x @ 1", True),
        ("x @ start()", True),
        ("x", False),
        ("rate(x[5m] @ 1) + 3", True),
        ("rate(x[5m] @ 1) + x", False),
        ("predict_linear(x[5m] @ 1, 60)", False),
        ("timestamp(x @ 1)", False),
        ("time()", False),
        ("sum(x @ 1)", True),
        ("max_over_time(x[5m:] @ 1)", True),
        ("max_over_time((x @ 1)[5m:])", False),
        ("pi() * 2", True),
    ],
)
def test_a_part_is_invariant_if_all_its_selectors_are_pinned_and_it_does_not_ask_for_the_time(
    text: str,
    *,
    invariant: bool,
) -> None:
    expr = parse(text)

    assert Plan(expr).is_invariant(expr) is invariant


def test_equal_parts_are_found_wherever_they_stand() -> None:
    expr = parse("sum(rate(x[5m])) / on () count( rate(x[5m]) )")
    assert isinstance(expr, Binary)
    plan = Plan(expr)

    assert plan.is_repeated(parse("rate(x[5m])"))
    assert not plan.is_repeated(expr.left)
