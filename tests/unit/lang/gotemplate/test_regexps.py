"""Regular expressions in templates: RE2, replaced as Go replaces."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.gotemplate import Budget, FunctionError, Limits
from vedette.lang.gotemplate.regexps import matches, replace_all


def _budget() -> Budget:
    return Budget(Limits())


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "output"),
    [
        pytest.param("a(x*)b", "T", "-ab-axxb-", "-T-T-", id="a text"),
        pytest.param("a(x*)b", "$1", "-ab-axxb-", "--xx-", id="a group"),
        pytest.param("a(x*)b", "$1W", "-ab-axxb-", "---", id="a name goes on as far as it can"),
        pytest.param("a(x*)b", "${1}W", "-ab-axxb-", "-W-xxW-", id="a group in braces"),
        pytest.param("(?P<first>a)(?P<second>b)", "$second$first", "ab", "ba", id="groups by name"),
        pytest.param("a", "$$", "bab", "b$b", id="a dollar sign"),
        pytest.param("", "-", "abc", "-a-b-c-", id="nothing matches everywhere"),
        pytest.param("b*", "-", "abc", "-a-c-", id="an empty match behind a match is none"),
        pytest.param("ü", "ue", "für Müller", "fuer Mueller", id="characters of several bytes"),
        pytest.param("x", "y", "abc", "abc", id="no match"),
        pytest.param("(a)|(b)", "[$2]", "ab", "[][b]", id="a group that did not take part"),
    ],
)
def test_matches_are_replaced_as_go_does_it(pattern: str, replacement: str, text: str, output: str) -> None:
    assert replace_all(pattern, replacement, text, _budget()) == output


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        pytest.param("a(b", "error parsing regexp: missing closing ): `a(b`", id="an open group"),
        pytest.param("[a", "error parsing regexp: missing closing ]: `[a`", id="an open class"),
        pytest.param("*", "error parsing regexp: missing argument to repetition operator: `*`", id="nothing to repeat"),
        pytest.param("(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`", id="a look ahead"),
    ],
)
def test_a_bad_pattern_is_refused_with_the_words_of_go(pattern: str, problem: str) -> None:
    with pytest.raises(FunctionError) as refused:
        matches(pattern, "", _budget())

    assert str(refused.value) == problem


@given(st.text(alphabet="ab$1{}|()*üx", max_size=8), st.text(max_size=8), st.text(alphabet="abüx", max_size=20))
def test_any_pattern_and_replacement_give_a_text_or_an_error(pattern: str, replacement: str, text: str) -> None:
    with contextlib.suppress(FunctionError):
        assert isinstance(replace_all(pattern, replacement, text, _budget()), str)


@given(st.sampled_from(("a", "b+", "(a|b)c?", "[^a]", "x*a")), st.text(alphabet="abcx", max_size=30))
def test_simple_patterns_are_replaced_as_python_replaces_them(pattern: str, text: str) -> None:
    assert replace_all(pattern, "<$0>", text, _budget()) == re.sub(pattern, r"<\g<0>>", text)
