"""Regular expressions for templates: RE2, with Go's replacement syntax and messages, and bounded results.

Source: https://pkg.go.dev/regexp (MatchString, ReplaceAllString, Expand).
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

import re2

from vedette.lang.gotemplate.errors import FunctionError
from vedette.lang.gotemplate.limits import Budget
from vedette.lang.gotemplate.text import from_bytes, to_bytes

_MAX_MEMORY: Final = 8 << 20
_MAX_PATTERN: Final = 100_000
_REFERENCE = re.compile(rb"\$(?:(\$)|\{(\w+)\}|(\w+))|([^$]+)|\$", re.ASCII)
_GO_MESSAGES: Final = (
    ("missing )", "missing closing )"),
    ("unexpected )", "unexpected )"),
    ("missing ]", "missing closing ]"),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("invalid repetition size", "invalid repeat count"),
    ("invalid escape sequence", "invalid escape sequence"),
    ("invalid character class range", "invalid character class range"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("invalid group name", "invalid named capture"),
    ("invalid named capture group", "invalid named capture"),
    ("trailing \\", "trailing backslash at end of expression"),
    ("invalid UTF-8", "invalid UTF-8"),
    ("pattern too large - compile failed", "expression too large"),
)


def matches(pattern: str, text: str, budget: Budget) -> bool:
    """Whether a pattern matches anywhere in a text.

    Raises:
        FunctionError: the pattern is not valid.
    """
    search = _compiled(pattern)
    budget.spend(_cost_of(search))
    budget.spend_on(len(text) * _weight_of(search))
    return search.search(to_bytes(text)) is not None


def replace_all(pattern: str, replacement: str, text: str, budget: Budget) -> str:
    """A text with every match replaced; `$1`, `${1}` and `${name}` stand for groups, `$$` for a dollar sign.

    Raises:
        FunctionError: the pattern is not valid; the message is that of Go's `MustCompile`.
        LimitError: the result is too long.
    """
    try:
        search = _compiled(pattern)
    except FunctionError as exc:
        raise FunctionError(f"regexp: Compile({_quoted(pattern)}): {exc}") from exc
    budget.spend(_cost_of(search))
    weight = _weight_of(search)
    expand = _Replacement(replacement, search.groupindex)
    raw = to_bytes(text)
    out: list[bytes] = []
    size = done = pos = 0
    while pos <= len(raw):
        # A search may look at all that is left, and do so for every match.
        budget.spend_on((len(raw) - pos) * weight)
        found: Any = search.search(raw, pos)
        if found is None:
            break
        start, end = found.span()
        piece = raw[done:start]
        # An empty match right behind another match is none.
        if end > done or start == 0:
            piece += expand.of(found)
        out.append(piece)
        size += len(piece)
        budget.check_length(size)
        budget.spend()
        done = end
        if end > pos:
            pos = end
        else:
            pos += _width(raw, pos)
    out.append(raw[done:])
    return from_bytes(b"".join(out))


class _Replacement:
    """What replaces a match, read once."""

    def __init__(self, text: str, names: dict[bytes, int]) -> None:
        self._parts: list[bytes | int] = []
        for found in _REFERENCE.finditer(to_bytes(text)):
            name = found[2] or found[3]
            if found[1]:
                self._parts.append(b"$")
            elif name:
                self._parts.append(_group(name, names))
            else:
                self._parts.append(found[0])

    def of(self, found: Any) -> bytes:
        """The replacement of a match."""
        return b"".join(part if isinstance(part, bytes) else _text_of(found, part) for part in self._parts)


def _group(name: bytes, names: dict[bytes, int]) -> int:
    if name.isdigit() and (name[:1] != b"0" or name == b"0") and len(name) < 9:
        return int(name)
    return names.get(name, -1)


def _text_of(found: Any, group: int) -> bytes:
    if not 0 <= group <= found.re.groups:
        return b""
    return found[group] or b""


def _width(raw: bytes, pos: int) -> int:
    """How many bytes the character at a position has."""
    end = pos + 1
    while end < len(raw) and end < pos + 4 and raw[end] & 0xC0 == 0x80:
        end += 1
    return end - pos


def _cost_of(compiled: Any) -> int:
    """Steps for compiling a pattern: `a{1000}` is short and takes long."""
    return compiled.programsize // 8


def _weight_of(compiled: Any) -> int:
    """How often a search may look at each byte, where there is no room for RE2 to remember."""
    return 1 + compiled.programsize // 16


@functools.lru_cache(maxsize=128)
def _compiled(pattern: str) -> Any:
    if len(pattern) > _MAX_PATTERN:
        raise FunctionError("error parsing regexp: expression too large")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(to_bytes(pattern), options)  # type: ignore[arg-type]  # bytes count in bytes, as Go does
    except re2.error as exc:
        said = exc.args[0]
        raise FunctionError(
            _message(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))
        ) from exc


def _message(said: str) -> str:
    """RE2's message in Go's words."""
    reason, _, piece = said.partition(": ")
    for theirs, ours in _GO_MESSAGES:
        if reason == theirs:
            return (
                f"error parsing regexp: {ours}: `{piece}`" if piece or ":" in said else f"error parsing regexp: {ours}"
            )
    return f"error parsing regexp: {said}"


def _quoted(pattern: str) -> str:
    return f"`{pattern}`"
