"""Values as JSON, as Go's `encoding/json` writes them: keys sorted, `<`, `>` and `&` escaped.

Source: https://pkg.go.dev/encoding/json#Marshal.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from vedette.lang.gotemplate.calendar import Instant
from vedette.lang.gotemplate.errors import FunctionError, LimitError
from vedette.lang.gotemplate.floats import format_float
from vedette.lang.gotemplate.kinds import Kind
from vedette.lang.gotemplate.limits import Budget
from vedette.lang.gotemplate.text import byte_length
from vedette.lang.gotemplate.times import json_time
from vedette.lang.gotemplate.values import entries_of, items_of, payload, type_of, unboxed

_DEEPEST: Final = 64
_SPECIAL = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_UNFIT: Final = frozenset((Kind.COMPLEX, Kind.FUNC))


def to_json(value: Any, budget: Budget) -> str:
    """A value as JSON.

    Raises:
        FunctionError: it has no form in JSON; the message is Go's.
        LimitError: the text becomes too long.
    """
    writer = _Writer(budget)
    writer.write(value, 0)
    return "".join(writer.parts)


class _Writer:
    def __init__(self, budget: Budget) -> None:
        self.parts: list[str] = []
        self._budget = budget
        self._length = 0

    def write(self, value: Any, depth: int) -> None:
        self._budget.spend()
        value = unboxed(value)
        if value is None:
            self._put("null")
            return
        if depth > _DEEPEST:
            raise LimitError(f"lists and maps stand deeper than {_DEEPEST} within each other")
        kind = type_of(value)
        held = payload(value)
        match kind.kind:
            case Kind.BOOL | Kind.INT | Kind.UINT | Kind.FLOAT | Kind.STRING:
                self._put(_scalar(held))
            case Kind.POINTER:
                self.write(held, depth + 1)
            case _ if isinstance(held, Instant):
                self._put(json_time(held))
            case _ if kind.kind in _UNFIT:
                raise FunctionError(f"json: unsupported type: {kind.name}")
            case _ if held is None:
                self._put("null")
            case Kind.SLICE:
                self._list(items_of(value), depth)
            case Kind.MAP:
                self._pairs(entries_of(value), depth)
            case _:
                self._pairs([(one.json or one.name, held[one.name]) for one in kind.fields], depth)

    def _put(self, text: str) -> None:
        self._length += byte_length(text)
        self._budget.check_length(self._length)
        self.parts.append(text)

    def _list(self, items: list[Any], depth: int) -> None:
        self._put("[")
        for number, item in enumerate(items):
            if number:
                self._put(",")
            self.write(item, depth + 1)
        self._put("]")

    def _pairs(self, pairs: list[tuple[str, Any]], depth: int) -> None:
        self._put("{")
        for number, (key, item) in enumerate(pairs):
            self._put(f"{',' if number else ''}{quoted(key)}:")
            self.write(item, depth + 1)
        self._put("}")


def _scalar(held: Any) -> str:
    match held:
        case bool():
            return "true" if held else "false"
        case int():
            return str(held)
        case float():
            return _number(held)
        case _:
            return quoted(held)


def quoted(text: str) -> str:
    """A string in JSON."""
    return _SPECIAL.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if "\ud800" <= char <= "\udfff":
        return "\\ufffd"
    return f"\\u{ord(char):04x}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise FunctionError(f"json: unsupported value: {format_float(value, 'g')}")
    size = abs(value)
    if size == 0 or 1e-6 <= size < 1e21:
        return format_float(value, "f")
    mantissa, _, exponent = format_float(value, "e").partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0') if exponent[0] == '-' else exponent[1:]}"
