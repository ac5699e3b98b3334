"""OpenMetrics 1.0, entry by entry, as Prometheus' scraper reads it.

That is the specification's syntax (one blank between tokens, no comments, `# EOF` at the end) without its
rules of meaning: order and grouping, values that fit a type, suffixes that do.
Source: prometheus/prometheus, model/textparse/openmetricsparse.go and openmetricslex.l.
"""

from __future__ import annotations

import math
import re
from typing import Final

from vedette.model.samples import Exemplar, MetricType
from vedette.wire.exposition.entries import (
    EndEntry,
    Entry,
    Fault,
    Field,
    MetadataEntry,
    SampleEntry,
    TypeContext,
    excerpt,
)
from vedette.wire.exposition.float_reading import parse_float
from vedette.wire.exposition.series import (
    EXEMPLAR_SPELLING,
    METRIC_NAME_PATTERN,
    OPENMETRICS_SPELLING,
    read_braces,
    read_series,
    unescape,
)

_EOF = re.compile(rb"# EOF(\n?)")
_METADATA = re.compile(rb"# (HELP|TYPE|UNIT) ")
_TEXT = re.compile(rb" [^\n]*+(?=\n)")
_TOKEN = re.compile(rb" ([^ \n\x00]++)")
EXEMPLAR_OPENING: Final = b" # {"
_NUMBER = rb"[0-9.+-][0-9.eE+-]*+"
_PLAIN_EXEMPLAR = re.compile(
    rb'([a-zA-Z_][a-zA-Z0-9_]*+)="([^"\\\n\x00]*+)"(?:,([a-zA-Z_][a-zA-Z0-9_]*+)="([^"\\\n\x00]*+)")?+\}'
    rb" (%b)(?: (%b))?+\n" % (_NUMBER, _NUMBER)
)

_TYPES: Final = {
    kind.value.encode(): kind
    for kind in (
        MetricType.COUNTER,
        MetricType.GAUGE,
        MetricType.HISTOGRAM,
        MetricType.GAUGE_HISTOGRAM,
        MetricType.SUMMARY,
        MetricType.INFO,
        MetricType.STATESET,
        MetricType.UNKNOWN,
    )
}

_MAX_TIME_MS: Final = float(1 << 63)


def read_entry(data: bytes, at: int, context: TypeContext) -> Entry:
    """The entry at `at`, where a line begins.

    Args:
        data: the exposition.
        at: offset of the entry.
        context: what the last TYPE line said.

    Raises:
        Fault: it does not follow the format.
    """
    if at >= len(data):
        raise Fault(at, "data does not end with # EOF")
    if data[at] != ord("#"):
        return _read_sample(data, at, context)
    eof = _EOF.match(data, at)
    if eof is not None:
        if eof.end() != len(data):
            raise Fault(at, "unexpected data after # EOF")
        return EndEntry()
    keyword = _METADATA.match(data, at)
    if keyword is None:
        raise Fault(at, f"expected a valid start token, got {excerpt(data[at : at + 8])}")
    return _read_metadata(data, at, keyword)


def read_exemplar(data: bytes, start: int, at: int) -> tuple[Exemplar, int]:
    """The exemplar behind its opening ` # {`, and the offset of the line break that ends it.

    Args:
        data: the exposition.
        start: offset of the entry, for errors.
        at: offset behind the opening.

    Raises:
        Fault: it does not follow the format.
    """
    _, pairs, at = read_braces(data, start, at, EXEMPLAR_SPELLING)
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        raise Fault(start, f"label names of exemplar are not unique: {excerpt(data[start:at])}")
    value, at = _read_value(data, start, at, "exemplar labels")
    time_ms, at = _read_time(data, start, at, "exemplar timestamp")
    _end_of_line(data, start, at, "exemplar timestamp")
    labels = tuple(sorted((name, text) for name, text in pairs if text))
    return Exemplar(labels, value, time_ms), at


