"""The parameters of Prometheus' HTTP API: from the query string and, with POST, from a form.

Source: Prometheus 3, `web/api/v1/api.go`; the wording of errors follows it.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from vedette.lang.promql import describe_error, parse, parse_selector
from vedette.lang.promql.ast import Expr
from vedette.model.durations import parse_duration
from vedette.model.errors import QueryError
from vedette.model.matchers import Matcher

MIN_TIME_MS: Final = -(2**62)
MAX_TIME_MS: Final = 2**62
"""What `minTime` and `maxTime` of the API stand for; times beyond are cut to them."""

MAX_FIELDS: Final = 10_000

_LONGEST_KEPT: Final = 2_000
"""Characters of an expression that is kept in its parsed form."""

_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class BadParameterError(QueryError):
    """A parameter does not say what it should; the API's `bad_data`."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f'invalid parameter "{name}": {problem}')


class Parameters:
    """All parameters of a request; a name may be given several times."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields

    @classmethod
    async def of(cls, request: Request) -> Parameters:
        """Read the query string and a form in the body."""
        form = b""
        if request.scope["method"] == "POST":
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/x-www-form-urlencoded":
                form = await request.body()
        return cls.read(request.scope["query_string"], form)

    @classmethod
    def read(cls, query: bytes, form: bytes) -> Parameters:
        """Of a query string and a form; the form's come first, as in Go.

        Raises:
            QueryError: there are too many, or one is not UTF-8.
        """
        fields: dict[str, list[str]] = {}
        try:
            for text in (form, query):
                for name, value in _pairs(text):
                    fields.setdefault(name, []).append(value)
        except ValueError as exc:
            raise QueryError(f"error parsing form values: {exc}") from exc
        return cls(fields)

    def text(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        values = self._fields.get(name)
        return values[0] if values else default

    def texts(self, name: str) -> Sequence[str]:
        """All values of a parameter."""
        return self._fields.get(name, ())

    def time_ms(self, name: str, default_ms: int | None) -> int:
        """A time: seconds since the epoch, or RFC 3339.

        Raises:
            BadParameterError: it is neither, or missing without a default.
        """
        text = self.text(name)
        if not text and default_ms is not None:
            return default_ms
        return parse_time(name, text)

    def duration_ms(self, name: str, default_ms: int | None = None) -> int:
        """A duration: seconds, or as in `5m`.

        Raises:
            BadParameterError: it is neither, or missing without a default.
        """
        text = self.text(name)
        if not text and default_ms is not None:
            return default_ms
        seconds = _number(text)
        if seconds is not None:
            if abs(seconds) >= MAX_TIME_MS / 1000:
                raise BadParameterError(name, f'cannot parse "{text}" to a valid duration. It overflows int64')
            return round(seconds * 1000)
        try:
            return parse_duration(text)
        except ValueError as exc:
            raise BadParameterError(name, f'cannot parse "{text}" to a valid duration') from exc

    def limit(self, name: str = "limit") -> int:
        """A limit on the result; 0 for none."""
        text = self.text(name)
        if not text:
            return 0
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            problem = "limit must be non-negative" if text.startswith("-") else f'cannot parse "{text}" to a number'
            raise BadParameterError(name, problem)
        return int(text)

    def expression(self, name: str = "query") -> tuple[str, Expr]:
        """A PromQL expression, as text and as its tree."""
        text = self.text(name)
        return text, parse_expression(name, text)

    def selectors(self, name: str = "match[]") -> list[tuple[Matcher, ...]]:
        """The selectors of `match[]`.

        Raises:
            BadParameterError: one is no selector, or would select everything.
        """
        try:
            found = [parse_selector(text) for text in self.texts(name)]
        except QueryError as exc:
            raise BadParameterError(name, f"parse error: {exc.problem}") from exc
        if any(all(matcher.matches("") for matcher in matchers) for matchers in found):
            raise BadParameterError(name, f"{name} must contain at least one non-empty matcher")
        return found


def parse_time(name: str, text: str) -> int:
    """A time in milliseconds, from seconds since the epoch or RFC 3339."""
    seconds = _number(text)
    if seconds is not None:
        return round(max(MIN_TIME_MS, min(seconds * 1000, MAX_TIME_MS)))
    found = _RFC3339.fullmatch(text)
    if found:
        date, clock, fraction, zone = found.groups()
        try:
            moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        except ValueError:
            pass
        else:
            return round(moment.timestamp()) * 1000 + int(((fraction or ".")[1:] + "000")[:3])
    # What Go's time.Time cannot go beyond; Grafana and promtool send them for "all of time".
    if text == "-292273086-05-16T16:47:06Z":
        return MIN_TIME_MS
    if text == "292277025-08-18T07:12:54.999999999Z":
        return MAX_TIME_MS
    raise BadParameterError(name, f'cannot parse "{text}" to a valid timestamp')


def parse_expression(name: str, text: str) -> Expr:
    """Parse PromQL; an error says the parameter, the place and the reason."""
    try:
        return _parse_again(text) if len(text) <= _LONGEST_KEPT else parse(text)
    except QueryError as exc:
        raise BadParameterError(name, describe_error(text, exc)) from exc


@functools.lru_cache(maxsize=512)
def _parse_again(text: str) -> Expr:
    """Parse what may come again and again: dashboards and alerts ask the same every few seconds."""
    return parse(text)


def _pairs(text: bytes) -> list[tuple[str, str]]:
    """As `urllib.parse.parse_qsl`, in a fraction of the time.

    Raises:
        ValueError: there are too many, or one is not UTF-8.
    """
    parts = text.split(b"&", MAX_FIELDS)
    if len(parts) > MAX_FIELDS:
        raise ValueError(f"more than {MAX_FIELDS:,} fields")
    pairs: list[tuple[str, str]] = []
    for part in parts:
        if part:
            name, _, value = part.partition(b"=")
            if b"%" in part or b"+" in part:
                name, value = _unescaped(name), _unescaped(value)
            pairs.append((name.decode(), value.decode()))
    return pairs


def _unescaped(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _number(text: str) -> float | None:
    if not text.isascii() or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
