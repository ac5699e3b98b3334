"""Prometheus' protobuf exposition: `MetricFamily` messages, each behind its length.

Its histograms and summaries become the samples that the text format would show, in the order in which
Prometheus puts them; `le` and `quantile` are written as OpenMetrics writes numbers. Of native histograms only
the count, the sum and the classic buckets are read, and a note says so.
Source: prometheus/client_model, io/prometheus/client/metrics.proto; prometheus/prometheus,
model/textparse/protobufparse.go.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.exposition.float_writing import format_openmetrics_float

Value = int | float | bytes
"""A varint, a double, or bytes: a string or a message."""

Message = dict[int, list[Value]]
"""A message's values by field number."""


@dataclass(frozen=True, slots=True)
class DecodedSample:
    """One sample; `time_ms` is None where the exposition does not say."""

    labels: LabelSet
    value: float
    time_ms: int | None
    exemplar: Exemplar | None


@dataclass(frozen=True, slots=True)
class DecodedFamilies:
    """What a body holds.

    Attributes:
        samples: in order.
        metadata: of each family.
        notes: what is not read, by name.
    """

    samples: tuple[DecodedSample, ...]
    metadata: tuple[Metadata, ...]
    notes: tuple[str, ...]


_TYPES: Final = (
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.SUMMARY,
    MetricType.UNKNOWN,
    MetricType.HISTOGRAM,
    MetricType.GAUGE_HISTOGRAM,
)
_SIMPLE_FIELDS: Final = {MetricType.GAUGE: 2, MetricType.COUNTER: 3, MetricType.UNKNOWN: 5}
_NATIVE_FIELDS: Final = frozenset({9, 10, 11, 12, 13, 14})
_MAX_VARINT_BYTES: Final = 10


def decode_families(body: bytes, *, max_samples: int) -> DecodedFamilies:
    """The samples and metadata of a body.

    Raises:
        DecodeError: it is not a sequence of metric families.
        LimitExceededError: it holds more than `max_samples` samples.
    """
    samples: list[DecodedSample] = []
    metadata: list[Metadata] = []
    notes: list[str] = []
    at = 0
    while at < len(body):
        length, at = _varint(body, at)
        if length > len(body) - at:
            raise DecodeError(f"metric family of {length} bytes where {len(body) - at} are left")
        family = _fields(body[at : at + length])
        at += length
        told = _metadata(family)
        metadata.append(told)
        native = False
        for metric in _messages(family, 4):
            samples.extend(_samples(told, metric))
            native = native or any(_is_native(histogram) for histogram in _messages(metric, 7))
            if len(samples) > max_samples:
                raise LimitExceededError(
                    limit="max_series", allowed=max_samples, found=None, what="samples of one target"
                )
        if native:
            notes.append(f"{told.family}: native histograms are not read, only their classic part")
    return DecodedFamilies(tuple(samples), tuple(metadata), tuple(notes))


def _metadata(family: Message) -> Metadata:
    name = _string(family, 1)
    if not name:
        raise DecodeError("metric family without a name")
    number = _integer(family, 3)
    if number >= len(_TYPES):
        raise DecodeError(f'metric family "{name}" is of the unknown type {number}')
    unit = _string(family, 5)
    if unit and not name.endswith("_" + unit):
        raise DecodeError(f'unit "{unit}" not a suffix of metric "{name}"')
    return Metadata(name, _TYPES[number], unit, _string(family, 2))


