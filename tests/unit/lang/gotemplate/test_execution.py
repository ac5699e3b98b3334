"""What templates give for data, and what is said where they cannot; the messages are Go's."""

from __future__ import annotations

from typing import Any

import pytest

from vedette.lang.gotemplate import (
    ANY,
    INT,
    STRING,
    Field,
    Function,
    FunctionError,
    GoType,
    Kind,
    MissingKey,
    TemplateError,
    TemplateExecutionError,
    Typed,
    parse,
    pointer_to,
    string_map,
    strings,
)


def _greet(self: Typed, name: str) -> str:
    return f"{self.value['Name']} greets {name}"


def _broken(*_: Any) -> None:
    raise FunctionError("out of order")


_PERSON = GoType(
    "test.Person",
    Kind.STRUCT,
    fields=(Field("Name", STRING), Field("Age", INT), Field("Any", ANY)),
    methods={"Greet": Function(_greet, (STRING,))},
)
_ANNA = Typed(_PERSON, {"Name": "Anna", "Age": 44, "Any": None})
_DATA = {
    "X": "x",
    "N": 17,
    "F": 1.5,
    "True": True,
    "Empty": "",
    "Nil": None,
    "List": [1, 2, 3],
    "Strings": strings("ab"),
    "None": [],
    "Map": {"b": 2, "a": 1},
    "Labels": string_map({"job": "web"}),
    "Anna": _ANNA,
    "Pointer": Typed(pointer_to(_PERSON), _ANNA),
    "Nobody": Typed(pointer_to(_PERSON), None),
}


def _count(*values: Any) -> int:
    return len(values)


def _twice(number: int) -> int:
    return 2 * number


_FUNCTIONS = {
    "broken": Function(_broken),
    "count": Function(_count, variadic=ANY),
    "twice": Function(_twice, (INT,)),
    "upper": Function(str.upper, (STRING,)),
}


