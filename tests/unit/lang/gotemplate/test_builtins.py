"""The functions that every template has."""

from __future__ import annotations

from typing import Any

import pytest

from vedette.lang.gotemplate import UINT64, TemplateExecutionError, Typed, parse, string_map

_DATA = {"List": [10, 20, 30], "Map": string_map({"a": "x"}), "Text": "häuser", "Big": Typed(UINT64, 5), "Nil": None}


def _run(text: str, data: Any = _DATA) -> str:
    return parse("t", text, {}).execute(data)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("{{eq 1 1}} {{eq 1 2}} {{eq 1 2 1}}", "true false true", id="eq with any of several"),
        pytest.param("{{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 2}}", "true true true false true", id="order"),
        pytest.param('{{lt "a" "b"}} {{eq "a" "a"}} {{lt 1.5 2.5}}', "true true true", id="strings and fractions"),
        pytest.param("{{eq .Big 5}} {{lt 4 .Big}}", "true true", id="numbers of different types"),
        pytest.param("{{eq .Nil nil}} {{eq .Nil 1}}", "true false", id="nothing"),
        pytest.param("{{not 0}} {{not 1}} {{not .Nil}}", "true false true", id="not"),
        pytest.param('{{index .List 1}} {{index .Map "a"}} {{index .Map "b"}}.', "20 x .", id="index"),
        pytest.param("{{index .Text 1}}", "195", id="index of a string counts bytes"),
        pytest.param("{{slice .List 1}} {{slice .List 1 2}} {{slice .Text 0 1}}", "[20 30] [20] h", id="slice"),
        pytest.param("{{len .List}} {{len .Map}} {{len .Text}}", "3 1 7", id="len of a string counts bytes"),
        pytest.param('{{print 1 2 "a"}}|{{println "a" 1}}', "1 2a|a 1\n", id="print"),
        pytest.param('{{printf "%d-%s" 1 "a"}} {{"a" | printf "%q"}}', '1-a "a"', id="printf"),
        pytest.param('{{html `<a href="x">\'&`}}', "&lt;a href=&#34;x&#34;&gt;&#39;&amp;", id="html"),
        pytest.param('{{js `it\'s "x" <a>&=`}}', 'it\\\'s \\"x\\" \\u003Ca\\u003E\\u0026\\u003D', id="js"),
        pytest.param("{{urlquery `a b&c=ü/?`}}", "a+b%26c%3D%C3%BC%2F%3F", id="urlquery"),
    ],
)
def test_a_function_gives_what_it_gives_in_go(text: str, output: str) -> None:
    assert _run(text) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            '{{eq 1 "a"}}',
            "error calling eq: incompatible types for comparison: int and string",
            id="eq of a number and a string",
        ),
        pytest.param("{{eq 1}}", "error calling eq: missing argument for comparison", id="eq alone"),
        pytest.param(
            "{{lt true false}}", "error calling lt: invalid type for comparison", id="the order of truth values"
        ),
        pytest.param(
            "{{eq .List .List}}",
            "error calling eq: non-comparable type [%!s(int=10) %!s(int=20) %!s(int=30)]: []interface {}",
            id="eq of lists",
        ),
        pytest.param(
            "{{index .List 3}}", "error calling index: reflect: slice index out of range", id="right behind the end"
        ),
        pytest.param("{{index .List 9}}", "error calling index: index out of range: 9", id="far behind the end"),
        pytest.param("{{index .List -1}}", "error calling index: index out of range: -1", id="before the beginning"),
        pytest.param(
            '{{index .List "a"}}',
            "error calling index: cannot index slice/array with type string",
            id="a name in a list",
        ),
        pytest.param(
            "{{index .Map 1}}", "error calling index: value has type int; should be string", id="a number in a map"
        ),
        pytest.param("{{index 1 1}}", "error calling index: can't index item of type int", id="an entry of a number"),
        pytest.param("{{index nil 1}}", "error calling index: index of untyped nil", id="an entry of nothing"),
        pytest.param(
            "{{slice .List 2 1}}", "error calling slice: invalid slice index: 2 > 1", id="an end before the beginning"
        ),
        pytest.param("{{slice .Text 1 2 3}}", "error calling slice: cannot 3-index slice a string", id="three indexes"),
        pytest.param("{{len 3}}", "error calling len: len of type int", id="the length of a number"),
        pytest.param("{{call .Nil}}", "error calling call: call of nil", id="a call of nothing"),
        pytest.param(
            "{{call .List}}", "error calling call: non-function .List of type []interface {}", id="a call of a list"
        ),
    ],
)
def test_a_function_refuses_with_the_words_of_go(text: str, problem: str) -> None:
    with pytest.raises(TemplateExecutionError) as refused:
        _run(text)

    assert str(refused.value).endswith(f": {problem}")
