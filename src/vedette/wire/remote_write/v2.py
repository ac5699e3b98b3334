"""Decode remote-write 2.0 (`io.prometheus.write.v2.Request`), where label sets are references to symbols.

    Request { repeated string symbols = 4; repeated TimeSeries timeseries = 5; }
    TimeSeries { repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3;
                 repeated Exemplar exemplars = 4; Metadata metadata = 5; int64 created_timestamp = 6; }
    Sample { double value = 1; int64 timestamp = 2; int64 startstamp = 3; }
    Exemplar { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
    Metadata { MetricType type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }

`created_timestamp` is of the specification's earlier drafts and stands for samples without a
`startstamp` of their own.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ and prompb/io/prometheus/write/v2/types.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import DecodeError
from vedette.model.kernels import MachineInt, inline, kernel
from vedette.wire.remote_write.measure import measure
from vedette.wire.remote_write.memory import address_of, load_word
from vedette.wire.remote_write.protobuf import (
    BAD_SYMBOL,
    BYTES,
    FIXED64,
    ODD_LABELS,
    READONLY_BYTES,
    VARINT,
    fail,
    failure,
    read_fields,
    read_length,
    read_tag,
    read_varint,
    signed,
    skip_field,
)
from vedette.wire.remote_write.request import MAX_EXEMPLAR_BYTES, WriteRequest
from vedette.wire.remote_write.siphash import HashKey, sip_finish, sip_start, sip_word, siphash

_SYMBOLS: Final = 4
_SERIES: Final = 5
_SYMBOLS_TAG: Final = _SYMBOLS << 3 | BYTES
_SERIES_TAG: Final = _SERIES << 3 | BYTES
_FIRST_VARINT: Final = 1 << 3 | VARINT
_FIRST_DOUBLE: Final = 1 << 3 | FIXED64
_FIRST_BYTES: Final = 1 << 3 | BYTES
_SECOND_VARINT: Final = 2 << 3 | VARINT
_SECOND_BYTES: Final = 2 << 3 | BYTES
_THIRD_VARINT: Final = 3 << 3 | VARINT
_THIRD_BYTES: Final = 3 << 3 | BYTES
_FOURTH_VARINT: Final = 4 << 3 | VARINT
_FOURTH_BYTES: Final = 4 << 3 | BYTES
_FIFTH_BYTES: Final = 5 << 3 | BYTES
_SIXTH_VARINT: Final = 6 << 3 | VARINT

_LOW_HALF: Final = np.uint64(0xFFFFFFFF)
_ABSENT: Final = -1

Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
UInt64s = NDArray[np.uint64]


def decode_v2(body: bytes, *, key: HashKey, max_series: int, max_samples: int) -> WriteRequest:
    """Decode an unpacked body; see `decode_write_request`."""
    data = np.frombuffer(body, np.uint8)
    size = measure(data, series_field=_SERIES)
    size.check(max_series=max_series, max_samples=max_samples)
    series, samples, exemplars = size.series, size.in_series[2], size.in_series[4]
    first, second = np.uint64(key.first), np.uint64(key.second)
    symbols = np.empty((size.top[_SYMBOLS], 2), np.int64)
    symbol_hashes = np.empty((size.top[_SYMBOLS], 2), np.uint64)
    result = _find_symbols(data, first, second, symbols, symbol_hashes)
    if result < 0:
        raise failure(result, data)
    if len(symbols) and symbols[0, 0] != symbols[0, 1]:
        raise DecodeError("the first symbol of the request is not the empty string, as version 2.0 requires")
    refs = np.empty(size.first_field_bytes, np.int32)
    ref_offsets = np.zeros(series + 1, np.int64)
    hashes = np.empty((series, 2), np.uint64)
    offsets = np.zeros(series + 1, np.int64)
    histograms = np.zeros(series, np.int32)
    owners = np.empty(samples, np.int32)
    times = np.empty(samples, np.int64)
    values = np.empty(samples, np.uint64)
    starts = np.empty(samples, np.int64)
    exemplar_spans = np.empty((exemplars, 3), np.int64)
    metadata = np.zeros((series, 3), np.int64)
    result = _decode(
        data,
        first,
        second,
        symbol_hashes,
        refs,
        ref_offsets,
        hashes,
        offsets,
        histograms,
        owners,
        times,
        values,
        starts,
        exemplar_spans,
        metadata,
    )
    if result < 0:
        raise failure(result, data)
    return WriteRequest(
        hashes=hashes,
        label_counts=(np.diff(ref_offsets) // 2).astype(np.int32),
        sample_offsets=offsets,
        sample_series=owners,
        times=times,
        values=values.view(np.float64),
        starts=starts if starts.any() else None,
        histograms=histograms,
        exemplar_series=exemplar_spans[:, 0].astype(np.int32),
        texts=_Texts(body, symbols, refs, ref_offsets, exemplar_spans, metadata),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """Where texts are in the body.

    Attributes:
        body: the whole request.
        symbols: int64[symbols, 2], begin and end of each.
        refs: int32[], name, value, name, value, …
        ref_offsets: int64[series + 1]; series i owns `refs[ref_offsets[i]:ref_offsets[i + 1]]`.
        exemplar_spans: int64[exemplars, 3], series, begin and end of each Exemplar.
        metadata: int64[series, 3], type, help and unit of each; a type of -1 for none.
    """

    body: bytes
    symbols: Int64s
    refs: Int32s
    ref_offsets: Int64s
    exemplar_spans: Int64s
    metadata: Int64s

    def label_pairs(self, series: int) -> list[tuple[bytes, bytes]]:
        start, end = self.ref_offsets[series], self.ref_offsets[series + 1]
        return self._pairs(self.symbols[self.refs[start:end]].tolist())

    def exemplar(self, number: int) -> tuple[list[tuple[bytes, bytes]], float, int]:
        _, start, end = self.exemplar_spans[number].tolist()
        if end - start > MAX_EXEMPLAR_BYTES:
            raise DecodeError(f"exemplar {number} has {end - start} bytes where {MAX_EXEMPLAR_BYTES} are allowed")
        value, time_ms = 0.0, 0
        refs: list[int] = []
        for field in read_fields(self.body, start, end):
            match field.number, field.wire_type:
                case 1, 0:
                    refs.append(field.start & 0xFFFFFFFF)
                case 1, 2:
                    refs.extend(_packed(self.body[field.start : field.end]))
                case 2, 1:
                    value = struct.unpack("<d", field.start.to_bytes(8, "little"))[0]
                case 3, 0:
                    time_ms = signed(field.start)
                case _:
                    pass
        return self._pairs(self.symbols[refs].tolist() if refs else []), value, time_ms

    def series_metadata(self, series: int) -> tuple[int, bytes, bytes] | None:
        kind, help_ref, unit_ref = self.metadata[series].tolist()
        if kind == _ABSENT:
            return None
        return kind, self._symbol(unit_ref), self._symbol(help_ref)

    def family_metadata(self) -> list[tuple[int, bytes, bytes, bytes]]:
        return []

    def _pairs(self, bounds: list[list[int]]) -> list[tuple[bytes, bytes]]:
        texts = [self.body[start:end] for start, end in bounds]
        return list(zip(texts[::2], texts[1::2], strict=True))

    def _symbol(self, ref: int) -> bytes:
        if not ref:  # also where there is no symbol at all
            return b""
        start, end = self.symbols[ref].tolist()
        return self.body[start:end]


def _packed(content: bytes) -> list[int]:
    """The numbers of a packed field that is known to be well-formed."""
    numbers: list[int] = []
    value = shift = 0
    for byte in content:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value & 0xFFFFFFFF)
            value = shift = 0
    return numbers


@kernel(f"int64({READONLY_BYTES}, uint64, uint64, int64[:,::1], uint64[:,::1])")
def _find_symbols(data: Bytes, first: np.uint64, second: np.uint64, symbols: Int64s, hashes: UInt64s) -> MachineInt:
    base = address_of(data)
    stop = base + len(data)
    position, row = base, 0
    while position < stop:
        tag, position = read_tag(position, stop)
        if position < 0:
            return position
        if tag == _SYMBOLS_TAG:
            start, position = read_length(position, stop)
            if position < 0:
                return position
            symbols[row, 0], symbols[row, 1] = start - base, position - base
            hashes[row, 0], hashes[row, 1] = siphash(start, position, first, second)
            row += 1
        else:
            position = skip_field(tag, position, stop)
            if position < 0:
                return position
    return 0


@kernel(
    f"int64({READONLY_BYTES}, uint64, uint64, uint64[:,::1], int32[::1], int64[::1], uint64[:,::1], int64[::1],"
    " int32[::1], int32[::1], int64[::1], uint64[::1], int64[::1], int64[:,::1], int64[:,::1])"
)
def _decode(  # noqa: C901, PLR0911, PLR0912, PLR0913, PLR0915 - one walk; handing arrays on would slow it
    data: Bytes,
    first: np.uint64,
    second: np.uint64,
    symbol_hashes: UInt64s,
    refs: Int32s,
    ref_offsets: Int64s,
    hashes: UInt64s,
    offsets: Int64s,
    histograms: Int32s,
    owners: Int32s,
    times: Int64s,
    values: UInt64s,
    starts: Int64s,
    exemplar_spans: Int64s,
    metadata: Int64s,
) -> MachineInt:
    base = address_of(data)
    stop = base + len(data)
    symbol_count = len(symbol_hashes)
    position, row, ref, sample, exemplar = base, 0, 0, 0, 0
    while position < stop:
        tag, position = read_tag(position, stop)
        if position < 0:
            return position
        if tag != _SERIES_TAG:
            position = skip_field(tag, position, stop)
            if position < 0:
                return position
            continue
        series_start, end = read_length(position, stop)
        if end < 0:
            return end
        position = series_start
        created_ms = np.int64(0)
        metadata[row, 0] = _ABSENT
        while position < end:
            tag, position = read_tag(position, end)
            if position < 0:
                return position
            if tag == _SIXTH_VARINT:
                raw, position = read_varint(position, end)
                created_ms = np.int64(raw)
            elif tag == _FIRST_VARINT:
                position, refs[ref] = _read_ref(position, end, symbol_count)
                ref += 1
            elif tag & 7 != BYTES or tag >> 3 > _SERIES:
                position = skip_field(tag, position, end)
            else:
                start, position = read_length(position, end)
                if position < 0:
                    return position
                checked = start
                if tag == _FIRST_BYTES:
                    while 0 <= start < position:
                        start, refs[ref] = _read_ref(start, position, symbol_count)
                        ref += 1
                    checked = start
                elif tag == _SECOND_BYTES:
                    checked, times[sample], values[sample], starts[sample] = _read_sample(start, position)
                    owners[sample] = row
                    sample += 1
                elif tag == _THIRD_BYTES:
                    histograms[row] += 1
                elif tag == _FOURTH_BYTES:
                    checked = _check_exemplar(start, position, symbol_count)
                    exemplar_spans[exemplar, 0] = row
                    exemplar_spans[exemplar, 1] = start - base
                    exemplar_spans[exemplar, 2] = position - base
                    exemplar += 1
                elif tag == _FIFTH_BYTES:
                    checked = _read_metadata(start, position, symbol_count, metadata[row])
                if checked < 0:
                    return checked
            if position < 0:
                return position
        first_ref = ref_offsets[row]
        if (ref - first_ref) % 2 == 1:
            return fail(ODD_LABELS, series_start)
        a, b, c, d = sip_start(first, second)
        for i in range(first_ref, ref):
            a, b, c, d = sip_word(a, b, c, d, symbol_hashes[refs[i], 0])
            a, b, c, d = sip_word(a, b, c, d, symbol_hashes[refs[i], 1])
        hashes[row, 0], hashes[row, 1] = sip_finish(a, b, c, d)
        for i in range(offsets[row], sample):
            if starts[i] == 0:
                starts[i] = created_ms
        row += 1
        ref_offsets[row] = ref
        offsets[row] = sample
    return 0


@inline
def _read_ref(position: int, end: int, symbol_count: int) -> tuple[MachineInt, MachineInt]:
    start = position
    raw, position = read_varint(position, end)
    # Like every parser of protobuf: a uint32 field takes the low half of a longer number.
    ref = np.int64(raw & _LOW_HALF)
    if position >= 0 and ref >= symbol_count:
        return fail(BAD_SYMBOL, start), 0
    return position, ref


@inline
def _read_sample(position: int, end: int) -> tuple[MachineInt, MachineInt, np.uint64, MachineInt]:
    time_ms, start_ms = np.int64(0), np.int64(0)
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
        elif tag == _THIRD_VARINT:
            raw, position = read_varint(position, end)
            start_ms = np.int64(raw)
        else:
            position = skip_field(tag, position, end)
        if position < 0:
            break
    return position, time_ms, value, start_ms


@inline
def _read_metadata(position: int, end: int, symbol_count: int, record: Int64s) -> MachineInt:
    """Fill type, help and unit; a second Metadata message adds to the first, as protobuf merges them."""
    record[0] = max(record[0], 0)
    while position < end:
        tag, position = read_tag(position, end)
        if position < 0:
            return position
        if tag == _FIRST_VARINT:
            raw, position = read_varint(position, end)
            record[0] = np.int64(raw & _LOW_HALF)
        elif tag in (_THIRD_VARINT, _FOURTH_VARINT):
            # Zero is "none" even where a request without labels has no symbols.
            position, record[(tag >> 3) - 2] = _read_ref(position, end, max(symbol_count, 1))
        else:
            position = skip_field(tag, position, end)
        if position < 0:
            return position
    return position


@inline
def _check_exemplar(position: int, end: int, symbol_count: int) -> MachineInt:
    start = position
    count = 0
    while position < end:
        tag, position = read_tag(position, end)
        if position < 0:
            return position
        if tag == _FIRST_VARINT:
            position, _ = _read_ref(position, end, symbol_count)
            count += 1
        elif tag == _FIRST_BYTES:
            ref_position, position = read_length(position, end)
            while 0 <= ref_position < position:
                ref_position, _ = _read_ref(ref_position, position, symbol_count)
                count += 1
            if ref_position < 0:
                return ref_position
        else:
            position = skip_field(tag, position, end)
        if position < 0:
            return position
    if count % 2 == 1:
        return fail(ODD_LABELS, start)
    return position
