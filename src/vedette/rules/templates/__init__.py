"""Templates in the labels and annotations of alerts, with Prometheus' data and functions."""

from vedette.rules.templates.expand import Expansion, expand_html, expand_text
from vedette.rules.templates.language import PrometheusTemplates, template_language

__all__ = [
    "Expansion",
    "PrometheusTemplates",
    "expand_html",
    "expand_text",
    "template_language",
]
