"""Encode remote-write requests for sending to other stores: samples straight from columns.

Protobuf messages that follow each other are one message, so that a version 1 request may be put together:
`encode_v1(...) + encode_exemplars_v1(...) + encode_metadata_v1(...)`.

The bodies are not packed yet: `compress(body, Encoding.SNAPPY)`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import inline, kernel
from vedette.model.labels import LabelSet
from vedette.model.samples import Exemplar, Metadata, SampleRuns
from vedette.wire.remote_write.memory import address_of, load_byte, store_byte, store_word
from vedette.wire.remote_write.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    encode_bytes,
    encode_varint,
    varint_size,
    write_varint,
)
from vedette.wire.remote_write.request import METRIC_TYPES

_SAMPLES: Final = 2
"""The field number of samples in the TimeSeries of both versions."""
_MAX_SAMPLE_BYTES: Final = 2 + 9 + 11 + 11
_MAX_FRAME_BYTES: Final = 2 * 10

Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]


def encode_labels_v1(labels: LabelSet) -> bytes:
    """A label set as the label fields of a version 1 TimeSeries: worth caching, as it never changes."""
    return b"".join(
        encode_bytes(1, encode_bytes(1, name.encode()) + encode_bytes(2, value.encode())) for name, value in labels
    )


def encode_v1(labels: Sequence[bytes], runs: SampleRuns) -> bytes:
    """A WriteRequest.

    Args:
        labels: of each series, from `encode_labels_v1`.
        runs: the samples of these series, in the same order.
    """
    return _encode(1, labels, runs, None)


def encode_exemplars_v1(labels: bytes, exemplars: Iterable[Exemplar]) -> bytes:
    """A WriteRequest with some exemplars of one series."""
    fields = [labels]
    for exemplar in exemplars:
        content = encode_labels_v1(exemplar.labels) + _double(2, exemplar.value) + _varint(3, exemplar.time_ms or 0)
        fields.append(encode_bytes(3, content))
    return encode_bytes(1, b"".join(fields))


def encode_metadata_v1(metadata: Iterable[Metadata]) -> bytes:
    """A WriteRequest with what is known of some metric families."""
    return b"".join(
        encode_bytes(
            3,
            _varint(1, METRIC_TYPES.index(record.type))
            + encode_bytes(2, record.family.encode())
            + encode_bytes(4, record.help.encode())
            + encode_bytes(5, record.unit.encode()),
        )
        for record in metadata
    )


def encode_v2(
    labels: Sequence[LabelSet],
    runs: SampleRuns,
    *,
    metadata: Sequence[Metadata | None] = (),
    exemplars: Sequence[Sequence[Exemplar]] = (),
) -> bytes:
    """A version 2 Request.

    Args:
        labels: of each series.
        runs: the samples of these series, in the same order.
        metadata: of each series' family; empty for none at all.
        exemplars: of each series; empty for none at all.
    """
    symbols = {"": encode_varint(0)}
    heads: list[bytes] = []
    for row, label_set in enumerate(labels):
        head = _packed_refs(symbols, label_set)
        if exemplars:
            for exemplar in exemplars[row]:
                refs = _packed_refs(symbols, exemplar.labels)
                head += encode_bytes(4, refs + _double(2, exemplar.value) + _varint(3, exemplar.time_ms or 0))
        record = metadata[row] if metadata else None
        if record is not None:
            head += encode_bytes(
                5,
                _varint(1, METRIC_TYPES.index(record.type))
                + encode_varint(3 << 3 | VARINT)
                + _intern(symbols, record.help)
                + encode_varint(4 << 3 | VARINT)
                + _intern(symbols, record.unit),
            )
        heads.append(head)
    table = b"".join(encode_bytes(4, symbol.encode()) for symbol in symbols)
    return table + _encode(5, heads, runs, runs.starts)


def _encode(field: int, heads: Sequence[bytes], runs: SampleRuns, starts: Int64s | None) -> bytes:
    """TimeSeries messages in a repeated field: what is in `heads`, then the samples."""
    if starts is None:
        starts = np.zeros(len(runs.times), np.int64)
    # The kernel trusts its columns.
    if len(heads) + 1 != len(runs.offsets) or not len(runs.times) == len(runs.values) == len(starts):
        raise ValueError("labels and samples are not of the same series")
    if runs.offsets[0] < 0 or runs.offsets[-1] > len(runs.times) or (np.diff(runs.offsets) < 0).any():
        raise ValueError("the samples' offsets do not rise within their columns")
    joined = np.frombuffer(b"".join(heads), np.uint8)
    bounds = np.fromiter(accumulate(map(len, heads), initial=0), np.int64, len(heads) + 1)
    samples = int(runs.offsets[-1] - runs.offsets[0])
    output = np.empty(len(joined) + len(heads) * _MAX_FRAME_BYTES + samples * _MAX_SAMPLE_BYTES, np.uint8)
    length = _write_series(
        field << 3 | BYTES, joined, bounds, runs.offsets, runs.times, runs.values.view(np.uint64), starts, output
    )
    return output[:length].tobytes()


def _packed_refs(symbols: dict[str, bytes], labels: LabelSet) -> bytes:
    return encode_bytes(1, b"".join([_intern(symbols, text) for pair in labels for text in pair]))


def _intern(symbols: dict[str, bytes], text: str) -> bytes:
    """The reference to a symbol, as a varint; a new one is added to the table."""
    ref = symbols.get(text)
    if ref is None:
        ref = symbols[text] = encode_varint(len(symbols))
    return ref


def _varint(number: int, value: int) -> bytes:
    return encode_varint(number << 3 | VARINT) + encode_varint(value & 0xFFFFFFFFFFFFFFFF) if value else b""


def _double(number: int, value: float) -> bytes:
    return encode_varint(number << 3 | FIXED64) + struct.pack("<d", value)


@kernel(
    "int64(int64, Array(uint8, 1, 'C', True), int64[::1], Array(int64, 1, 'C', True), Array(int64, 1, 'C', True),"
    " Array(uint64, 1, 'C', True), Array(int64, 1, 'C', True), uint8[::1])"
)
def _write_series(
    tag: int,
    heads: Bytes,
    bounds: Int64s,
    offsets: Int64s,
    times: Int64s,
    values: UInt64s,
    starts: Int64s,
    output: Bytes,
) -> int:
    base = address_of(output)
    heads_base = address_of(heads)
    position = base
    for row in range(len(bounds) - 1):
        size = bounds[row + 1] - bounds[row]
        for i in range(offsets[row], offsets[row + 1]):
            size += 2 + _sample_size(times[i], values[i], starts[i])
        position = write_varint(position, np.uint64(tag))
        position = write_varint(position, np.uint64(size))
        for i in range(bounds[row], bounds[row + 1]):
            position = store_byte(position, load_byte(heads_base + i))
        for i in range(offsets[row], offsets[row + 1]):
            position = store_byte(position, np.uint64(_SAMPLES << 3 | BYTES))
            position = store_byte(position, np.uint64(_sample_size(times[i], values[i], starts[i])))
            if values[i] != 0:
                position = store_byte(position, np.uint64(1 << 3 | FIXED64))
                position = store_word(position, values[i])
            if times[i] != 0:
                position = store_byte(position, np.uint64(2 << 3 | VARINT))
                position = write_varint(position, np.uint64(times[i]))
            if starts[i] != 0:
                position = store_byte(position, np.uint64(3 << 3 | VARINT))
                position = write_varint(position, np.uint64(starts[i]))
    return position - base


@inline
def _sample_size(time_ms: int, value: np.uint64, start_ms: int) -> int:
    size = 0
    if value != 0:
        size += 9
    if time_ms != 0:
        size += 1 + varint_size(np.uint64(time_ms))
    if start_ms != 0:
        size += 1 + varint_size(np.uint64(start_ms))
    return size
