"""Samples as Prometheus' HTTP API writes them in JSON: `[1435781451.781,"1.5"]`.

Large answers are mostly numbers, so that kernels write them, many series at a time and without the GIL.
Source: Prometheus 3, `util/jsonutil` (a value is written without an exponent from 1e-6 up to 1e21).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Final, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame
from vedette.model.kernels import MachineInt, inline, kernel, leaf
from vedette.model.samples import SampleRuns
from vedette.wire.label_json import label_pairs, write_labels
from vedette.wire.shortest import TENS, count_digits, shortest_digits, strip_zeros, write_digits, write_padded

Bytes = NDArray[np.uint8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]

_Scalar = TypeVar("_Scalar", bound=np.generic)

MAX_VALUE_BYTES: Final = 32
"""The longest value, a sign, 17 digits and an exponent of three, and the air that `write_padded` needs."""

_HEAD_BYTES: Final = 32
"""Room for `[`, a time and `,"`; copied whole, because that is faster than by length."""

_POINT_BYTES: Final = _HEAD_BYTES + MAX_VALUE_BYTES + 8
_FRAME_BYTES: Final = 32
"""Room for what stands around a series' labels and samples."""

_PIECE_BYTES: Final = 2 << 20
"""Room for a piece; what it takes is about half of it."""

_FEW: Final = 8
"""Elements for which it does not pay to prepare arrays."""

_FEW_SERIES: Final = 2
"""Series with samples at the same times, for which it does not pay to write the times once."""

_PLAIN_FROM: Final = 1e-4
_PLAIN_UNTIL: Final = 1e16
"""Where Python writes a number without an exponent, and so does Go."""

_METRIC: Final = np.frombuffer(b',{"metric":', np.uint8).copy()
_VALUES: Final = np.frombuffer(b',"values":[', np.uint8).copy()
_VALUE: Final = np.frombuffer(b',"value":', np.uint8).copy()
_SPECIAL: Final = np.frombuffer(b"NaN +Inf-Inf", np.uint8).reshape(3, 4).copy()

_INFINITY: Final = 0x7FF0_0000_0000_0000
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48


@leaf
def _write_value(bits: MachineInt, out: Bytes, at: MachineInt) -> MachineInt:  # noqa: PLR0911 - the forms of a number
    """Write the float64 with these bits as the API does, without quotes; returns the place behind it."""
    size = bits & np.uint64(0x7FFF_FFFF_FFFF_FFFF)
    if size >= np.uint64(_INFINITY):
        special = 0 if size > np.uint64(_INFINITY) else 1 if size == bits else 2
        for place in range(4):
            out[at + place] = _SPECIAL[special, place]
        return at + (4 if special else 3)
    if size != bits:
        out[at] = _MINUS
        at += 1
    if size == 0:
        out[at] = _ZERO
        return at + 1
    # A whole number below 2**53, as counters and most gauges are: what is left of its point.
    shift = 1075 - np.int64(size >> np.uint64(52))
    if 0 <= shift <= 52:
        whole = (size & np.uint64(0xF_FFFF_FFFF_FFFF)) | np.uint64(1 << 52)
        if (whole >> np.uint64(shift)) << np.uint64(shift) == whole:
            return write_digits(whole >> np.uint64(shift), out, at)
    digits, exponent = shortest_digits(size)
    digits, exponent = strip_zeros(digits, exponent)
    length = count_digits(digits)
    point = length + exponent
    if point < -5 or point > 21:
        return _add_exponent(point - 1, out, at, write_padded(digits, length, out, at))
    if exponent >= 0:
        at = write_padded(digits, length, out, at)
        for place in range(at, at + exponent):
            out[place] = _ZERO
        return at + exponent
    if point > 0:
        tens = TENS[-exponent]
        whole = digits // tens
        at = write_padded(whole, point, out, at)
        out[at] = _POINT
        return write_padded(digits - whole * tens, -exponent, out, at + 1)
    out[at] = _ZERO
    out[at + 1] = _POINT
    for place in range(at + 2, at + 2 - point):
        out[place] = _ZERO
    return write_padded(digits, length, out, at + 2 - point)


@leaf
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


@leaf
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


