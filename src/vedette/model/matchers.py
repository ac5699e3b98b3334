"""Label matchers: `=`, `!=`, `=~` and `!~` tests on one label.

Regular expressions are RE2 (linear time on any input), anchored at both ends, and `.` matches a newline
too, as in Prometheus 3. A label that is absent has the empty value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import re2

from vedette.model.errors import QueryError


class MatchOp(StrEnum):
    """The four tests, by the operators that write them."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One test on one label."""

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
                return compile_anchored(self.value)(value)
            case MatchOp.NOT_REGEX:
                return not compile_anchored(self.value)(value)

    @property
    def matches_empty(self) -> bool:
        """Whether series without the label pass."""
        return self.matches("")


@functools.lru_cache(maxsize=1024)
def compile_anchored(pattern: str) -> Callable[[str], bool]:
    """A test for strings that match `pattern` as a whole.

    Raises:
        QueryError: the pattern is not a regular expression that RE2 takes.
    """
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    # Enough for any pattern people write; a hostile one is refused instead of filling memory.
    options.max_mem = 8 << 20
    try:
        # Alone first: `a)|(b` would become a valid pattern between the anchors.
        re2.compile(pattern, options)
        compiled = re2.compile(f"^(?:{pattern})$", options)
    except re2.error as exc:
        reason = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise QueryError(f'error parsing regexp: {reason}: "{pattern}"') from exc

    def test(value: str) -> bool:
        return compiled.fullmatch(value) is not None

    return test
