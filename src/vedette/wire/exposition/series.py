"""A series as expositions write it: `name{label="value"}`, or `{"name","label"="value"}` for any UTF-8 name.

What is taken is what Prometheus' lexers take: a NUL is allowed in label values and nowhere else, unknown
escapes stand for themselves, and in the text format blanks may stand between tokens, commas may be left out
and values may hold line breaks.
Source: prometheus/prometheus, model/textparse (promlex.l, openmetricslex.l).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.wire.exposition.entries import Fault, TypeContext, excerpt
from vedette.wire.exposition.float_reading import parse_float
from vedette.wire.exposition.float_writing import format_openmetrics_float


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a place in a format writes label sets.

    Attributes:
        blanks: what may stand between tokens.
        quoted_name: a name in quotes.
        quoted_value: a label value in quotes.
        commas: whether labels have to be separated by commas.
        named: whether a metric's name may stand in the braces.
    """

    blanks: re.Pattern[bytes]
    quoted_name: re.Pattern[bytes]
    quoted_value: re.Pattern[bytes]
    commas: bool
    named: bool


_NOTHING = re.compile(rb"")
# Possessive, so that a value of megabytes is read without a stack of ways back. A backslash joins the next
# byte that is not NUL, because the lexers step over NULs before they look.
_ANY_NAME = re.compile(rb'"(?:[^\\"\x00]++|\\[^\n\x00])*+"')

TEXT_SPELLING: Final = Spelling(
    blanks=re.compile(rb"[ \t]*+"),
    quoted_name=_ANY_NAME,
    quoted_value=re.compile(rb'"(?:[^\\"]++|\\\x00*+[^\n\x00])*+"'),
    commas=False,
    named=True,
)
OPENMETRICS_SPELLING: Final = Spelling(
    blanks=_NOTHING,
    quoted_name=_ANY_NAME,
    quoted_value=re.compile(rb'"(?:[^\\"\n]++|\\\x00*+[^\n\x00])*+"'),
    commas=True,
    named=True,
)
EXEMPLAR_SPELLING: Final = Spelling(
    blanks=_NOTHING,
    quoted_name=re.compile(rb'"(?:[^\\"\n\x00]++|\\[^\n\x00])*+"'),
    quoted_value=re.compile(rb'"(?:[^\\"\n\x00]++|\\[^\n\x00])*+"'),
    commas=True,
    named=False,
)

METRIC_NAME_PATTERN: Final = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*+")
_LABEL_NAME = re.compile(rb"[a-zA-Z_][a-zA-Z0-9_]*+")
_ESCAPE = re.compile(r'\\([\\"n])')

_PLAIN_LABEL = rb'[a-zA-Z_][a-zA-Z0-9_]*+="[^"\\\n\x00]*+"'
_PLAIN_SERIES = re.compile(
    rb"([a-zA-Z_:][a-zA-Z0-9_:]*+)(?:\{((?:%b(?:,%b)*+,?+)?+)\})?+" % (_PLAIN_LABEL, _PLAIN_LABEL)
)
_PLAIN_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*+)="([^"]*+)"')


def read_series(data: bytes, start: int, spelling: Spelling, context: int) -> tuple[LabelSet, int]:
    """The series that begins at `start`, and where it ends.

    Raises:
        Fault: there is none, or its labels are not a label set.
    """
    name = METRIC_NAME_PATTERN.match(data, start)
    at = name.end() if name else start
    brace = _skip(spelling, data, at)
    if data[brace : brace + 1] != b"{":
        if name is None:
            raise Fault(start, _expected("a valid start token", data, start, start))
        return ((METRIC_NAME, name[0].decode()),), at
    metric, pairs, end = read_braces(data, start, brace + 1, spelling)
    if name is None and metric is None:
        raise Fault(start, f"metric name not set while parsing: {excerpt(data[start:end])}")
    if name is not None and metric is not None:
        raise Fault(start, f"metric name already set while parsing: {excerpt(data[start:end])}")
    pairs.append((METRIC_NAME, name[0].decode() if name else metric or ""))
    return canonical(start, pairs, context), end


