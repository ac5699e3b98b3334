r"""Strings as PromQL writes them: Go's literals in double quotes, single quotes or backticks.

Between backticks everything stands for itself. Otherwise `\n`, `\"`, `\x41`, `\101`, `\u00e4` and the like are
escapes; `\x` and octal ones give bytes, which have to be UTF-8 taken together (what is not becomes U+FFFD).

Source: Go's `strconv.Quote`, Prometheus' `strutil.Unquote` and `promql/parser/lex.go`.
"""

from __future__ import annotations

import re
from typing import Final

_SIMPLE: Final = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_ESCAPE_OF: Final = {code: f"\\{letter}" for letter, code in _SIMPLE.items()} | {34: '\\"'}
_NUMERIC: Final = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}
_PLAIN = re.compile(r"[ !#-\[\]-~]*\Z")
_MAX_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def unquote(literal: str) -> str:
    """The string that a literal, with its quotes, stands for.

    Raises:
        ValueError: an escape is unknown or incomplete; the message says which.
    """
    mark = literal[0]
    body = literal[1:-1]
    if mark == "`" or "\\" not in body:
        return body
    out = bytearray()
    pos = 0
    while (slash := body.find("\\", pos)) >= 0:
        out += body[pos:slash].encode("utf-8", "surrogatepass")
        raw, pos = _escape(body, slash + 1, mark)
        out += raw
    out += body[pos:].encode("utf-8", "surrogatepass")
    return out.decode("utf-8", "replace")


def quote(text: str) -> str:
    """A string in double quotes, escaped as Go does it."""
    if _PLAIN.match(text):
        return f'"{text}"'
    return '"' + "".join(_quoted_char(char, '"') for char in text) + '"'


def quote_char(char: str) -> str:
    """A character in single quotes, as Go shows it in messages."""
    return "'" + _quoted_char(char, "'") + "'"


def code_point(char: str) -> str:
    """A character with its number, as Go's `%#U` shows it: `U+0063 'c'`."""
    shown = f" '{char}'" if char.isprintable() else ""
    return f"U+{ord(char):04X}{shown}"


def _escape(body: str, pos: int, mark: str) -> tuple[bytes, int]:
    """What the escape whose letter is at `pos` stands for, and where the text goes on."""
    letter = body[pos : pos + 1]
    if letter in _SIMPLE:
        return bytes((_SIMPLE[letter],)), pos + 1
    if letter == mark:
        return mark.encode(), pos + 1
    if letter in _NUMERIC:
        length, base = _NUMERIC[letter]
        pos += 1
    elif letter and letter in "01234567":
        length, base = 3, 8
    elif not letter:
        raise ValueError("escape sequence not terminated")
    else:
        raise ValueError(f"unknown escape sequence {code_point(letter)}")
    digits = body[pos : pos + length]
    for digit in digits:
        if digit not in "0123456789abcdefABCDEF" or int(digit, 16) >= base:
            raise ValueError(f"illegal character {code_point(digit)} in escape sequence")
    if len(digits) < length:
        raise ValueError(f"illegal character {code_point(mark)} in escape sequence")
    code = int(digits, base)
    end = pos + length
    if letter in "uU":
        if code > _MAX_CODE_POINT or code in _SURROGATES:
            raise ValueError("escape sequence is an invalid Unicode code point")
        return chr(code).encode(), end
    if code > 0xFF:
        raise ValueError("escape sequence is an invalid Unicode code point")
    return bytes((code,)), end


def _quoted_char(char: str, mark: str) -> str:
    code = ord(char)
    if char == mark:
        return f"\\{mark}"
    if code in _ESCAPE_OF and char != '"':
        return _ESCAPE_OF[code]
    if char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    if code in _SURROGATES:
        return "\ufffd"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
