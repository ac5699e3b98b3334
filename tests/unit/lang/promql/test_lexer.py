from __future__ import annotations

import pytest

from vedette.lang.promql.lexer import DURATION, EOF, ERROR, IDENTIFIER, METRIC_IDENTIFIER, NUMBER, STRING, tokenize


def kinds(text: str) -> list[str]:
    return tokenize(text).kinds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("SUM Sum sum", ["sum", "sum", "sum"], id="keywords are known in any case"),
        pytest.param("a:b a", [METRIC_IDENTIFIER, IDENTIFIER], id="a colon makes the name of a metric"),
        pytest.param("{sum=a}", ["{", IDENTIFIER, "=", IDENTIFIER, "}"], id="there are no keywords between braces"),
        pytest.param(
            "x[5m:1m]", [IDENTIFIER, "[", DURATION, ":", DURATION, "]"], id="a colon between brackets is alone"
        ),
        pytest.param(
            "x[STEP()]", [IDENTIFIER, "[", "step", "(", ")", "]"], id="between brackets a few words are known"
        ),
        pytest.param("fill + fill (0)", [IDENTIFIER, "+", "fill", "(", NUMBER, ")"], id="fill needs a parenthesis"),
        pytest.param("inf NaN", [NUMBER, NUMBER], id="words that are numbers"),
        pytest.param("1 # sum\n 2#", [NUMBER, NUMBER], id="a comment ends with its line"),
        pytest.param(
            "a</b>/c<=d", [IDENTIFIER, "</", IDENTIFIER, ">/", IDENTIFIER, "<=", IDENTIFIER], id="the longest wins"
        ),
        pytest.param("`a\nb` 'c'", [STRING, STRING], id="only backticks go over lines"),
        pytest.param("1h30m 0x1F 1e-3 .5", [DURATION, NUMBER, NUMBER, NUMBER], id="durations and numbers"),
    ],
)
def test_what_a_word_or_sign_is_depends_on_where_it_stands(text: str, expected: list[str]) -> None:
    assert kinds(text) == [*expected, EOF]


@pytest.mark.parametrize(
    ("text", "problem", "start"),
    [
        pytest.param("a }", "unexpected character: '}'", 2, id="a brace that was not opened"),
        pytest.param("a)", "unexpected right parenthesis ')'", 1, id="a parenthesis that was not opened"),
        pytest.param("a]", "unexpected right bracket ']'", 1, id="a bracket that was not opened"),
        pytest.param("a[5m[", "unexpected left bracket '['", 4, id="a bracket within a bracket"),
        pytest.param("(a", "unclosed left parenthesis", 2, id="a parenthesis left open"),
        pytest.param("a[5m", "unclosed left bracket", 4, id="a bracket left open"),
        pytest.param("a{", "unexpected end of input inside braces", 2, id="a brace left open"),
        pytest.param("a{5", "unexpected character inside braces: '5'", 2, id="a number between braces"),
        pytest.param("a{b!c}", "unexpected character after '!' inside braces: 'c'", 3, id="half an operator in braces"),
        pytest.param("a=~b", "unexpected character after '=': '~'", 1, id="a matcher outside of braces"),
        pytest.param("a ! b", "unexpected character after '!': ' '", 2, id="half an operator"),
        pytest.param(
            "a[x]", "unexpected character in duration expression: 'x'", 2, id="a word where a duration should be"
        ),
        pytest.param("a[5m x]", "unexpected character: 'x', expected ':'", 5, id="a word after a duration"),
        pytest.param("a ☺", "unexpected character: '☺'", 2, id="a character without a meaning"),
        pytest.param("'abc", "unterminated quoted string", 0, id="a string left open"),
        pytest.param('"a\nb"', "unterminated quoted string", 0, id="a string over lines"),
        pytest.param("`abc", "unterminated raw string", 0, id="a raw string left open"),
        pytest.param("100..4", 'bad number or duration syntax: "100.."', 0, id="two dots"),
        pytest.param("1_", 'bad number or duration syntax: "1_"', 0, id="an underscore at the end"),
        pytest.param("0x1g", 'bad number or duration syntax: "0x1"', 0, id="a letter beyond hex"),
        pytest.param("5mm", 'bad number or duration syntax: "5mm"', 0, id="a unit and a letter"),
        pytest.param("1e+", 'bad number or duration syntax: "1e+"', 0, id="an exponent without digits"),
    ],
)
def test_a_mistake_is_the_last_token(text: str, problem: str, start: int) -> None:
    tokens = tokenize(text)

    assert (tokens.kinds[-1], tokens.texts[-1], tokens.starts[-1]) == (ERROR, problem, start)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" " * 200_000 + "$", id="spaces before a mistake"),
        pytest.param("# (" * 100_000, id="a comment with tokens in it"),
        pytest.param("#\n" * 100_000 + "$", id="comments before a mistake"),
        pytest.param('"' + "\\\\" * 100_000, id="escapes in a string left open"),
        pytest.param("1m" * 100_000 + "X", id="a duration that turns out to be none"),
        pytest.param("1_" * 100_000, id="a number that turns out to be none"),
        pytest.param("a" * 400_000, id="a long name"),
    ],
)
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    # What takes quadratic time on these texts takes minutes, and the run's timeout strikes.
    assert tokenize(text).kinds[-1] in (EOF, ERROR)
