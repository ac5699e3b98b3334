"""Samples as Prometheus' HTTP API writes them in JSON: `[1435781451.781,"1.5"]`.

Large answers are mostly numbers, so that a kernel writes them; a series' labels are written by orjson.
Source: Prometheus 3, `util/jsonutil` (a value is written without an exponent from 1e-6 up to 1e21).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, inline, kernel
from vedette.model.labels import LabelSet
from vedette.model.samples import SampleRuns
from vedette.wire.shortest import shortest_digits, write_digits

Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]

MAX_VALUE_BYTES: Final = 32
"""The longest value: a sign, 21 digits or 17 and an exponent, and some air."""

_HEAD_BYTES: Final = 32
"""Room for `[`, a time and `,"`; copied whole, because that is faster than by length."""

_BATCH_BYTES: Final = 1 << 20
_SPECIAL: Final = np.frombuffer(b"NaN+Inf-Inf", np.uint8).copy()

_INFINITY: Final = 0x7FF0_0000_0000_0000
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48


@inline
def _write_value(bits: MachineInt, out: Bytes, at: MachineInt) -> MachineInt:  # noqa: C901 - the forms of a number
    """Write the float64 with these bits as the API does, without quotes; returns the place behind it."""
    size = bits & np.uint64(0x7FFF_FFFF_FFFF_FFFF)
    if size > np.uint64(_INFINITY):
        out[at : at + 3] = _SPECIAL[0:3]
        return at + 3
    if size == np.uint64(_INFINITY):
        out[at : at + 4] = _SPECIAL[3:7] if size == bits else _SPECIAL[7:11]
        return at + 4
    if size != bits:
        out[at] = _MINUS
        at += 1
    if size == 0:
        out[at] = _ZERO
        return at + 1
    digits, exponent = shortest_digits(size)
    while True:
        rest = digits // np.uint64(10)
        if rest * np.uint64(10) != digits:
            break
        digits = rest
        exponent += 1
    end = write_digits(digits, out, at)
    length = end - at
    point = length + exponent
    if point < -5 or point > 21:
        return _add_exponent(point - 1, out, at, end)
    if exponent >= 0:
        for _ in range(exponent):
            out[end] = _ZERO
            end += 1
        return end
    # Digits move to the right to make room for the point, or for `0.` and zeros.
    shift = 1 if point > 0 else 2 - point
    first = at + max(point, 0)
    for place in range(end - 1, first - 1, -1):
        out[place + shift] = out[place]
    if point > 0:
        out[first] = _POINT
    else:
        for place in range(at, at + shift):
            out[place] = _ZERO
        out[at + 1] = _POINT
    return end + shift


@inline
def _add_exponent(exponent: MachineInt, out: Bytes, at: MachineInt, end: MachineInt) -> MachineInt:
    """Make digits at `out[at:end]` a number with one digit before its point and an exponent."""
    if end - at > 1:
        for place in range(end - 1, at, -1):
            out[place + 1] = out[place]
        out[at + 1] = _POINT
        end += 1
    out[end] = 101
    out[end + 1] = _MINUS if exponent < 0 else 43
    if abs(exponent) < 10:
        out[end + 2] = _ZERO
        end += 1
    return write_digits(np.uint64(abs(exponent)), out, end + 2)


@inline
def _write_time(time_ms: MachineInt, out: Bytes, at: MachineInt) -> MachineInt:
    """Write milliseconds as seconds, with three decimals or none."""
    if time_ms < 0:
        out[at] = _MINUS
        at += 1
        time_ms = -time_ms
    at = write_digits(np.uint64(time_ms // 1000), out, at)
    rest = time_ms % 1000
    if rest:
        out[at] = _POINT
        out[at + 1] = _ZERO + rest // 100
        out[at + 2] = _ZERO + rest // 10 % 10
        out[at + 3] = _ZERO + rest % 10
        at += 4
    return at


@kernel("void(int64[::1], uint8[:,::1], int64[::1])")
def _write_heads(times: Int64s, heads: NDArray[np.uint8], lengths: Int64s) -> None:
    """Write what stands before each value: `[1435781451.781,"`."""
    for i in range(len(times)):
        heads[i, 0] = 91
        end = _write_time(times[i], heads[i], 1)
        heads[i, end] = 44
        heads[i, end + 1] = 34
        lengths[i] = end + 2


@kernel("int64(uint8[:,::1], int64[::1], uint64[::1], boolean[::1], uint8[::1], int64)")
def _write_points(
    heads: NDArray[np.uint8], lengths: Int64s, bits: NDArray[np.uint64], present: Bools, out: Bytes, at: int
) -> MachineInt:
    """Write `[time,"value"],` for what is present, the last comma left out; returns the place behind it."""
    start = at
    for i in range(len(lengths)):
        if present[i]:
            for j in range(_HEAD_BYTES):
                out[at + j] = heads[i, j]
            at = _write_value(bits[i], out, at + lengths[i])
            out[at] = 34
            out[at + 1] = 93
            out[at + 2] = 44
            at += 3
    return max(start, at - 1)


def _heads(times: Int64s) -> tuple[NDArray[np.uint8], Int64s]:
    heads = np.zeros((len(times), _HEAD_BYTES), np.uint8)
    lengths = np.empty(len(times), np.int64)
    _write_heads(times, heads, lengths)
    return heads, lengths


def point_json(time_ms: int, value: float) -> bytes:
    """One sample: `[1435781451.781,"1.5"]`."""
    out = np.empty(_HEAD_BYTES + MAX_VALUE_BYTES + 8, np.uint8)
    end = _write_points(
        *_heads(np.array([time_ms], np.int64)), np.array([value]).view(np.uint64), np.ones(1, np.bool_), out, 0
    )
    return out[:end].tobytes()


def vector_json(label_sets: Sequence[LabelSet], time_ms: int, values: Float64s) -> Iterator[bytes]:
    """The elements of a vector result, in pieces to be joined: `{"metric":{},"value":[0,"1"]},...`."""
    parts: list[bytes] = []
    for labels, value in zip(label_sets, values.tolist(), strict=True):
        parts.append(b'{"metric":%b,"value":%b}' % (orjson.dumps(dict(labels)), point_json(time_ms, value)))
        if len(parts) == 1000:
            yield b",".join(parts)
            parts = [b""]
    yield b",".join(parts)


def matrix_json(label_sets: Sequence[LabelSet], times: Int64s, values: Float64s, present: Bools) -> Iterator[bytes]:
    """The elements of a matrix result, in pieces to be joined: `{"metric":{},"values":[[0,"1"],...]},...`.

    Args:
        label_sets: of each row.
        times: int64[steps], milliseconds.
        values: float64[series, steps].
        present: bool[series, steps]; every row has a sample.
    """
    heads, lengths = _heads(times)
    bits = np.ascontiguousarray(values).view(np.uint64)
    mask = np.ascontiguousarray(present)
    room = len(times) * (_HEAD_BYTES + MAX_VALUE_BYTES + 8)
    out = np.empty(_BATCH_BYTES + room + (1 << 16), np.uint8)
    at = 0
    for row, labels in enumerate(label_sets):
        head = b'%b{"metric":%b,"values":[' % (b"," if row else b"", orjson.dumps(dict(labels)))
        if at + len(head) + room + 2 > len(out):
            yield out[:at].tobytes()
            at = 0
            if len(head) + room + 2 > len(out):
                out = np.empty(len(head) + room + 2, np.uint8)
        out[at : at + len(head)] = np.frombuffer(head, np.uint8)
        at = int(_write_points(heads, lengths, bits[row], mask[row], out, at + len(head)))
        out[at] = 93
        out[at + 1] = 125
        at += 2
    yield out[:at].tobytes()


def runs_json(label_sets: Sequence[LabelSet], runs: SampleRuns) -> Iterator[bytes]:
    """The elements of a range vector, in pieces to be joined, as `matrix_json`."""
    for row, labels in enumerate(label_sets):
        start, end = int(runs.offsets[row]), int(runs.offsets[row + 1])
        # Copies, because a kernel takes arrays that may be written to.
        values = runs.values[start:end].reshape(1, -1).copy()
        yield b"," if row else b""
        yield from matrix_json([labels], runs.times[start:end].copy(), values, np.ones(values.shape, np.bool_))
