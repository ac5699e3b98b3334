"""Cut PromQL text into tokens.

What a character means depends on where it stands: between braces there are no keywords, numbers or
arithmetic; between brackets words are only `step`, `range`, `min_of` and `max_of`, and a colon stands alone
instead of being part of a name. Nothing is raised here: a mistake becomes the last token, of kind `ERROR`,
so that the parser can complain first about what comes before it.

Source: Prometheus' `promql/parser/lex.go`; messages are worded alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from vedette.lang.promql.strings import quote, quote_char, unquote
from vedette.lang.promql.words import KEYWORDS, NUMBER_WORDS

IDENTIFIER: Final = "identifier"
METRIC_IDENTIFIER: Final = "metric identifier"
NUMBER: Final = "number"
DURATION: Final = "duration"
STRING: Final = "string"
EOF: Final = "end of input"
ERROR: Final = "error"

# Possessive quantifiers: what was skipped is never tried again, so a comment cannot turn into tokens and no input
# takes more than linear time.
_SPACE = r"(?:[ \t\r\n]++|#[^\r\n]*+)*+"
_STRING = r""""(?:[^"\\\n]++|\\[^\n])*+"|'(?:[^'\\\n]++|\\[^\n])*+'|`[^`]*+`"""
_DECIMAL = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z0-9_.])"
_SPAN = r"(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_])"
_WORD, _NUMBER, _DURATION, _STRING_GROUP, _OPERATOR = 1, 2, 3, 4, 5
_TOP = re.compile(
    rf"{_SPACE}(?:([A-Za-z_:][A-Za-z0-9_:]*)|({_DECIMAL})|({_SPAN})|({_STRING})"
    r"|(==|!=|<=|<\/|>=|>\/|[-+*/%^(){}\[\],@<>]|=(?!~)))",
    re.ASCII,
)
_BRACES = re.compile(rf"{_SPACE}(?:([A-Za-z_][A-Za-z0-9_]*)|()(?!)|()(?!)|({_STRING})|(=~|!~|!=|[=,}}]))", re.ASCII)
_BRACKETS = re.compile(
    rf"{_SPACE}(?:([A-Za-z_]+)|({_DECIMAL})|({_SPAN})|({_STRING})|(==|!=|<=|<\/|>=|>\/|[-+*/%^(){{}}\[\],:@<>]|=(?!~)))",
    re.ASCII,
)
_SKIP = re.compile(_SPACE)
_DIGITS: Final = "0123456789"
_HEX_DIGITS: Final = "0123456789abcdefABCDEF"
_NOTHING: Final = "\ufffd"  # how Go shows the character after the last one
_OPERATORS = frozenset(["+", "-", "*", "/", "%", "^", "==", "!=", "<=", "<", ">=", ">", "=~", "!~", "@", "</", ">/"])
_LONGEST_QUOTED: Final = 400
_BRACKET_MARKS = frozenset("(){}[]")
_FILL = frozenset({"fill", "fill_left", "fill_right"})
_FOLLOWED_BY_PAREN = re.compile(r"[ \t\r\n]*\(")
_DURATION_WORDS = frozenset({"step", "range", "min_of", "max_of"})
_DURATION_REST = re.compile(r"[smhdwy]s?(?:[0-9]+[smhdw]s?)*")


@dataclass(slots=True)
class Tokens:
    """The tokens of a text, in columns; the last one is `EOF` or `ERROR`.

    Attributes:
        kinds: a word in lower case for keywords, the characters themselves for operators, else a constant above.
        texts: as written; for `ERROR` the message.
        starts: character offsets.
    """

    kinds: list[str] = field(default_factory=list[str])
    texts: list[str] = field(default_factory=list[str])
    starts: list[int] = field(default_factory=list[int])


def tokenize(text: str) -> Tokens:
    """All tokens of a query."""
    tokens = Tokens()
    _Lexer(text, tokens).run()
    return tokens


def describe(kind: str, text: str) -> str:
    """A token as messages name it."""
    if kind is EOF:
        return EOF
    if kind in (IDENTIFIER, METRIC_IDENTIFIER):
        return f"{kind} {quote(text)}"
    if kind in (NUMBER, DURATION, STRING):
        return f"{kind} {_shortened(text)}"
    shape = KEYWORDS.get(kind, "<op:{}>" if kind in _OPERATORS else "")
    return shape.format(text) if shape else _shortened(text)


