"""What texts mean, and what is said of those that mean nothing; the messages are Go's."""

from __future__ import annotations

import pytest

from vedette.lang.gotemplate import Function, TemplateSyntaxError, parse
from vedette.lang.gotemplate.nodes import Nodes
from vedette.lang.gotemplate.parser import parse_trees

_FUNCTIONS = {"printf": Function(str), "contains": Function(str)}


def _tree(text: str) -> Nodes:
    return parse_trees("test", text, _FUNCTIONS)["test"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("{{/*\n\n\n*/}}", "", id="a comment"),
        pytest.param(" \t\n", " \t\n", id="spaces"),
        pytest.param("some text", "some text", id="text"),
        pytest.param("{{.X}}", "{{.X}}", id="a field"),
        pytest.param("{{ printf }}", "{{printf}}", id="a function"),
        pytest.param("{{$x := .X | printf}}", "{{$x := .X | printf}}", id="a declaration"),
        pytest.param("{{.X.Y.Z}}", "{{.X.Y.Z}}", id="a chain"),
        pytest.param("{{.X (.Y .Z) (.A | .B .C) (.E)}}", "{{.X (.Y .Z) (.A | .B .C) (.E)}}", id="parentheses"),
        pytest.param("{{(.Y .Z).Field}}", "{{(.Y .Z).Field}}", id="a field of a pipeline"),
        pytest.param("{{if .X}}hello{{end}}", "{{if .X}}hello{{end}}", id="if"),
        pytest.param("{{if .X}}a{{else}}b{{end}}", "{{if .X}}a{{else}}b{{end}}", id="if with else"),
        pytest.param(
            "{{if .X}}a{{else if .Y}}b{{end}}",
            "{{if .X}}a{{else}}{{if .Y}}b{{end}}{{end}}",
            id="else if is an if in else",
        ),
        pytest.param(
            "{{with .X}}a{{else with .Y}}b{{end}}",
            "{{with .X}}a{{else}}{{with .Y}}b{{end}}{{end}}",
            id="else with is a with in else",
        ),
        pytest.param("{{range $x, $y := .X}}{{end}}", "{{range $x, $y := .X}}{{end}}", id="a range over two variables"),
        pytest.param("{{range .X}}{{break}}{{end}}", "{{range .X}}{{break}}{{end}}", id="break"),
        pytest.param("{{range .X}}{{continue}}{{end}}", "{{range .X}}{{continue}}{{end}}", id="continue"),
        pytest.param("{{template `x` .Y}}", '{{template "x" .Y}}', id="a use of a template"),
        pytest.param('{{printf true 1 2.5 1i "x" nil}}', '{{printf true 1 2.5 1i "x" nil}}', id="constants"),
        pytest.param("x \r\n\t{{- 3 -}} \n y", "x{{3}}y", id="trimmed spaces"),
        pytest.param("x {{- /* c */ -}} y", "xy", id="a trimmed comment"),
        pytest.param("{{block `a` .}}b{{end}}", '{{template "a" .}}', id="a block is a definition and its use"),
        pytest.param("{{\n.X\n}}", "{{.X}}", id="a line end in an action"),
    ],
)
def test_a_tree_shows_itself_as_it_was_written(text: str, shown: str) -> None:
    assert str(_tree(text)) == shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{{\n{{.X}}", 'test:2: unexpected "{" in command', id="an action in an action"),
        pytest.param("{{end}}", "test:1: unexpected {{end}}", id="an end of nothing"),
        pytest.param("{{else}}", "test:1: unexpected {{else}}", id="an else of nothing"),
        pytest.param("{{range .X}}", "test:1: unexpected EOF", id="no end"),
        pytest.param("{{break}}", "test:1: {{break}} outside {{range}}", id="break outside of a range"),
        pytest.param("{{continue}}", "test:1: {{continue}} outside {{range}}", id="continue outside of a range"),
        pytest.param("{{$x}}", 'test:1: undefined variable "$x"', id="an unknown variable"),
        pytest.param(
            "{{with $x := 4}}{{end}}{{$x}}", 'test:1: undefined variable "$x"', id="a variable is gone after end"
        ),
        pytest.param("{{nosuch 1}}", 'test:1: function "nosuch" not defined', id="an unknown function"),
        pytest.param("hello{{range .x}}{{nope}}", 'test:1: function "nope" not defined', id="the first error counts"),
        pytest.param("{{template}}", 'test:1: unexpected "}}" in template clause', id="a use without a name"),
        pytest.param("{{define}}", 'test:1: unexpected "}}" in define clause', id="a definition without a name"),
        pytest.param(
            "{{.X | 3}}", "test:1: non executable command in pipeline stage 2", id="a number at the end of a pipe"
        ),
        pytest.param("{{}}", "test:1: missing value for command", id="an empty action"),
        pytest.param("{{if}}{{end}}", "test:1: missing value for if", id="if without a value"),
        pytest.param(
            "{{range $x, $y, $z := .X}}{{end}}", "test:1: too many declarations in range", id="three variables"
        ),
        pytest.param(
            "{{$x, $y := .X}}", "test:1: too many declarations in command", id="two variables outside of a range"
        ),
        pytest.param(
            "{{range $x, .Y}}{{end}}", "test:1: range can only initialize variables", id="a range over a field"
        ),
        pytest.param("{{1.E}}", 'test:1: illegal number syntax: "1.E"', id="a number with a field"),
        pytest.param("{{true.E}}", 'test:1: unexpected . after term "true"', id="a field of a truth value"),
        pytest.param("{{'a'.E}}", "test:1: unexpected . after term \"'a'\"", id="a field of a character"),
        pytest.param("{{`a`.E}}", 'test:1: unexpected . after term "`a`"', id="a field of a string"),
        pytest.param("{{printf 3`x`}}", 'test:1: unexpected "`x`" in operand', id="no space between words"),
        pytest.param(
            "{{99999999999999999999}}", 'test:1: integer overflow: "99999999999999999999"', id="a large number"
        ),
        pytest.param("{{'ab'}}", "test:1: malformed character constant: 'ab'", id="two characters"),
        pytest.param("{{`}}", "test:1: unterminated raw quoted string", id="an open raw string"),
        pytest.param('{{"}}', "test:1: unterminated quoted string", id="an open string"),
        pytest.param("{{'}}", "test:1: unterminated character constant", id="an open character"),
        pytest.param("{{/*}}", "test:1: unclosed comment", id="an open comment"),
        pytest.param("{{/* a */ b}}", "test:1: comment ends before closing delimiter", id="words behind a comment"),
        pytest.param("{{(1}}", "test:1: unclosed left paren", id="an open parenthesis"),
        pytest.param("{{1)}}", "test:1: unexpected right paren", id="a parenthesis too many"),
        pytest.param("{{.X\x01}}", "test:1: bad character U+0001", id="a control character in a name"),
        pytest.param("{{ \x01}}", "test:1: unrecognized character in action: U+0001", id="a control character"),
        pytest.param("{{\n", "test:2: unclosed action started at test:1", id="an open action on another line"),
        pytest.param(
            '{{define "a"}}x{{end}}{{define "a"}}y{{end}}',
            'test:1: template: multiple definition of template "a"',
            id="two definitions of one name",
        ),
        pytest.param("{{if .X}}a{{else}}b{{else}}c{{end}}", "test:1: expected end; found {{else}}", id="two else"),
        pytest.param("a\nb{{if .X}}\nc{{else foo}}", 'test:3: unexpected "foo" in else', id="the line is counted"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_the_words_of_go(text: str, problem: str) -> None:
    with pytest.raises(TemplateSyntaxError) as refused:
        _tree(text)

    assert str(refused.value) == f"template: {problem}"


def test_an_error_knows_its_line_and_column() -> None:
    with pytest.raises(TemplateSyntaxError) as refused:
        parse("test", "first\nsecond {{ nosuch }}", {})

    assert (refused.value.line, refused.value.column) == (2, 11)


def test_a_definition_replaces_an_empty_one_of_the_same_text() -> None:
    trees = parse_trees("test", '{{define "a"}} {{end}}{{define "a"}}x{{end}}', _FUNCTIONS)

    assert str(trees["a"]) == "x"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{{" + "(" * 1000 + "1" + ")" * 1000 + "}}", id="parentheses"),
        pytest.param("{{if 1}}" * 1000 + "{{end}}" * 1000, id="branches"),
        pytest.param("{{if 1}}{{else}}" * 1000 + "{{end}}" * 1000, id="branches in else"),
    ],
)
def test_what_stands_too_deep_is_refused(text: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="stand deeper than 64"):
        _tree(text)


def test_a_long_chain_of_else_if_is_not_deep() -> None:
    text = "{{if false}}0" + "".join(f"{{{{else if eq . {number}}}}}{number}" for number in range(1, 40)) + "{{end}}"

    assert parse("test", text, {}).execute(39) == "39"
