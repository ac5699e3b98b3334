from __future__ import annotations

from typing import Any

import pytest

from vedette.lang.promql import parse, to_tree

X = {
    "name": "x",
    "offset": 0,
    "matchers": [{"name": "__name__", "value": "x", "type": "="}],
    "timestamp": None,
    "startOrEnd": None,
    "anchored": False,
    "smoothed": False,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", {"type": "numberLiteral", "val": "1000"}),
        ("'s'", {"type": "stringLiteral", "val": "s"}),
        ("-x", {"type": "unaryExpr", "op": "-", "expr": {"type": "vectorSelector", **X}}),
        ("(x)", {"type": "parenExpr", "expr": {"type": "vectorSelector", **X}}),
        (
            "x[5m] anchored @ end() offset 1m",
            {
                "type": "matrixSelector",
                **X,
                "range": 300_000,
                "offset": 60_000,
                "startOrEnd": "end",
                "anchored": True,
            },
        ),
        (
            "x[5m:] @ 1.5",
            {
                "type": "subquery",
                "expr": {"type": "vectorSelector", **X},
                "range": 300_000,
                "offset": 0,
                "step": 0,
                "timestamp": 1500,
                "startOrEnd": None,
            },
        ),
        (
            "sum without (a) (x)",
            {
                "type": "aggregation",
                "op": "sum",
                "expr": {"type": "vectorSelector", **X},
                "param": None,
                "grouping": ["a"],
                "without": True,
            },
        ),
        (
            "hour()",
            {
                "type": "call",
                "func": {"name": "hour", "argTypes": ["vector"], "variadic": 1, "returnType": "vector"},
                "args": [],
            },
        ),
        (
            "x > bool on (a) group_right (b) fill_left(1) x",
            {
                "type": "binaryExpr",
                "op": ">",
                "lhs": {"type": "vectorSelector", **X},
                "rhs": {"type": "vectorSelector", **X},
                "matching": {
                    "card": "one-to-many",
                    "labels": ["a"],
                    "on": True,
                    "include": ["b"],
                    "fillValues": {"lhs": 1.0, "rhs": None},
                },
                "bool": True,
            },
        ),
        (
            "x offset (step())",
            {"type": "vectorSelector", **X, "offset": 0, "offsetExpr": "(step())"},
        ),
    ],
)
def test_a_tree_is_given_out_as_prometheus_does(text: str, expected: dict[str, Any]) -> None:
    assert to_tree(parse(text)) == expected
