"""The functions that every template has.

Source: Go's `text/template/funcs.go` (https://pkg.go.dev/text/template#hdr-Functions). `and`, `or` and `call` are in
`execution`: they evaluate their arguments themselves.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote_from_bytes

from vedette.lang.gotemplate.errors import FunctionError
from vedette.lang.gotemplate.kinds import ANY, BY_CHARACTER, STRING, UINT8, VALUE, Function, Functions, GoType, Kind
from vedette.lang.gotemplate.limits import Budget
from vedette.lang.gotemplate.literals import MAX_INT
from vedette.lang.gotemplate.printing import sprint, sprintf, sprintln
from vedette.lang.gotemplate.text import from_bytes, is_stray_byte, to_bytes
from vedette.lang.gotemplate.values import (
    Boxed,
    Typed,
    entry,
    indirect,
    is_nil,
    length,
    payload,
    truth,
    type_of,
    unboxed,
)

_INTEGERS: Final = frozenset((Kind.INT, Kind.UINT))
_BASIC: Final = frozenset((Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT, Kind.COMPLEX, Kind.STRING))
_UNORDERED: Final = frozenset((Kind.BOOL, Kind.COMPLEX))
_LONGEST_MESSAGE: Final = 1_000
_SHOWING: Final = frozenset(("Error", "String"))
"""Methods that show a value."""
_BAD_COMPARISON: Final = "invalid type for comparison"


def _index_arg(index: Any, most: int) -> int:
    index = unboxed(index)
    if index is None:
        raise FunctionError("cannot index slice/array with nil")
    if type_of(index).kind not in _INTEGERS:
        raise FunctionError(f"cannot index slice/array with type {type_of(index).name}")
    at = payload(index)
    if not 0 <= at <= min(most, MAX_INT):
        raise FunctionError(f"index out of range: {at}")
    return at


def _index(item: Any, *indexes: Any) -> Any:
    item = unboxed(item)
    if item is None:
        raise FunctionError("index of untyped nil")
    for index in indexes:
        item, nil = indirect(item)
        if nil:
            raise FunctionError("index of nil pointer")
        kind = type_of(item)
        match kind.kind:
            case Kind.SLICE:
                item = _element(item, kind, _index_arg(index, length(item)))
            case Kind.STRING:
                item = _byte(payload(item), _index_arg(index, length(item)))
            case Kind.MAP:
                item = entry(item, _key(unboxed(index)))[0]
            case _:
                raise FunctionError(f"can't index item of type {kind.name}")
    return item


def _element(item: Any, kind: GoType, at: int) -> Any:
    held = payload(item) or ()
    if at >= len(held):
        raise FunctionError("reflect: slice index out of range")
    found = held[at]
    return Boxed(found) if kind.elem is not None and kind.elem.kind is Kind.INTERFACE else found


def _byte(text: str, at: int) -> Typed:
    raw = to_bytes(text)
    if at >= len(raw):
        raise FunctionError("reflect: string index out of range")
    return Typed(UINT8, raw[at])


def _key(index: Any) -> str:
    if index is None:
        raise FunctionError("value is nil; should be of type string")
    if not STRING.accepts(type_of(index)):
        raise FunctionError(f"value has type {type_of(index).name}; should be string")
    return payload(index)


def _slice(item: Any, *indexes: Any) -> Any:
    item = unboxed(item)
    if item is None:
        raise FunctionError("slice of untyped nil")
    item, nil = indirect(item)
    if nil:
        raise FunctionError("slice of nil pointer")
    if len(indexes) > 3:
        raise FunctionError(f"too many slice indexes: {len(indexes)}")
    kind = type_of(item)
    if kind.kind is Kind.STRING and len(indexes) == 3:
        raise FunctionError("cannot 3-index slice a string")
    if kind.kind not in (Kind.STRING, Kind.SLICE):
        raise FunctionError(f"can't slice item of type {kind.name}")
    size = length(item)
    places = [0, size, size]
    for number, index in enumerate(indexes):
        places[number] = _index_arg(index, size)
    start, end, most = places
    if start > end:
        raise FunctionError(f"invalid slice index: {start} > {end}")
    if end > most:
        raise FunctionError(f"invalid slice index: {end} > {most}")
    if kind.kind is Kind.STRING:
        held = payload(item)
        piece = held[start:end] if held.isascii() else from_bytes(to_bytes(held)[start:end])
    else:
        piece = (payload(item) or ())[start:end]
    return Typed(kind, piece) if isinstance(item, Typed) else piece


def _len(item: Any) -> int:
    item, nil = indirect(item)
    if nil:
        raise FunctionError("len of nil pointer")
    if item is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    kind = type_of(item)
    if kind.kind not in (Kind.MAP, Kind.SLICE, Kind.STRING):
        raise FunctionError(f"len of type {kind.name}")
    return length(item)


# Comparisons


def _same(budget: Budget, first: Any, second: Any) -> bool:
    one = None if first is None else type_of(first)
    other = None if second is None else type_of(second)
    one_kind = one.kind if one is not None and one.kind in _BASIC else None
    other_kind = other.kind if other is not None and other.kind in _BASIC else None
    if one_kind is not other_kind:
        if one_kind in _INTEGERS and other_kind in _INTEGERS:
            return payload(first) == payload(second)
        if one is not None and other is not None:
            raise FunctionError(f"incompatible types for comparison: {one.name} and {other.name}")
        return False
    if one_kind is not None:
        return payload(first) == payload(second)
    return _same_special(budget, first, one, second, other)


def _same_special(budget: Budget, first: Any, one: GoType | None, second: Any, other: GoType | None) -> bool:
    """Equality of what is neither a number nor a string nor a truth value."""
    if one is not None and other is not None and one.kind is not other.kind:
        text = sprintf("non-comparable types %s: %s, %s: %v", (first, one.name, other.name, second), budget)
        raise FunctionError(text[:_LONGEST_MESSAGE])
    if is_nil(first) or is_nil(second):
        return is_nil(first) == is_nil(second)
    if other is None or other.kind in (Kind.MAP, Kind.SLICE, Kind.FUNC) or not other.comparable:
        name = other.name if other is not None else "nil"
        raise FunctionError(sprintf("non-comparable type %s: %s", (second, name), budget)[:_LONGEST_MESSAGE])
    if one is not other:
        return False
    if other.kind is Kind.POINTER:
        return payload(first) is payload(second)
    return payload(first) == payload(second)


def _eq(budget: Budget, first: Any, *others: Any) -> bool:
    first = unboxed(first)
    if not others:
        raise FunctionError("missing argument for comparison")
    return any(_same(budget, first, unboxed(other)) for other in others)


def _ne(budget: Budget, first: Any, second: Any) -> bool:
    return not _eq(budget, first, second)


def _lt(first: Any, second: Any) -> bool:
    first, second = unboxed(first), unboxed(second)
    kinds = [None if value is None else type_of(value) for value in (first, second)]
    if any(kind is None or kind.kind not in _BASIC for kind in kinds):
        raise FunctionError(_BAD_COMPARISON)
    one, other = (kind for kind in kinds if kind is not None)
    if one.kind is not other.kind and not (one.kind in _INTEGERS and other.kind in _INTEGERS):
        raise FunctionError(f"incompatible types for comparison: {one.name} and {other.name}")
    if one.kind in _UNORDERED:
        raise FunctionError(_BAD_COMPARISON)
    left, right = payload(first), payload(second)
    if one.kind is Kind.STRING and not (left.isascii() and right.isascii()):
        return to_bytes(left) < to_bytes(right)
    return left < right


def _le(budget: Budget, first: Any, second: Any) -> bool:
    return _lt(first, second) or _eq(budget, first, second)


def _gt(budget: Budget, first: Any, second: Any) -> bool:
    return not _le(budget, first, second)


def _ge(first: Any, second: Any) -> bool:
    return not _lt(first, second)


# Escaping

_HTML: Final = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"},
)
_JS: Final = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def shown(values: tuple[Any, ...], budget: Budget) -> str:
    """Values as actions show them, which is not how `print` shows pointers and nothing."""
    if len(values) == 1 and type(values[0]) is str:
        return values[0]
    return sprint([printable(value) for value in values], budget)


def printable(value: Any) -> Any:
    """What is shown of a value: what a pointer leads to, and words for nothing."""
    value = unboxed(value)
    if value is None:
        return "<no value>"
    if type_of(value).kind is Kind.POINTER and not _SHOWING & type_of(value).methods.keys():
        target, nil = indirect(value)
        return value if nil else target
    return value


def escape_html(text: str) -> str:
    """A text for HTML."""
    return text.translate(_HTML)


def escape_js(text: str) -> str:
    """A text for a string in JavaScript."""
    return "".join(map(_js_char, text))


def _js_char(char: str) -> str:
    if char in _JS:
        return _JS[char]
    code = 0xFFFD if is_stray_byte(char) else ord(char)
    if code < 0x20:
        return f"\\u00{code:02X}"
    if code < 0x80 or chr(code).isprintable():
        return chr(code)
    return f"\\u{code:04X}"


def escape_query(text: str) -> str:
    """A text for the query of a URL."""
    return quote_from_bytes(to_bytes(text), safe=" ").replace(" ", "+")


def _print(budget: Budget, *values: Any) -> str:
    return sprint(values, budget)


def _printf(budget: Budget, form: str, *values: Any) -> str:
    return sprintf(form, values, budget)


def _println(budget: Budget, *values: Any) -> str:
    return sprintln(values, budget)


def _html(budget: Budget, *values: Any) -> str:
    return escape_html(shown(values, budget))


def _js(budget: Budget, *values: Any) -> str:
    return escape_js(shown(values, budget))


def _urlquery(budget: Budget, *values: Any) -> str:
    return escape_query(shown(values, budget))


def _not(value: Any) -> bool:
    return not truth(value)


def _unreachable(*_: Any) -> None:
    """Stands for what `execution` does itself."""


BUILTINS: Final[Functions] = {
    "and": Function(_unreachable, (VALUE,), VALUE),
    "call": Function(_unreachable, (VALUE,), VALUE),
    "eq": Function(_eq, (VALUE,), VALUE, budgeted=True),
    "ge": Function(_ge, (VALUE, VALUE)),
    "gt": Function(_gt, (VALUE, VALUE), budgeted=True),
    "html": Function(_html, variadic=ANY, budgeted=True),
    "index": Function(_index, (VALUE,), VALUE),
    "js": Function(_js, variadic=ANY, budgeted=True, effort=BY_CHARACTER),
    "le": Function(_le, (VALUE, VALUE), budgeted=True),
    "len": Function(_len, (VALUE,)),
    "lt": Function(_lt, (VALUE, VALUE)),
    "ne": Function(_ne, (VALUE, VALUE), budgeted=True),
    "not": Function(_not, (VALUE,)),
    "or": Function(_unreachable, (VALUE,), VALUE),
    "print": Function(_print, variadic=ANY, budgeted=True),
    "printf": Function(_printf, (STRING,), ANY, budgeted=True),
    "println": Function(_println, variadic=ANY, budgeted=True),
    "slice": Function(_slice, (VALUE,), VALUE),
    "urlquery": Function(_urlquery, variadic=ANY, budgeted=True),
}