def _shortened(text: str) -> str:
    return quote(text) if len(text) <= 10 else f"{quote(text[:10])}..."


class _Lexer:
    """One pass over a text; the state is which brackets are open."""

    __slots__ = ("depth", "pattern", "text", "tokens")

    def __init__(self, text: str, tokens: Tokens) -> None:
        self.text = text
        self.tokens = tokens
        self.depth = 0
        self.pattern = _TOP

    def run(self) -> None:
        """Fill the columns."""
        text = self.text
        kinds, texts, starts = self.tokens.kinds, self.tokens.texts, self.tokens.starts
        pos = 0
        while pos >= 0:
            match = self.pattern.match(text, pos)
            if match is None:
                pos = self._odd(pos)
                continue
            group = match.lastindex or 0
            start, pos = match.span(group)
            found = match[group]
            problem = ""
            if group == _OPERATOR:
                kind = found
                if found in _BRACKET_MARKS:
                    problem = self._bracket(found)
            elif group == _WORD:
                kind = self._word(found, pos)
                if kind is ERROR:
                    problem = self._bad_in_brackets(found[0])
            elif group == _STRING_GROUP:
                kind = STRING
                problem = _string_problem(found)
            else:
                kind = NUMBER if group == _NUMBER else DURATION
            if problem:
                self._error(problem, start)
                return
            kinds.append(kind)
            texts.append(found)
            starts.append(start)

    def _word(self, word: str, end: int) -> str:
        """The kind of a word; keywords are known in any case, but there are none between braces."""
        lower = word.lower()
        if self.pattern is _BRACES:
            return IDENTIFIER
        if self.pattern is _BRACKETS:
            return lower if lower in _DURATION_WORDS else ERROR
        if lower in KEYWORDS:
            # As names these are too common to be taken from those who use them; only a parenthesis makes them keywords.
            if lower in _FILL and not _FOLLOWED_BY_PAREN.match(self.text, end):
                return IDENTIFIER
            return lower
        if lower in NUMBER_WORDS:
            return NUMBER
        return METRIC_IDENTIFIER if ":" in word else IDENTIFIER

    def _bracket(self, found: str) -> str:
        """Keep track of what is open; what is wrong, or ""."""
        pattern = self.pattern
        if found == "(":
            self.depth += 1
        elif found == ")":
            self.depth -= 1
            if self.depth < 0:
                return "unexpected right parenthesis ')'"
        elif found == "{":
            self.pattern = _BRACES
        elif found == "[":
            if pattern is _BRACKETS:
                return "unexpected left bracket '['"
            self.pattern = _BRACKETS
        else:
            if found == "]" and pattern is not _BRACKETS:
                return "unexpected right bracket ']'"
            if found == "}" and pattern is not _BRACES:
                return "unexpected character: '}'"
            self.pattern = _TOP
        return ""

    def _odd(self, pos: int) -> int:
        """The end, a number out of the ordinary, or a mistake; where to go on, or -1."""
        text, pattern = self.text, self.pattern
        skipped = _SKIP.match(text, pos)
        start = skipped.end() if skipped else pos
        if start == len(text):
            self._end()
            return -1
        char = text[start]
        following = text[start + 1 : start + 2]
        if pattern is _BRACES:
            self._error(_bad_in_braces(char, following), start)
            return -1
        if char in _DIGITS or (char == "." and following and following in _DIGITS):
            return self._odd_number(start)
        if char in "\"'":
            problem = "unterminated quoted string"
        elif char == "`":
            problem = "unterminated raw string"
        elif char in "=!":
            problem = f"unexpected character after {quote_char(char)}: {quote_char(following or _NOTHING)}"
        elif pattern is _BRACKETS:
            problem = self._bad_in_brackets(char, word=False)
        else:
            problem = f"unexpected character: {quote_char(char)}"
        self._error(problem, start)
        return -1

    def _odd_number(self, start: int) -> int:
        """A number in another base or with underscores, or an odd duration."""
        text = self.text
        number, end = scan_number(text, start)
        kind = NUMBER
        if not number:
            rest = _DURATION_REST.match(text, end)
            if rest is None or _is_word_char(text, rest.end()):
                end = _end_of_bad_duration(text, end)
                shown = (
                    text[start:end] if end - start <= _LONGEST_QUOTED else f"{text[start : start + _LONGEST_QUOTED]}..."
                )
                self._error(f"bad number or duration syntax: {quote(shown)}", start)
                return -1
            kind, end = DURATION, rest.end()
        self._append(kind, text[start:end], start)
        return end

    def _bad_in_brackets(self, char: str, *, word: bool = True) -> str:
        """The complaint about a character between brackets: at first a duration must stand there, then a colon."""
        kinds = self.tokens.kinds
        since = len(kinds) - kinds[::-1].index("[")
        if NUMBER in kinds[since:] or DURATION in kinds[since:]:
            expected = f", expected {quote_char(':')}" if word else ""
            return f"unexpected character: {quote_char(char)}{expected}"
        return f"unexpected character in duration expression: {quote_char(char)}"

    def _end(self) -> None:
        """The token for the end: a mistake if something is still open."""
        end, pattern = len(self.text), self.pattern
        if pattern is _BRACES:
            self._error("unexpected end of input inside braces", end)
        elif pattern is _BRACKETS and self.tokens.kinds[-1] == "[":
            self._error("unexpected end of input in duration expression", end)
        elif self.depth:
            self._error("unclosed left parenthesis", end)
        elif pattern is _BRACKETS:
            self._error("unclosed left bracket", end)
        else:
            self._append(EOF, "", end)

    def _append(self, kind: str, text: str, start: int) -> None:
        self.tokens.kinds.append(kind)
        self.tokens.texts.append(text)
        self.tokens.starts.append(start)

    def _error(self, problem: str, start: int) -> None:
        self._append(ERROR, problem, start)


