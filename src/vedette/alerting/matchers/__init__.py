"""Matchers of alerts' labels, and the two syntaxes in which they are written."""

from vedette.alerting.matchers.classic import parse_classic_matcher, parse_classic_matchers
from vedette.alerting.matchers.matcher import (
    LabelMatcher,
    MatcherError,
    all_match,
    format_matchers,
    label_matcher,
    passes_filter,
    sort_matchers,
)
from vedette.alerting.matchers.parsing import ParsedMatchers, parse_matcher, parse_matchers
from vedette.alerting.matchers.utf8 import parse_utf8_matcher, parse_utf8_matchers

__all__ = [
    "LabelMatcher",
    "MatcherError",
    "ParsedMatchers",
    "all_match",
    "format_matchers",
    "label_matcher",
    "parse_classic_matcher",
    "parse_classic_matchers",
    "parse_matcher",
    "parse_matchers",
    "parse_utf8_matcher",
    "parse_utf8_matchers",
    "passes_filter",
    "sort_matchers",
]
