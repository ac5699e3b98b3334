from __future__ import annotations

from vedette.lang.promql import children, format_expr, parse, selectors, walk


def test_a_walk_goes_from_outside_in_and_from_left_to_right() -> None:
    expr = parse("topk(2, rate(a[5m])) + -(b)")

    assert [format_expr(node) for node in walk(expr)] == [
        "topk(2, rate(a[5m])) + -(b)",
        "topk(2, rate(a[5m]))",
        "2",
        "rate(a[5m])",
        "a[5m]",
        "a",
        "-(b)",
        "(b)",
        "b",
    ]


def test_selectors_are_found_in_ranges_and_subqueries_too() -> None:
    expr = parse("rate(a[5m]) + max_over_time(b[5m:]) or c")

    assert [selector.name for selector in selectors(expr)] == ["a", "b", "c"]


def test_a_leaf_has_no_children() -> None:
    assert children(parse("x")) == ()
