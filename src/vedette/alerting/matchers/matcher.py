"""Matchers as Alertmanager has them: tests on an alert's labels, for routes, inhibition and silences.

They differ from those of queries in one point: `.` does not match a newline. Regular expressions are RE2
(linear time on any input), anchored at both ends. A label that is absent has the empty value.

Source: Alertmanager's `pkg/labels`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import re2

from vedette.lang.promql.strings import quote
from vedette.model.matchers import MatchOp

_RESERVED: Final = frozenset("{}!=~,\\\"'`")
_ORDER: Final = {MatchOp.EQUAL: 0, MatchOp.NOT_EQUAL: 1, MatchOp.REGEX: 2, MatchOp.NOT_REGEX: 3}


class MatcherError(ValueError):
    """A text that is no matcher; the message says where and why, as Alertmanager words it."""


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """One test on one label. Make it with `label_matcher`, which checks the pattern."""

    name: str
    op: MatchOp
    value: str

    def matches(self, value: str) -> bool:
        """Whether a label with this value ("" for an absent label) passes."""
        match self.op:
            case MatchOp.EQUAL:
                return value == self.value
            case MatchOp.NOT_EQUAL:
                return value != self.value
            case MatchOp.REGEX:
                return _anchored(self.value)(value)
            case MatchOp.NOT_REGEX:
                return not _anchored(self.value)(value)

    def __str__(self) -> str:
        if any(char in _RESERVED or char.isspace() for char in self.name):
            return f"{quote(self.name)}{self.op}{quote(self.value)}"
        escaped = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{self.op}"{escaped}"'


def label_matcher(name: str, op: MatchOp, value: str) -> LabelMatcher:
    """A matcher.

    Raises:
        MatcherError: the value is no regular expression where one is needed.
    """
    if op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
        _anchored(value)
    return LabelMatcher(name, op, value)


def sort_matchers(matchers: Iterable[LabelMatcher]) -> tuple[LabelMatcher, ...]:
    """Matchers in Alertmanager's order: by name, value and operator."""
    return tuple(sorted(matchers, key=lambda one: (one.name, one.value, _ORDER[one.op])))


def all_match(matchers: Iterable[LabelMatcher], labels: Mapping[str, str]) -> bool:
    """Whether labels pass every matcher."""
    return all(one.matches(labels.get(one.name, "")) for one in matchers)


def passes_filter(matchers: Iterable[LabelMatcher], values: Mapping[str, str]) -> bool:
    """Whether labels, or the values of a silence's matchers by name, pass the filters of an API request.

    An empty value asks whether the label is there at all: `name=""` passes without it, `name!=""` passes with it.
    """
    for one in matchers:
        there = one.name in values
        if not one.value and there == (one.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_REGEX)):
            continue
        if not one.matches(values.get(one.name, "")):
            return False
    return True


def format_matchers(matchers: Iterable[LabelMatcher]) -> str:
    """Matchers as text: `{severity="critical",team=~"a|b"}`."""
    return "{" + ",".join(str(one) for one in matchers) + "}"


@functools.lru_cache(maxsize=4096)
def _anchored(pattern: str) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        # Alone first: `a)|(b` would become a valid pattern between the anchors.
        re2.compile(pattern, options)
        compiled = re2.compile(f"^(?:{pattern})$", options)
    except re2.error as exc:
        reason = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise MatcherError(f"error parsing regexp: {reason}: `{pattern}`") from exc
    except UnicodeEncodeError as exc:
        raise MatcherError("error parsing regexp: it is not valid UTF-8") from exc

    @functools.lru_cache(maxsize=1024)
    def test(value: str) -> bool:
        return compiled.fullmatch(value) is not None

    return test
