"""Decode remote-write 1.0 (`prometheus.WriteRequest`): one walk over the bytes, no object per sample.

    WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
    TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar exemplars = 3;
                 repeated Histogram histograms = 4; }
    Label { string name = 1; string value = 2; }
    Sample { double value = 1; int64 timestamp = 2; }
    Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
    MetricMetadata { MetricType type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ and prompb/*.proto of Prometheus.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import DecodeError
from vedette.model.kernels import MachineInt, inline, kernel
from vedette.wire.remote_write.measure import Size, measure
from vedette.wire.remote_write.memory import address_of, load_word
from vedette.wire.remote_write.protobuf import (
    BYTES,
    FIXED64,
    READONLY_BYTES,
    VARINT,
    check_message,
    failure,
    read_fields,
    read_length,
    read_tag,
    read_varint,
    signed,
    skip_field,
)
from vedette.wire.remote_write.request import MAX_EXEMPLAR_BYTES, WriteRequest
from vedette.wire.remote_write.siphash import HashKey, siphash

_FIRST_BYTES: Final = 1 << 3 | BYTES
_SECOND_BYTES: Final = 2 << 3 | BYTES
_THIRD_BYTES: Final = 3 << 3 | BYTES
_FOURTH_BYTES: Final = 4 << 3 | BYTES
_FIRST_DOUBLE: Final = 1 << 3 | FIXED64
_SECOND_VARINT: Final = 2 << 3 | VARINT

_USUAL_LABELS: Final = 64

Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
UInt64s = NDArray[np.uint64]


def decode_v1(body: bytes, *, key: HashKey, max_series: int, max_samples: int) -> WriteRequest:
    """Decode an unpacked body; see `decode_write_request`."""
    data = np.frombuffer(body, np.uint8)
    size = measure(data, series_field=1)
    size.check(max_series=max_series, max_samples=max_samples)
    series, samples, exemplars, families = _counts(size)
    spans = np.empty((series, 2), np.int64)
    hashes = np.empty((series, 2), np.uint64)
    label_counts = np.zeros(series, np.int32)
    offsets = np.zeros(series + 1, np.int64)
    histograms = np.zeros(series, np.int32)
    owners = np.empty(samples, np.int32)
    times = np.empty(samples, np.int64)
    values = np.empty(samples, np.uint64)
    exemplar_spans = np.empty((exemplars, 3), np.int64)
    family_spans = np.empty((families, 2), np.int64)
    result = _decode(
        data,
        np.uint64(key.first),
        np.uint64(key.second),
        spans,
        hashes,
        label_counts,
        offsets,
        histograms,
        owners,
        times,
        values,
        exemplar_spans,
        family_spans,
    )
    if result < 0:
        raise failure(result, data)
    return WriteRequest(
        hashes=hashes,
        label_counts=label_counts,
        sample_offsets=offsets,
        sample_series=owners,
        times=times,
        values=values.view(np.float64),
        starts=None,
        histograms=histograms,
        exemplar_series=exemplar_spans[:, 0].astype(np.int32),
        texts=_Texts(body, spans, exemplar_spans, family_spans),
    )


def _counts(size: Size) -> tuple[int, int, int, int]:
    return size.series, size.in_series[2], size.in_series[3], size.top[3]


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """Where texts are in the body.

    Attributes:
        body: the whole request.
        spans: int64[series, 2], begin and end of each TimeSeries.
        exemplar_spans: int64[exemplars, 3], series, begin and end of each Exemplar.
        family_spans: int64[families, 2], begin and end of each MetricMetadata.
    """

    body: bytes
    spans: Int64s
    exemplar_spans: Int64s
    family_spans: Int64s

    def label_pairs(self, series: int) -> list[tuple[bytes, bytes]]:
        start, end = self.spans[series].tolist()
        return _label_pairs(self.body, start, end)

    def exemplar(self, number: int) -> tuple[list[tuple[bytes, bytes]], float, int]:
        _, start, end = self.exemplar_spans[number].tolist()
        if end - start > MAX_EXEMPLAR_BYTES:
            raise DecodeError(f"exemplar {number} has {end - start} bytes where {MAX_EXEMPLAR_BYTES} are allowed")
        value, time_ms = 0.0, 0
        for field in read_fields(self.body, start, end):
            if (field.number, field.wire_type) == (2, FIXED64):
                value = struct.unpack("<d", field.start.to_bytes(8, "little"))[0]
            elif (field.number, field.wire_type) == (3, VARINT):
                time_ms = signed(field.start)
        return _label_pairs(self.body, start, end), value, time_ms

    def series_metadata(self, series: int) -> None:
        del series

    def family_metadata(self) -> list[tuple[int, bytes, bytes, bytes]]:
        records: list[tuple[int, bytes, bytes, bytes]] = []
        for start, end in self.family_spans.tolist():
            kind = 0
            texts: dict[int, bytes] = {}
            for field in read_fields(self.body, start, end):
                if (field.number, field.wire_type) == (1, VARINT):
                    kind = field.start & 0xFFFFFFFF
                elif field.wire_type == BYTES:
                    texts[field.number] = self.body[field.start : field.end]
            records.append((kind, texts.get(2, b""), texts.get(5, b""), texts.get(4, b"")))
        return records


def _label_pairs(body: bytes, start: int, end: int) -> list[tuple[bytes, bytes]]:
    data = np.frombuffer(body, np.uint8)
    bounds = np.empty((_USUAL_LABELS, 4), np.int64)
    count = _find_labels(data, start, end, bounds)
    if count > len(bounds):
        bounds = np.empty((count, 4), np.int64)
        _find_labels(data, start, end, bounds)
    return [(body[a:b], body[c:d]) for a, b, c, d in bounds[:count].tolist()]


@kernel(f"int64({READONLY_BYTES}, int64, int64, int64[:,::1])")
def _find_labels(data: Bytes, start: int, end: int, bounds: Int64s) -> MachineInt:
    """Where names and values are in a message that is known to be well-formed; returns how many there are."""
    base = address_of(data)
    position, stop = base + start, base + end
    count = 0
    while position < stop:
        tag, position = read_tag(position, stop)
        if tag != _FIRST_BYTES:
            position = skip_field(tag, position, stop)
            continue
        inner, position = read_length(position, stop)
        if count < len(bounds):
            bounds[count, :] = 0
            while inner < position:
                tag, inner = read_tag(inner, position)
                if tag in (_FIRST_BYTES, _SECOND_BYTES):
                    side = 0 if tag == _FIRST_BYTES else 2
                    text, inner = read_length(inner, position)
                    bounds[count, side], bounds[count, side + 1] = text - base, inner - base
                else:
                    inner = skip_field(tag, inner, position)
        count += 1
    return count


@kernel(
    f"int64({READONLY_BYTES}, uint64, uint64, int64[:,::1], uint64[:,::1], int32[::1], int64[::1], int32[::1],"
    " int32[::1], int64[::1], uint64[::1], int64[:,::1], int64[:,::1])"
)
def _decode(  # noqa: C901, PLR0911, PLR0912, PLR0913, PLR0915 - one walk; handing arrays on would slow it
    data: Bytes,
    first: np.uint64,
    second: np.uint64,
    spans: Int64s,
    hashes: UInt64s,
    label_counts: Int32s,
    offsets: Int64s,
    histograms: Int32s,
    owners: Int32s,
    times: Int64s,
    values: UInt64s,
    exemplar_spans: Int64s,
    family_spans: Int64s,
) -> MachineInt:
    base = address_of(data)
    stop = base + len(data)
    position, row, sample, exemplar, family = base, 0, 0, 0, 0
    while position < stop:
        tag, position = read_tag(position, stop)
        if position < 0:
            return position
        if tag not in (_FIRST_BYTES, _THIRD_BYTES):
            position = skip_field(tag, position, stop)
            if position < 0:
                return position
            continue
        start, end = read_length(position, stop)
        if end < 0:
            return end
        position = end
        if tag == _THIRD_BYTES:
            checked = check_message(start, end)
            if checked < 0:
                return checked
            family_spans[family, 0], family_spans[family, 1] = start - base, end - base
            family += 1
            continue
        spans[row, 0], spans[row, 1] = start - base, end - base
        low, high = first, second
        labels_start, labels_end = 0, 0
        field = start
        while field < end:
            field_start = field
            tag, field = read_tag(field, end)
            if field < 0:
                return field
            if tag not in (_FIRST_BYTES, _SECOND_BYTES, _THIRD_BYTES, _FOURTH_BYTES):
                field = skip_field(tag, field, end)
                if field < 0:
                    return field
                continue
            inner, field = read_length(field, end)
            if field < 0:
                return field
            checked = 0
            if tag == _FIRST_BYTES:
                checked = check_message(inner, field)
                label_counts[row] += 1
                if labels_end != field_start:
                    # A new run of label fields. Usually there is one; each is hashed under the hash of the
                    # one before it, so that what stands between two runs does not count.
                    if labels_end > 0:
                        low, high = siphash(labels_start, labels_end, low, high)
                    labels_start = field_start
                labels_end = field
            elif tag == _SECOND_BYTES:
                checked, times[sample], values[sample] = _read_sample(inner, field)
                owners[sample] = row
                sample += 1
            elif tag == _THIRD_BYTES:
                checked = _check_exemplar(inner, field)
                exemplar_spans[exemplar, 0] = row
                exemplar_spans[exemplar, 1] = inner - base
                exemplar_spans[exemplar, 2] = field - base
                exemplar += 1
            else:
                histograms[row] += 1
            if checked < 0:
                return checked
        hashes[row, 0], hashes[row, 1] = siphash(labels_start, labels_end, low, high)
        row += 1
        offsets[row] = sample
    return 0


@inline
def _read_sample(position: int, end: int) -> tuple[MachineInt, MachineInt, np.uint64]:
    time_ms = np.int64(0)
    value = np.uint64(0)
    while position < end:
        tag, position = read_tag(position, end)
        if position < 0:
            break
        if tag == _FIRST_DOUBLE and position + 8 <= end:
            value = load_word(position)
            position += 8
        elif tag == _SECOND_VARINT:
            raw, position = read_varint(position, end)
            time_ms = np.int64(raw)
        else:
            position = skip_field(tag, position, end)
        if position < 0:
            break
    return position, time_ms, value


@inline
def _check_exemplar(position: int, end: int) -> MachineInt:
    while position < end:
        tag, position = read_tag(position, end)
        if position < 0:
            return position
        if tag == _FIRST_BYTES:
            start, position = read_length(position, end)
            if position < 0:
                return position
            checked = check_message(start, position)
            if checked < 0:
                return checked
        else:
            position = skip_field(tag, position, end)
            if position < 0:
                return position
    return position
