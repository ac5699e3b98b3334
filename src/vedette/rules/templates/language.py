"""The templates of alerting rules: what they are expanded with, and what stands in an alert where that fails.

Source: Prometheus' `rules/alerting.go` and `model/rulefmt/rulefmt.go`.
"""

from __future__ import annotations

from typing import Final

from vedette.lang.gotemplate import (
    ANY,
    MAP_STRING,
    STRING,
    Field,
    GoType,
    TemplateError,
    TemplateSyntaxError,
    Typed,
    string_map,
    struct_of,
)
from vedette.rules.expansion import AlertData, Templates
from vedette.rules.templates.expand import Expansion, expand_text, parsed

_DEFINITIONS: Final = (
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
)
_DATA: Final[GoType] = struct_of(
    Field("Labels", MAP_STRING),
    Field("ExternalLabels", MAP_STRING),
    Field("ExternalURL", STRING),
    Field("Value", ANY),
)
_ACTION: Final = "{{"


class PrometheusTemplates:
    """Prometheus' template language."""

    def check(self, text: str, alert: str) -> str:
        """What is wrong with a template of this alert; empty if nothing is."""
        if _ACTION not in text:
            return ""
        try:
            parsed(_name(alert), _DEFINITIONS + text)
        except TemplateSyntaxError as exc:
            return str(exc)
        return ""

    def expand(self, text: str, alert: str, data: AlertData) -> str:
        """The text that a template gives; what fails stands in it as `<error expanding template: ...>`."""
        if _ACTION not in text:
            return text
        around = data.around
        expansion = Expansion(data.at_ms, around.external_url, around.query)
        try:
            return expand_text(_DEFINITIONS + text, _name(alert), _data(data), expansion)
        except TemplateError as exc:
            return f"<error expanding template: {exc}>"


def template_language() -> Templates:
    """The language of rule files."""
    return PrometheusTemplates()


def _name(alert: str) -> str:
    return f"__alert_{alert}"


def _data(data: AlertData) -> Typed:
    return Typed(
        _DATA,
        {
            "Labels": string_map(data.labels),
            "ExternalLabels": string_map(data.around.external_labels),
            "ExternalURL": data.around.external_url,
            "Value": data.value,
        },
    )
