"""Alertmanager's UTF-8 matcher syntax: names and values of any characters, in quotes where they are needed.

Source: Alertmanager's `matcher/parse/parse.go`, with its messages.
"""

from __future__ import annotations

from typing import Final, NoReturn

from vedette.alerting.matchers.lexer import Lexer, Token, Word
from vedette.alerting.matchers.matcher import LabelMatcher, MatcherError, label_matcher
from vedette.lang.promql.strings import unquote
from vedette.model.matchers import MatchOp

_END: Final = "end of input"
_VALUES: Final = (Word.QUOTED, Word.UNQUOTED)


def parse_utf8_matchers(text: str) -> tuple[LabelMatcher, ...]:
    """Matchers between commas; braces around them are optional.

    Raises:
        MatcherError: with the columns of what was not expected.
    """
    lexer = Lexer(text)
    first = lexer.peek()
    if first is None:
        return ()
    braced = first.kind is Word.OPEN_BRACE
    if braced:
        lexer.take()
    matchers: list[LabelMatcher] = []
    token = lexer.peek()
    while token is not None and token.kind is not Word.CLOSE_BRACE:
        matchers.append(_matcher(lexer))
        token = lexer.peek()
        if token is None or token.kind is Word.CLOSE_BRACE:
            break
        if token.kind is not Word.COMMA:
            _unexpected(token, "expected a comma or close brace")
        lexer.take()
        token = lexer.peek()
        if token is not None and token.kind not in (Word.CLOSE_BRACE, *_VALUES):
            _unexpected(token, "expected a matcher or close brace after comma")
    _close(lexer, braced=braced)
    rest = lexer.take()
    if rest is not None:
        raise MatcherError(f"{rest.columns}: {rest.text}: expected end of input")
    return tuple(matchers)


def parse_utf8_matcher(text: str) -> LabelMatcher:
    """One matcher.

    Raises:
        MatcherError: it is none, or there are several.
    """
    matchers = parse_utf8_matchers(text)
    match matchers:
        case (one,):
            return one
        case ():
            raise MatcherError("no matchers")
        case _:
            raise MatcherError(f"expected 1 matcher, found {len(matchers)}")


def _close(lexer: Lexer, *, braced: bool) -> None:
    token = lexer.take()
    if token is None:
        if braced:
            raise MatcherError(f"0:{lexer.column}: {_END}: expected close brace")
        return
    if not braced:
        raise MatcherError(f"0:{token.end}: }}: expected opening brace")


def _matcher(lexer: Lexer) -> LabelMatcher:
    name = _expect(lexer, _VALUES, "expected label name")
    operator = _expect(lexer, (Word.OPERATOR,), "expected an operator such as '=', '!=', '=~' or '!~'")
    value = _expect(lexer, _VALUES, "expected label value")
    try:
        return label_matcher(_meant(name), MatchOp(operator.text), _meant(value))
    except MatcherError as exc:
        if str(exc).startswith("error parsing regexp"):
            raise MatcherError(f"failed to create matcher: {exc}") from exc
        raise


def _expect(lexer: Lexer, kinds: tuple[Word, ...], otherwise: str) -> Token:
    token = lexer.peek()
    if token is None:
        raise MatcherError(f"{_END}: {otherwise}")
    if token.kind not in kinds:
        _unexpected(token, otherwise)
    lexer.take()
    return token


def _unexpected(token: Token, otherwise: str) -> NoReturn:
    raise MatcherError(f"{token.columns}: unexpected {token.text}: {otherwise}")


def _meant(token: Token) -> str:
    """What a word stands for: in quotes, Go's escapes count, and all has to be UTF-8."""
    if token.kind is Word.UNQUOTED:
        return token.text
    try:
        meant = unquote(token.text)
    except ValueError as exc:
        raise MatcherError(f"{token.columns}: {token.text}: invalid input") from exc
    if "\n" in token.text or ("�" in meant and "�" not in token.text):
        raise MatcherError(f"{token.columns}: {token.text}: invalid input")
    return meant
