from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.promql.strings import quote, quote_char, unquote


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        pytest.param('"plain"', "plain", id="double quotes"),
        pytest.param("'it''", "it'", id="what the lexer has found is not looked for again"),
        pytest.param(r"'it\'s'", "it's", id="single quotes"),
        pytest.param(r"`\n`", r"\n", id="backticks know no escapes"),
        pytest.param(r'"\a\b\f\n\r\t\v\\\""', '\a\b\f\n\r\t\v\\"', id="letters"),
        pytest.param(r'"\x41\101\u00e4\U0001F600"', "AA\u00e4\U0001f600", id="numbers"),
        pytest.param(r'"\xc3\xa4"', "ä", id="bytes that are UTF-8 together"),
        pytest.param(r'"\xff!"', "\ufffd!", id="bytes that are not"),
    ],
)
def test_a_literal_stands_for_its_string(literal: str, expected: str) -> None:
    assert unquote(literal) == expected


@pytest.mark.parametrize(
    ("literal", "problem"),
    [
        pytest.param(r'"\c"', "unknown escape sequence U+0063 'c'", id="a letter without a meaning"),
        pytest.param(r'"\'"', "unknown escape sequence U+0027", id="the quote of the other kind"),
        pytest.param(r'"\x4"', "illegal character U+0022", id="a digit too few"),
        pytest.param(r'"\xg0"', "illegal character U+0067 'g'", id="a digit of another base"),
        pytest.param(r'"\400"', "invalid Unicode code point", id="more than a byte"),
        pytest.param(r'"\ud800"', "invalid Unicode code point", id="half of a surrogate pair"),
        pytest.param(r'"\U00110000"', "invalid Unicode code point", id="beyond Unicode"),
    ],
)
def test_a_bad_escape_is_named(literal: str, problem: str) -> None:
    with pytest.raises(ValueError, match="escape") as caught:
        unquote(literal)

    assert problem in str(caught.value)


@given(st.text(st.characters(codec="utf-8")))
def test_a_quoted_string_is_read_back(text: str) -> None:
    assert unquote(quote(text)) == text


def test_what_cannot_be_printed_is_escaped_as_go_does() -> None:
    assert quote('a"\\\n\x01\x7f\u00a0\u2028\U000e0001é') == '"a\\"\\\\\\n\\x01\\x7f\\u00a0\\u2028\\U000e0001é"'
    assert quote_char("'") == "'\\''"
    assert quote_char('"') == "'\"'"
