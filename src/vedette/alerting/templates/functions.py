"""The functions of Alertmanager's templates, apart from those of one notification (`library`).

Source: Alertmanager's `template/template.go` (https://prometheus.io/docs/alerting/latest/notifications/#functions).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from vedette.lang.gotemplate import (
    ANY,
    ANYTHINGS,
    BY_CHARACTER,
    STRING,
    STRINGS,
    TIME,
    Budget,
    Function,
    FunctionError,
    Functions,
    Typed,
    format_time,
    in_zone,
    parse_time,
    safe_url,
    strings,
    to_json,
    type_of,
)
from vedette.lang.gotemplate.calendar import ZERO_INSTANT
from vedette.lang.gotemplate.humanize import humanize_duration
from vedette.lang.gotemplate.letters import title_words
from vedette.lang.gotemplate.literals import quote
from vedette.lang.gotemplate.text import SPACES, byte_length, from_bytes, to_bytes
from vedette.lang.gotemplate.text_functions import TEXT_FUNCTIONS
from vedette.lang.gotemplate.values import payload, unboxed

_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def _join(budget: Budget, separator: str, texts: Typed) -> str:
    parts = texts.value or ()
    budget.check_length(sum(map(byte_length, parts)) + byte_length(separator) * max(0, len(parts) - 1))
    return separator.join(parts)


def _to_json(budget: Budget, value: Any) -> str:
    return to_json(value, budget)


def _url_unescape(text: str) -> str:
    """A part of a URL's query as it was before it was escaped."""
    at = text.find("%")
    while at >= 0:
        if not set(text[at + 1 : at + 3]) <= _HEX or len(text) < at + 3:
            raise FunctionError(f"invalid URL escape {quote(text[at : at + 3])}")
        at = text.find("%", at + 3)
    return from_bytes(unquote_to_bytes(text.replace("+", " ")))


def _base64_encode(text: str) -> str:
    return base64.urlsafe_b64encode(to_bytes(text)).decode("ascii")


def _base64_decode(text: str) -> str:
    raw = to_bytes(text).replace(b"\r", b"").replace(b"\n", b"")
    body = raw.rstrip(b"=")
    bad = next((at for at, byte in enumerate(body) if byte not in _ALPHABET), len(body))
    if bad < len(body) or len(raw) - len(body) > 2 or len(raw) % 4 or len(body) % 4 == 1:
        raise FunctionError(f"illegal base64 data at input byte {bad}")
    try:
        return from_bytes(base64.urlsafe_b64decode(raw))
    except binascii.Error as exc:
        raise FunctionError(f"illegal base64 data at input byte {bad}") from exc


def _dict(*values: Any) -> dict[str, Any]:
    """Names and values in turn, as a map."""
    if len(values) % 2:
        raise FunctionError("dict expects an even number of arguments")
    found: dict[str, Any] = {}
    for name, value in zip(values[::2], values[1::2], strict=True):
        name = unboxed(name)  # noqa: PLW2901 - what is in the box is the name
        if name is None or type_of(name) is not STRING:
            kind = "<nil>" if name is None else type_of(name).name
            raise FunctionError(f"dict keys must be strings, got {kind}")
        found[payload(name)] = value
    return found


def _append(budget: Budget, items: Any, *more: Any) -> list[Any]:
    held = payload(items) or ()
    budget.spend(len(held) // 16)
    return [*held, *more]


def _to_date(layout: str, text: str) -> Typed:
    try:
        return Typed(TIME, parse_time(layout, text))
    except ValueError:
        return Typed(TIME, ZERO_INSTANT)


def _must_to_date(layout: str, text: str) -> Typed:
    try:
        return Typed(TIME, parse_time(layout, text))
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


def _date(layout: str, at: Typed) -> str:
    return format_time(at.value, layout)


def _in_zone(name: str, at: Typed) -> Typed:
    return in_zone(at, name)


def _list(*values: Any) -> list[Any]:
    return list(values)


def _string_slice(*texts: str) -> Typed:
    return strings(texts)


def _trim_space(text: str) -> str:
    return text.strip(SPACES)


FUNCTIONS: Final[Functions] = {
    **TEXT_FUNCTIONS,
    "append": Function(_append, (ANYTHINGS,), ANY, budgeted=True),
    "base64decode": Function(_base64_decode, (STRING,)),
    "base64encode": Function(_base64_encode, (STRING,)),
    "date": Function(_date, (STRING, TIME), effort=BY_CHARACTER),
    "dict": Function(_dict, variadic=ANY),
    "humanizeDuration": Function(humanize_duration, (ANY,)),
    "join": Function(_join, (STRING, STRINGS), budgeted=True),
    "list": Function(_list, variadic=ANY),
    "mustToDate": Function(_must_to_date, (STRING, STRING)),
    "safeUrl": Function(safe_url, (STRING,)),
    "stringSlice": Function(_string_slice, variadic=STRING),
    "title": Function(title_words, (STRING,), effort=BY_CHARACTER),
    "toDate": Function(_to_date, (STRING, STRING)),
    "toJson": Function(_to_json, (ANY,), budgeted=True),
    "trimSpace": Function(_trim_space, (STRING,)),
    "tz": Function(_in_zone, (STRING, TIME)),
    "urlUnescape": Function(_url_unescape, (STRING,), effort=BY_CHARACTER),
}
