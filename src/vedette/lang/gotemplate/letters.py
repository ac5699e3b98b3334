"""Upper and lower case as Go's `strings` and `golang.org/x/text/cases` have them: character by character.

Source: https://pkg.go.dev/strings (ToUpper, ToLower, Title) and https://pkg.go.dev/golang.org/x/text/cases (Title).
"""

from __future__ import annotations

import re

_LETTERS = re.compile(r"[^\W_]")
# Words as Unicode's word boundaries see them: an apostrophe or a full stop between letters does not end one.
_WORDS = re.compile(r"\w+(?:['\u2019.:\u00b7](?=[^\W\d_])(?<=[^\W\d_].)\w+)*")


def upper(text: str) -> str:
    """Every letter in upper case that has one of one character."""
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def lower(text: str) -> str:
    """Every letter in lower case."""
    return text.lower() if text.isascii() else "".join(map(_lower, text))


def title(text: str) -> str:
    """The first letter of every word in title case; all others stay. Only letters, digits and `_` are in words."""
    out: list[str] = []
    before = " "
    for char in text:
        out.append(_title(char) if _separates(before) else char)
        before = char
    return "".join(out)


def title_words(text: str) -> str:
    """The first letter of every word in title case, all others in lower case."""
    return _WORDS.sub(_as_title, text)


def _as_title(found: re.Match[str]) -> str:
    word = found[0]
    first = _LETTERS.search(word)
    at = first.start() if first is not None else 0
    return word[:at] + _title(word[at]) + lower(word[at + 1 :])


def _upper(char: str) -> str:
    changed = char.upper()
    return changed if len(changed) == 1 else char


def _lower(char: str) -> str:
    return char.lower()[0]


def _title(char: str) -> str:
    changed = char.title()
    return changed if len(changed) == 1 else char


def _separates(char: str) -> bool:
    if char <= "\x7f":
        return not (char.isalnum() or char == "_")
    if char.isalnum():
        return False
    return char.isspace()