def read_plain_series(data: bytes, start: int, end: int, context: int) -> LabelSet | None:
    """The series in `data[start:end]`, if it is written in the common way: several times as quick."""
    found = _PLAIN_SERIES.fullmatch(data, start, end)
    if found is None:
        return None
    labels = found[2]
    if not labels:
        return ((METRIC_NAME, found[1].decode()),)
    try:
        pairs: list[tuple[str, str]] = _PLAIN_PAIR.findall(labels.decode())
    except UnicodeDecodeError:
        return None
    pairs.append((METRIC_NAME, found[1].decode()))
    return canonical(start, pairs, context)


def read_braces(data: bytes, start: int, at: int, spelling: Spelling) -> tuple[str | None, list[tuple[str, str]], int]:
    """What stands behind an opening brace: the metric's name if it is there, the labels, and the end.

    Args:
        data: the exposition.
        start: offset of the entry, for errors.
        at: offset behind the brace.
        spelling: how the labels are written.

    Raises:
        Fault: it is not a list of labels.
    """
    metric: str | None = None
    pairs: list[tuple[str, str]] = []
    at = _skip(spelling, data, at)
    while data[at : at + 1] != b"}":
        plain = _LABEL_NAME.match(data, at)
        token = plain or spelling.quoted_name.match(data, at)
        if token is None:
            raise Fault(start, _expected("label name", data, start, at))
        name = token[0].decode() if plain else _unquote(start, "name", token[0])
        at = _skip(spelling, data, token.end())
        follows = data[at : at + 1]
        if follows in {b",", b"}"} and plain is None and spelling.named:
            if metric is not None:
                raise Fault(start, f"metric name already set while parsing: {excerpt(data[start:at])}")
            metric = name
            if follows == b",":
                at = _skip(spelling, data, at + 1)
            continue
        if follows != b"=":
            raise Fault(start, _expected("equal", data, start, at))
        at = _skip(spelling, data, at + 1)
        value = spelling.quoted_value.match(data, at)
        if value is None:
            raise Fault(start, _expected("label value", data, start, at))
        if not name:
            raise Fault(start, f"invalid label name {excerpt(token[0])}")
        pairs.append((name, _unquote(start, "label value", value[0])))
        at = _skip(spelling, data, value.end())
        follows = data[at : at + 1]
        if follows == b",":
            at = _skip(spelling, data, at + 1)
        elif spelling.commas and follows != b"}":
            raise Fault(start, _expected("comma or brace close", data, start, at))
    return metric, pairs, at + 1


def canonical(start: int, pairs: list[tuple[str, str]], context: int) -> LabelSet:
    """The label set of some pairs, one of which is the metric's name.

    Raises:
        Fault: a name comes twice, or the metric's name is empty.
    """
    if context != TypeContext.OTHER:
        bound = "le" if context == TypeContext.HISTOGRAM else "quantile"
        pairs = [(name, _normal(value) if name == bound else value) for name, value in pairs]
    names = dict(pairs)
    if len(names) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise Fault(start, f'label name "{name}" is not unique: invalid sample')
    if "" in names.values():
        if not names[METRIC_NAME]:
            raise Fault(start, "metric name is empty")
        return label_set(names)
    pairs.sort()
    return tuple(pairs)


def unescape(text: str) -> str:
    r"""Resolve `\"`, `\\` and `\n`; any other backslash stands for itself."""
    return _ESCAPE.sub(_resolved, text) if "\\" in text else text


def _resolved(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _skip(spelling: Spelling, data: bytes, at: int) -> int:
    blanks = spelling.blanks.match(data, at)
    return blanks.end() if blanks else at


def _unquote(start: int, what: str, quoted: bytes) -> str:
    try:
        return unescape(quoted[1:-1].decode())
    except UnicodeDecodeError as exc:
        raise Fault(start, f"invalid UTF-8 {what}: {excerpt(quoted)}") from exc


def _normal(value: str) -> str:
    try:
        return format_openmetrics_float(parse_float(value))
    except ValueError:
        return value


def _expected(what: str, data: bytes, start: int, at: int) -> str:
    if at >= len(data):
        return f"expected {what}, got the end while parsing: {excerpt(data[start:at])}"
    return f"expected {what}, got {excerpt(data[at : at + 1])} while parsing: {excerpt(data[start : at + 1])}"
