"""Go's literals: strings, characters and numbers as templates write them, and strings as messages quote them.

Source: Go's `strconv` (https://pkg.go.dev/strconv).
"""

from __future__ import annotations

import math
import re
from typing import Final

from vedette.lang.gotemplate.text import from_bytes, is_stray_byte, to_bytes

_SIMPLE: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPES: Final = {char: f"\\{letter}" for letter, char in _SIMPLE.items()}
_NUMERIC: Final = {"x": 2, "u": 4, "U": 8}
_PLAIN = re.compile(r"[ !#-\[\]-~]*\Z")
_MAX_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")

_INTEGER = re.compile(
    r"(?P<sign>[+-]?)(?:0[xX](?P<hex>[0-9a-fA-F_]+)|0[bB](?P<bin>[01_]+)|0[oO]?(?P<oct>[0-7_]+)|(?P<dec>0|[1-9][0-9_]*))\Z"
)
_MISPLACED = re.compile(r"(?<![0-9a-fA-F])_(?<!\A0[xXbBoO]_)|_(?![0-9a-fA-F])")
_DECIMAL_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+\Z")
_SPECIAL: Final = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}
_LONGEST_NUMBER: Final = 1_000
_BASES: Final = (("hex", 16), ("bin", 2), ("oct", 8), ("dec", 10))
MIN_INT: Final = -(1 << 63)
MAX_INT: Final = (1 << 63) - 1
MAX_UINT: Final = (1 << 64) - 1


def unquote(literal: str) -> str:
    """The string that a literal in double quotes or backticks stands for.

    Raises:
        ValueError: an escape is unknown or incomplete.
    """
    body = literal[1:-1]
    if literal[0] == "`":
        return body.replace("\r", "")
    if "\\" not in body:
        return body
    return _unescape(body, '"')


def unquote_char(literal: str) -> int:
    """The code point that a literal in single quotes stands for.

    Raises:
        ValueError: it is not one character; the message is Go's.
    """
    body = literal[1:-1]
    if body.startswith("\\"):
        found = _ESCAPE.match(body)
        if found is None or found[1] == '"':
            raise ValueError("invalid syntax")
        first = found[0]
        rest = body[found.end() :]
        code = int(found[2], 16) if found[2] else int(found[3], 8) if found[3] else ord(_unescape(first, "'"))
        if code > 0xFF and found[3]:
            raise ValueError("invalid syntax")
    elif not body:
        raise ValueError("invalid syntax")
    else:
        code, rest = ord(body[0]), body[1:]
    if rest:
        raise ValueError(f"malformed character constant: {literal}")
    return code


def quote(text: str, *, mark: str = '"', ascii_only: bool = False) -> str:
    """A string in quotes, escaped as Go does it."""
    if mark == '"' and _PLAIN.match(text):
        return f'"{text}"'
    return mark + "".join(_quoted(char, mark, ascii_only=ascii_only) for char in text) + mark


def can_backquote(text: str) -> bool:
    """Whether a string can stand between backticks as it is."""
    return all(char == "\t" or (char >= " " and char not in "`\x7f\ufeff") for char in text) and not any(
        map(is_stray_byte, text)
    )


def parse_int(text: str) -> int | None:
    """An integer in any base, of any size; None if it is none."""
    found = _INTEGER.match(text) if len(text) <= _LONGEST_NUMBER else None
    if found is None or ("_" in text and _MISPLACED.search(text.lstrip("+-"))):
        return None
    for name, base in _BASES:
        if found[name] is not None:
            digits = found[name].replace("_", "")
            number = int(digits, base) if digits else None
            break
    else:
        return None
    return -number if number is not None and found["sign"] == "-" else number


def parse_float(text: str) -> float:
    """A float64, as Go's `strconv.ParseFloat`.

    Raises:
        ValueError: it is none, or too large; the message is Go's.
    """
    word = _SPECIAL.get(text.lower().lstrip("+-")) if text[:2].count("+") + text[:2].count("-") <= 1 else None
    if word is not None and not (math.isnan(word) and text[0] in "+-"):
        return -word if text[0] == "-" else word
    digits = text
    if "_" in text:
        digits = "" if _MISPLACED.search(text.lstrip("+-")) else text.replace("_", "")
    if _DECIMAL_FLOAT.match(digits):
        number = float(digits)
    elif _HEX_FLOAT.match(digits):
        try:
            number = float.fromhex(digits)
        except OverflowError:
            number = math.inf
    else:
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")
    if math.isinf(number):
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
    return number


def code_point(char: str) -> str:
    """A character with its number, as Go's `%#U` shows it: `U+0063 'c'`."""
    code = 0xFFFD if is_stray_byte(char) else ord(char)
    shown = f" '{chr(code)}'" if chr(code).isprintable() else ""
    return f"U+{code:04X}{shown}"


def _unescape(body: str, mark: str) -> str:
    out = bytearray()
    pos = 0
    while (slash := body.find("\\", pos)) >= 0:
        found = _ESCAPE.match(body, slash)
        if found is None:
            raise ValueError("invalid syntax")
        out += to_bytes(body[pos:slash])
        out += _escaped(found, mark)
        pos = found.end()
    out += to_bytes(body[pos:])
    return from_bytes(bytes(out))


def _escaped(found: re.Match[str], mark: str) -> bytes:
    if found[1]:
        if found[1] in "'\"":
            if found[1] != mark:
                raise ValueError("invalid syntax")
            return found[1].encode()
        return _SIMPLE[found[1]].encode()
    if found[2] or found[3]:
        code = int(found[2], 16) if found[2] else int(found[3], 8)
        if code > 0xFF:
            raise ValueError("invalid syntax")
        return bytes((code,))
    code = int(found[4] or found[5], 16)
    if code > _MAX_CODE_POINT or code in _SURROGATES:
        raise ValueError("invalid syntax")
    return chr(code).encode()


def _quoted(char: str, mark: str, *, ascii_only: bool) -> str:  # noqa: PLR0911 - one line for each form
    if is_stray_byte(char):
        return f"\\x{ord(char) - 0xDC00:02x}"
    if char == mark:
        return f"\\{mark}"
    if char == "\\":
        return "\\\\"
    code = ord(char)
    if char.isprintable() and (code < 0x80 or not ascii_only):
        return char
    if char in _ESCAPES:
        return _ESCAPES[char]
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
