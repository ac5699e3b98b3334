"""Read a text exposition into metric families, strictly: for files that people and cron jobs write.

Where `layout` takes what Prometheus' scraper takes, this reader refuses what Prometheus' library for such
files refuses: unknown escapes, line breaks in values, bounds that are no numbers, a label twice, a second
HELP or TYPE line, a TYPE line behind the samples, a negative count. So a broken file is found where it is
written.
Source: prometheus/common, expfmt/text_parse.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from vedette.model.labels import METRIC_NAME, LabelSet, is_legacy_label_name, is_legacy_metric_name
from vedette.model.samples import Metadata, MetricType
from vedette.wire.exposition.encoding import Family, Sample
from vedette.wire.exposition.entries import Fault, Field, Format, MetadataEntry, SampleEntry, excerpt
from vedette.wire.exposition.float_reading import parse_float
from vedette.wire.exposition.reference import read_entries

_BAD_ESCAPE = re.compile(rb'(?:[^\\]|\\[\\n"])*+\\([^\\n"])', re.DOTALL)
_SUFFIXES: Final = {
    MetricType.SUMMARY: ("_sum", "_count"),
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"),
    MetricType.GAUGE_HISTOGRAM: ("_bucket", "_sum", "_count", "_gsum", "_gcount"),
}
_BOUNDS: Final = {MetricType.SUMMARY: "quantile", MetricType.HISTOGRAM: "le", MetricType.GAUGE_HISTOGRAM: "le"}


@dataclass(slots=True)
class _Draft:
    """A family while it is read; what has not been told is None."""

    name: str
    type: MetricType | None = None
    help: str | None = None
    samples: list[Sample] = field(default_factory=list[Sample])


def read_families(body: bytes, *, legacy_names: bool = False) -> list[Family]:
    """The families that have samples, in order of first mention.

    Args:
        body: an exposition in the text format.
        legacy_names: whether names are restricted to the legacy character set.

    Raises:
        DecodeError: it is not well-formed, or contradicts itself; names the line.
    """
    drafts: dict[str, _Draft] = {}
    for entry in read_entries(body, Format.TEXT):
        try:
            match entry:
                case MetadataEntry():
                    _check_spelling(body, entry.start, entry.text_end, names_only=True)
                    _check_name(entry.start, entry.family, legacy=legacy_names)
                    _tell(drafts.setdefault(entry.family, _Draft(entry.family)), entry)
                case SampleEntry():
                    _check_spelling(body, entry.start, entry.series_end, names_only=False)
                    _check_labels(entry.start, entry.labels, legacy=legacy_names)
                    _add(drafts, entry)
        except Fault as fault:
            raise fault.located(body) from None
    return [
        Family(Metadata(d.name, d.type or MetricType.UNKNOWN, "", d.help or ""), tuple(d.samples))
        for d in drafts.values()
        if d.samples
    ]


def _tell(draft: _Draft, entry: MetadataEntry) -> None:
    if entry.field is Field.HELP:
        if draft.help is not None:
            raise Fault(entry.start, f'second HELP line for metric name "{draft.name}"')
        draft.help = entry.text
    else:
        if draft.type is not None:
            problem = f'second TYPE line for metric name "{draft.name}", or TYPE reported after samples'
            raise Fault(entry.start, problem)
        draft.type = MetricType(entry.text)


def _add(drafts: dict[str, _Draft], entry: SampleEntry) -> None:
    labels = dict(entry.labels)
    name = labels[METRIC_NAME]
    draft = _family_of(drafts, name)
    if draft.type is None:
        draft.type = MetricType.UNKNOWN
    bound = _BOUNDS.get(draft.type)
    if bound in labels:
        try:
            parse_float(labels[bound])
        except ValueError:
            problem = f"expected float as value for '{bound}' label, got \"{labels[bound]}\""
            raise Fault(entry.start, problem) from None
    if draft.type is MetricType.HISTOGRAM and name.endswith(("_count", "_bucket")) and entry.value < 0:
        raise Fault(entry.start, f'negative count for histogram "{draft.name}"')
    draft.samples.append(Sample(entry.labels, entry.value, entry.time_ms))


def _family_of(drafts: dict[str, _Draft], name: str) -> _Draft:
    if name not in drafts:
        for suffix in ("_bucket", "_sum", "_count", "_gsum", "_gcount"):
            owner = drafts.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
            if owner is not None and suffix in _SUFFIXES.get(owner.type or MetricType.UNKNOWN, ()):
                return owner
    return drafts.setdefault(name, _Draft(name))


def _check_spelling(body: bytes, start: int, end: int, *, names_only: bool) -> None:
    """Refuse escapes and line breaks that the scraper lets pass."""
    raw = body[start:end]
    if b"\n" in raw:
        raise Fault(start, f"name or label value contains unescaped new-line: {excerpt(raw)}")
    bad = _BAD_ESCAPE.match(raw)
    if bad is not None:
        what = "help or name" if names_only else "name or label value"
        raise Fault(start, f"invalid escape sequence '\\{bad[1].decode('latin-1')}' in {what}")


def _check_labels(start: int, labels: LabelSet, *, legacy: bool) -> None:
    for name, value in labels:
        if name == METRIC_NAME:
            _check_name(start, value, legacy=legacy)
        elif legacy and not is_legacy_label_name(name):
            raise Fault(start, f'invalid label name "{name}"')


def _check_name(start: int, name: str, *, legacy: bool) -> None:
    if legacy and not is_legacy_metric_name(name):
        raise Fault(start, f'invalid metric name "{name}"')
