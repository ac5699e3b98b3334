from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting.matchers import (
    LabelMatcher,
    MatcherError,
    format_matchers,
    label_matcher,
    parse_classic_matcher,
    parse_classic_matchers,
    parse_matcher,
    parse_matchers,
    parse_utf8_matchers,
    passes_filter,
    sort_matchers,
)
from vedette.model.matchers import MatchOp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("foo=bar", ["foo", "=", "bar"], id="without quotes"),
        pytest.param(' foo !~ "b a r" ', ["foo", "!~", "b a r"], id="with spaces around"),
        pytest.param("foo=", ["foo", "=", ""], id="an empty value"),
        pytest.param(r'foo="a\"b\\c\nd\e"', ["foo", "=", 'a"b\\c\nd\\e'], id="escapes, and a backslash that is none"),
        pytest.param("foo=a\\", ["foo", "=", "a\\"], id="a backslash at the end"),
        pytest.param("foo=~a{1,2}", None, id="an unquoted comma in a matcher alone is part of the value"),
        pytest.param("foo=ba=r", ["foo", "=", "ba=r"], id="an operator in the value"),
    ],
)
def test_the_classic_syntax_is_tolerant(text: str, expected: list[str] | None) -> None:
    found = parse_classic_matcher(text)

    assert [found.name, str(found.op), found.value] == (expected or ["foo", "=~", "a{1,2}"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("foo", "bad matcher format: foo", id="no operator"),
        pytest.param("1foo=bar", "bad matcher format: 1foo=bar", id="no name"),
        pytest.param('foo="bar', 'matcher value contains unescaped double quote: "bar', id="an open quote"),
        pytest.param('foo=b"ar', 'matcher value contains unescaped double quote: b"ar', id="a quote inside"),
        pytest.param("foo=~[", "error parsing regexp: missing ]: [: `[`", id="no regular expression"),
    ],
)
def test_the_classic_syntax_says_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(MatcherError) as refused:
        parse_classic_matcher(text)

    assert str(refused.value) == problem


def test_commas_in_quotes_do_not_separate_classic_matchers() -> None:
    found = parse_classic_matchers('{a="x,y", b=~"z\\"," , }')

    assert [(one.name, one.value) for one in found] == [("a", "x,y"), ("b", 'z",')]


def test_what_only_the_classic_syntax_has_is_taken_with_a_note() -> None:
    parsed = parse_matchers("foo=~a|b!c")

    assert [str(one) for one in parsed.matchers] == ['foo=~"a|b!c"']
    assert 'write it as foo=~"a|b!c"' in parsed.note


def test_where_the_syntaxes_disagree_the_classic_one_counts() -> None:
    parsed = parse_matchers(r'foo="\u00e4"')

    assert parsed.matchers[0].value == "\\u00e4"
    assert "classic syntax counts" in parsed.note


def test_utf8_names_need_no_note() -> None:
    parsed = parse_matchers('{"service.name"="web", 🙂=x}')

    assert [(one.name, one.value) for one in parsed.matchers] == [("service.name", "web"), ("🙂", "x")]
    assert parsed.note == ""


def test_what_neither_syntax_has_is_refused_in_the_words_of_the_classic_one() -> None:
    with pytest.raises(MatcherError, match="bad matcher format"):
        parse_matchers("=bar")


@pytest.mark.parametrize("text", ["{foo=bar}", "foo=bar}", "{foo=bar"])
def test_one_matcher_has_no_braces(text: str) -> None:
    with pytest.raises(MatcherError, match="unexpected open or close brace"):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("foo!bar", "3:4: !: expected one of '=~'", id="an operator cut short"),
        pytest.param("foo", "end of input: expected an operator such as '=', '!=', '=~' or '!~'", id="no operator"),
        pytest.param("foo=", "end of input: expected label value", id="no value"),
        pytest.param('foo="bar', '4:8: "bar: missing end "', id="an open quote"),
        pytest.param("foo=bar,,", "8:9: unexpected ,: expected a matcher or close brace after comma", id="two commas"),
        pytest.param("{foo=bar}}", "9:10: }: expected end of input", id="two closing braces"),
        pytest.param("foo='x'", "4:5: ': invalid input", id="single quotes"),
    ],
)
def test_the_utf8_syntax_says_what_is_wrong_and_where(text: str, problem: str) -> None:
    with pytest.raises(MatcherError) as refused:
        parse_utf8_matchers(text)

    assert str(refused.value) == problem


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_matchers = st.builds(
    LabelMatcher,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]),
    _texts,
)


@given(st.lists(_matchers, max_size=4))
def test_matchers_as_text_mean_what_they_were(matchers: list[LabelMatcher]) -> None:
    assert parse_utf8_matchers(format_matchers(matchers)) == tuple(matchers)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(MatcherError):
        parse_matchers(text)


def test_a_dot_does_not_match_a_newline() -> None:
    assert not label_matcher("a", MatchOp.REGEX, "foo.bar").matches("foo\nbar")
    assert label_matcher("a", MatchOp.NOT_REGEX, "foo.bar").matches("foo\nbar")


def test_a_pattern_cannot_reach_around_its_anchors() -> None:
    with pytest.raises(MatcherError):
        label_matcher("a", MatchOp.REGEX, "a)|(b")


def test_a_hostile_pattern_is_refused_or_fast() -> None:
    assert not label_matcher("a", MatchOp.REGEX, "(a*)*b").matches("a" * 10_000)
    with pytest.raises(MatcherError):
        label_matcher("a", MatchOp.REGEX, "((a{100}){100}){100}")


def test_matchers_are_sorted_by_name_value_and_operator() -> None:
    found = sort_matchers(parse_utf8_matchers("b=x,a!=y,a=y,a=x"))

    assert [str(one) for one in found] == ['a="x"', 'a="y"', 'a!="y"', 'b="x"']


@pytest.mark.parametrize(
    ("filters", "values", "passes"),
    [
        pytest.param('a=""', {}, True, id="an empty value asks for absence"),
        pytest.param('a=""', {"a": "x"}, False, id="which is not the case"),
        pytest.param('a!=""', {"a": "x"}, True, id="or for presence"),
        pytest.param('a!=""', {}, False, id="which is not the case either"),
        pytest.param("a=~x|y", {"a": "y"}, True, id="a regular expression"),
        pytest.param("a=x,b=y", {"a": "x"}, False, id="all have to pass"),
    ],
)
def test_filters_of_requests(filters: str, values: dict[str, str], passes: bool) -> None:  # noqa: FBT001
    assert passes_filter(parse_matchers(filters).matchers, values) is passes