def _string_problem(literal: str) -> str:
    """What is wrong with a string's escapes, or ""."""
    if "\\" not in literal or literal[0] == "`":
        return ""
    try:
        unquote(literal)
    except ValueError as exc:
        return str(exc)
    return ""


def _bad_in_braces(char: str, following: str) -> str:
    if char in "\"'":
        return "unterminated quoted string"
    if char == "`":
        return "unterminated raw string"
    if char == "{":
        return "unexpected left brace '{'"
    if char == "!":
        return f"unexpected character after '!' inside braces: {quote_char(following or _NOTHING)}"
    return f"unexpected character inside braces: {quote_char(char)}"


def scan_number(text: str, start: int, *, repeatable: bool = False) -> tuple[bool, int]:  # noqa: C901, PLR0911, PLR0912 - a state machine
    """Go as far as a number may, exactly as Prometheus does.

    Args:
        text: where to read.
        start: where the number begins.
        repeatable: in sequences of samples `x` repeats: it ends a number and there is no `0x`.

    Returns:
        Whether it has the shape of a number (it may still have no value), and where scanning stopped.
    """
    pos = start
    digits = _DIGITS
    if not repeatable and text[pos : pos + 2] in ("0x", "0X"):
        pos += 3 if text[pos + 2 : pos + 3] == "_" else 2
        digits = _HEX_DIGITS
    elif not repeatable and text[pos] == "0":
        pos += 1
    pos += text[pos : pos + 1] == "."
    pos += text[pos : pos + 1] in digits and pos < len(text)
    seen_dot = seen_exponent = False
    while pos < len(text):
        char = text[pos]
        after = text[pos + 1 : pos + 2]
        if char == ".":
            if seen_dot:
                return False, pos + 1
            if after in ("_", "."):
                return False, pos + 2
            if digits is _HEX_DIGITS:
                return False, pos + 1
            seen_dot = True
            pos += 1
        elif char in "eE":
            if seen_exponent:
                return False, pos + 1
            seen_exponent = True
            pos += 2 if after in ("+", "-") else 1
            after = text[pos : pos + 1]
            if not after or after in "._eE":
                return False, pos + len(after)
        elif char == "_":
            if not after or after in "._eE":
                return False, pos + 1 + len(after)
            pos += 1
        elif char in digits:
            while pos < len(text) and text[pos] in digits:
                pos += 1
        else:
            break
    if pos == start:
        return False, pos
    return (repeatable and text[pos : pos + 1] == "x") or not _is_word_char(text, pos), pos


def _end_of_bad_duration(text: str, pos: int) -> int:
    """How much of a broken number to quote: up to and with the first character that does not fit."""
    rest = _DURATION_REST.match(text, pos)
    if rest is None:
        return pos
    end = rest.end()
    while text[end : end + 1].isdecimal():
        end += 1
    return end + 1 if end == rest.end() else end


def _is_word_char(text: str, pos: int) -> bool:
    char = text[pos : pos + 1]
    return char.isascii() and (char.isalnum() or char == "_")
