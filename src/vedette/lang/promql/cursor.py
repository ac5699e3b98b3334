"""Read the tokens of a query one after another, within bounds, and say what is wrong with the next one.

Two things are counted so that neither the parser nor those who walk its trees run out of stack: how deeply
the parser's own calls are nested, and how high the tree has become.
"""

from __future__ import annotations

from typing import Final, NoReturn

from vedette.lang.promql.ast import NumberLiteral, ValueType
from vedette.lang.promql.lexer import DURATION, EOF, ERROR, NUMBER, describe, tokenize
from vedette.lang.promql.numbers import parse_number
from vedette.model.durations import parse_duration
from vedette.model.errors import QueryError, Span

MAX_NESTING: Final = 128
"""How many parentheses, calls, brackets, signs and `^` may stand within each other."""

MAX_HEIGHT: Final = 256
"""The highest tree; a chain of operators such as `a + b + c` grows one level with each."""

SIGNS: Final = ("+", "-")


class Cursor:
    """The tokens of one text and how far they have been read.

    Attributes:
        kinds: of the tokens; the last is `EOF` or `ERROR` and is never passed.
        texts: of the tokens.
        starts: of the tokens, as character offsets.
        at: number of the next token.
        nesting: of the calls that are under way.
        height: of the expression that was read last.
        type: of the expression that was read last.
    """

    __slots__ = ("at", "height", "kinds", "nesting", "starts", "texts", "type")

    def __init__(self, text: str, max_length: int) -> None:
        if len(text) > max_length:
            raise QueryError(f"expression is longer than {max_length:,} characters", span=Span(max_length, len(text)))
        tokens = tokenize(text)
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.starts = tokens.starts
        self.at: int = 0
        self.nesting: int = 0
        self.height: int = 0
        self.type = ValueType.SCALAR

    def take(self, kind: str, context: tuple[str, str] = ("", "")) -> None:
        """Go past a token that has to be there."""
        if self.kinds[self.at] != kind:
            self.unexpected(*context)
        self.at += 1

    def take_end(self) -> None:
        """Complain if anything is left."""
        if self.kinds[self.at] is not EOF:
            self.unexpected()

    def take_number(self) -> NumberLiteral:
        """A number, or a duration in seconds, without its sign."""
        at = self.at
        kind = self.kinds[at]
        if kind is not NUMBER and kind is not DURATION:
            self.unexpected()
        self.at += 1
        span = self.span(at)
        try:
            if kind is NUMBER:
                return NumberLiteral(parse_number(self.texts[at]), is_duration=False, span=span)
            return NumberLiteral(parse_duration(self.texts[at]) / 1000, is_duration=True, span=span)
        except ValueError as exc:
            raise QueryError(str(exc), span=span) from exc

    def unexpected(self, context: str = "", expected: str = "") -> NoReturn:
        """Complain about the next token; if it is a mistake itself, that says more."""
        at = self.at
        if self.kinds[at] is ERROR:
            raise QueryError(self.texts[at], span=Span(self.starts[at], self.starts[at]))
        where = f" in {context}" if context else ""
        instead = f", expected {expected}" if expected else ""
        found = describe(self.kinds[at], self.texts[at])
        raise QueryError(f"unexpected {found}{where}{instead}", span=self.span(at))

    def span(self, at: int) -> Span:
        """The place of a token."""
        start = self.starts[at]
        return Span(start, start + len(self.texts[at]))

    def end(self) -> int:
        """Where the token that was read last ends."""
        at = self.at - 1
        return self.starts[at] + len(self.texts[at])

    def enter(self) -> None:
        """One more call of the parser within another; the caller takes it back with `nesting`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            self.too_deep(self.span(self.at))

    def grow(self, other: int, at: int) -> None:
        """One more node, above the expression read last and another one of height `other`."""
        self.height = max(self.height, other) + 1
        if self.height > MAX_HEIGHT:
            self.too_deep(self.span(at))

    def too_deep(self, span: Span) -> NoReturn:
        """Complain about nesting or height."""
        raise QueryError(
            f"expression is nested too deeply (more than {MAX_NESTING} levels, or {MAX_HEIGHT} operators in a row)",
            span=span,
        )