def read_plain_exemplar(data: bytes, at: int) -> Exemplar | None:
    """The exemplar behind its opening, if it is written in the common way (one label or two): quicker."""
    found = _PLAIN_EXEMPLAR.match(data, at)
    if found is None:
        return None
    raw: tuple[bytes | None, ...] = found.groups()
    try:
        name, text, other_name, other_text, value, seconds = ("" if part is None else part.decode() for part in raw)
        number = float(value)
        time_ms = float(seconds) * 1000 if seconds else None
    except ValueError:
        return None
    if not math.isfinite(number) or (time_ms is not None and not abs(time_ms) < _MAX_TIME_MS):
        return None
    labels = [(name, text)]
    if other_name:
        labels.append((other_name, other_text))
    if any(not text for _, text in labels) or name == other_name:
        return None
    labels.sort()
    return Exemplar(tuple(labels), number, None if time_ms is None else int(time_ms))


def _read_sample(data: bytes, start: int, context: TypeContext) -> SampleEntry:
    labels, series_end = read_series(data, start, OPENMETRICS_SPELLING, context)
    value, at = _read_value(data, start, series_end, "metric")
    time_ms = exemplar = None
    if not data.startswith(EXEMPLAR_OPENING, at):
        time_ms, at = _read_time(data, start, at, "timestamp")
    if data.startswith(EXEMPLAR_OPENING, at):
        exemplar, at = read_exemplar(data, start, at + len(EXEMPLAR_OPENING))
    _end_of_line(data, start, at, "timestamp")
    return SampleEntry(start, series_end, at + 1, labels, value, time_ms, exemplar)


def _read_value(data: bytes, start: int, at: int, behind: str) -> tuple[float, int]:
    token = _TOKEN.match(data, at)
    if token is None:
        got, so_far = excerpt(data[at : at + 1]), excerpt(data[start : at + 1])
        raise Fault(start, f"expected value after {behind}, got {got} while parsing: {so_far}")
    return _parse(start, "value", token[1]), token.end()


def _read_time(data: bytes, start: int, at: int, what: str) -> tuple[int | None, int]:
    token = _TOKEN.match(data, at)
    if token is None:
        return None, at
    seconds = _parse(start, what, token[1])
    time_ms = seconds * 1000
    if not math.isfinite(seconds):
        raise Fault(start, f"invalid {what} {excerpt(token[1])}")
    if not -_MAX_TIME_MS < time_ms < _MAX_TIME_MS:
        raise Fault(start, f"{what} {excerpt(token[1])} is out of range")
    return int(time_ms), token.end()


def _end_of_line(data: bytes, start: int, at: int, behind: str) -> None:
    if at >= len(data):
        raise Fault(start, "data does not end with # EOF")
    if data[at] != ord("\n"):
        got, so_far = excerpt(data[at : at + 1]), excerpt(data[start : at + 1])
        raise Fault(start, f"expected next entry after {behind}, got {got} while parsing: {so_far}")


def _read_metadata(data: bytes, start: int, keyword: re.Match[bytes]) -> MetadataEntry:
    field = Field(keyword[1].decode())
    at = keyword.end()
    name = METRIC_NAME_PATTERN.match(data, at) or OPENMETRICS_SPELLING.quoted_name.match(data, at)
    if name is None:
        raise Fault(start, f"expected metric name after {field.value}, got {excerpt(data[at : at + 1])}")
    line = _TEXT.match(data, name.end())
    if line is None:
        raise Fault(start, f"expected text in {field.value}")
    family = _decode(start, "metric name", name[0])
    if family.startswith('"'):
        family = unescape(family[1:-1])
    raw = line[0][1:]
    match field:
        case Field.TYPE:
            kind = _TYPES.get(raw)
            if kind is None:
                raise Fault(start, f"invalid metric type {excerpt(raw)}")
            text = kind.value
        case Field.HELP:
            text = unescape(_decode(start, "help text", raw))
        case Field.UNIT:
            text = _decode(start, "unit", raw)
            if text and not family.endswith("_" + text):
                raise Fault(start, f'unit {excerpt(raw)} not a suffix of metric "{family}"')
    return MetadataEntry(start, line.end(), line.end() + 1, family, field, text)


def _parse(start: int, what: str, raw: bytes) -> float:
    try:
        return parse_float(raw.decode("ascii", "replace"))
    except ValueError as exc:
        raise Fault(start, f"parsing {what} {excerpt(raw)}: {exc}") from exc


def _decode(start: int, what: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise Fault(start, f"{what} {excerpt(raw)} is not a valid utf8 string") from exc
