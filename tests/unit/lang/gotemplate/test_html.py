"""Values in pages: escaped by where they stand, as Go's `html/template` does it."""

from __future__ import annotations

from typing import Any

import pytest

from vedette.lang.gotemplate import Function, TemplateExecutionError, TemplateSet, parse, safe_html, safe_url

_DATA = {
    "F": False,
    "T": True,
    "C": "<Cincinatti>",
    "G": "<Goodbye>",
    "H": "<Hello>",
    "A": ["<a>", "<b>"],
    "N": 42,
    "Z": None,
    "W": safe_html('&iexcl;<b class="foo">Hello</b>, <textarea>O\'World</textarea>!'),
    "U": safe_url("javascript:a()"),
    "L": {"k": "</script>"},
}
_FUNCTIONS = {"safe": Function(safe_html)}


def _run(text: str, data: Any = _DATA) -> str:
    return parse("t", text, _FUNCTIONS, html=True).execute(data)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("{{if .T}}Hello{{end}}, {{.C}}!", "Hello, &lt;Cincinatti&gt;!", id="text"),
        pytest.param("{{.C | html}}", "&lt;Cincinatti&gt;", id="what is escaped already is not escaped again"),
        pytest.param("{{.W}}", '&iexcl;<b class="foo">Hello</b>, <textarea>O\'World</textarea>!', id="safe HTML"),
        pytest.param("{{.Z}}", "", id="nothing is empty"),
        pytest.param('<a href="{{.C}}">', '<a href="%3cCincinatti%3e">', id="a URL"),
        pytest.param("<a href=\"{{`javascript:alert('x')`}}\">", '<a href="#ZgotmplZ">', id="a URL that is a script"),
        pytest.param('<a href="{{.U}}">', '<a href="javascript:a%28%29">', id="a URL that is said to be safe"),
        pytest.param('<a href="/q?x={{`a&b c`}}">', '<a href="/q?x=a%26b%20c">', id="the query of a URL"),
        pytest.param('<a href="{{`http://x/?a=b&c=d`}}">', '<a href="http://x/?a=b&amp;c=d">', id="a whole URL"),
        pytest.param("<a href={{`/x y`}}>", "<a href=/x%20y>", id="a URL without quotes"),
        pytest.param("<p title='{{.H}}'>", "<p title='&lt;Hello&gt;'>", id="a quoted attribute"),
        pytest.param("<p title={{`a b=c`}}>", "<p title=a&#32;b&#61;c>", id="an attribute without quotes"),
        pytest.param(
            '<p title="{{.W}}">', '<p title="&iexcl;Hello, O&#39;World!">', id="safe HTML in an attribute has no tags"
        ),
        pytest.param(
            "<script>alert({{.A}})</script>",
            '<script>alert(["\\u003ca\\u003e","\\u003cb\\u003e"])</script>',
            id="a value in a script",
        ),
        pytest.param("<script>x = {{.N}};</script>", "<script>x =  42 ;</script>", id="a number in a script"),
        pytest.param(
            '<script>x = "{{.H}}"</script>', '<script>x = "\\u003cHello\\u003e"</script>', id="a string in a script"
        ),
        pytest.param(
            '<button onclick="f({{.H}})">',
            '<button onclick="f(&#34;\\u003cHello\\u003e&#34;)">',
            id="a script in an attribute",
        ),
        pytest.param("<style>p { color: {{`red`}} }</style>", "<style>p { color: red }</style>", id="a style"),
        pytest.param(
            '<p style="width: {{`expression(alert(1))`}}">',
            '<p style="width: ZgotmplZ">',
            id="a style that is a script",
        ),
        pytest.param(
            "<p style=\"background: url('/i?{{.H}}')\">",
            "<p style=\"background: url('/i?%3cHello%3e')\">",
            id="a URL in a style",
        ),
        pytest.param("<textarea>{{.H}}</textarea>", "<textarea>&lt;Hello&gt;</textarea>", id="a text area"),
        pytest.param(
            "<title>{{.W}}</title>",
            (
                "<title>&iexcl;&lt;b class=&#34;foo&#34;&gt;Hello&lt;/b&gt;, "
                "&lt;textarea&gt;O&#39;World&lt;/textarea&gt;!</title>"
            ),
            id="a title",
        ),
        pytest.param("a<!-- {{.H}} -->b", "ab", id="comments are dropped"),
        pytest.param(
            '<img srcset="{{`/a.png 2x, javascript:b 3x`}}">',
            '<img srcset="/a.png 2x,#ZgotmplZ">',
            id="several pictures",
        ),
        pytest.param("<p {{`on`}}click=x>", "<p ZgotmplZclick=x>", id="the name of an attribute"),
        pytest.param(
            '{{define "a"}}{{.}}{{end}}<p title="{{template "a" .H}}">{{template "a" .H}}',
            '<p title="&lt;Hello&gt;">&lt;Hello&gt;',
            id="a template at two places",
        ),
        pytest.param(
            '<script>a = `{{"${x}"}}`</script>',
            "<script>a = `\\u0024\\u007bx\\u007d`</script>",
            id="a text between backticks",
        ),
        pytest.param(
            '<img on{{"load"}}="f({{"x"}})">', '<img onload="f(&#34;x&#34;)">', id="a part of an attribute's name"
        ),
        pytest.param(
            '<img {{"src"}}="{{"/x"}}">', '<img ZgotmplZ="/x">', id="a name that would change what the value is"
        ),
        pytest.param('<{{"script"}}>x', "&lt;script>x", id="the name of an element"),
        pytest.param(
            '<meta content="0; url={{"javascript:x"}}">', '<meta content="0; url=#ZgotmplZ">', id="a forwarding page"
        ),
        pytest.param("<p title={{.Z}}>", "<p title=ZgotmplZ>", id="nothing without quotes"),
        pytest.param('{{range .A}}<a href="/{{.}}">{{end}}', '<a href="/%3ca%3e"><a href="/%3cb%3e">', id="a loop"),
    ],
)
def test_a_value_is_escaped_by_where_it_stands(text: str, output: str) -> None:
    assert _run(text) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{{if .T}}<a{{end}}", "t:1:5: {{if}} branches end in different contexts", id="branches"),
        pytest.param("<a b=1 c={{.H}}", "ends in a non-text context", id="an open tag"),
        pytest.param("<script>foo();", "ends in a non-text context", id="an open script"),
        pytest.param('{{template "foo"}}', 'no such template "foo"', id="a template that does not exist"),
        pytest.param("<a '{{.H}}'>", "in attribute name", id="a quote in a tag"),
        pytest.param(
            "<script>{{if .T}}var x = 1{{end}}/-{{.N}}</script>", "'/' could start a division or regexp", id="a slash"
        ),
        pytest.param(
            "{{.H | print | html | print}}", 'predefined escaper "html" disallowed in template', id="an escaper inside"
        ),
    ],
)
def test_a_page_whose_places_cannot_be_told_is_refused(text: str, problem: str) -> None:
    with pytest.raises(TemplateExecutionError) as refused:
        _run(text)

    assert problem in str(refused.value)


def test_texts_of_one_set_do_not_change_the_templates_that_they_share() -> None:
    among = TemplateSet(_FUNCTIONS, html=True)
    among.parse("file", '{{define "a"}}<a href="/?{{.}}">{{.}}</a>{{end}}')
    text = '{{template "a" .}}'
    first = among.clone().parse("", text).execute("<&>")

    second = among.clone().parse("", text).execute("<&>")

    assert first == second == '<a href="/?%3c%26%3e">&lt;&amp;&gt;</a>'
