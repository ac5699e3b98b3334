"""Texts that receivers take only up to some length."""

from __future__ import annotations

from typing import Final

_MARK: Final = "…"


def truncate(text: str, most: int) -> str:
    """A text of at most so many characters; an ellipsis shows that it was longer."""
    if len(text) <= most:
        return text
    return text[: most - 1] + _MARK if most > 3 else text[:most]


def truncate_bytes(text: str, most: int) -> str:
    """A text of at most so many bytes of UTF-8, cut between characters."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return text
    mark = _MARK.encode()
    return (raw[: max(most - len(mark), 0)] + mark)[:most].decode("utf-8", "ignore")
