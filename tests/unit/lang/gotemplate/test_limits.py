"""Templates that mean harm: they end soon, with an error of this package."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.gotemplate import Limits, TemplateError, TemplateExecutionError, parse, string_map
from vedette.lang.gotemplate.text_functions import TEXT_FUNCTIONS

_LIMITS = Limits(steps=20_000, output_bytes=20_000, depth=32)
_DATA: dict[str, Any] = {
    "A": [1, 2.5, "x", None],
    "M": string_map({"a": "1", "b": "ü"}),
    "S": "text <b>&\"'",
    "N": 7,
    "In": {"X": {"Y": [True, False]}},
}
_PIECES = (
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{if .S}}",
    "{{else}}",
    "{{else if .N}}",
    "{{end}}",
    "{{range .A}}",
    "{{range $i, $e := .M}}",
    "{{range 3}}",
    "{{with .In}}",
    "{{break}}",
    "{{continue}}",
    '{{define "t"}}',
    '{{template "t" .}}',
    '{{block "u" .}}',
    "{{.S}}",
    "{{.A}}",
    "{{.M.a}}",
    "{{.In.X.Y}}",
    "{{$x := .N}}",
    "{{$x = .S}}",
    "{{$x}}",
    "{{$}}",
    "{{.}}",
    "|",
    "(",
    ")",
    "print",
    "printf `%v %d %s %5.2f` . 1",
    "{{html .S | js | urlquery}}",
    "{{index .A 1}}",
    "{{slice .S 1 3}}",
    "{{len .A}}",
    "{{eq .N 7}}",
    "{{and .S .N}}",
    "{{not .}}",
    "{{match `a+` .S}}",
    "{{reReplaceAll `(t)` `$1$1` .S}}",
    "{{/* c */}}",
    "'a'",
    '"q"',
    "`r`",
    "0x1F",
    "1e3",
    "2i",
    "nil",
    "true",
    ".",
    "$",
    ":=",
    "=",
    ",",
    " ",
    "\n",
    "<a href='",
    "'>",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<!--",
    "-->",
    'onclick="',
    '"',
    "text",
    "é",
    "\x00",
    "{{call .N}}",
    "{{.S.Nope}}",
    "{{nosuch}}",
)
_VALID = (
    "{{range $i, $e := .A}}{{if $i}}, {{end}}{{$e}}{{else}}none{{end}}",
    '{{define "t"}}<a href="/x?q={{.S}}">{{.S}}</a>{{end}}{{template "t" .}}',
    "{{with .In.X}}{{range .Y}}{{.}}{{break}}{{end}}{{end}}",
    "{{$x := 1}}{{range 4}}{{$x = printf `%d-%v` . $x}}{{continue}}{{end}}{{$x | toUpper | html}}",
    '<script>var a = {{.A}}; f("{{.S}}");</script><p style="width: {{.N}}px" title={{.S}}>{{if .N}}<b>{{end}}</p>',
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{{range 1000000000}}{{end}}", "more than 20,000 steps are needed", id="a long loop"),
        pytest.param("{{range 999}}{{range 999}}{{end}}{{end}}", "more than 20,000 steps", id="a loop in a loop"),
        pytest.param('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', "stand deeper than 32", id="recursion"),
        pytest.param(
            "{{$x := `aa`}}{{range 99}}{{$x = print $x $x}}{{end}}", "more than 20,000 bytes", id="a growing text"
        ),
        pytest.param("{{range 9999}}12345{{end}}", "more than 20,000 bytes", id="much text"),
        pytest.param("{{printf `%99999d` 1}}", "more than 20,000 bytes", id="a wide number"),
        pytest.param(
            "{{reReplaceAll `` `aaaaaaaaaaaa` (printf `%9999d` 1)}}", "more than 20,000", id="a growing replacement"
        ),
        pytest.param(
            "{{range 9999}}{{if match `a{1,900}` `b`}}{{end}}{{end}}", "more than 20,000 steps", id="large patterns"
        ),
    ],
)
def test_a_limit_ends_the_execution_and_is_named(text: str, problem: str) -> None:
    with pytest.raises(TemplateExecutionError) as refused:
        parse("t", text, TEXT_FUNCTIONS).execute(None, _LIMITS)

    assert problem in str(refused.value)
    assert str(refused.value).startswith("template: t:1:")


def _try(text: str, *, html: bool) -> None:
    with contextlib.suppress(TemplateError):
        shown = parse("t", text, TEXT_FUNCTIONS, html=html).execute(_DATA, _LIMITS)
        assert len(shown.encode("utf-8")) <= _LIMITS.output_bytes


@given(st.lists(st.sampled_from(_PIECES), max_size=25).map("".join), st.booleans())
def test_pieces_of_templates_in_any_order_give_a_text_or_an_error(text: str, html: bool) -> None:  # noqa: FBT001 - drawn
    _try(text, html=html)


@given(st.text(max_size=60).map(lambda text: text.replace("<<", "{{").replace(">>", "}}")), st.booleans())
def test_any_text_gives_a_text_or_an_error(text: str, html: bool) -> None:  # noqa: FBT001 - drawn
    _try("{{" + text, html=html)
    _try(text, html=html)


@given(st.sampled_from(_VALID), st.integers(0, 1 << 32), st.booleans())
def test_damaged_templates_give_a_text_or_an_error(text: str, seed: int, html: bool) -> None:  # noqa: FBT001 - drawn
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(text) + 1), chance.choice((0, 1, 2, 5))
        text = text[:at] + chance.choice((*_PIECES, "")) + text[at + length :]

    _try(text, html=html)
