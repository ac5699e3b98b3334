"""Compress samples into XOR chunks, as Prometheus' own store keeps and streams them.

A chunk holds up to 120 samples: their number (two bytes, big-endian), the first time (zigzag varint) and
value (64 bits), then for each further sample a time and a value, in bits, most significant first.

* Second time: the difference (varint). Later ones: the change of the difference, as `0` for none, or a
  prefix and 14, 17, 20 or 64 bits.
* Value: the XOR with the one before, as `0` for none; `10` and the bits inside the last window of
  significant bits; or `11`, leading zeros (5 bits), length (6 bits, 0 for 64) and the significant bits.

Source: Pelkonen et al., "Gorilla" (VLDB 2015); tsdb/chunkenc/xor.go and tsdb/docs/bstream.md of Prometheus.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import inline, kernel
from vedette.wire.remote_write.memory import address_of, load_byte, store_byte
from vedette.wire.remote_write.protobuf import BYTES, VARINT, varint_size, write_varint

SAMPLES_PER_CHUNK: Final = 120
"""What Prometheus cuts its chunks at."""

_XOR: Final = 1
"""The number of this encoding in a Chunk."""
_MAX_SAMPLE_BYTES: Final = 20
"""4 + 64 bits of time and 2 + 5 + 6 + 64 bits of value, or a first sample of 10 + 8 bytes."""
_MAX_CHUNK_BYTES: Final = 64
"""A chunk's own fields and lengths."""
_MAX_LEADING: Final = 31
"""What five bits can say."""
_NO_WINDOW: Final = 0xFF

Int64s = NDArray[np.int64]


