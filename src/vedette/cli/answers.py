"""Answers to queries as people read them: tables, statistics, and the names of series made short.

The data are those of Prometheus' HTTP API, where values are texts; what is not in its form is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vedette.cli.terminal import printable
from vedette.client.errors import UnexpectedAnswerError
from vedette.model.labels import LabelSet, format_labels, label_set

if TYPE_CHECKING:
    from rich.text import Text


@dataclass(frozen=True, slots=True)
class Series:
    """A series of an answer.

    Attributes:
        labels: its label set.
        times: seconds since the epoch, rising.
        texts: values as the server wrote them, and
        values: as numbers.
    """

    labels: LabelSet
    times: tuple[float, ...]
    texts: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the finite values of a series; NaN where it has none."""

    last: float
    low: float
    mean: float
    high: float


def series_of(data: Any) -> list[Series]:
    """The series of an answer; a scalar or a string is one without labels.

    Raises:
        UnexpectedAnswerError: it has another form.
    """
    try:
        match data:
            case {"resultType": "matrix", "result": [*found]}:
                return [_series(one["metric"], one.get("values", ())) for one in found]
            case {"resultType": "vector", "result": [*found]}:
                return [_series(one["metric"], [one["value"]]) for one in found]
            case {"resultType": "scalar", "result": point}:
                return [_series({}, [point])]
            case {"resultType": "string", "result": [time, text]}:
                return [Series((), (float(time),), (str(text),), (math.nan,))]
            case _:
                pass
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as exc:
        raise UnexpectedAnswerError("the server's answer holds samples in an unknown form") from exc
    raise UnexpectedAnswerError("the server answers with an unknown kind of result")


def statistics(series: Series) -> Statistics:
    """What a line of a legend says."""
    finite = [value for value in series.values if math.isfinite(value)]
    last = series.values[-1] if series.values else math.nan
    if not finite:
        return Statistics(last, math.nan, math.nan, math.nan)
    return Statistics(last, min(finite), math.fsum(finite) / len(finite), max(finite))


def common_labels(all_labels: Sequence[LabelSet]) -> LabelSet:
    """The pairs that all label sets share."""
    if len(all_labels) < 2:
        return ()
    shared = set(all_labels[0])
    for labels in all_labels[1:]:
        shared &= set(labels)
    return tuple(sorted(shared))


def distinguishing(labels: LabelSet, common: LabelSet) -> LabelSet:
    """What is special about a series; all of it where nothing is."""
    return tuple(pair for pair in labels if pair not in common) or labels


def show_labels(labels: LabelSet) -> Text:
    """A label set in PromQL's notation, its names dimmed."""
    from rich.text import Text  # noqa: PLC0415 - only for people

    text = Text()
    if not labels:
        return text.append("{}", style="dim")
    name = dict(labels).get("__name__", "")
    plain = bool(name) and format_labels((("__name__", name),)) == name
    if plain:
        text.append(printable(name), style="bold")
    rest = [pair for pair in labels if not (plain and pair[0] == "__name__")]
    if not rest:
        return text
    text.append("{", style="dim")
    for number, pair in enumerate(rest):
        # Quoted as in PromQL, so that it can be copied into a selector.
        quoted = format_labels((pair,))[1:-1]
        key, equals, value = quoted.partition("=") if pair[0] != "__name__" else ("", "", quoted)
        text.append(("," if number else "") + printable(key) + equals, style="dim")
        text.append(printable(value))
    text.append("}", style="dim")
    return text


def _series(metric: Mapping[str, str], points: Sequence[Sequence[Any]]) -> Series:
    texts = tuple(str(point[1]) for point in points)
    labels = label_set({str(name): str(value) for name, value in metric.items()})
    return Series(labels, tuple(float(point[0]) for point in points), texts, tuple(float(text) for text in texts))
