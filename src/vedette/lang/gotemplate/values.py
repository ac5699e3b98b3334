"""The values that templates work on.

Plain Python values stand for the Go types that they are nearest to: None for nothing at all, bool, int, float,
complex, str, list for `[]interface {}`, dict with string keys for `map[string]interface {}`. All others are `Typed`:
a value of one of those classes, or a `Typed` target of a pointer, with its Go type.

Python's objects have no attributes here: a template sees fields, entries and methods that a `GoType` lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from vedette.lang.gotemplate.kinds import (
    ANYTHINGS,
    BOOL,
    COMPLEX128,
    FLOAT64,
    INT,
    MAP_ANY,
    MAP_STRING,
    STRING,
    STRINGS,
    GoType,
    Kind,
)
from vedette.lang.gotemplate.text import byte_length


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """A value with its type.

    Attributes:
        type: its type.
        value: by kind: int, float, str; a list or tuple; a dict; for structs a dict of all fields, or what their
            methods work on; for pointers the `Typed` target; a `Function`. None for nil.
    """

    type: GoType
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Boxed:
    """A value in a place of type `interface {}`, which messages then name instead of the value's own type."""

    value: Any


_PLAIN_TYPES: Final[Mapping[type[Any], GoType]] = {
    str: STRING,
    int: INT,
    float: FLOAT64,
    bool: BOOL,
    list: ANYTHINGS,
    tuple: ANYTHINGS,
    dict: MAP_ANY,
    complex: COMPLEX128,
}


def type_of(value: object) -> GoType:
    """The type of a value that is neither None nor `Boxed`."""
    found = _PLAIN_TYPES.get(type(value))
    return found if found is not None else cast("Typed", value).type


def payload(value: Any) -> Any:
    """What a `Typed` value holds, or the plain value itself."""
    return value.value if type(value) is Typed else value


def unboxed(value: Any) -> Any:
    """A value without the place that it was found in."""
    return value.value if type(value) is Boxed else value


def indirect(value: Any) -> tuple[Any, bool]:
    """What pointers and `interface {}` lead to, and whether that is nil."""
    while True:
        if type(value) is Boxed:
            value = value.value
            if value is None:
                return None, True
        elif type(value) is Typed and value.type.kind is Kind.POINTER:
            if value.value is None:
                return value, True
            value = value.value
        else:
            return value, False


def truth(value: Any) -> bool:
    """Whether a value counts as true: it is neither zero nor empty nor nil."""
    value = unboxed(value)
    if type(value) is not Typed:
        return bool(value)
    if value.type.kind is Kind.STRUCT:
        return True
    if value.type.kind in _HELD:
        return value.value is not None
    return bool(value.value)


_HELD: Final = frozenset((Kind.POINTER, Kind.FUNC))


def length(value: Any) -> int:
    """The length of a string in bytes, of a list or of a map."""
    held = payload(value)
    return byte_length(held) if isinstance(held, str) else len(held or ())


def items_of(value: Any) -> list[Any]:
    """The entries of a list, as its type has them."""
    held = cast("Sequence[Any]", payload(value) or ())
    elem = type_of(value).elem
    if elem is not None and elem.kind is Kind.INTERFACE:
        return [Boxed(item) for item in held]
    return list(held)


def entries_of(value: Any) -> list[tuple[str, Any]]:
    """The entries of a map, by key, as its type has them."""
    held = cast("Mapping[str, Any]", payload(value) or {})
    elem = type_of(value).elem
    boxed = elem is not None and elem.kind is Kind.INTERFACE
    return [(key, Boxed(held[key]) if boxed else held[key]) for key in sorted(held, key=_by_bytes)]


def entry(value: Any, key: str) -> tuple[Any, bool]:
    """An entry of a map, and whether there is one; the zero of its type if not."""
    held = cast("Mapping[str, Any]", payload(value) or {})
    elem = cast("GoType", type_of(value).elem)
    if key not in held:
        return zero(elem), False
    return Boxed(held[key]) if elem.kind is Kind.INTERFACE else held[key], True


def zero(kind: GoType) -> Any:
    """The zero value of a type."""
    match kind.kind:
        case Kind.INTERFACE:
            return Boxed(None)
        case Kind.VALUE:
            return None
        case Kind.STRUCT:
            plain: Any = {one.name: zero(one.type) for one in kind.fields} if kind.empty is None else kind.empty
        case Kind.SLICE | Kind.MAP | Kind.POINTER | Kind.FUNC:
            plain = None
        case _:
            plain = _ZEROS[kind.kind]
    return plain if kind in _PLAIN_SCALARS else Typed(kind, plain)


_ZEROS: Final = {Kind.BOOL: False, Kind.INT: 0, Kind.UINT: 0, Kind.FLOAT: 0.0, Kind.COMPLEX: 0j, Kind.STRING: ""}
_PLAIN_SCALARS: Final = frozenset((BOOL, INT, FLOAT64, COMPLEX128, STRING))


def strings(texts: Iterable[str]) -> Typed:
    """`[]string`."""
    return Typed(STRINGS, tuple(texts))


def string_map(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Typed:
    """`map[string]string`: what is missing in it is the empty text where missing keys give zeros."""
    return Typed(MAP_STRING, dict(pairs))


def is_nil(value: Any) -> bool:
    """Whether a value is nothing, or the nil of its type."""
    if value is None:
        return True
    return type(value) is Typed and value.value is None


def _by_bytes(key: str) -> bytes:
    # UTF-8 sorts as code points do, but stray bytes do not.
    return key.encode("utf-8", "surrogateescape") if not key.isascii() else key.encode()
