"""Expanding one template with Prometheus' functions."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.gotemplate import Limits, TemplateError, TemplateExecutionError
from vedette.model.errors import QueryError
from vedette.model.labels import LabelSet
from vedette.rules.templates import Expansion, expand_html, expand_text

_NOW_MS = 1_709_647_327_012


def _ask(expression: str, at_ms: int) -> list[tuple[LabelSet, float]]:
    assert at_ms == _NOW_MS
    match expression:
        case "up":
            return [((("__name__", "up"), ("job", "b")), 0.0), ((("__name__", "up"), ("job", "a")), 1.0)]
        case "bad(":
            raise QueryError("unclosed left parenthesis")
        case _:
            return []


_WORLD = Expansion(_NOW_MS, "http://vedette.example/mon", _ask)


def _expand(text: str, data: Any = None, expansion: Expansion = _WORLD) -> str:
    return expand_text(text, "test", data, expansion)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param(
            '{{range query "up" | sortByLabel "job"}}{{.Labels.job}}={{.Value}} {{end}}', "a=1 b=0 ", id="query"
        ),
        pytest.param('{{with query "up"}}{{. | first | value}} {{. | first | label "job"}}{{end}}', "0 b", id="first"),
        pytest.param('{{query "up" | first | strvalue}}', "", id="strvalue of an answer without __value__"),
        pytest.param('{{with query "none"}}some{{else}}none{{end}}', "none", id="an empty answer"),
        pytest.param("{{pathPrefix}} {{externalURL}}", "/mon http://vedette.example/mon", id="this server"),
        pytest.param("{{now | humanizeTimestamp}}", "2024-03-05 14:02:07.012 +0000 UTC", id="now"),
        pytest.param(
            '{{graphLink "up == 0"}} {{tableLink "up"}}',
            "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1",
            id="links",
        ),
        pytest.param('{{title "hello wORLD"}} {{toUpper "a"}} {{toLower "B"}}', "Hello WORLD A b", id="letters"),
        pytest.param('{{reReplaceAll "(.*):.*" "$1" "web:9100"}} {{match "w.b" "web"}}', "web true", id="patterns"),
        pytest.param('{{stripPort "web:9100"}} {{stripDomain "web.example.org:9100"}}', "web web:9100", id="hosts"),
        pytest.param(
            "{{humanize 123456}} {{humanize1024 2048}} {{humanizeDuration 3661}}", "123.5k 2ki 1h 1m 1s", id="numbers"
        ),
        pytest.param(
            '{{humanizePercentage 0.123}} {{"1e3" | humanize}}', "12.3% 1k", id="shares, and numbers in texts"
        ),
        pytest.param(
            '{{parseDuration "1h30m"}} {{(toDuration 90).String}} {{(toTime 0).Year}}',
            "5400 1m30s 1970",
            id="durations",
        ),
        pytest.param('{{urlQueryEscape "a b&c"}}', "a+b%26c", id="urlQueryEscape"),
        pytest.param('{{with args 1 "b"}}{{.arg0}}{{.arg1}}{{end}}', "1b", id="args"),
    ],
)
def test_a_function_gives_what_it_gives_in_prometheus(text: str, output: str) -> None:
    assert _expand(text) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{{", "error parsing template test: template: test:1: unclosed action", id="an open action"),
        pytest.param(
            '{{query "none" | first}}',
            'error executing template test: template: test:1:17: executing "test" at <first>: error calling first: '
            "first() called on vector with no elements",
            id="the first of nothing",
        ),
        pytest.param(
            '{{query "bad("}}',
            'error executing template test: template: test:1:2: executing "test" at <query "bad(">: '
            "error calling query: unclosed left parenthesis",
            id="a query that fails",
        ),
        pytest.param(
            '{{humanize "x"}}',
            'error executing template test: template: test:1:2: executing "test" at <humanize "x">: '
            'error calling humanize: strconv.ParseFloat: parsing "x": invalid syntax',
            id="no number",
        ),
        pytest.param(
            "{{tmpl `x` .}}",
            'error parsing template test: template: test:1: function "tmpl" not defined',
            id="tmpl in text",
        ),
    ],
)
def test_what_fails_is_said_with_the_words_of_prometheus(text: str, problem: str) -> None:
    with pytest.raises(TemplateError) as refused:
        _expand(text)

    assert str(refused.value) == problem


def test_a_query_where_there_is_nothing_to_ask_is_an_error() -> None:
    with pytest.raises(TemplateExecutionError, match="nothing here that could be asked"):
        _expand('{{query "up"}}', expansion=Expansion(_NOW_MS))


def test_queries_without_end_are_a_limit() -> None:
    with pytest.raises(TemplateExecutionError, match="steps are needed"):
        _expand('{{range 1000}}{{$x := query "up"}}{{end}}')


def test_a_page_uses_templates_of_files_by_names_that_it_computes() -> None:
    files = {"lib": '{{define "row"}}<td>{{.}}</td>{{end}}'}

    page = expand_html('<tr>{{tmpl (print "r" "ow") "<x>"}}</tr>', "page", None, _WORLD, files)

    assert page == "<tr><td>&lt;x&gt;</td></tr>"


def test_a_page_says_which_template_is_missing() -> None:
    with pytest.raises(TemplateExecutionError, match='html/template: "row" is undefined'):
        expand_html('{{tmpl "row" .}}', "page", None, _WORLD)


def test_templates_that_use_each_other_in_a_circle_are_a_limit() -> None:
    files = {"lib": '{{define "a"}}{{tmpl "a" .}}{{end}}'}

    with pytest.raises(TemplateExecutionError, match="stand deeper"):
        expand_html('{{tmpl "a" .}}', "page", None, _WORLD, files)


def test_the_limits_of_an_expansion_count() -> None:
    with pytest.raises(TemplateExecutionError, match="more than 10 bytes"):
        _expand("12345678901", expansion=Expansion(_NOW_MS, limits=Limits(output_bytes=10)))


@given(st.floats() | st.integers(-(2**63), 2**63 - 1))
def test_every_number_can_be_shown_to_people(number: float) -> None:
    for function in ("humanize", "humanize1024", "humanizeDuration", "humanizePercentage"):
        assert _expand(f"{{{{{function} .}}}}", number)
    if math.isfinite(number) and abs(number) < 9e9:
        assert _expand("{{humanizeTimestamp .}}", number).endswith("UTC")
