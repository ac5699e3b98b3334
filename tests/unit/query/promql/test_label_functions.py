from __future__ import annotations

import pytest
from memory_source import MemorySource

from vedette.lang.promql import parse
from vedette.model.errors import QueryExecutionError
from vedette.query.promql import Vector, evaluate_instant
from vedette.query.promql.label_functions import comes_before


def labels_of(text: str, source: MemorySource) -> list[dict[str, str]]:
    value = evaluate_instant(parse(text), at_ms=0, source=source).value
    assert isinstance(value, Vector)
    return [dict(labels) for labels in value.labels.label_sets()]


@pytest.mark.parametrize(
    ("first", "second"),
    [("4m5", "4m600"), ("4m600", "4m1000"), ("a2", "a10"), ("1.2.3", "1.11.3"), ("", "a"), ("a", "b"), ("a", "a1")],
)
def test_digits_within_texts_count_as_numbers(first: str, second: str) -> None:
    assert comes_before(first, second) or first == ""
    assert not comes_before(second, first)


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        pytest.param("$1", "10", id="a numbered group"),
        pytest.param("${1}x", "10x", id="braces end the name"),
        pytest.param("$1x", None, id="without braces the name goes on"),
        pytest.param("$$1", "$1", id="a doubled dollar is a dollar"),
        pytest.param("$number!", "10!", id="a named group"),
        pytest.param("$9", None, id="a group that is not there is empty"),
        pytest.param("a$", "a$", id="a dollar at the end stays"),
    ],
)
def test_replacements_expand_as_in_go(replacement: str, expected: str | None) -> None:
    source = MemorySource.of({(("__name__", "x"), ("src", "value-10")): [(0, 1.0)]})

    (labels,) = labels_of(f'label_replace(x, "dst", "{replacement}", "src", "value-(?P<number>.*)")', source)

    assert labels.get("dst") == expected


def test_a_pattern_matches_the_whole_value_and_over_lines() -> None:
    source = MemorySource.of({(("__name__", "x"), ("src", "one\ntwo")): [(0, 1.0)]})

    (whole,) = labels_of('label_replace(x, "dst", "$1", "src", "one(.*)")', source)
    (part,) = labels_of('label_replace(x, "dst", "hit", "src", "one")', source)

    assert whole["dst"] == "\ntwo"
    assert "dst" not in part


def test_a_pattern_that_is_not_valid_is_an_error_even_without_series() -> None:
    with pytest.raises(QueryExecutionError, match="invalid regular expression in label_replace"):
        labels_of('label_replace(nothing, "dst", "", "src", "(")', MemorySource())


def test_the_labels_of_what_is_absent_are_those_stated_once() -> None:
    text = 'absent(x{a="1",b=~"2",c="3",c="4",d="5",d!="6",e=""})'

    assert labels_of(text, MemorySource()) == [{"a": "1"}]
