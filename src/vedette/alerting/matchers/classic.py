r"""Alertmanager's first matcher syntax: tolerant, with names of ASCII letters, digits, `_` and `:`.

A value may stand without quotes and may hold almost anything but a comma; in it `\"`, `\\` and `\n` are
escapes, and any other backslash stands for itself.

Source: Alertmanager's `pkg/labels/parse.go`.
"""

from __future__ import annotations

import re
from typing import Final

from vedette.alerting.matchers.matcher import LabelMatcher, MatcherError, label_matcher
from vedette.model.matchers import MatchOp

_SPACE: Final = "\t\n\v\f\r \x85\xa0"
_MATCHER: Final = re.compile(
    r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*(.*)", re.DOTALL
)


def parse_classic_matchers(text: str) -> tuple[LabelMatcher, ...]:
    """Matchers between commas; braces around them are optional.

    Raises:
        MatcherError: one of them is not a matcher.
    """
    text = text.removeprefix("{").removesuffix("}")
    parts: list[str] = []
    start = 0
    quoted = escaped = False
    for pos, char in enumerate(text):
        if char == "," and not quoted:
            parts.append(text[start:pos])
            start = pos + 1
        elif char == '"':
            quoted, escaped = (quoted if escaped else not quoted), False
        elif char == "\\":
            escaped = not escaped
        elif char != ",":
            escaped = False
    last = text[start:].strip(_SPACE)
    if last:
        parts.append(last)
    return tuple(parse_classic_matcher(part) for part in parts)


def parse_classic_matcher(text: str) -> LabelMatcher:
    """One matcher.

    Raises:
        MatcherError: it is none.
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise MatcherError(f"bad matcher format: {text}")
    raw = found[3].rstrip("\t\n\f\r ")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in raw):
        raise MatcherError(f"matcher value not valid UTF-8: {raw!r}")
    return label_matcher(found[1], MatchOp(found[2]), _unescape(raw))


def _unescape(raw: str) -> str:
    quoted = raw.startswith('"')
    body = raw[1:] if quoted else raw
    out: list[str] = []
    pos = 0
    while pos < len(body):
        char = body[pos]
        follower = body[pos + 1 : pos + 2]
        if char == "\\" and follower:
            out.append({"n": "\n", '"': '"', "\\": "\\"}.get(follower, char + follower))
            pos += 2
            continue
        if char == '"':
            if not quoted or pos < len(body) - 1:
                raise MatcherError(f"matcher value contains unescaped double quote: {raw}")
            quoted = False
        else:
            out.append(char)
        pos += 1
    if quoted:
        raise MatcherError(f"matcher value contains unescaped double quote: {raw}")
    return "".join(out)
