"""Reading matchers as Alertmanager does since UTF-8 label names: the new syntax, else the classic one.

Both readers get the text. What only the classic one understands is taken in its sense, and so is what the two
understand differently; then a note says how to write it so that both agree. What neither understands is
refused in the words of the classic one.

Source: Alertmanager's `matcher/compat/parse.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vedette.alerting.matchers.classic import parse_classic_matcher, parse_classic_matchers
from vedette.alerting.matchers.matcher import LabelMatcher, MatcherError
from vedette.alerting.matchers.utf8 import parse_utf8_matcher, parse_utf8_matchers


@dataclass(frozen=True, slots=True)
class ParsedMatchers:
    """Matchers as read.

    Attributes:
        matchers: in the order of the text.
        note: what to know about the text; empty where both syntaxes agree on it.
    """

    matchers: tuple[LabelMatcher, ...]
    note: str = ""


def parse_matchers(text: str) -> ParsedMatchers:
    """Any number of matchers.

    Raises:
        MatcherError: neither syntax has this.
    """
    return _fallback(text, parse_utf8_matchers, parse_classic_matchers)


def parse_matcher(text: str) -> LabelMatcher:
    """Exactly one matcher, without braces.

    Raises:
        MatcherError: neither syntax has this.
    """
    if text.startswith("{") or text.endswith("}"):
        raise MatcherError(f"unexpected open or close brace: {text}")
    parsed = _fallback(text, lambda one: (parse_utf8_matcher(one),), lambda one: (parse_classic_matcher(one),))
    return parsed.matchers[0]


def _fallback(
    text: str,
    new: Callable[[str], tuple[LabelMatcher, ...]],
    old: Callable[[str], tuple[LabelMatcher, ...]],
) -> ParsedMatchers:
    try:
        classic = old(text)
    except MatcherError as refused:
        try:
            return ParsedMatchers(new(text))
        except MatcherError:
            raise refused from None
    written = ",".join(str(one) for one in classic)
    try:
        utf8 = new(text)
    except MatcherError:
        return ParsedMatchers(classic, f"only the classic syntax has this; write it as {written}")
    if utf8 != classic:
        return ParsedMatchers(classic, f"the classic syntax counts, in which this means {written}; write it like that")
    return ParsedMatchers(utf8)