def _run(text: str, data: Any = _DATA, missing_key: MissingKey = MissingKey.DEFAULT) -> str:
    return parse("test", text, _FUNCTIONS, missing_key=missing_key).execute(data)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("{{.X}} {{.N}} {{.F}} {{.True}}", "x 17 1.5 true", id="plain values"),
        pytest.param("{{.Nil}}", "<no value>", id="nothing in a map of anything"),
        pytest.param("{{.Missing}}", "<no value>", id="a missing entry of anything"),
        pytest.param("{{.List}} {{.Map}} {{.Strings}}", "[1 2 3] map[a:1 b:2] [a b]", id="lists and maps"),
        pytest.param("{{.Anna}}", "{Anna 44 <nil>}", id="a struct"),
        pytest.param("{{.Anna.Name}} {{.Pointer.Age}}", "Anna 44", id="fields"),
        pytest.param('{{.Anna.Greet "Ben"}}', "Anna greets Ben", id="a method"),
        pytest.param('{{"Ben" | .Pointer.Greet}}', "Anna greets Ben", id="a method behind a pipe and a pointer"),
        pytest.param("{{.Labels.job}}{{.Labels.none}}", "web", id="a missing entry of strings"),
        pytest.param("{{if .X}}a{{else}}b{{end}}", "a", id="if"),
        pytest.param("{{if .Empty}}a{{else}}b{{end}}", "b", id="else"),
        pytest.param("{{if .None}}a{{else if .N}}b{{end}}", "b", id="else if"),
        pytest.param("{{with .X}}{{.}}{{end}}{{with .Empty}}{{.}}{{else}}-{{end}}", "x-", id="with"),
        pytest.param("{{with .Empty}}a{{else with .X}}{{.}}{{end}}", "x", id="else with"),
        pytest.param("{{range .List}}<{{.}}>{{end}}", "<1><2><3>", id="range over a list"),
        pytest.param("{{range .Map}}<{{.}}>{{end}}", "<1><2>", id="range over a map is sorted"),
        pytest.param("{{range $k, $v := .Map}}{{$k}}={{$v}} {{end}}", "a=1 b=2 ", id="range over keys and values"),
        pytest.param("{{range $i, $v := .Strings}}{{$i}}{{$v}}{{end}}", "0a1b", id="range over indexes and elements"),
        pytest.param("{{range .None}}a{{else}}b{{end}}", "b", id="range over nothing"),
        pytest.param("{{range 3}}{{.}}{{end}}", "012", id="range over a number"),
        pytest.param("{{range $i := 3}}{{$i}}{{end}}", "012", id="range over a number with a variable"),
        pytest.param("{{range .List}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}", "1", id="break"),
        pytest.param("{{range .List}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}", "13", id="continue"),
        pytest.param("{{$x := 1}}{{range .List}}{{$x = .}}{{end}}{{$x}}", "3", id="an assignment lasts"),
        pytest.param("{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21", id="a declaration does not"),
        pytest.param("{{$.X}}{{with .N}}{{$.X}}{{end}}", "xx", id="the dollar sign is the data"),
        pytest.param(
            '{{define "a"}}<{{.}}>{{end}}{{template "a" .X}}{{template "a"}}', "<x><<no value>>", id="templates"
        ),
        pytest.param('{{block "a" .X}}[{{.}}]{{end}}', "[x]", id="a block"),
        pytest.param("{{twice .N}} {{.N | twice | twice}} {{twice (twice 1)}}", "34 68 4", id="functions"),
        pytest.param("{{count}} {{count 1 2}} {{3 | count 1}}", "0 2 2", id="any number of arguments"),
        pytest.param(
            "{{twice 'a'}} {{twice 0x10}} {{twice 1e3}}", "194 32 2000", id="constants that are whole numbers"
        ),
        pytest.param(
            "{{1}} {{1.0}} {{'a'}} {{0x1F}} {{1e3}} {{2i}} {{1_000}}", "1 1 97 31 1000 (0+2i) 1000", id="constants"
        ),
        pytest.param('{{"a\\tb\\u00e9"}} {{`a\\tb`}}', "a\tbé a\\tb", id="strings"),
        pytest.param("{{and 1 0 (broken)}} {{or 0 2 (broken)}}", "0 2", id="and and or do not evaluate what follows"),
        pytest.param("{{print (and .X .N)}} {{or .Empty .None}}", "17 []", id="and and or give the last value"),
        pytest.param("{{- .X -}} \n {{- .N -}}", "x17", id="trimmed spaces"),
        pytest.param("{{(.Map).a}} {{(index .List 1)}}", "1 2", id="a field of a pipeline"),
    ],
)
def test_a_template_gives_its_text(text: str, output: str) -> None:
    assert _run(text, missing_key=MissingKey.ZERO if ".none" in text else MissingKey.DEFAULT) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "{{.X.Y}}", 'test:1:4: executing "test" at <.X.Y>: can\'t evaluate field Y in type interface {}', id="x"
        ),
        pytest.param(
            "{{.Anna.Nope}}",
            'test:1:7: executing "test" at <.Anna.Nope>: can\'t evaluate field Nope in type interface {}',
            id="an unknown field",
        ),
        pytest.param(
            "{{with .Anna}}{{.Nope}}{{end}}",
            'test:1:16: executing "test" at <.Nope>: can\'t evaluate field Nope in type test.Person',
            id="an unknown field of a struct",
        ),
        pytest.param(
            "{{.Nil.Y}}",
            'test:1:6: executing "test" at <.Nil.Y>: nil pointer evaluating interface {}.Y',
            id="a field of nothing",
        ),
        pytest.param(
            "{{with $x := .Nobody}}{{else}}{{.Nobody.Name}}{{end}}",
            'test:1:39: executing "test" at <.Nobody.Name>: nil pointer evaluating interface {}.Name',
            id="a field of a nil pointer",
        ),
        pytest.param(
            "{{.Map.a.b}}",
            'test:1:6: executing "test" at <.Map.a.b>: can\'t evaluate field b in type interface {}',
            id="a field of a number",
        ),
        pytest.param(
            "{{.X 1}}", 'test:1:2: executing "test" at <.X>: X is not a method but has arguments', id="arguments"
        ),
        pytest.param(
            "{{.Anna.Name 1}}",
            'test:1:7: executing "test" at <.Anna.Name>: Name has arguments but cannot be invoked as function',
            id="arguments of a field",
        ),
        pytest.param(
            "{{twice}}",
            'test:1:2: executing "test" at <twice>: wrong number of args for twice: want 1 got 0',
            id="too few",
        ),
        pytest.param(
            "{{twice 1 2}}",
            'test:1:2: executing "test" at <twice>: wrong number of args for twice: want 1 got 2',
            id="many",
        ),
        pytest.param(
            '{{twice "1"}}', 'test:1:8: executing "test" at <"1">: expected integer; found "1"', id="a string"
        ),
        pytest.param(
            "{{twice 1.5}}", 'test:1:8: executing "test" at <1.5>: expected integer; found 1.5', id="a fraction"
        ),
        pytest.param("{{upper 1}}", 'test:1:8: executing "test" at <1>: expected string; found 1', id="a number"),
        pytest.param(
            "{{upper .N}}",
            'test:1:8: executing "test" at <.N>: wrong type for value; expected string; got int',
            id="a value of the wrong type",
        ),
        pytest.param("{{upper nil}}", 'test:1:8: executing "test" at <nil>: cannot assign nil to string', id="nil"),
        pytest.param(
            "{{broken}}",
            'test:1:2: executing "test" at <broken>: error calling broken: out of order',
            id="a failing function",
        ),
        pytest.param("{{nil}}", 'test:1:2: executing "test" at <nil>: nil is not a command', id="nil alone"),
        pytest.param(
            "{{1 | 2 | print}}", "test:1: non executable command in pipeline stage 2", id="a number in a pipe"
        ),
        pytest.param("{{3 4}}", 'test:1:2: executing "test" at <3>: can\'t give argument to non-function 3', id="3 4"),
        pytest.param(
            "{{range .X}}{{end}}",
            'test:1:8: executing "test" at <.X>: range can\'t iterate over x',
            id="range over text",
        ),
        pytest.param(
            "{{range $a, $b := 3}}{{end}}",
            'test:1:18: executing "test" at <3>: can\'t use 3 to iterate over more than one variable',
            id="two variables over a number",
        ),
        pytest.param(
            '{{template "no"}}', 'test:1:11: executing "test" at <{{template "no"}}>: template "no" not defined', id="t"
        ),
        pytest.param(
            "a\nbc{{\n .X.Y}}",
            'test:3:3: executing "test" at <.X.Y>: can\'t evaluate field Y in type interface {}',
            id="place",
        ),
        pytest.param(
            '{{define "in"}}{{.a.b}}{{end}}{{template "in" .Map}}',
            'test:1:19: executing "in" at <.a.b>: can\'t evaluate field b in type interface {}',
            id="inside of another template",
        ),
        pytest.param(
            "{{not}}", 'test:1:2: executing "test" at <not>: wrong number of args for not: want 1 got 0', id="not"
        ),
        pytest.param(
            "{{and}}",
            'test:1:2: executing "test" at <and>: wrong number of args for and: want at least 1 got 0',
            id="and",
        ),
    ],
)
def test_what_cannot_be_executed_is_said_with_the_words_of_go(text: str, problem: str) -> None:
    with pytest.raises(TemplateError) as refused:
        _run(text)

    assert str(refused.value) == f"template: {problem}"


