"""What an exposition is made of: samples, metadata and comments, one entry after the other.

This is the exact reader, entry by entry: the reference for `layout`'s quick path, and its way out for what is
new or odd. How the formats spell entries is in `text` and `openmetrics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Literal

from vedette.model.errors import DecodeError
from vedette.model.labels import LabelSet
from vedette.model.samples import Exemplar, MetricType


class TypeContext(IntEnum):
    """What the last TYPE line said, as far as it changes how labels are read.

    Prometheus writes `le` in OpenMetrics' form after a histogram's TYPE line and `quantile` after a summary's,
    whatever the name of the series (`1` becomes `1.0`).
    """

    OTHER = 0
    SUMMARY = 1
    HISTOGRAM = 2


class Field(Enum):
    """What a metadata line tells of its family."""

    HELP = "HELP"
    TYPE = "TYPE"
    UNIT = "UNIT"


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """A sample.

    Attributes:
        start: offset of its first byte.
        series_end: offset behind the name and the labels.
        end: offset of the next entry.
        labels: its series, `__name__` included.
        value: never a stale marker.
        time_ms: None where the exposition does not say.
        exemplar: None where it has none.
    """

    start: int
    series_end: int
    end: int
    labels: LabelSet
    value: float
    time_ms: int | None
    exemplar: Exemplar | None


@dataclass(frozen=True, slots=True)
class MetadataEntry:
    """A HELP, TYPE or UNIT line.

    Attributes:
        start: offset of its first byte.
        text_end: offset behind the text, where the line break is.
        end: offset of the next entry.
        family: the metric family's name.
        field: what is told.
        text: help, unit, or the value of a `MetricType`.
    """

    start: int
    text_end: int
    end: int
    family: str
    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class CommentEntry:
    """A comment or a blank line: nothing.

    Attributes:
        end: offset of the next entry.
    """

    end: int


@dataclass(frozen=True, slots=True)
class EndEntry:
    """The end of the exposition."""


Entry = SampleEntry | MetadataEntry | CommentEntry | EndEntry


class Format(Enum):
    """The formats of expositions, by their media types."""

    TEXT = "text/plain"
    OPENMETRICS = "application/openmetrics-text"
    PROTOBUF = "application/vnd.google.protobuf"


TextFormat = Literal[Format.TEXT, Format.OPENMETRICS]
"""The formats that are read entry by entry."""


class Fault(Exception):  # noqa: N818 - it becomes a DecodeError as soon as its line is known
    """A place that does not follow the format.

    Attributes:
        at: offset of the entry.
        problem: what is wrong.
    """

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(at, problem)
        self.at = at
        self.problem = problem

    def located(self, body: bytes) -> DecodeError:
        """The same with its line number."""
        return DecodeError(self.problem, line=body.count(b"\n", 0, self.at) + 1)


def context_after(entry: MetadataEntry, before: TypeContext) -> TypeContext:
    """How labels are read behind a metadata line."""
    if entry.field is not Field.TYPE:
        return before
    match entry.text:
        case MetricType.SUMMARY:
            return TypeContext.SUMMARY
        case MetricType.HISTOGRAM:
            return TypeContext.HISTOGRAM
        case _:
            return TypeContext.OTHER


def excerpt(raw: bytes, *, limit: int = 80) -> str:
    """Some bytes in quotes, printable and short, for an error message."""
    shown = raw[:limit].decode("utf-8", "backslashreplace")
    escaped = "".join(_ESCAPES.get(c) or (c if c.isprintable() else f"\\x{ord(c):02x}") for c in shown)
    return f'"{escaped}"' + ("..." if len(raw) > limit else "")


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
