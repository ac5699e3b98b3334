"""info(): add the labels of info series, such as `target_info`, to the series that they describe.

Info series and series find each other by `instance` and `job`. Which info series counts may change from step to
step; where several would do, the one with the newest sample does.

Source: Prometheus' promql/info.go.
"""

# ruff: noqa: D417 - arguments whose names say it all are not described again

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vedette.lang.promql.ast import Call, Expr, Subquery, VectorSelector
from vedette.model.errors import QueryExecutionError
from vedette.model.frames import LabelFrame
from vedette.model.labels import METRIC_NAME
from vedette.model.matchers import Matcher, MatchOp
from vedette.query.promql.label_groups import match_rows, merge_equal_labels, show_labels
from vedette.query.promql.options import Ledger
from vedette.query.promql.plan import children
from vedette.query.promql.values import Block, Bools, Floats, Ints

IDENTIFYING: Final = ("instance", "job")
"""Labels that say what an info series is about."""

DEFAULT_METRIC: Final = Matcher(METRIC_NAME, MatchOp.EQUAL, "target_info")
"""The info metric where the query names none."""

ANY_INFO: Final = Matcher(METRIC_NAME, MatchOp.REGEX, ".+_info")
"""The info metrics where the query only excludes some."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the second argument asks for.

    Attributes:
        names: tests on the info metric's name.
        data: tests on the labels to be added; all labels are added if there are none.
    """

    names: tuple[Matcher, ...]
    data: tuple[Matcher, ...]

    @classmethod
    def of(cls, call: Call) -> Request:
        """Read it from a call."""
        selector = call.args[1] if len(call.args) > 1 else None
        if not isinstance(selector, VectorSelector):
            return cls((DEFAULT_METRIC,), ())
        names = tuple(matcher for matcher in selector.matchers if matcher.name == METRIC_NAME)
        data = tuple(matcher for matcher in selector.matchers if matcher.name != METRIC_NAME)
        if names and all(matcher.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_REGEX) for matcher in names):
            # To say only what they are not called would make info series of all the others.
            names = (*names, ANY_INFO)
        return cls(names or (DEFAULT_METRIC,), data)

    @property
    def needs_match(self) -> bool:
        """Whether a series without info series is to be left out."""
        return not all(matcher.matches_empty for matcher in self.data)

    def is_info(self, name: str) -> bool:
        """Whether a metric is itself one of those that labels are taken from."""
        return all(matcher.matches(name) for matcher in self.names)


def find_reference(expr: Expr) -> Sequence[Subquery | VectorSelector]:
    """The first selector of an expression and the subqueries around it, from outside to inside: their times count."""
    if isinstance(expr, VectorSelector):
        return [expr]
    for part in children(expr):
        path = find_reference(part)
        if path:
            return [expr, *path] if isinstance(expr, Subquery) else path
    return []


def enrich(base: Block, info: Block, request: Request, ledger: Ledger) -> Block:
    """The base series with labels added.

    Args:
        info: the info series; values are the times of their samples.

    Raises:
        QueryExecutionError: info series contradict each other.
    """
    symbols = base.labels.symbols
    names = base.labels.columns.get(METRIC_NAME, np.zeros(base.size, np.int32))
    texts = {number: symbols.text(number) for number in np.unique(names).tolist()}
    left_alone = np.array([request.is_info(texts[number]) for number in names.tolist()], np.bool_)
    parts = [base.take(np.flatnonzero(left_alone))]
    others = base.take(np.flatnonzero(~left_alone))
    of_base, of_info, count = match_rows(others.labels, info.labels, IDENTIFYING, on=True)
    by_signature: dict[int, list[int]] = {}
    for row, signature in enumerate(of_info.tolist()):
        by_signature.setdefault(signature, []).append(row)
    for signature in range(count):
        rows = np.flatnonzero(of_base == signature)
        if len(rows):
            parts.extend(_enrich_rows(others.take(rows), info, by_signature.get(signature, []), request))
            ledger.hold(parts[-1].cells)
    labels = LabelFrame.concat([part.labels for part in parts])
    drop: Bools | None = None
    if base.drop_name is not None:
        drop = np.concatenate([part.drop_name for part in parts if part.drop_name is not None])
    values = np.concatenate([part.values for part in parts])
    present = np.concatenate([part.present for part in parts])
    return merge_equal_labels(Block(labels, values, present, drop).without_empty_rows())


def _enrich_rows(base: Block, info: Block, candidates: list[int], request: Request) -> list[Block]:
    """Series that share their identifying labels: one block for each set of info series that counts at some steps."""
    steps = base.values.shape[1]
    chosen = [_newest(info, rows) for rows in _by_name(info, candidates)]
    if not chosen:
        return [] if request.needs_match else [base]
    combinations, which = np.unique(np.stack(chosen), axis=1, return_inverse=True)
    which = which.reshape(steps)
    blocks: list[Block] = []
    for number in range(combinations.shape[1]):
        sources = [row for row in combinations[:, number].tolist() if row >= 0]
        if not sources and request.needs_match:
            continue
        labels = _add_labels(base.labels, info.labels, sources, request)
        blocks.append(Block(labels, base.values, base.present & (which == number), base.drop_name))
    return blocks


def _by_name(info: Block, rows: list[int]) -> list[list[int]]:
    """Info series by their metric's name."""
    names = info.labels.columns.get(METRIC_NAME, np.zeros(info.size, np.int32))
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(int(names[row]), []).append(row)
    return list(found.values())


def _newest(info: Block, rows: list[int]) -> Ints:
    """The row of the newest sample at each step; -1 where there is none."""
    index = np.array(rows, np.int64)
    times: Floats = np.where(info.present[index], info.values[index], -np.inf)
    best = times.argmax(axis=0)
    newest = times.max(axis=0)
    ties = ((times == newest) & (newest > -np.inf)).sum(axis=0) > 1
    if ties.any():
        step = int(np.flatnonzero(ties)[0])
        same: list[int] = np.flatnonzero(times[:, step] == newest[step]).tolist()
        shown = [show_labels(info.labels.label_set(rows[place])) for place in same[:2]]
        at_ms = round(float(newest[step]) * 1000)
        raise QueryExecutionError(
            f"found duplicate series for info metric: existing {shown[0]} @ {at_ms}, new {shown[1]} @ {at_ms}"
        )
    return np.where(newest > -np.inf, index[best], -1)


def _add_labels(base: LabelFrame, info: LabelFrame, sources: list[int], request: Request) -> LabelFrame:
    wanted = {matcher.name for matcher in request.data}
    added: dict[str, int] = {}
    for row in sources:
        for name, column in info.columns.items():
            value = int(column[row])
            if not value or name == METRIC_NAME or (wanted and name not in wanted):
                continue
            if added.setdefault(name, value) != value:
                raise QueryExecutionError(f"conflicting label: {name}")
    columns = dict(base.columns)
    for name, value in added.items():
        own = columns.get(name, np.zeros(base.size, np.int32))
        # What a series says of itself stays.
        columns[name] = np.where(own == 0, value, own).astype(np.int32)
    return LabelFrame(base.symbols, columns, base.size)


def info_matchers(labels: LabelFrame, request: Request) -> list[Matcher]:
    """What info series have to pass; empty where no series has anything to find them by."""
    if not any(name in labels.columns and labels.columns[name].any() for name in IDENTIFYING):
        return []
    return [*request.names, *request.data]
