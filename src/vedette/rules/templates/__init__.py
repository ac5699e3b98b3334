"""Templates in the labels and annotations of alerts, with Prometheus' data and functions."""

from vedette.rules.templates.expand import Expansion, expand_html, expand_text
from vedette.rules.templates.humanize import float_of, humanize_duration
from vedette.rules.templates.language import PrometheusTemplates

__all__ = [
    "Expansion",
    "PrometheusTemplates",
    "expand_html",
    "expand_text",
    "float_of",
    "humanize_duration",
]