@leaf
def _write_points(
    heads: NDArray[np.uint8], lengths: Int64s, bits: NDArray[np.uint64], present: Bools, out: Bytes, at: MachineInt
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


@leaf
def _write_text(text: Bytes, out: Bytes, at: MachineInt) -> MachineInt:
    for i in range(len(text)):
        out[at + i] = text[i]
    return at + len(text)


@inline
def _begin_series(
    numbers: Int32s, row: MachineInt, bounds: Int64s, text: Bytes, out: Bytes, at: MachineInt
) -> MachineInt:
    """Write `,{"metric":{...}`, without the comma for the first series."""
    at = _write_text(_METRIC if row else _METRIC[1:], out, at)
    return write_labels(numbers, row, bounds, text, out, at)


@kernel("int64(uint64[::1], uint8[::1])")
def _write_one(bits: NDArray[np.uint64], out: Bytes) -> MachineInt:
    """Write one value, without quotes; returns its length."""
    return _write_value(bits[0], out, 0)


@kernel(
    "int64(int32[:,::1], int64[::1], uint8[::1], uint8[:,::1], int64[::1], uint64[:,::1], boolean[:,::1], int64, int64,"
    " uint8[::1])"
)
def _write_matrix(  # noqa: PLR0913 - a kernel takes columns and numbers, not objects
    numbers: Int32s,
    bounds: Int64s,
    text: Bytes,
    heads: NDArray[np.uint8],
    lengths: Int64s,
    bits: NDArray[np.uint64],
    present: Bools,
    low: MachineInt,
    high: MachineInt,
    out: Bytes,
) -> MachineInt:
    """Write the series from `low` to before `high`; returns the bytes."""
    at = 0
    for row in range(low, high):
        at = _begin_series(numbers, row, bounds, text, out, at)
        at = _write_text(_VALUES, out, at)
        at = _write_points(heads, lengths, bits[row], present[row], out, at)
        out[at] = 93
        out[at + 1] = 125
        at += 2
    return at


@kernel("int64(int32[:,::1], int64[::1], uint8[::1], uint8[:,::1], int64[::1], uint64[::1], int64, int64, uint8[::1])")
def _write_vector(  # noqa: PLR0913 - as above
    numbers: Int32s,
    bounds: Int64s,
    text: Bytes,
    heads: NDArray[np.uint8],
    lengths: Int64s,
    bits: NDArray[np.uint64],
    low: MachineInt,
    high: MachineInt,
    out: Bytes,
) -> MachineInt:
    """As `_write_matrix`, for elements with one value each."""
    at = 0
    present = np.ones(1, np.bool_)
    for row in range(low, high):
        at = _begin_series(numbers, row, bounds, text, out, at)
        at = _write_text(_VALUE, out, at)
        at = _write_points(heads, lengths, bits[row : row + 1], present, out, at)
        out[at] = 125
        at += 1
    return at


@kernel("int64(int64[::1], uint64[::1], uint8[::1])")
def _write_samples(times: Int64s, bits: NDArray[np.uint64], out: Bytes) -> MachineInt:
    """Write the samples of one series, without the brackets around them; returns the bytes."""
    at = 0
    for i in range(len(times)):
        out[at] = 91
        at = _write_time(times[i], out, at + 1)
        out[at] = 44
        out[at + 1] = 34
        at = _write_value(bits[i], out, at + 2)
        out[at] = 34
        out[at + 1] = 93
        out[at + 2] = 44
        at += 3
    return max(0, at - 1)


def _heads(times: Int64s) -> tuple[NDArray[np.uint8], Int64s]:
    heads = np.empty((len(times), _HEAD_BYTES), np.uint8)
    lengths = np.empty(len(times), np.int64)
    _write_heads(times, heads, lengths)
    return heads, lengths


def point_json(time_ms: int, value: float) -> bytes:
    """One sample: `[1435781451.781,"1.5"]`."""
    return b'[%b,"%b"]' % (_time_text(time_ms), _value_text(value))


def vector_json(labels: LabelFrame, time_ms: int, values: Float64s) -> Iterator[bytes]:
    """The elements of a vector result, in pieces to be joined: `{"metric":{},"value":[0,"1"]},...`.

    Args:
        labels: of each element; more than there are values, where only the first ones are shown.
        time_ms: of all elements.
        values: float64[elements].
    """
    if len(values) <= _FEW:
        return _few_elements(labels, time_ms, values)
    pairs = label_pairs(labels, len(values))
    heads, lengths = _heads(np.array([time_ms], np.int64))
    bits = _writeable(values).view(np.uint64)

    def write(low: int, high: int, out: Bytes) -> int:
        return _write_vector(pairs.numbers, pairs.bounds, pairs.text, heads, lengths, bits, low, high, out)

    return _in_pieces(write, len(values), pairs.most_bytes + _FRAME_BYTES + _POINT_BYTES, None)


def _few_elements(labels: LabelFrame, time_ms: int, values: Float64s) -> Iterator[bytes]:
    """As `vector_json`, of so few that preparing arrays for kernels would cost more than writing them."""
    time = _time_text(time_ms)
    elements = [
        b'{"metric":%b,"value":[%b,"%b"]}' % (orjson.dumps(dict(labels.label_set(row))), time, _value_text(value))
        for row, value in enumerate(values.tolist())
    ]
    yield b",".join(elements)


def _time_text(time_ms: int) -> bytes:
    seconds, rest_ms = divmod(abs(time_ms), 1000)
    return b"%b%d%b" % (b"-" if time_ms < 0 else b"", seconds, b".%03d" % rest_ms if rest_ms else b"")


def _value_text(value: float) -> bytes:
    """A value as the kernels write it."""
    if _PLAIN_FROM <= abs(value) < _PLAIN_UNTIL:  # the shortest digits, and never an exponent
        return repr(value).removesuffix(".0").encode()
    if value == 0:
        return b"0" if math.copysign(1.0, value) > 0 else b"-0"
    out = np.empty(MAX_VALUE_BYTES, np.uint8)
    return out[: _write_one(np.array([value]).view(np.uint64), out)].tobytes()


def matrix_json(
    labels: LabelFrame, times: Int64s, values: Float64s, present: Bools, *, helper: Executor | None = None
) -> Iterator[bytes]:
    """The elements of a matrix result, in pieces to be joined: `{"metric":{},"values":[[0,"1"],...]},...`.

    Args:
        labels: of each row; more than there are rows, where only the first ones are shown.
        times: int64[steps], milliseconds.
        values: float64[series, steps].
        present: bool[series, steps]; every row has a sample.
        helper: a thread that takes every second piece where there are many, if it has nothing else to do.
    """
    if len(values) <= _FEW_SERIES:
        return _few_series(labels, times, values, present)
    pairs = label_pairs(labels, len(values))
    heads, lengths = _heads(_writeable(times))
    bits, mask = _writeable(values).view(np.uint64), _writeable(present)

    def write(low: int, high: int, out: Bytes) -> int:
        return _write_matrix(pairs.numbers, pairs.bounds, pairs.text, heads, lengths, bits, mask, low, high, out)

    return _in_pieces(write, len(values), pairs.most_bytes + _FRAME_BYTES + len(times) * _POINT_BYTES, helper)


def _few_series(labels: LabelFrame, times: Int64s, values: Float64s, present: Bools) -> Iterator[bytes]:
    """As `matrix_json`, of so few that it does not pay to prepare what their samples have in common."""
    for row, (mask, numbers) in enumerate(zip(present, values, strict=True)):
        whole = mask.all()
        yield _series(labels, row, times if whole else times[mask], numbers if whole else numbers[mask])


def runs_json(labels: LabelFrame, runs: SampleRuns, size: int) -> Iterator[bytes]:
    """The elements of a range vector, in pieces to be joined, as `matrix_json`; only the first `size` series."""
    bounds = runs.offsets[: size + 1].tolist()
    for row in range(size):
        start, end = bounds[row], bounds[row + 1]
        yield _series(labels, row, runs.times[start:end], runs.values[start:end])


def _series(labels: LabelFrame, row: int, times: Int64s, values: Float64s) -> bytes:
    """One series, with a comma before it unless it is the first."""
    out = np.empty(len(times) * _POINT_BYTES, np.uint8)
    end = _write_samples(_writeable(times), _writeable(values).view(np.uint64), out)
    pairs = orjson.dumps(dict(labels.label_set(row)))
    return b'%b{"metric":%b,"values":[%b]}' % (b"," if row else b"", pairs, out.data[:end])


def _in_pieces(
    write: Callable[[int, int, Bytes], int], rows: int, row_bytes: int, helper: Executor | None
) -> Iterator[bytes]:
    """What `write` makes of all rows, none of which is longer than `row_bytes`."""
    each = max(1, _PIECE_BYTES // row_bytes)

    def piece(low: int) -> bytes:
        high = min(low + each, rows)
        out = np.empty((high - low) * row_bytes, np.uint8)
        return out[: write(low, high, out)].tobytes()

    low = 0
    while low < rows:
        after = low + each
        if helper is not None and after < rows:
            second = helper.submit(piece, after)
            yield piece(low)
            # What the helper has not begun by now waits behind others' work.
            yield piece(after) if second.cancel() else second.result()
            after += each
        else:
            yield piece(low)
        low = after


def _writeable(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """The same in an array that kernels take: contiguous, and writeable although nothing writes to it."""
    return array if array.flags.c_contiguous and array.flags.writeable else array.copy(order="C")