def encode_chunks(times: Int64s, values: NDArray[np.float64], start: int, end: int) -> tuple[bytes, Int64s]:
    """The samples from `start` to `end` as Chunk messages in field 2 of a ChunkedSeries.

    Returns:
        The fields, and int64[chunks], where each of them ends.
    """
    # The kernel trusts its columns.
    if not 0 <= start <= end <= len(times) == len(values):
        raise ValueError("the run is not within its columns")
    count = -(-(end - start) // SAMPLES_PER_CHUNK)
    output = np.empty((end - start) * _MAX_SAMPLE_BYTES + count * _MAX_CHUNK_BYTES, np.uint8)
    scratch = np.empty(SAMPLES_PER_CHUNK * _MAX_SAMPLE_BYTES + 8, np.uint8)
    ends = np.empty(count, np.int64)
    length = _encode_chunks(times, values.view(np.uint64), start, end, scratch, output, ends)
    return output[:length].tobytes(), ends


@kernel(
    "int64(Array(int64, 1, 'C', True), Array(uint64, 1, 'C', True), int64, int64, uint8[::1], uint8[::1], int64[::1])"
)
def _encode_chunks(
    times: Int64s,
    values: NDArray[np.uint64],
    start: int,
    end: int,
    scratch: NDArray[np.uint8],
    output: NDArray[np.uint8],
    ends: Int64s,
) -> int:
    base = address_of(output)
    data = address_of(scratch)
    position = base
    chunk = 0
    while start < end:
        stop = min(start + SAMPLES_PER_CHUNK, end)
        data_size = _encode_chunk(times, values, start, stop, data) - data
        first, last = np.uint64(times[start]), np.uint64(times[stop - 1])
        size = 1 + varint_size(first) + 1 + varint_size(last) + 2 + 1 + varint_size(np.uint64(data_size)) + data_size
        position = write_varint(store_byte(position, np.uint64(2 << 3 | BYTES)), np.uint64(size))
        position = write_varint(store_byte(position, np.uint64(1 << 3 | VARINT)), first)
        position = write_varint(store_byte(position, np.uint64(2 << 3 | VARINT)), last)
        position = store_byte(store_byte(position, np.uint64(3 << 3 | VARINT)), np.uint64(_XOR))
        position = write_varint(store_byte(position, np.uint64(4 << 3 | BYTES)), np.uint64(data_size))
        for i in range(data_size):
            position = store_byte(position, load_byte(data + i))
        ends[chunk] = position - base
        chunk += 1
        start = stop
    return position - base


@inline
def _encode_chunk(times: Int64s, values: NDArray[np.uint64], start: int, end: int, position: int) -> int:
    """Write one chunk's data to an address; returns the address after it."""
    position = store_byte(position, np.uint64(end - start) >> np.uint64(8))
    position = store_byte(position, np.uint64(end - start))
    time, value = times[start], values[start]
    position = write_varint(position, np.uint64(time << 1) ^ np.uint64(time >> 63))
    # Bits that do not fill a byte yet are kept in `pending`, `free` of whose 8 bits are not used.
    pending, free = np.uint64(0), 8
    position, pending, free = _write_bits(position, pending, free, value, 64)
    delta = np.int64(0)
    leading, trailing = _NO_WINDOW, 0
    for i in range(start + 1, end):
        last_delta = delta
        delta = times[i] - time
        if i == start + 1:
            rest = np.uint64(delta)
            while rest >= np.uint64(0x80):
                position, pending, free = _write_bits(
                    position, pending, free, rest & np.uint64(0x7F) | np.uint64(0x80), 8
                )
                rest >>= np.uint64(7)
            position, pending, free = _write_bits(position, pending, free, rest, 8)
        else:
            position, pending, free = _write_change(position, pending, free, delta - last_delta)
        change = value ^ values[i]
        time, value = times[i], values[i]
        if change == 0:
            position, pending, free = _write_bits(position, pending, free, np.uint64(0), 1)
            continue
        new_leading = min(_leading_zeros(change), _MAX_LEADING)
        new_trailing = _trailing_zeros(change)
        if leading != _NO_WINDOW and new_leading >= leading and new_trailing >= trailing:
            position, pending, free = _write_bits(position, pending, free, np.uint64(2), 2)
        else:
            leading, trailing = new_leading, new_trailing
            width = 64 - leading - trailing
            head = np.uint64(3 << 11 | leading << 6 | width & 63)
            position, pending, free = _write_bits(position, pending, free, head, 13)
        width = 64 - leading - trailing
        position, pending, free = _write_bits(position, pending, free, change >> np.uint64(trailing), width)
    if free < 8:
        position = store_byte(position, pending)
    return position


@inline
def _write_change(position: int, pending: np.uint64, free: int, change: int) -> tuple[int, np.uint64, int]:
    """A change of the difference between times: prefix and as few bits as hold it."""
    bits = np.uint64(change)
    if change == 0:
        return _write_bits(position, pending, free, np.uint64(0), 1)
    # The upper bound is inclusive: a reader takes only what is above it for negative.
    if -(1 << 13) < change <= 1 << 13:
        return _write_bits(position, pending, free, np.uint64(0b10 << 14) | bits & np.uint64((1 << 14) - 1), 16)
    if -(1 << 16) < change <= 1 << 16:
        return _write_bits(position, pending, free, np.uint64(0b110 << 17) | bits & np.uint64((1 << 17) - 1), 20)
    if -(1 << 19) < change <= 1 << 19:
        return _write_bits(position, pending, free, np.uint64(0b1110 << 20) | bits & np.uint64((1 << 20) - 1), 24)
    position, pending, free = _write_bits(position, pending, free, np.uint64(0b1111), 4)
    return _write_bits(position, pending, free, bits, 64)


@inline
def _write_bits(
    position: int, pending: np.uint64, free: int, bits: np.uint64, count: int
) -> tuple[int, np.uint64, int]:
    """Append the lowest `count` bits of a word, which has no others unless `count` is 64."""
    while count >= free:
        count -= free
        position = store_byte(position, pending | (bits >> np.uint64(count)) & np.uint64((1 << free) - 1))
        pending, free = np.uint64(0), 8
    if count > 0:
        free -= count
        pending |= (bits & np.uint64((1 << count) - 1)) << np.uint64(free)
    return position, pending, free


@inline
def _leading_zeros(word: Any) -> int:
    count = 0
    for shift in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(64 - shift) == 0:
            count += shift
            word <<= np.uint64(shift)
    return count


@inline
def _trailing_zeros(word: Any) -> int:
    count = 0
    for shift in (32, 16, 8, 4, 2, 1):
        if word & np.uint64((1 << shift) - 1) == 0:
            count += shift
            word >>= np.uint64(shift)
    return count
