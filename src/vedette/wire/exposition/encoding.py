"""Write expositions: the text format for `/metrics` and `/federate`, and OpenMetrics.

Families are written in the order given, samples as they stand in them. Names beyond the legacy character set
are quoted, as in text 1.0.0 and in OpenMetrics with `escaping=allow-utf-8`.
Source: prometheus/common, expfmt/text_create.go and openmetrics_create.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from vedette.model.labels import METRIC_NAME, LabelSet, is_legacy_label_name, is_legacy_metric_name
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.exposition.float_writing import format_float, format_openmetrics_float

TEXT_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
TEXT_UTF8_CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
OPENMETRICS_CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of an exposition.

    Attributes:
        labels: `__name__` included: a histogram's lines are named `..._bucket`, `..._sum` and `..._count`.
        value: any float.
        time_ms: None to leave it to the reader's clock.
        exemplar: written in OpenMetrics only.
    """

    labels: LabelSet
    value: float
    time_ms: int | None = None
    exemplar: Exemplar | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family: what is said of it, and its lines."""

    metadata: Metadata
    samples: Sequence[Sample]


def untyped_families(samples: Iterable[Sample]) -> list[Family]:
    """Samples grouped by metric name, names in order: what `/federate` shows, without help or type."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(_metric_name(sample.labels), []).append(sample)
    return [Family(Metadata(name, MetricType.UNKNOWN, "", ""), group) for name, group in sorted(groups.items())]


def encode_text(families: Iterable[Family]) -> bytes:
    """An exposition in the text format.

    Types that it has no word for are written as the one it has: info and stateset are gauges there, a gauge
    histogram is untyped.
    """
    lines: list[str] = []
    for family in families:
        told = family.metadata
        name = _name(told.family)
        if told.help:
            lines.append(f"# HELP {name} {_escape_help(told.help)}")
        lines.append(f"# TYPE {name} {_TEXT_TYPES[told.type]}")
        for sample in family.samples:
            moment = "" if sample.time_ms is None else f" {sample.time_ms}"
            lines.append(f"{_series(sample.labels)} {format_float(sample.value)}{moment}")
    lines.append("")
    return "\n".join(lines).encode()


def encode_openmetrics(families: Iterable[Family]) -> bytes:
    """An exposition in OpenMetrics 1.0.

    A counter's family is named without `_total`. One whose lines do not end in it is of unknown type there,
    because OpenMetrics refuses such counters.
    """
    lines: list[str] = []
    for family in families:
        told = family.metadata
        kind = told.type
        short = told.family
        if kind is MetricType.COUNTER:
            short = short.removesuffix("_total")
            if any(not _metric_name(s.labels).endswith(("_total", "_created")) for s in family.samples):
                short, kind = told.family, MetricType.UNKNOWN
        name = _name(short)
        lines.append(f"# TYPE {name} {kind}")
        if told.unit and short.endswith("_" + told.unit):
            lines.append(f"# UNIT {name} {told.unit}")
        if told.help:
            lines.append(f"# HELP {name} {_escape(told.help)}")
        for sample in family.samples:
            moment = "" if sample.time_ms is None else f" {_format_seconds(sample.time_ms)}"
            value = format_openmetrics_float(sample.value)
            lines.append(f"{_series(sample.labels)} {value}{moment}{_exemplar(sample.exemplar)}")
    lines.extend(("# EOF", ""))
    return "\n".join(lines).encode()


_TEXT_TYPES: Final = {
    MetricType.COUNTER: "counter",
    MetricType.GAUGE: "gauge",
    MetricType.HISTOGRAM: "histogram",
    MetricType.GAUGE_HISTOGRAM: "untyped",
    MetricType.SUMMARY: "summary",
    MetricType.INFO: "gauge",
    MetricType.STATESET: "gauge",
    MetricType.UNKNOWN: "untyped",
}


def _metric_name(labels: LabelSet) -> str:
    for name, value in labels:
        if name == METRIC_NAME:
            return value
    raise ValueError(f"a sample without {METRIC_NAME} cannot be exposed: {labels!r}")


def _series(labels: LabelSet) -> str:
    metric = _metric_name(labels)
    plain = is_legacy_metric_name(metric)
    pairs = [] if plain else [_quoted(metric)]
    pairs.extend(_pair(name, value) for name, value in labels if name != METRIC_NAME)
    if not pairs:
        return metric
    return f"{metric if plain else ''}{{{','.join(pairs)}}}"


def _pair(name: str, value: str) -> str:
    return f"{name if is_legacy_label_name(name) else _quoted(name)}={_quoted(value)}"


def _exemplar(exemplar: Exemplar | None) -> str:
    if exemplar is None:
        return ""
    pairs = ",".join(_pair(name, value) for name, value in exemplar.labels)
    moment = "" if exemplar.time_ms is None else f" {_format_seconds(exemplar.time_ms)}"
    return f" # {{{pairs}}} {format_openmetrics_float(exemplar.value)}{moment}"


def _format_seconds(time_ms: int) -> str:
    """Milliseconds as seconds, exactly: no float stands in between."""
    sign = "-" if time_ms < 0 else ""
    seconds, milliseconds = divmod(abs(time_ms), 1000)
    return f"{sign}{seconds}.{milliseconds:03d}"


def _name(name: str) -> str:
    return name if is_legacy_metric_name(name) else _quoted(name)


def _quoted(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
