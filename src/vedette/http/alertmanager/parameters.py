"""Parameters of Alertmanager's API: matchers, flags, a pattern for receivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request

from vedette.alerting.matchers import LabelMatcher, MatcherError, label_matcher, parse_matcher
from vedette.http.alertmanager.answers import invalid, refused
from vedette.model.matchers import MatchOp

_FLAGS: Final = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False, "": False}
_MOST_FILTERS: Final = 100


def read_flag(request: Request, name: str) -> bool:
    """A flag; true where it is not given.

    Raises:
        ProblemError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return True
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise invalid(601, f'{name} in query must be of type bool: "{text[:80]}"')
    return flag


def read_filters(request: Request, name: str = "filter") -> tuple[LabelMatcher, ...]:
    """Matchers; one in each parameter.

    Raises:
        ProblemError: one is none, or there are too many.
    """
    texts = request.query_params.getlist(name)
    if len(texts) > _MOST_FILTERS:
        raise refused(f"at most {_MOST_FILTERS} filters, found {len(texts)}")
    try:
        return tuple(parse_matcher(text) for text in texts)
    except MatcherError as exc:
        raise refused(str(exc)) from exc


def read_receiver(request: Request) -> Callable[[str], bool]:
    """A test of receivers' names; all pass where there is no parameter.

    Raises:
        ProblemError: it is no regular expression.
    """
    text = request.query_params.get("receiver")
    if text is None:
        return lambda _: True
    try:
        pattern = label_matcher("receiver", MatchOp.REGEX, text)
    except MatcherError as exc:
        raise refused(f"failed to parse receiver param: {exc}") from exc
    return pattern.matches
