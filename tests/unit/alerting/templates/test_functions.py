"""The functions of notifications."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vedette.alerting.templates import Library
from vedette.alerting.templates.functions import FUNCTIONS
from vedette.lang.gotemplate import TemplateExecutionError, strings, time
from vedette.lang.gotemplate.builtins import BUILTINS
from vedette.rules.templates.functions import FUNCTIONS as RULE_FUNCTIONS

_LIBRARY = Library()
_PAGE = Path(__file__).parents[4] / "docs" / "reference" / "templates.md"


def _run(text: str, data: Any = None) -> str:
    return _LIBRARY.render(text, data, now_ms=0)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param(
            '{{ "abc" | toUpper }} {{ "ABC" | toLower }} {{ "it\'s a BIG day" | title }}',
            "ABC abc It's A Big Day",
            id="letters",
        ),
        pytest.param('{{ " a b " | trimSpace }}.', "a b.", id="trimSpace"),
        pytest.param('{{ stringSlice "a" "b" | join ", " }}', "a, b", id="join"),
        pytest.param('{{ match "^a.c$" "abc" }} {{ reReplaceAll "(b)" "<$1>" "abc" }}', "true a<b>c", id="patterns"),
        pytest.param('{{ "a%20b+c" | urlUnescape }}', "a b c", id="urlUnescape"),
        pytest.param('{{ date "2006-01-02 15:04" . }}', "2024-03-05 14:02", id="date"),
        pytest.param('{{ . | tz "Asia/Tokyo" | date "15:04 MST" }}', "23:02 JST", id="tz"),
        pytest.param("{{ humanizeDuration 93784 }}", "1d 2h 3m 4s", id="humanizeDuration"),
        pytest.param('{{ dict "a" 1 "b" (list 1 "x") | toJson }}', '{"a":1,"b":[1,"x"]}', id="dict and list"),
        pytest.param("{{ append (list 1) 2 | toJson }}", "[1,2]", id="append"),
        pytest.param('{{ "hi" | base64encode }} {{ "aGk=" | base64decode }}', "aGk= hi", id="base64"),
        pytest.param('{{ toDate "2006-01-02" "x" | date "2006" }}', "0001", id="toDate of no date is the zero time"),
    ],
)
def test_a_function_gives_what_it_gives_in_alertmanager(text: str, output: str) -> None:
    assert _run(text, time(1_709_647_327_000_000_000)) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('{{ "%zz" | urlUnescape }}', 'invalid URL escape "%zz"', id="no escape"),
        pytest.param('{{ tz "Nowhere/Land" . }}', "unknown time zone Nowhere/Land", id="no zone"),
        pytest.param('{{ tz "../../etc/passwd" . }}', "unknown time zone", id="a path for a zone"),
        pytest.param('{{ dict "a" }}', "dict expects an even number of arguments", id="half of a pair"),
        pytest.param('{{ join "," "a" }}', "wrong type for value; expected []string; got string", id="join of a text"),
    ],
)
def test_a_function_refuses_what_it_cannot_do(text: str, problem: str) -> None:
    with pytest.raises(TemplateExecutionError) as refused:
        _run(text, time(0))

    assert problem in str(refused.value) or "can't handle" in str(refused.value)


def test_a_list_of_strings_is_joined() -> None:
    assert _run('{{ join "-" . }}', strings(["a", "b"])) == "a-b"


def test_the_reference_names_every_function_and_default_template() -> None:
    page = re.sub(r"```.*?```", "", _PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    words = {word for quoted in re.findall("`([^`]+)`", page) for word in quoted.split()}
    kinds = {name.split(".default.")[0] for name in _LIBRARY.names() if ".default." in name}

    assert sorted({*BUILTINS, *FUNCTIONS, *RULE_FUNCTIONS} - words) == []
    assert [kind for kind in kinds if f"`{kind}.default." not in page] == []
