"""Escapes of CSS.

Source: https://www.w3.org/TR/css-syntax-3/ and Go's `html/template/css.go`.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})(?:\r\n|[\t\n\f\r ])?|(.)|\Z)", re.DOTALL)
_MAX_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def decode_css(text: str) -> str:
    r"""A text of CSS with its escapes (`\2f`, `\"`) replaced by what they stand for."""
    return _ESCAPE.sub(_decoded, text) if "\\" in text else text


def _decoded(found: re.Match[str]) -> str:
    digits = found[1]
    if not digits:
        return found[2] or ""
    code = int(digits, 16)
    rest = ""
    if code > _MAX_CODE_POINT:
        # The last digit is none of it.
        code, rest = code // 16, found[0][len(digits) :]
    return ("\ufffd" if code in _SURROGATES else chr(code)) + rest
