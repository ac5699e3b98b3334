"""Templates in the labels and annotations of alerts."""

from __future__ import annotations

import pytest

from vedette.rules.expansion import AlertData, Surroundings
from vedette.rules.templates import template_language

_DATA = AlertData(
    labels=(("__name__", "up"), ("instance", "web-1"), ("job", "web")),
    value=0.25,
    at_ms=1_709_647_327_012,
    around=Surroundings((("region", "eu"),), "http://vedette.example", lambda _, at_ms: [((("at", str(at_ms)),), 7.0)]),
)


def _expand(text: str) -> str:
    return template_language().expand(text, "Down", _DATA)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("{{ $labels.instance }} {{ .Labels.job }}", "web-1 web", id="labels"),
        pytest.param("{{ $value }} {{ .Value | humanizePercentage }}", "0.25 25%", id="the value"),
        pytest.param("{{ $externalLabels.region }} {{ $externalURL }}", "eu http://vedette.example", id="around"),
        pytest.param("{{ $labels.none }}.", ".", id="a label that is not there is empty"),
        pytest.param('{{ query "x" | first | value }}', "7", id="a query"),
        pytest.param("100 % of it", "100 % of it", id="no template"),
        pytest.param('{{ printf "%.1f" $value }}', "0.2", id="a format"),
    ],
)
def test_a_text_sees_the_alert(text: str, output: str) -> None:
    assert _expand(text) == output


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param(
            "{{ $labels | humanize }}",
            "<error expanding template: error executing template __alert_Down: template: __alert_Down:1:125: executing "
            '"__alert_Down" at <humanize>: error calling humanize: can\'t convert map[string]string to float>',
            id="a function that fails",
        ),
        pytest.param(
            "{{ nope }}",
            "<error expanding template: error parsing template __alert_Down: template: __alert_Down:1: "
            'function "nope" not defined>',
            id="an unknown function",
        ),
    ],
)
def test_what_fails_stands_in_the_alert(text: str, output: str) -> None:
    assert _expand(text) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{{ $labels.job }}", "", id="a good one"),
        pytest.param("no template", "", id="no template"),
        pytest.param(
            "{{ $label.job }}", 'template: __alert_Down:1: undefined variable "$label"', id="a mistyped variable"
        ),
        pytest.param("{{ if }}", "template: __alert_Down:1: missing value for if", id="half of a condition"),
    ],
)
def test_a_template_is_checked_when_its_file_is_read(text: str, problem: str) -> None:
    assert template_language().check(text, "Down") == problem