@pytest.mark.parametrize(
    ("missing_key", "output"),
    [
        pytest.param(MissingKey.DEFAULT, "<no value>/<no value>", id="by default they have no value"),
        pytest.param(MissingKey.ZERO, "<no value>/", id="as zeros they are what the map's type says"),
    ],
)
def test_entries_that_are_missing_are_what_was_asked_for(missing_key: MissingKey, output: str) -> None:
    assert _run("{{.Missing}}/{{.Labels.missing}}", missing_key=missing_key) == output


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param({"a": 1}, 'map has no entry for key "Foo"', id="a map without it"),
        pytest.param(None, 'nil data; no entry for key "Foo"', id="no data at all"),
    ],
)
def test_entries_that_are_missing_are_errors_if_that_was_asked_for(data: Any, problem: str) -> None:
    with pytest.raises(TemplateExecutionError) as refused:
        _run("{{ .Foo }}", data, MissingKey.ERROR)

    assert str(refused.value) == f'template: test:1:3: executing "test" at <.Foo>: {problem}'


def test_nothing_of_python_can_be_reached() -> None:
    for name in ("__class__", "__dict__", "upper", "append", "items"):
        for value in ("X", "List", "Map", "Anna", "Labels"):
            with pytest.raises(TemplateExecutionError):
                _run(f"{{{{.{value}.{name}.x}}}}", missing_key=MissingKey.ERROR)
