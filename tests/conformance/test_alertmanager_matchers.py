"""Alertmanager's cases of matchers: what a text means, and what a matcher lets through."""

from __future__ import annotations

from typing import Any

import pytest
from alertmanager_data import cases

from vedette.alerting.matchers import MatcherError, label_matcher, parse_utf8_matcher, parse_utf8_matchers
from vedette.model.matchers import MatchOp


@pytest.mark.parametrize("case", cases("matchers*.y*ml"))
def test_a_text_means_the_matchers_that_it_means_in_alertmanager(case: dict[str, Any]) -> None:
    def parse(text: str) -> list[list[str]]:
        found = parse_utf8_matchers(text) if case["form"] == "several" else (parse_utf8_matcher(text),)
        return [[one.name, str(one.op), one.value] for one in found]

    if "error" not in case:
        assert parse(case["input"]) == case["matchers"]
        return

    with pytest.raises(MatcherError) as refused:
        parse(case["input"])
    assert str(refused.value) == case["error"]


@pytest.mark.parametrize("case", cases("matcher_semantics*.y*ml"))
def test_a_matcher_lets_through_what_it_lets_through_in_alertmanager(case: dict[str, Any]) -> None:
    matcher = label_matcher("label", MatchOp(case["operator"]), case["pattern"])

    assert matcher.matches(case["value"]) is case["matches"]
