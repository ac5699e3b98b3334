"""Go's types, as far as templates can tell them apart: they decide what fits where, and messages name them.

A type here is a description, not a Python class: templates reach what it lists, and nothing else of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Kind(Enum):
    """What a type is made of; Go's `reflect.Kind` without what templates never meet."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    FLOAT = "float"
    COMPLEX = "complex"
    STRING = "string"
    SLICE = "slice"
    MAP = "map"
    STRUCT = "struct"
    POINTER = "ptr"
    FUNC = "func"
    INTERFACE = "interface"
    VALUE = "reflect.Value"


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method that templates may call.

    Attributes:
        call: what it does, with plain values and `Typed` ones in Go's order; a method gets its receiver first.
            It raises `FunctionError` where Go's returns an error or panics.
        parameters: types of the fixed parameters.
        variadic: type of all further ones; None if there are no more.
        budgeted: whether it gets the execution's `Budget` before everything else, to count what it uses.
        unfit: why templates cannot call it, in Go's words; empty if they can.
        cost: how many steps a call counts.
        effort: how much more work each byte of its arguments is than for most functions.
    """

    call: Callable[..., Any]
    parameters: tuple[GoType, ...] = ()
    variadic: GoType | None = None
    budgeted: bool = False
    unfit: str = ""
    cost: int = 1
    effort: int = 1


Functions = Mapping[str, Function]

BY_CHARACTER: Final = 64
"""The effort of functions that look at one character after another."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct.

    Attributes:
        name: as templates write it.
        type: its type.
        json: its name in JSON; empty for `name`.
    """

    name: str
    type: GoType
    json: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class GoType:
    """A type.

    Attributes:
        name: as Go prints it.
        kind: what it is made of.
        underlying: of a defined type, what it stands for, as Go prints it; empty for a type literal.
        elem: what slices, maps and pointers hold.
        bits: size of a number.
        fields: of a struct.
        methods: by name.
        comparable: whether `eq` can compare two structs.
        empty: what a zero value of a struct holds, where that is not its fields' zeros.
    """

    name: str
    kind: Kind
    underlying: str = ""
    elem: GoType | None = None
    bits: int = 64
    fields: tuple[Field, ...] = ()
    methods: Functions = field(default_factory=dict[str, Function])
    comparable: bool = True
    empty: Any = None

    def find_field(self, name: str) -> Field | None:
        """A field by name."""
        return next((one for one in self.fields if one.name == name), None)

    def accepts(self, other: GoType) -> bool:
        """Whether a value of the other type can be assigned to this one."""
        if self is other or self.name == other.name or self.kind is Kind.INTERFACE:
            return True
        if self.kind is not other.kind:
            return False
        ours, theirs = self.underlying or self.name, other.underlying or other.name
        return ours == theirs and not (self.underlying and other.underlying)

    @property
    def can_be_nil(self) -> bool:
        """Whether the constant `nil` fits."""
        return self.kind in _NIL_KINDS


_NIL_KINDS: Final = frozenset((Kind.SLICE, Kind.MAP, Kind.POINTER, Kind.FUNC, Kind.INTERFACE, Kind.VALUE))


def _basic(name: str, kind: Kind, bits: int = 64) -> GoType:
    return GoType(name, kind, underlying=name, bits=bits)


BOOL: Final = _basic("bool", Kind.BOOL)
INT: Final = _basic("int", Kind.INT)
INT32: Final = _basic("int32", Kind.INT, 32)
INT64: Final = _basic("int64", Kind.INT)
UINT: Final = _basic("uint", Kind.UINT)
UINT8: Final = _basic("uint8", Kind.UINT, 8)
UINT64: Final = _basic("uint64", Kind.UINT)
FLOAT64: Final = _basic("float64", Kind.FLOAT)
COMPLEX128: Final = _basic("complex128", Kind.COMPLEX, 128)
STRING: Final = _basic("string", Kind.STRING)
ANY: Final = GoType("interface {}", Kind.INTERFACE)
VALUE: Final = GoType("reflect.Value", Kind.VALUE)
"""The type of parameters that take anything as it is, even nothing."""


def slice_of(elem: GoType) -> GoType:
    """`[]elem`."""
    return GoType(f"[]{elem.name}", Kind.SLICE, elem=elem)


def map_of(elem: GoType) -> GoType:
    """`map[string]elem`."""
    return GoType(f"map[string]{elem.name}", Kind.MAP, elem=elem)


def pointer_to(elem: GoType) -> GoType:
    """`*elem`."""
    return GoType(f"*{elem.name}", Kind.POINTER, elem=elem)


def struct_of(*fields: Field) -> GoType:
    """A struct without a name of its own."""
    inner = "; ".join(f"{one.name} {one.type.name}" for one in fields)
    return GoType(f"struct {{ {inner} }}" if inner else "struct {}", Kind.STRUCT, fields=fields)


ANYTHINGS: Final = slice_of(ANY)
STRINGS: Final = slice_of(STRING)
BYTES: Final = slice_of(UINT8)
MAP_ANY: Final = map_of(ANY)
MAP_STRING: Final = map_of(STRING)
