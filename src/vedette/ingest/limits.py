"""What may come in: limits on label sets and times, each with its option's name.

A sample that a limit refuses is dropped and counted under the limit's reason; the others of its batch are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.model.labels import METRIC_NAME, LabelSet


class Drop(StrEnum):
    """Why a sample was not stored; the values are labels of `vedette_samples_dropped_total`."""

    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    TOO_OLD = "too_old"
    TOO_FAR_IN_FUTURE = "too_far_in_future"
    OUT_OF_RETENTION = "out_of_retention"
    SERIES_LIMIT = "series_limit"
    TARGET_SERIES_LIMIT = "target_series_limit"
    LABEL_COUNT = "label_count"
    LABEL_NAME_LENGTH = "label_name_length"
    LABEL_VALUE_LENGTH = "label_value_length"
    NO_METRIC_NAME = "no_metric_name"
    INVALID_LABELS = "invalid_labels"
    RELABELLED = "relabelled"
    COLLISION = "collision"
    NATIVE_HISTOGRAM = "native_histogram"
    OVERLOADED = "overloaded"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """Limits on what any source may send.

    Attributes:
        max_series: series in the store, all sources and all of retention together.
        max_labels: labels of one series, `__name__` included.
        max_label_name_bytes: length of a label's name in UTF-8.
        max_label_value_bytes: length of a label's value in UTF-8.
        out_of_order_window_ms: how far behind its series' newest sample one may be.
        max_future_ms: how far ahead of this machine's clock a sample may be.
        retention_ms: samples older than this are refused; they would be deleted at once.
    """

    max_series: int = 1_000_000
    max_labels: int = 128
    max_label_name_bytes: int = 1024
    max_label_value_bytes: int = 4096
    out_of_order_window_ms: int = 600_000
    max_future_ms: int = 600_000
    retention_ms: int = 30 * 86_400_000


def refuse_labels(labels: LabelSet, limits: IngestLimits) -> tuple[Drop, str] | None:
    """Why a series with these labels cannot be stored, as reason and sentence; None if it can."""
    if len(labels) > limits.max_labels:
        return Drop.LABEL_COUNT, f"{len(labels)} labels where `limits.labels_per_series` allows {limits.max_labels}"
    named = False
    for name, value in labels:
        if len(name) > limits.max_label_name_bytes or _bytes(name) > limits.max_label_name_bytes:
            return (
                Drop.LABEL_NAME_LENGTH,
                (
                    f"label name {name[:40]!r}… is longer than `limits.label_name_length` allows"
                    f" ({limits.max_label_name_bytes})"
                ),
            )
        if len(value) > limits.max_label_value_bytes or _bytes(value) > limits.max_label_value_bytes:
            return (
                Drop.LABEL_VALUE_LENGTH,
                (
                    f"the value of label {name!r} ({value[:40]!r}…) is longer than"
                    f" `limits.label_value_length` allows ({limits.max_label_value_bytes})"
                ),
            )
        named = named or name == METRIC_NAME
    if not named:
        return Drop.NO_METRIC_NAME, "there is no metric name"
    return None


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
