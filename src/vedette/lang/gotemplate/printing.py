"""Print values as Go's `fmt` does: `print`, `println`, `printf` with all verbs and flags, and what actions show.

Source: Go's package `fmt` (https://pkg.go.dev/fmt).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from vedette.lang.gotemplate.errors import LimitError
from vedette.lang.gotemplate.floats import SHORTEST, format_float
from vedette.lang.gotemplate.kinds import Kind
from vedette.lang.gotemplate.limits import Budget
from vedette.lang.gotemplate.literals import can_backquote, quote
from vedette.lang.gotemplate.text import byte_length, from_bytes, is_stray_byte, to_bytes
from vedette.lang.gotemplate.values import Boxed, entries_of, items_of, payload, type_of, unboxed

_MOST: Final = 1_000_000
"""The widest width and precision."""
_DEEPEST: Final = 64
"""How many lists and maps may stand within each other."""
_STRINGABLE: Final = frozenset("vsxXq")
_MAX_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)
_ADDRESS: Final = 0xC000000000
"""Stands for every address: where values are is nobody's business."""
_INTEGER_VERBS: Final = frozenset("vdboOxXcqU")
_FLOAT_VERBS: Final = {"v": ("g", SHORTEST), "F": ("f", 6), "f": ("f", 6), "e": ("e", 6), "E": ("E", 6)} | {
    verb: (verb, SHORTEST) for verb in "bgGxX"
}
_BASES: Final = {"b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "x": "0x", "X": "0X"}
_BYTES_AS_TEXT: Final = frozenset("sqxX")


def sprint(values: Sequence[Any], budget: Budget) -> str:
    """Values with a space between any two that are not strings."""
    if len(values) == 1 and type(values[0]) is str:
        return values[0]
    printer = _Printer(budget)
    after_string = True
    for value in values:
        is_string = unboxed(value) is not None and type_of(unboxed(value)).kind is Kind.STRING
        if not is_string and not after_string:
            printer.put(" ")
        printer.print_value(value, "v")
        after_string = is_string
    return printer.text()


def sprintln(values: Sequence[Any], budget: Budget) -> str:
    """Values with spaces between them and a line end behind them."""
    printer = _Printer(budget)
    for number, value in enumerate(values):
        if number:
            printer.put(" ")
        printer.print_value(value, "v")
    printer.put("\n")
    return printer.text()


def sprintf(format_text: str, values: Sequence[Any], budget: Budget) -> str:
    """Values in a format."""
    printer = _Printer(budget)
    _Format(format_text, values, printer).run()
    return printer.text()


class _Flags:
    """What stands between a percent sign and its verb."""

    __slots__ = ("minus", "plus", "plus_v", "precision", "sharp", "sharp_v", "space", "width", "zero")

    def __init__(self) -> None:
        self.minus = self.plus = self.sharp = self.space = self.zero = False
        self.plus_v = self.sharp_v = False
        self.width: int | None = None
        self.precision: int | None = None


class _Printer:
    """Collects text; one `_Flags` at a time says how."""

    def __init__(self, budget: Budget) -> None:
        self.flags = _Flags()
        self._budget = budget
        self._parts: list[str] = []
        self._length = 0
        self._erroring = False

    def text(self) -> str:
        return "".join(self._parts)

    def put(self, text: str) -> None:
        size = byte_length(text)
        self._length += size
        self._budget.check_length(self._length)
        self._budget.spend_on(size)
        self._parts.append(text)

    def pad(self, text: str) -> None:
        """A text, as wide as it has to be."""
        missing = (self.flags.width or 0) - len(text)
        if missing <= 0:
            self.put(text)
        elif self.flags.minus:
            self.put(text + " " * missing)
        else:
            self.put(("0" if self.flags.zero else " ") * missing + text)

    # Values

    def print_value(self, value: Any, verb: str, depth: int = 0) -> None:
        """Any value."""
        self._budget.spend()
        boxed = type(value) is Boxed
        value = unboxed(value)
        if value is None:
            self._print_nothing(verb, boxed=boxed, depth=depth)
            return
        if depth == 0:
            if verb == "T":
                self._string(type_of(value).name, "s")
                return
            if verb == "p":
                self._pointer(value, verb)
                return
        if depth > _DEEPEST:
            raise LimitError(f"lists and maps stand deeper than {_DEEPEST} within each other")
        kind = type_of(value)
        if kind.methods and not self._erroring and self._by_method(value, verb):
            return
        if verb == "w":
            self._bad_verb(value, verb)
            return
        self._by_kind(kind.kind, value, verb, depth)

    def _by_kind(self, kind: Kind, value: Any, verb: str, depth: int) -> None:
        held = payload(value)
        match kind:
            case Kind.BOOL:
                self._bool(value, verb)
            case Kind.INT | Kind.UINT:
                self._integer(value, held, verb, signed=kind is Kind.INT)
            case Kind.FLOAT:
                self._float(value, held, verb)
            case Kind.COMPLEX:
                self._complex(value, held, verb)
            case Kind.STRING:
                if not self._string(held, verb):
                    self._bad_verb(value, verb)
            case Kind.MAP:
                self._map(value, verb, depth)
            case Kind.STRUCT:
                self._struct(value, verb, depth)
            case Kind.SLICE:
                self._slice(value, verb, depth)
            case Kind.POINTER if depth == 0 and held is not None and type_of(held).kind in _SHOWN_BEHIND_POINTERS:
                self.put("&")
                self.print_value(held, verb, depth + 1)
            case _:
                self._pointer(value, verb)

    def _print_nothing(self, verb: str, *, boxed: bool, depth: int) -> None:
        if boxed and depth > 0:
            self.put("interface {}(nil)" if self.flags.sharp_v else "<nil>")
        elif depth == 0 and verb in "Tv":
            self.pad("<nil>")
        elif verb == "v":
            self.put("<nil>")
        else:
            self.put(f"%!{verb}(<nil>)")

    def _by_method(self, value: Any, verb: str) -> bool:
        """Whether the value has a method that shows it."""
        methods = type_of(value).methods
        if self.flags.sharp_v:
            if "GoString" not in methods:
                return False
            self._string(cast("str", methods["GoString"].call(value)), "s")
            return True
        name = "Error" if "Error" in methods else "String"
        if verb not in _STRINGABLE or name not in methods:
            return False
        if payload(value) is None and type_of(value).kind is Kind.POINTER:
            self.put("<nil>")
            return True
        self._string(cast("str", methods[name].call(value)), verb)
        return True

    def _bad_verb(self, value: Any, verb: str) -> None:
        self._erroring = True
        self.put(f"%!{verb}({type_of(value).name}=")
        self.print_value(value, "v")
        self.put(")")
        self._erroring = False

    def _bool(self, value: Any, verb: str) -> None:
        if verb in "tv":
            self.pad("true" if payload(value) else "false")
        else:
            self._bad_verb(value, verb)

    def _integer(self, value: Any, number: int, verb: str, *, signed: bool) -> None:
        if verb not in _INTEGER_VERBS:
            self._bad_verb(value, verb)
        elif verb == "c":
            self.pad(_char(number))
        elif verb == "q":
            self.pad(quote(_char(number), mark="'", ascii_only=self.flags.plus))
        elif verb == "U":
            self._unicode(number)
        elif verb == "v" and self.flags.sharp_v and not signed:
            self._hexadecimal(number, prefix=True)
        else:
            self._digits(number, verb)

    def _hexadecimal(self, number: int, *, prefix: bool) -> None:
        sharp, self.flags.sharp = self.flags.sharp, prefix
        self._digits(number, "x")
        self.flags.sharp = sharp

    def _digits(self, number: int, verb: str) -> None:
        flags = self.flags
        negative = number < 0
        signed = negative or flags.plus or flags.space
        if flags.precision is not None:
            shortest = flags.precision
            if shortest == 0 and number == 0:
                self.put(" " * (flags.width or 0))
                return
        elif flags.zero and not flags.minus and flags.width is not None:
            shortest = flags.width - signed
        else:
            shortest = 0
        text = format(abs(number), _BASES.get(verb, "d"))
        text = text.rjust(shortest, "0")
        if flags.sharp and verb == "o" and not text.startswith("0"):
            text = f"0{text}"
        elif flags.sharp and verb == "O":
            text = text if text.startswith("0") else f"0{text}"
        elif flags.sharp and verb in _PREFIXES:
            text = _PREFIXES[verb] + text
        if verb == "O":
            text = f"0o{text}"
        sign = "-" if negative else "+" if flags.plus else " " if flags.space else ""
        zero, flags.zero = flags.zero, False
        self.pad(sign + text)
        flags.zero = zero

    def _unicode(self, number: int) -> None:
        number &= (1 << 64) - 1
        text = f"U+{number:0{max(4, self.flags.precision or 0)}X}"
        if self.flags.sharp and number <= _MAX_CODE_POINT and number not in _SURROGATES and chr(number).isprintable():
            text += f" '{chr(number)}'"
        zero, self.flags.zero = self.flags.zero, False
        self.pad(text)
        self.flags.zero = zero

    def _float(self, value: Any, number: float, verb: str) -> None:
        if verb not in _FLOAT_VERBS:
            self._bad_verb(value, verb)
            return
        shape, precision = _FLOAT_VERBS[verb]
        flags = self.flags
        if flags.precision is not None:
            precision = flags.precision
        text = format_float(number, shape, precision)
        if text[0] not in "+-":
            text = f"+{text}"
        if flags.space and text[0] == "+" and not flags.plus:
            text = f" {text[1:]}"
        if text[1] in "IN":
            if text[1] == "N" and not flags.space and not flags.plus:
                text = text[1:]
            # Not a number that zeros could be put before.
            zero, flags.zero = flags.zero, False
            self.pad(text)
            flags.zero = zero
            return
        if flags.sharp and shape != "b":
            text = _with_point(text, shape, precision)
        if not flags.plus and text[0] == "+":
            self.pad(text[1:])
        elif flags.zero and not flags.minus and flags.width is not None and flags.width > len(text):
            self.put(text[0] + text[1:].rjust(flags.width - 1, "0"))
        else:
            self.pad(text)

    def _complex(self, value: Any, number: complex, verb: str) -> None:
        if verb not in _FLOAT_VERBS:
            self._bad_verb(value, verb)
            return
        plus = self.flags.plus
        self.put("(")
        self._float(value, number.real, verb)
        self.flags.plus = True
        self._float(value, number.imag, verb)
        self.put("i)")
        self.flags.plus = plus

    def _string(self, text: str, verb: str) -> bool:
        """Whether strings have this verb."""
        flags = self.flags
        if verb == "q" or (verb == "v" and flags.sharp_v):
            text = text if flags.precision is None else text[: flags.precision]
            if flags.sharp and can_backquote(text):
                self.pad(f"`{text}`")
            else:
                self.pad(quote(text, ascii_only=flags.plus))
        elif verb in "vs":
            self.pad(text if flags.precision is None else text[: flags.precision])
        elif verb in "xX":
            self._hex_bytes(to_bytes(text), verb)
        else:
            return False
        return True

    def _hex_bytes(self, raw: bytes, verb: str) -> None:
        flags = self.flags
        if flags.precision is not None:
            raw = raw[: flags.precision]
        if not raw:
            self.pad("")
            return
        prefix = _PREFIXES[verb] if flags.sharp else ""
        digits = raw.hex(" ") if flags.space else raw.hex()
        if verb == "X":
            digits = digits.upper()
        self.pad(prefix + digits.replace(" ", f" {prefix}"))

    # Containers

    def _map(self, value: Any, verb: str, depth: int) -> None:
        open_, close, between = "map[", "]", " "
        if self.flags.sharp_v:
            name = type_of(value).name
            if payload(value) is None:
                self.put(f"{name}(nil)")
                return
            open_, close, between = f"{name}{{", "}", ", "
        self.put(open_)
        for number, (key, item) in enumerate(entries_of(value)):
            if number:
                self.put(between)
            self.print_value(key, verb, depth + 1)
            self.put(":")
            self.print_value(item, verb, depth + 1)
        self.put(close)

    def _struct(self, value: Any, verb: str, depth: int) -> None:
        flags = self.flags
        kind = type_of(value)
        self.put(f"{kind.name}{{" if flags.sharp_v else "{")
        held = payload(value)
        for number, one in enumerate(kind.fields):
            if number:
                self.put(", " if flags.sharp_v else " ")
            if flags.plus_v or flags.sharp_v:
                self.put(f"{one.name}:")
            item = held[one.name]
            if one.type.kind is Kind.INTERFACE and item is None:
                item = Boxed(None)
            self.print_value(item, verb, depth + 1)
        self.put("}")

    def _slice(self, value: Any, verb: str, depth: int) -> None:
        kind = type_of(value)
        held = payload(value)
        if isinstance(held, bytes):
            if verb in _BYTES_AS_TEXT:
                self._string(from_bytes(held), verb)
                return
            if not depth and verb in "vd" and not self.flags.sharp_v:
                self._items("[", "]", " ", list(held), "d", depth)
                return
        if not self.flags.sharp_v:
            self._items("[", "]", " ", items_of(value), verb, depth)
        elif held is None:
            self.put(f"{kind.name}(nil)")
        else:
            self._items(f"{kind.name}{{", "}", ", ", items_of(value), verb, depth)

    def _items(self, open_: str, close: str, between: str, items: list[Any], verb: str, depth: int) -> None:
        self.put(open_)
        for number, item in enumerate(items):
            if number:
                self.put(between)
            self.print_value(item, verb, depth + 1)
        self.put(close)

    def _pointer(self, value: Any, verb: str) -> None:
        kind = type_of(value)
        if kind.kind not in _ADDRESSED:
            self._bad_verb(value, verb)
            return
        address = 0 if payload(value) is None else _ADDRESS
        if verb == "v" and self.flags.sharp_v:
            self.put(f"({kind.name})(")
            if address:
                self._hexadecimal(address, prefix=True)
            else:
                self.put("nil")
            self.put(")")
        elif verb == "v" and not address:
            self.pad("<nil>")
        elif verb in "vp":
            self._hexadecimal(address, prefix=not self.flags.sharp)
        elif verb in "bodxX":
            self._digits(address, verb)
        else:
            self._bad_verb(value, verb)


_SHOWN_BEHIND_POINTERS: Final = frozenset((Kind.SLICE, Kind.STRUCT, Kind.MAP))
_ADDRESSED: Final = frozenset((Kind.FUNC, Kind.MAP, Kind.POINTER, Kind.SLICE))


class _Format:
    """Reads a format and prints its values."""

    def __init__(self, text: str, values: Sequence[Any], printer: _Printer) -> None:
        self._text = text
        self._values = [unboxed(value) for value in values]
        self._printer = printer
        self._pos = 0
        self._next = 0
        self._reordered = False
        self._good = True
        self._after_index = False

    def run(self) -> None:
        """Print everything."""
        text, printer = self._text, self._printer
        while self._pos < len(text):
            percent = text.find("%", self._pos)
            if percent < 0:
                printer.put(text[self._pos :])
                break
            if percent > self._pos:
                printer.put(text[self._pos : percent])
            self._pos = percent + 1
            self._good = True
            self._after_index = False
            if not self._verb():
                break
        if not self._reordered and self._next < len(self._values):
            self._extra()

    def _verb(self) -> bool:
        """One verb with all that belongs to it; False if the format ends before it."""
        printer, text = self._printer, self._text
        flags = printer.flags = _Flags()
        self._read_flags(flags)
        self._argument_index()
        self._read_width(flags)
        self._read_precision(flags)
        if not self._after_index:
            self._argument_index()
        if self._pos >= len(text):
            printer.put("%!(NOVERB)")
            return False
        verb = text[self._pos]
        if is_stray_byte(verb):
            verb = "\ufffd"
        self._pos += 1
        if verb == "%":
            printer.put("%")
        elif not self._good:
            printer.put(f"%!{verb}(BADINDEX)")
        elif self._next >= len(self._values):
            printer.put(f"%!{verb}(MISSING)")
        else:
            if verb in "vw":
                flags.sharp_v, flags.sharp = flags.sharp, False
                flags.plus_v, flags.plus = flags.plus, False
            printer.print_value(self._values[self._next], verb)
            self._next += 1
        return True

    def _read_flags(self, flags: _Flags) -> None:
        while self._pos < len(self._text):
            match self._text[self._pos]:
                case "#":
                    flags.sharp = True
                case "0":
                    flags.zero = True
                case "+":
                    flags.plus = True
                case "-":
                    flags.minus = True
                case " ":
                    flags.space = True
                case _:
                    return
            self._pos += 1

    def _read_width(self, flags: _Flags) -> None:
        if self._at("*"):
            self._pos += 1
            flags.width = self._number_argument()
            if flags.width is None:
                self._printer.put("%!(BADWIDTH)")
            elif flags.width < 0:
                flags.width, flags.minus, flags.zero = -flags.width, True, False
            self._after_index = False
        else:
            flags.width = self._number()
            if self._after_index and flags.width is not None:
                self._good = False

    def _read_precision(self, flags: _Flags) -> None:
        if not self._at(".") or self._pos + 1 >= len(self._text):
            return
        self._pos += 1
        if self._after_index:
            self._good = False
        self._argument_index()
        if self._at("*"):
            self._pos += 1
            flags.precision = self._number_argument()
            if flags.precision is not None and flags.precision < 0:
                flags.precision = None
            if flags.precision is None:
                self._printer.put("%!(BADPREC)")
            self._after_index = False
        else:
            flags.precision = self._number() or 0

    def _at(self, char: str) -> bool:
        return self._pos < len(self._text) and self._text[self._pos] == char

    def _number(self) -> int | None:
        """Digits of the format; None if there are none, or too many."""
        number, end = _digits_at(self._text, self._pos, len(self._text))
        self._pos = end
        return number

    def _number_argument(self) -> int | None:
        """An integer among the values."""
        if self._next >= len(self._values):
            return None
        value = self._values[self._next]
        self._next += 1
        if value is None or type_of(value).kind not in _INTEGERS:
            return None
        number = cast("int", payload(value))
        return number if -_MOST <= number <= _MOST else None

    def _argument_index(self) -> None:
        """`[3]`: which value comes next."""
        self._after_index = False
        if not self._at("["):
            return
        self._reordered = True
        text, start = self._text, self._pos
        close = text.find("]", start + 1)
        if len(to_bytes(text[start:])) < 3 or close < 0:
            self._pos += 1
            self._good = False
            return
        number, end = _digits_at(text, start + 1, close)
        self._pos = close + 1
        if number is None or end != close:
            self._good = False
            return
        self._after_index = True
        if 0 <= number - 1 < len(self._values):
            self._next = number - 1
        else:
            self._good = False

    def _extra(self) -> None:
        printer = self._printer
        printer.flags = _Flags()
        printer.put("%!(EXTRA ")
        for number, value in enumerate(self._values[self._next :]):
            if number:
                printer.put(", ")
            if value is None:
                printer.put("<nil>")
            else:
                printer.put(f"{type_of(value).name}=")
                printer.print_value(value, "v")
        printer.put(")")


_INTEGERS: Final = frozenset((Kind.INT, Kind.UINT))


def _digits_at(text: str, start: int, end: int) -> tuple[int | None, int]:
    """A number's value and where it ends; too large ones swallow everything."""
    if start >= end:
        return None, end
    number: int | None = None
    pos = start
    while pos < end and "0" <= text[pos] <= "9":
        if number is not None and number > _MOST:
            return None, end
        number = (number or 0) * 10 + int(text[pos])
        pos += 1
    return number, pos


def _char(number: int) -> str:
    if not 0 <= number <= _MAX_CODE_POINT or number in _SURROGATES:
        return "\ufffd"
    return chr(number)


def _with_point(text: str, shape: str, precision: int) -> str:
    """A number with its decimal point and the zeros that the flag `#` keeps."""
    digits = 0
    if shape in "gGx":
        digits = 6 if precision == SHORTEST else precision
    body, tail = text[1:], ""
    marks = "pP" if shape in "xX" else "eE"
    for mark in marks:
        if mark in body:
            at = body.index(mark)
            body, tail = body[:at], body[at:]
    seen = False
    for char in body:
        if char == ".":
            continue
        seen = seen or char != "0"
        digits -= seen
    if "." not in body:
        digits -= body == "0"
        body += "."
    return text[0] + body + "0" * max(0, digits) + tail
