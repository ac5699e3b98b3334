"""Label sets: what identifies a series.

A label set is a sorted tuple of unique name/value pairs of str; the metric's name is the label
`__name__`; an empty value means that the label is absent. Identity is the 64-bit xxh3 of its canonical
encoding, the same in memory, on disk and between instances.

Source: Prometheus' data model (https://prometheus.io/docs/concepts/data_model/). Names may be any
UTF-8, as since Prometheus 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NewType

import xxhash

METRIC_NAME: Final = "__name__"

LabelSet = tuple[tuple[str, str], ...]
"""Sorted by name, names unique, no empty values. Build it with `label_set`."""

SeriesId = NewType("SeriesId", int)
"""uint64: the xxh3 of a label set's canonical encoding."""

_LEGACY_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_LEGACY_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")


def label_set(labels: Mapping[str, str] | Iterable[tuple[str, str]]) -> LabelSet:
    """The canonical label set of some pairs; of two pairs with one name the later one counts."""
    pairs = dict(labels)
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


def encode_labels(labels: LabelSet) -> bytes:
    """The canonical encoding: each name and value as UTF-8 behind its 4-byte little-endian length.

    Lengths, and not separators, so that no text can imitate a boundary.
    """
    parts: list[bytes] = []
    for pair in labels:
        for text in pair:
            raw = text.encode("utf-8", "surrogatepass")
            parts.append(len(raw).to_bytes(4, "little"))
            parts.append(raw)
    return b"".join(parts)


def series_id(labels: LabelSet) -> SeriesId:
    """The identity of the series with these labels."""
    return SeriesId(xxhash.xxh3_64_intdigest(encode_labels(labels)))


def is_legacy_label_name(name: str) -> bool:
    """Whether a label's name can be written without quotes."""
    return _LEGACY_LABEL_NAME.match(name) is not None


def is_legacy_metric_name(name: str) -> bool:
    """Whether a metric's name can be written without quotes."""
    return _LEGACY_METRIC_NAME.match(name) is not None


def format_labels(labels: LabelSet) -> str:
    """A label set in PromQL's notation: `up{instance="a:9100",job="node"}`."""
    name = ""
    inner: list[str] = []
    for key, value in labels:
        if key == METRIC_NAME and is_legacy_metric_name(value):
            name = value
        elif key == METRIC_NAME:
            inner.insert(0, quote(value))
        else:
            inner.append(f"{key if is_legacy_label_name(key) else quote(key)}={quote(value)}")
    if not inner and name:
        return name
    return f"{name}{{{','.join(inner)}}}"


def quote(text: str) -> str:
    """A string in double quotes with the escapes that PromQL, exposition and Go agree on."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
