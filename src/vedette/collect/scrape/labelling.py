"""From the labels of an exposition to those of a series: the target's labels, relabelling, and the job's limits.

Source: Prometheus 3, `scrape/scrape.go` (mutateSampleLabels, verifyLabelLimits).
"""

from __future__ import annotations

from vedette.config import NameScheme, ScrapeConfig
from vedette.ingest.relabel import compile_rules, relabel
from vedette.ingest.rows import Transform, Violation
from vedette.model.labels import (
    METRIC_NAME,
    LabelSet,
    is_legacy_label_name,
    is_legacy_metric_name,
    label_set,
)

_EXPORTED = "exported_"


def series_labels(job: ScrapeConfig, target: LabelSet) -> Transform:
    """What turns the label sets of a target's exposition into those of its series."""
    rules = compile_rules(job.metric_relabel_configs, job.metric_name_validation_scheme)
    legacy = job.metric_name_validation_scheme is NameScheme.LEGACY
    own = dict(target)

    def transform(labels: LabelSet) -> LabelSet | Violation | None:
        merged = dict(labels)
        if job.honor_labels:
            merged = {**own, **merged}
        else:
            for name in own.keys() & merged.keys():
                value = merged.pop(name)
                moved = _EXPORTED + name
                while moved in merged or moved in own:
                    moved = _EXPORTED + moved
                merged[moved] = value
            merged.update(own)
        result = relabel(label_set(merged), rules)
        if result is None:
            return None
        return _violation(result, job, legacy=legacy) or result

    return transform


def report_labels(target: LabelSet, name: str) -> LabelSet:
    """The labels of one of the series that Vedette itself writes about a target, such as `up`."""
    return label_set([*target, (METRIC_NAME, name)])


def _violation(labels: LabelSet, job: ScrapeConfig, *, legacy: bool) -> Violation | None:
    named = dict(labels)
    metric = named.get(METRIC_NAME, "")
    if not metric:
        return Violation("metric name is missing after relabelling")
    if legacy and not (is_legacy_metric_name(metric) and all(is_legacy_label_name(name) for name in named)):
        return Violation(f"invalid metric name or label names: {metric[:100]!r}")
    if job.label_limit and len(labels) > job.label_limit:
        return Violation(
            f"label_limit exceeded (metric: {metric[:50]}, number of labels: {len(labels)}, limit: {job.label_limit})"
        )
    for name, value in labels:
        size = len(name.encode("utf-8", "surrogatepass"))
        if job.label_name_length_limit and size > job.label_name_length_limit:
            return Violation(
                f"label_name_length_limit exceeded (metric: {metric[:50]}, label name: {name[:50]}, length: {size},"
                f" limit: {job.label_name_length_limit})"
            )
        size = len(value.encode("utf-8", "surrogatepass"))
        if job.label_value_length_limit and size > job.label_value_length_limit:
            return Violation(
                f"label_value_length_limit exceeded (metric: {metric[:50]}, label name: {name[:50]}, value:"
                f" {value[:50]}, length: {size}, limit: {job.label_value_length_limit})"
            )
    return None
