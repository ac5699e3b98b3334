"""Split a template's text into tokens.

Source: Go's `text/template/parse/lex.go`; the messages are the same.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

from vedette.lang.gotemplate.literals import code_point, quote

_SPACES: Final = " \t\r\n"
_SPACE_RUN = re.compile(r"[ \t\r\n]+")
_TRIM_AFTER_LEFT = re.compile(r"-[ \t\r\n]")
_TRIM_BEFORE_RIGHT = re.compile(r"[ \t\r\n]-\}\}")
_STRING = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_RAW_STRING = re.compile(r"`[^`]*`")
_CHAR = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_HEX_NUMBER = re.compile(r"[+-]?0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?i?")
_OCTAL_NUMBER = re.compile(r"[+-]?0[oO][0-7_]*(?:\.[0-7_]*)?i?")
_BINARY_NUMBER = re.compile(r"[+-]?0[bB][01_]*(?:\.[01_]*)?i?")
_DECIMAL_NUMBER = re.compile(r"[+-]?[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?i?")
_PREFIX = re.compile(r"[+-]?0([xXoObB])")
_NUMBERS: Final = {"x": _HEX_NUMBER, "o": _OCTAL_NUMBER, "b": _BINARY_NUMBER}
_TERMINATORS: Final = frozenset(" \t\r\n.,|:)(")


class Kind(Enum):
    """What a token is."""

    ERROR = "error"
    BOOL = "bool"
    CHAR = "char"
    CHAR_CONSTANT = "char constant"
    COMPLEX = "complex"
    ASSIGN = "="
    DECLARE = ":="
    EOF = "EOF"
    FIELD = "field"
    IDENTIFIER = "identifier"
    LEFT_DELIM = "{{"
    LEFT_PAREN = "("
    NUMBER = "number"
    PIPE = "|"
    RAW_STRING = "raw string"
    RIGHT_DELIM = "}}"
    RIGHT_PAREN = ")"
    SPACE = "space"
    STRING = "string"
    TEXT = "text"
    VARIABLE = "variable"
    DOT = "."
    BLOCK = "block"
    BREAK = "break"
    CONTINUE = "continue"
    DEFINE = "define"
    ELSE = "else"
    END = "end"
    IF = "if"
    NIL = "nil"
    RANGE = "range"
    TEMPLATE = "template"
    WITH = "with"


_WORDS: Final = ("block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with")
_KEYWORDS: Final = {word: Kind(word) for word in _WORDS}
_KEYWORD_KINDS: Final = frozenset(_KEYWORDS.values()) | {Kind.DOT}


class Token(NamedTuple):
    """A token, where it begins, and on which line."""

    kind: Kind
    pos: int
    text: str
    line: int

    def __str__(self) -> str:
        if self.kind is Kind.EOF:
            return "EOF"
        if self.kind is Kind.ERROR:
            return self.text
        if self.kind in _KEYWORD_KINDS:
            return f"<{self.text}>"
        if len(self.text.encode("utf-8", "surrogatepass")) > 10:
            return f"{quote(self.text[:10])}..."
        return quote(self.text)


class Lexer:
    """Gives one token after another; behind an error there is nothing."""

    def __init__(self, text: str, *, keywords: frozenset[str]) -> None:
        """Begin at the start of a text.

        Args:
            text: the text.
            keywords: of `break` and `continue`, those that are not functions.
        """
        self._text = text
        self._pos = 0
        self._line = 1
        self._inside = False
        self._parens = 0
        self._keywords = {word: kind for word, kind in _KEYWORDS.items() if word not in _LOOP_WORDS or word in keywords}

    def next(self) -> Token:
        """The next token."""
        return self._in_action() if self._inside else self._in_text()

    def _token(self, kind: Kind, end: int) -> Token:
        token = Token(kind, self._pos, self._text[self._pos : end], self._line)
        self._skip_to(end)
        return token

    def _skip_to(self, end: int) -> None:
        self._line += self._text.count("\n", self._pos, end)
        self._pos = end

    def _error(self, problem: str) -> Token:
        return Token(Kind.ERROR, self._pos, problem, self._line)

    # Outside of actions

    def _in_text(self) -> Token:
        text = self._text
        while True:
            start = text.find("{{", self._pos)
            if start < 0:
                return self._token(Kind.TEXT if self._pos < len(text) else Kind.EOF, len(text))
            trims = _TRIM_AFTER_LEFT.match(text, start + 2) is not None
            if start > self._pos:
                end = start
                if trims:
                    end = self._pos + len(text[self._pos : start].rstrip(_SPACES))
                if end > self._pos:
                    token = self._token(Kind.TEXT, end)
                    self._skip_to(start)
                    return token
                self._skip_to(start)
            inside = start + 2 + (2 if trims else 0)
            if not text.startswith("/*", inside):
                self._inside, self._parens = True, 0
                token = self._token(Kind.LEFT_DELIM, start + 2)
                self._skip_to(inside)
                return token
            problem = self._comment(inside)
            if problem:
                return self._error(problem)

    def _comment(self, start: int) -> str:
        """Skip a comment with its delimiters; what is wrong with it, if anything."""
        text = self._text
        self._skip_to(start)
        close = text.find("*/", start + 2)
        if close < 0:
            return "unclosed comment"
        end = close + 2
        if _TRIM_BEFORE_RIGHT.match(text, end):
            after = _SPACE_RUN.match(text, end + 4)
            self._skip_to(after.end() if after is not None else end + 4)
        elif text.startswith("}}", end):
            self._skip_to(end + 2)
        else:
            return "comment ends before closing delimiter"
        return ""

    # Inside of actions

    def _in_action(self) -> Token:  # noqa: PLR0911 - one line for each kind of token
        text, pos = self._text, self._pos
        trims = _TRIM_BEFORE_RIGHT.match(text, pos) is not None
        if trims or text.startswith("}}", pos):
            if self._parens:
                return self._error("unclosed left paren")
            return self._right_delim(trims=trims)
        if pos >= len(text):
            return self._error("unclosed action")
        char = text[pos]
        if char in _SPACES:
            return self._spaces()
        if char in _SINGLE:
            return self._single(char)
        match char:
            case ":":
                return (
                    self._token(Kind.DECLARE, pos + 2) if text.startswith("=", pos + 1) else self._error("expected :=")
                )
            case '"':
                return self._matched(Kind.STRING, _STRING, "unterminated quoted string")
            case "'":
                return self._matched(Kind.CHAR_CONSTANT, _CHAR, "unterminated character constant")
            case "`":
                return self._matched(Kind.RAW_STRING, _RAW_STRING, "unterminated raw quoted string")
            case "$":
                return self._dotted(Kind.VARIABLE, Kind.VARIABLE)
            case "." if not "0" <= text[pos + 1 : pos + 2] <= "9" and pos + 1 < len(text):
                return self._dotted(Kind.FIELD, Kind.DOT)
            case _:
                return self._other(char)

    def _other(self, char: str) -> Token:
        if char in "+-." or "0" <= char <= "9":
            return self._number()
        if _word_end(self._text, self._pos) > self._pos:
            return self._word()
        if " " <= char <= "~":
            return self._token(Kind.CHAR, self._pos + 1)
        return self._error(f"unrecognized character in action: {code_point(char)}")

    def _right_delim(self, *, trims: bool) -> Token:
        self._inside = False
        if not trims:
            return self._token(Kind.RIGHT_DELIM, self._pos + 2)
        self._skip_to(self._pos + 2)
        token = self._token(Kind.RIGHT_DELIM, self._pos + 2)
        after = _SPACE_RUN.match(self._text, self._pos)
        if after is not None:
            self._skip_to(after.end())
        return token

    def _spaces(self) -> Token:
        run = _SPACE_RUN.match(self._text, self._pos)
        assert run is not None  # noqa: S101 - it begins with a space
        end = run.end()
        # The last space belongs to a trim marker.
        if _TRIM_BEFORE_RIGHT.match(self._text, end - 1):
            end -= 1
        return self._token(Kind.SPACE, end)

    def _single(self, char: str) -> Token:
        if char == "(":
            self._parens += 1
        elif char == ")":
            self._parens -= 1
            if self._parens < 0:
                return self._error("unexpected right paren")
        return self._token(_SINGLE[char], self._pos + 1)

    def _matched(self, kind: Kind, pattern: re.Pattern[str], problem: str) -> Token:
        found = pattern.match(self._text, self._pos)
        return self._token(kind, found.end()) if found is not None else self._error(problem)

    def _dotted(self, kind: Kind, alone: Kind) -> Token:
        """`$name` or `.name`, or the mark alone."""
        start = self._pos + 1
        if self._terminates(start):
            return self._token(alone, start)
        end = _word_end(self._text, start)
        if not self._terminates(end):
            return self._bad_character(end)
        return self._token(kind, end)

    def _word(self) -> Token:
        end = _word_end(self._text, self._pos)
        if not self._terminates(end):
            return self._bad_character(end)
        word = self._text[self._pos : end]
        kind = self._keywords.get(word) or (Kind.BOOL if word in ("true", "false") else Kind.IDENTIFIER)
        return self._token(kind, end)

    def _bad_character(self, at: int) -> Token:
        return self._error(f"bad character {code_point(self._text[at])}")

    def _terminates(self, at: int) -> bool:
        return at >= len(self._text) or self._text[at] in _TERMINATORS or self._text.startswith("}}", at)

    def _number(self) -> Token:
        end, good = self._scan_number(self._pos)
        if good and self._text[end : end + 1] in ("+", "-"):
            end, good = self._scan_number(end)
            if good and self._text[end - 1] == "i":
                return self._token(Kind.COMPLEX, end)
            good = False
        if not good:
            return self._error(f"bad number syntax: {quote(self._text[self._pos : end])}")
        return self._token(Kind.NUMBER, end)

    def _scan_number(self, start: int) -> tuple[int, bool]:
        """Where a number ends, and whether anything may follow that does."""
        prefix = _PREFIX.match(self._text, start)
        pattern = _NUMBERS[prefix[1].lower()] if prefix is not None else _DECIMAL_NUMBER
        found = pattern.match(self._text, start)
        end = found.end() if found is not None else start
        if _word_end(self._text, end) > end:
            return end + 1, False
        return end, True


_LOOP_WORDS: Final = frozenset(("break", "continue"))
_SINGLE: Final = {"=": Kind.ASSIGN, "|": Kind.PIPE, "(": Kind.LEFT_PAREN, ")": Kind.RIGHT_PAREN}
_PLAIN_WORD = re.compile(r"[0-9A-Za-z_]*")


def _word_end(text: str, start: int) -> int:
    """Where letters, digits and underscores end."""
    found = _PLAIN_WORD.match(text, start)
    end = found.end() if found is not None else start
    while end < len(text) and (text[end] == "_" or text[end].isalpha() or text[end].isdecimal()):
        end += 1
    return end
