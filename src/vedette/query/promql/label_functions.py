"""Functions that change or read labels: label_replace, label_join, absent's labels, sorting.

Regular expressions are RE2 and match the whole value; `.` matches a newline. Each different value of a label is
looked at once, however many series have it.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import re2

from vedette.lang.promql.ast import Call, Expr, MatrixSelector, StringLiteral, VectorSelector
from vedette.model.errors import QueryExecutionError
from vedette.model.frames import Int32s, LabelFrame
from vedette.model.labels import METRIC_NAME
from vedette.model.matchers import MatchOp
from vedette.query.promql.label_groups import sort_by_labels
from vedette.query.promql.plan import unwrap
from vedette.query.promql.values import Block, Bools

_REFERENCE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)
_CHUNKS: Final = re.compile(r"\d+|\D+", re.ASCII)
_LONGEST_INT: Final = 18


def text_argument(call: Call, index: int) -> str:
    """A string argument."""
    arg = unwrap(call.args[index])
    return arg.value if isinstance(arg, StringLiteral) else ""


def replace_label(evaluate: Callable[[], Block], call: Call) -> Block:
    """label_replace(v, dst, replacement, src, regex).

    Args:
        evaluate: gives v; called once the other arguments have been found to be valid.

    Raises:
        QueryExecutionError: the regular expression or the label's name is not valid.
    """
    target, replacement, source, pattern = (text_argument(call, i) for i in range(1, 5))
    match = _compile(pattern)
    if match is None:
        raise QueryExecutionError(f"invalid regular expression in label_replace(): {pattern}")
    _check_name(target, "invalid destination label name in label_replace(): ")
    block = evaluate()
    labels = block.labels
    numbers, which = np.unique(_column(labels, source), return_inverse=True)
    made = np.zeros(len(numbers), np.int32)
    matched = np.zeros(len(numbers), np.bool_)
    for i, number in enumerate(numbers.tolist()):
        found = match(labels.symbols.text(number))
        if found is not None:
            matched[i] = True
            made[i] = labels.symbols.intern(_expand(replacement, found))
    column = np.where(matched[which], made[which], _column(labels, target)).astype(np.int32)
    return _with_label(block, target, column, matched[which])


def join_labels(evaluate: Callable[[], Block], call: Call) -> Block:
    """label_join(v, dst, separator, src...).

    Args:
        evaluate: gives v; called once the other arguments have been found to be valid.

    Raises:
        QueryExecutionError: a label's name is not valid.
    """
    target, separator = text_argument(call, 1), text_argument(call, 2)
    sources = [text_argument(call, i) for i in range(3, len(call.args))]
    for source in sources:
        _check_name(source, "invalid source label name in label_join(): ")
    _check_name(target, "invalid destination label name in label_join(): ")
    block = evaluate()
    labels = block.labels
    text = labels.symbols.text
    columns: list[list[int]] = [_column(labels, source).tolist() for source in sources]
    known: dict[tuple[int, ...], int] = {}
    joined: list[int] = []
    for row in range(labels.size):
        key = tuple(column[row] for column in columns)
        if key not in known:
            known[key] = labels.symbols.intern(separator.join(map(text, key)))
        joined.append(known[key])
    return _with_label(block, target, np.array(joined, np.int32), np.ones(labels.size, np.bool_))


def absent_labels(expr: Expr) -> dict[str, str]:
    """The labels of what is missing, as far as the selector states them with `=`."""
    expr = unwrap(expr)
    if isinstance(expr, MatrixSelector):
        expr = expr.selector
    if not isinstance(expr, VectorSelector):
        return {}
    stated: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in expr.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.op is MatchOp.EQUAL and matcher.name not in seen:
            stated[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            stated.pop(matcher.name, None)
    return {name: value for name, value in stated.items() if value}


def sort_by_value(block: Block, *, descending: bool) -> Block:
    """The elements of a single step by value, NaN last."""
    values = block.values[:, 0]
    with np.errstate(all="ignore"):
        order = np.lexsort((-values if descending else values, np.isnan(values)))
    return block.take(order.astype(np.int64))


def sort_by_label_values(block: Block, names: Sequence[str], *, descending: bool) -> Block:
    """The elements by the natural order of some labels' values, then by all labels."""
    labels = block.labels
    ranks = np.empty(labels.size, np.int64)
    ranks[sort_by_labels(labels)] = np.arange(labels.size)
    text = labels.symbols.text
    columns = [[text(number) for number in _column(labels, name).tolist()] for name in names]

    def compare(a: int, b: int) -> int:
        for column in columns:
            if column[a] != column[b]:
                return -1 if comes_before(column[a], column[b]) else 1
        return int(ranks[a] - ranks[b])

    order = sorted(range(labels.size), key=functools.cmp_to_key(compare), reverse=descending)
    return block.take(np.array(order, np.int64))


def comes_before(a: str, b: str) -> bool:
    """Natural order: digits within texts count as numbers, `4m5` before `4m600`.

    Source: github.com/facette/natsort, which Prometheus uses.
    """
    left, right = _CHUNKS.findall(a), _CHUNKS.findall(b)
    for i, chunk in enumerate(left):
        if i >= len(right):
            return False
        other = right[i]
        numeric = chunk.isdigit() and other.isdigit() and max(len(chunk), len(other)) <= _LONGEST_INT
        if numeric and int(chunk) != int(other):
            return int(chunk) < int(other)
        if not numeric and chunk != other:
            return str(chunk) < str(other)
        if i == len(left) - 1:
            return True
        if i == len(right) - 1:
            return False
    return False


def _column(labels: LabelFrame, name: str) -> Int32s:
    column = labels.columns.get(name)
    return np.zeros(labels.size, np.int32) if column is None else column


def _with_label(block: Block, name: str, column: Int32s, changed: Bools) -> Block:
    drop = block.drop_name
    if name == METRIC_NAME and drop is not None:
        # A name that was given on purpose stays.
        drop = drop & ~changed
    return Block(block.labels.replace(name, column), block.values, block.present, drop)


def _check_name(name: str, problem: str) -> None:
    if not name:
        raise QueryExecutionError(problem + name)


@functools.lru_cache(maxsize=256)
def _compile(pattern: str) -> Any | None:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(f"^(?s:{pattern})$", options).fullmatch
    except re2.error:
        return None


def _expand(template: str, found: Any) -> str:
    """Go's Regexp.Expand: `$1`, `${1}`, `$name`; a group that does not exist is empty."""
    named: dict[str, str | None] = found.groupdict()

    def value(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        if name.isdigit():
            return (found[int(name)] or "") if int(name) <= found.re.groups else ""
        return named.get(name) or ""

    return _REFERENCE.sub(value, template)
