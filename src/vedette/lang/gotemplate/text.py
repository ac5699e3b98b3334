"""Go's strings in Python: bytes that are mostly UTF-8.

A byte that is no part of a character is kept as a lone surrogate (U+DC80 to U+DCFF), as Python's `surrogateescape`
does, so that lengths, indexes and pieces count in bytes as they do in Go.
"""

from __future__ import annotations

import re
from typing import Final

_LONE = re.compile("[\ud800-\udfff]")
SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `strings.TrimSpace` removes."""


def to_bytes(text: str) -> bytes:
    """The bytes of a text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE.sub(_known_byte, text).encode("utf-8", "surrogateescape")


def from_bytes(raw: bytes) -> str:
    """The text of some bytes."""
    return raw.decode("utf-8", "surrogateescape")


def byte_length(text: str) -> int:
    """How many bytes a text has."""
    return len(text) if text.isascii() else len(to_bytes(text))


def clean(text: str) -> str:
    """A text from outside: what is no character becomes U+FFFD."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def joined(parts: list[str]) -> str:
    """A result: pieces of characters that stand beside each other become characters, all others U+FFFD."""
    text = "".join(parts)
    if text.isascii() or _LONE.search(text) is None:
        return text
    return to_bytes(text).decode("utf-8", "replace")


def is_stray_byte(char: str) -> bool:
    """Whether a character stands for a byte that is no part of one."""
    return "\udc80" <= char <= "\udcff"


def _known_byte(found: re.Match[str]) -> str:
    return found[0] if is_stray_byte(found[0]) else "\ufffd"
