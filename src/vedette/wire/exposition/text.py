"""The Prometheus text format, 0.0.4 and 1.0.0, entry by entry, as Prometheus' scraper reads it.

Beyond what its scraper takes, blanks before a help text are dropped and the type `gaugehistogram` is known,
as in Prometheus' other reader (common/expfmt). Unlike it, a NUL at the start of a line is an error and does
not silently end the exposition there.
Source: prometheus/prometheus, model/textparse/promparse.go and promlex.l.
"""

from __future__ import annotations

import re
from typing import Final

from vedette.model.samples import MetricType
from vedette.wire.exposition.entries import (
    CommentEntry,
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
from vedette.wire.exposition.series import METRIC_NAME_PATTERN, TEXT_SPELLING, read_series, unescape

_BLANKS = re.compile(rb"[ \t]*+")
_METADATA = re.compile(rb"#[ \t]++(HELP|TYPE)[ \t]++")
_TEXT = re.compile(rb"[^\n]*+")
_VALUE = re.compile(rb"[^{ \t\n\x00]++")
_DIGITS = re.compile(rb"[0-9]++")
_HELP_ESCAPE = re.compile(r"\\([\\n])")

_TYPES: Final = {
    b"counter": MetricType.COUNTER,
    b"gauge": MetricType.GAUGE,
    b"histogram": MetricType.HISTOGRAM,
    b"gaugehistogram": MetricType.GAUGE_HISTOGRAM,
    b"gauge_histogram": MetricType.GAUGE_HISTOGRAM,
    b"summary": MetricType.SUMMARY,
    b"untyped": MetricType.UNKNOWN,
}

_MAX_TIME_DIGITS: Final = 19
_MAX_TIME_MS: Final = (1 << 63) - 1


def read_entry(data: bytes, at: int, context: TypeContext) -> Entry:
    """The entry at `at`, where a line begins.

    Args:
        data: the exposition, ending in a line break.
        at: offset of the entry.
        context: what the last TYPE line said.

    Raises:
        Fault: it does not follow the format.
    """
    start = _skip(data, at)
    if start >= len(data):
        return EndEntry()
    first = data[start]
    if first == ord("\n"):
        return CommentEntry(start + 1)
    if first == ord("#"):
        metadata = _METADATA.match(data, start)
        return _read_metadata(data, start, metadata) if metadata else CommentEntry(data.index(b"\n", start) + 1)
    return _read_sample(data, start, context)


def _read_metadata(data: bytes, start: int, keyword: re.Match[bytes]) -> MetadataEntry:
    field = Field(keyword[1].decode())
    name = METRIC_NAME_PATTERN.match(data, keyword.end()) or TEXT_SPELLING.quoted_name.match(data, keyword.end())
    if name is None:
        got = excerpt(data[keyword.end() : keyword.end() + 1])
        raise Fault(start, f"expected metric name after {field.value}, got {got}")
    line = _TEXT.match(data, name.end())
    text_end = line.end() if line else name.end()
    # One byte parts the name from the text, whichever it is.
    raw = data[name.end() + 1 : text_end]
    family = _decode(start, "metric name", name[0])
    if family.startswith('"'):
        family = unescape(family[1:-1])
    if field is Field.TYPE:
        kind = _TYPES.get(raw)
        if kind is None:
            raise Fault(start, f"invalid metric type {excerpt(raw)}")
        return MetadataEntry(start, text_end, text_end + 1, family, field, kind)
    text = _HELP_ESCAPE.sub(_resolved, _decode(start, "help text", raw).lstrip(" \t"))
    return MetadataEntry(start, text_end, text_end + 1, family, field, text)


def _read_sample(data: bytes, start: int, context: TypeContext) -> SampleEntry:
    labels, series_end = read_series(data, start, TEXT_SPELLING, context)
    token = _VALUE.match(data, _skip(data, series_end))
    if token is None:
        at = _skip(data, series_end)
        got, so_far = excerpt(data[at : at + 1]), excerpt(data[start : at + 1])
        raise Fault(start, f"expected value after metric, got {got} while parsing: {so_far}")
    value = _parse_value(start, token[0])
    at = _skip(data, token.end())
    time_ms = None
    digits = _DIGITS.match(data, at)
    if digits is not None:
        significant = digits[0].lstrip(b"0") or b"0"
        time_ms = int(significant) if len(significant) <= _MAX_TIME_DIGITS else _MAX_TIME_MS + 1
        if time_ms > _MAX_TIME_MS:
            raise Fault(start, f"timestamp {excerpt(digits[0])} is out of range")
        at = _skip(data, digits.end())
    if data[at : at + 1] != b"\n":
        expected = "timestamp or new record" if digits is None else "next entry after timestamp"
        got, so_far = excerpt(data[at : at + 1]), excerpt(data[start : at + 1])
        raise Fault(start, f"expected {expected}, got {got} while parsing: {so_far}")
    return SampleEntry(start, series_end, at + 1, labels, value, time_ms, None)


def _parse_value(start: int, raw: bytes) -> float:
    try:
        return parse_float(raw.decode("ascii", "replace"))
    except ValueError as exc:
        raise Fault(start, f"parsing value {excerpt(raw)}: {exc}") from exc


def _decode(start: int, what: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise Fault(start, f"{what} {excerpt(raw)} is not a valid utf8 string") from exc


def _resolved(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _skip(data: bytes, at: int) -> int:
    blanks = _BLANKS.match(data, at)
    return blanks.end() if blanks else at