def _samples(told: Metadata, metric: Message) -> Iterator[DecodedSample]:
    """The samples of one metric, as the text format would show them."""
    pairs = _labels(metric, f'metric "{told.family}"')
    time_ms = _signed(_integer(metric, 6)) if 6 in metric else None

    def sample(
        suffix: str, value: float, bound: tuple[str, float] | None = None, exemplar: Exemplar | None = None
    ) -> DecodedSample:
        labels = {**pairs, METRIC_NAME: told.family + suffix}
        if bound is not None:
            labels[bound[0]] = format_openmetrics_float(bound[1])
        return DecodedSample(label_set(labels), math.nan if math.isnan(value) else value, time_ms, exemplar)

    match told.type:
        case MetricType.SUMMARY:
            summary = _only(metric, 4, told)
            yield sample("_count", float(_integer(summary, 1)))
            yield sample("_sum", _double(summary, 2))
            for quantile in _messages(summary, 3):
                yield sample("", _double(quantile, 2), ("quantile", _double(quantile, 1)))
        case MetricType.HISTOGRAM | MetricType.GAUGE_HISTOGRAM:
            histogram = _only(metric, 7, told)
            count = _count(histogram, 1, 4)
            yield sample("_count", count)
            yield sample("_sum", _double(histogram, 2))
            infinite = False
            for bucket in _messages(histogram, 3):
                upper = _double(bucket, 2)
                infinite = infinite or upper == math.inf
                yield sample("_bucket", _count(bucket, 1, 4), ("le", upper), _exemplar(bucket, 3))
            if not infinite:
                yield sample("_bucket", count, ("le", math.inf))
        case _:
            simple = _only(metric, _SIMPLE_FIELDS[told.type], told)
            exemplar = _exemplar(simple, 2) if told.type is MetricType.COUNTER else None
            yield sample("", _double(simple, 1), None, exemplar)


def _only(metric: Message, field: int, told: Metadata) -> Message:
    found = _messages(metric, field)
    if not found:
        raise DecodeError(f'metric family "{told.family}" says it is a {told.type} and holds something else')
    return found[-1]


def _count(message: Message, whole: int, fractional: int) -> float:
    """A count, which may be a float if it is not zero."""
    return _double(message, fractional) or float(_integer(message, whole))


def _is_native(histogram: Message) -> bool:
    return bool(_NATIVE_FIELDS & histogram.keys()) or _double(histogram, 6) > 0 or _integer(histogram, 7) > 0


def _exemplar(message: Message, field: int) -> Exemplar | None:
    found = _messages(message, field)
    if not found:
        return None
    time_ms = None
    for moment in _messages(found[-1], 3):
        time_ms = _signed(_integer(moment, 1)) * 1000 + _signed(_integer(moment, 2)) // 1_000_000
    return Exemplar(label_set(_labels(found[-1], "exemplar")), _double(found[-1], 2), time_ms)


def _labels(message: Message, of: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in _messages(message, 1):
        name = _string(pair, 1)
        if not name:
            raise DecodeError(f"{of} has a label without a name")
        if name in pairs or name == METRIC_NAME:
            raise DecodeError(f'{of}: label name "{name}" is not unique: invalid sample')
        pairs[name] = _string(pair, 2)
    return pairs


def _messages(message: Message, field: int) -> list[Message]:
    return [_fields(value) for value in message.get(field, ()) if isinstance(value, bytes)]


def _string(message: Message, field: int) -> str:
    value = message.get(field, [b""])[-1]
    if not isinstance(value, bytes):
        raise DecodeError(f"field {field} is not a string")
    try:
        return value.decode()
    except UnicodeDecodeError as exc:
        raise DecodeError(f"field {field} is not valid UTF-8: {value[:40]!r}") from exc


def _integer(message: Message, field: int) -> int:
    value = message.get(field, [0])[-1]
    if not isinstance(value, int):
        raise DecodeError(f"field {field} is not a whole number")
    return value


def _double(message: Message, field: int) -> float:
    value = message.get(field, [0.0])[-1]
    if not isinstance(value, float):
        raise DecodeError(f"field {field} is not a floating-point number")
    return value


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _fields(data: bytes) -> Message:
    """A message's values by field number. Unknown fields are kept and never looked at."""
    message: Message = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value: Value
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
            case 1:
                value, at = struct.unpack("<d", _take(data, at, 8))[0], at + 8
            case 2:
                length, at = _varint(data, at)
                value, at = _take(data, at, length), at + length
            case 5:
                value, at = _take(data, at, 4), at + 4
            case kind:
                raise DecodeError(f"field {tag >> 3} has the unknown wire type {kind}")
        message.setdefault(tag >> 3, []).append(value)
    return message


def _take(data: bytes, at: int, length: int) -> bytes:
    if length > len(data) - at:
        raise DecodeError(f"{length} bytes wanted where {len(data) - at} are left")
    return data[at : at + length]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(_MAX_VARINT_BYTES):
        if at >= len(data):
            raise DecodeError("the body ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise DecodeError("a number of more than 64 bits")
