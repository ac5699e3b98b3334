"""Warnings and infos that accompany an answer, in Prometheus' words.

An annotation is the same as another if its text is, wherever in the query the two arose; the place shown
is that of the last one. `Annotations.render` adds places and caps the lists as Prometheus' HTTP API does.

Source: Prometheus' util/annotations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from vedette.model.errors import Span
from vedette.query.promql.numbers import format_general

_HISTOGRAM_QUANTILE_DOCS: Final = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"


class Severity(Enum):
    """Which of the two lists of an answer an annotation belongs to."""

    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Forced:
    """How much of a classic histogram had to be corrected.

    Attributes:
        first_ms: the first step at which it happened.
        last_ms: the last one.
        low_bound: the lowest upper bound of a bucket that was raised.
        high_bound: the highest one.
        largest: by how much a bucket was raised at most.
        count: how many histogram samples were corrected.
    """

    first_ms: int
    last_ms: int
    low_bound: float
    high_bound: float
    largest: float
    count: int

    def merged(self, other: Forced) -> Forced:
        """Both together."""
        return Forced(
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
            min(self.low_bound, other.low_bound),
            max(self.high_bound, other.high_bound),
            max(self.largest, other.largest),
            self.count + other.count,
        )

    def __str__(self) -> str:
        first, last = (
            datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            for ms in (self.first_ms, self.last_ms)
        )
        return (
            f", from buckets {format_general(self.low_bound)} to {format_general(self.high_bound)}, "
            f"with a max diff of {self.largest:.2g}, over {self.count} samples from {first} to {last}"
        )


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark on an answer.

    Attributes:
        text: the sentence, without place and detail.
        span: the part of the query that it is about.
        forced: detail of the forced-monotonicity info.
    """

    severity: Severity
    text: str
    span: Span
    forced: Forced | None = None

    def render(self, query: str) -> str:
        """The sentence with its place as `(line:column)`, columns counted in bytes as Prometheus does."""
        before = query[: self.span.start]
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode()) + 1
        detail = "" if self.forced is None else str(self.forced)
        return f"{self.text}{detail} ({line}:{column})"


class Annotations:
    """The remarks collected during one evaluation, each text once.

    Attributes:
        log: all of them in the order in which they were made, also those made several times.
    """

    def __init__(self) -> None:
        self._by_text: dict[str, Annotation] = {}
        self.log: list[Annotation] = []

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self._by_text.values())

    def __len__(self) -> int:
        return len(self._by_text)

    def add(self, annotation: Annotation) -> None:
        """Note it; details of the same remark are merged."""
        self.log.append(annotation)
        known = self._by_text.get(annotation.text)
        if known is not None and known.forced is not None and annotation.forced is not None:
            annotation = dataclasses.replace(annotation, forced=known.forced.merged(annotation.forced))
        self._by_text[annotation.text] = annotation

    def replay(self, entries: list[Annotation], shift: int) -> None:
        """Note again what a node's first evaluation noted, for an equal node further on in the query."""
        for entry in entries:
            if shift:
                span = Span(entry.span.start + shift, entry.span.end + shift)
                known = self._by_text[entry.text]
                self._by_text[entry.text] = dataclasses.replace(known, span=span)

    def of(self, severity: Severity) -> list[Annotation]:
        """All of one kind, in the order of their first appearance."""
        return [annotation for annotation in self._by_text.values() if annotation.severity is severity]

    def render(self, query: str, *, limit: int = 10) -> tuple[list[str], list[str]]:
        """Texts for the API.

        Args:
            query: the text that the spans refer to.
            limit: how many of each kind are spelled out; 0 for all.

        Returns:
            Warnings and infos.
        """
        lists: list[list[str]] = []
        for severity in (Severity.WARNING, Severity.INFO):
            found = self.of(severity)
            shown = found if limit == 0 else found[:limit]
            texts = [annotation.render(query) for annotation in shown]
            if len(found) > len(shown):
                texts.append(f"{len(found) - len(shown)} more {severity.value} annotations omitted")
            lists.append(texts)
        return lists[0], lists[1]


def invalid_quantile(quantile: float, span: Span) -> Annotation:
    """A quantile outside [0, 1]."""
    return _warning(f"quantile value should be between 0 and 1, got {format_general(quantile)}", span)


def invalid_ratio(ratio: float, capped: float, span: Span) -> Annotation:
    """A ratio outside [-1, 1]."""
    return _warning(
        f"ratio value should be between -1 and 1, got {format_general(ratio)}, capping to {format_general(capped)}",
        span,
    )


def bad_bucket_label(bound: str, metric: str, span: Span) -> Annotation:
    """A series in a classic histogram whose `le` is no number."""
    return _warning(
        f'bucket label "le" is missing or has a malformed value of {quote(bound)}{_for_metric(metric)}', span
    )


def ineffective_sort(span: Span) -> Annotation:
    """`sort` and its kin in a range query."""
    return _warning("sort is ineffective for range queries since results are always ordered by labels", span)


def overlapping_start(metric: str, span: Span) -> Annotation:
    """A sample's start time lies before the sample that precedes it."""
    return _warning(
        f"sample has start time that overlaps with previous sample timestamp for metric {quote(metric)}", span
    )


def possible_non_counter(metric: str, span: Span) -> Annotation:
    """`rate` or `increase` of what is not named like a counter."""
    return _info(
        f"metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {quote(metric)}", span
    )


def possible_non_counter_type(metric: str, metric_type: str, span: Span) -> Annotation:
    """`rate` or `increase` of what is not labelled as a counter."""
    return _info(
        'metric might not be a counter, __type__ label is not set to "counter" or "histogram", '
        f"got {quote(metric_type)}: {quote(metric)}",
        span,
    )


def forced_monotonicity(metric: str, span: Span, forced: Forced) -> Annotation:
    """Buckets of a classic histogram that fall where they should rise."""
    text = f"input to histogram_quantile needed to be fixed for monotonicity (see {_HISTOGRAM_QUANTILE_DOCS})"
    return dataclasses.replace(_info(f"{text}{_for_metric(metric)}", span), forced=forced)


def incompatible_types(left: str, operator: str, right: str, span: Span) -> Annotation:
    """An operator that does not apply to floats."""
    return _info(
        f'incompatible sample types encountered for binary operator "{operator}": {left} {operator} {right}', span
    )


def quote(text: str) -> str:
    """A string as Go's `%q` shows it, for the characters that labels usually hold."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _for_metric(metric: str) -> str:
    return f" for metric name {quote(metric)}" if metric else ""


def _warning(text: str, span: Span) -> Annotation:
    return Annotation(Severity.WARNING, f"PromQL warning: {text}", span)


def _info(text: str, span: Span) -> Annotation:
    return Annotation(Severity.INFO, f"PromQL info: {text}", span)
