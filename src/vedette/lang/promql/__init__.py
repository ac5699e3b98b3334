"""PromQL as a language: parse it, check it, print it. Evaluating it is `vedette.query.promql`."""

from vedette.lang.promql import ast
from vedette.lang.promql.check import value_type
from vedette.lang.promql.functions import FUNCTIONS, Function
from vedette.lang.promql.parser import parse, parse_metric, parse_selector
from vedette.lang.promql.positions import describe_error, position
from vedette.lang.promql.printer import format_expr, format_matcher, prettify
from vedette.lang.promql.tree import to_tree
from vedette.lang.promql.walk import children, selectors, walk

__all__ = [
    "FUNCTIONS",
    "Function",
    "ast",
    "children",
    "describe_error",
    "format_expr",
    "format_matcher",
    "parse",
    "parse_metric",
    "parse_selector",
    "position",
    "prettify",
    "selectors",
    "to_tree",
    "value_type",
    "walk",
]
