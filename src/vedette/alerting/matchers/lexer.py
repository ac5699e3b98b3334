"""The words of the UTF-8 matcher syntax, with their columns.

Columns count characters, from 0 to the end of a word, as in Alertmanager's messages. After white space
a word's first column counts that space once for each character, as there.

Source: Alertmanager's `matcher/parse/lexer.go`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vedette.alerting.matchers.matcher import MatcherError

_RESERVED: Final = frozenset("{}!=~,\\\"'`")


class Word(StrEnum):
    """Kinds of words."""

    OPEN_BRACE = "{"
    CLOSE_BRACE = "}"
    COMMA = ","
    OPERATOR = "operator"
    QUOTED = "quoted"
    UNQUOTED = "unquoted"


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text, from `start` up to `end`."""

    kind: Word
    text: str
    start: int
    end: int

    @property
    def columns(self) -> str:
        """Where it stands, for messages."""
        return f"{self.start}:{self.end}"


class Lexer:
    """Reads one word after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._peeked: Token | None = None

    @property
    def column(self) -> int:
        """How far the text has been read."""
        return self._pos

    def peek(self) -> Token | None:
        """The next word, which stays the next one; None at the end.

        Raises:
            MatcherError: there is no word of this syntax.
        """
        if self._peeked is None:
            self._peeked = self._scan()
        return self._peeked

    def take(self) -> Token | None:
        """The next word; None at the end.

        Raises:
            MatcherError: there is no word of this syntax.
        """
        token = self.peek()
        self._peeked = None
        self._pos = token.end if token is not None else len(self._text)
        return token

    def _scan(self) -> Token | None:
        text, start = self._text, self._pos
        while start < len(text) and text[start].isspace():
            start += 1
        if start == len(text):
            return None
        char = text[start]
        if char in "{},":
            return self._token(Word(char), start, start + 1)
        if char in "=!":
            return self._operator(start)
        if char == '"':
            return self._quoted(start)
        if char in _RESERVED:
            raise MatcherError(f"{start}:{start + 1}: {char}: invalid input")
        end = start
        while end < len(text) and text[end] not in _RESERVED and not text[end].isspace():
            end += 1
        return self._token(Word.UNQUOTED, start, end)

    def _token(self, kind: Word, start: int, end: int) -> Token:
        return Token(kind, self._text[start:end], start, end)

    def _operator(self, start: int) -> Token:
        follower = self._text[start + 1 : start + 2]
        if self._text[start] == "=":
            return self._token(Word.OPERATOR, start, start + (2 if follower == "~" else 1))
        if follower and follower in "=~":
            return self._token(Word.OPERATOR, start, start + 2)
        if not follower:
            raise MatcherError(f"{start}:{start + 1}: unexpected end of input, expected one of '=~'")
        raise MatcherError(f"{start}:{start + 1}: !: expected one of '=~'")

    def _quoted(self, start: int) -> Token:
        pos = start + 1
        while pos < len(self._text):
            if self._text[pos] == '"':
                return self._token(Word.QUOTED, start, pos + 1)
            pos += 2 if self._text[pos] == "\\" else 1
        end = len(self._text)
        raise MatcherError(f'{start}:{end}: {self._text[start:]}: missing end "')
