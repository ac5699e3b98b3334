"""The compressed form of a run of samples in memory: small, exact, and fast to unpack.

A chunk holds up to `MAX_SAMPLES` samples of one series as 64-bit words. Times that are evenly spaced cost
nothing; others are their differences, bit-packed. Values that are decimal numbers (counters, most gauges)
become integers by one power of ten where that is exact both ways, then differences or offsets,
bit-packed; all others keep the bits in which they differ from the first. Every value comes back bit by bit.

The chunk's descriptor (an int64) says which of these was chosen:

    bits 0-7    samples
    bits 8-14   width of a packed time difference; 0 where times are evenly spaced
    bits 15-16  form of the values: `_CONSTANT`, `_OFFSETS`, `_DIFFERENCES` or `_BITS`
    bits 17-23  width of a packed value
    bits 24-28  power of ten (`_OFFSETS`, `_DIFFERENCES`), or
    bits 24-29  trailing zero bits (`_BITS`)

The words: with packed times, the smallest difference and the differences less that; then the first value's
integer (or bits), with `_DIFFERENCES` the smallest difference, and the packed values. One more word is read, but
never used, behind a packed run.

Sources: frame of reference and bit packing as in Lemire and Boytsov, "Decoding billions of integers per second
through vectorization" (2015); decimal scaling as in VictoriaMetrics' storage, here only where it is exact.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, kernel, leaf

MAX_SAMPLES: Final = 128
"""The most samples that a chunk can hold."""

MAX_WORDS: Final = 2 * MAX_SAMPLES + 4
"""The most words that a chunk can take, the one behind it included."""

_CONSTANT: Final = 0
_OFFSETS: Final = 1
_DIFFERENCES: Final = 2
_BITS: Final = 3

_MAX_EXPONENT: Final = 15
_POWERS: Final = np.array([10.0**e for e in range(_MAX_EXPONENT + 1)])
# Integers up to here are exact as float64, so that scaling them back rounds once and correctly.
_MAX_INTEGER: Final = float(2**53)

Words = NDArray[np.uint64]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]


@leaf
def _width(largest: MachineInt) -> MachineInt:
    """How many bits a non-negative number takes."""
    width = 0
    while largest > 0:
        width += 1
        largest >>= 1
    return width


@leaf
def _pack(words: Words, at: MachineInt, numbers: Int64s, count: MachineInt, width: MachineInt) -> MachineInt:
    """Write `count` numbers of `width` bits; returns the word behind them."""
    if width == 0:
        return at
    word = np.uint64(0)
    filled = 0
    for i in range(count):
        number = np.uint64(numbers[i])
        word |= number << np.uint64(filled)
        filled += width
        if filled >= 64:
            words[at] = word
            at += 1
            filled -= 64
            word = np.uint64(0) if filled == 0 else number >> np.uint64(width - filled)
    if filled > 0:
        words[at] = word
        at += 1
    return at


@leaf
def _mask(width: MachineInt) -> MachineInt:
    return np.uint64(0xFFFFFFFFFFFFFFFF) if width == 64 else (np.uint64(1) << np.uint64(width)) - np.uint64(1)


@leaf
def _unpack(words: Words, at: MachineInt, count: MachineInt, width: MachineInt, room: Int64s) -> None:
    """The first `count` numbers of a packed run, to `room`; reads one word behind the run at the most."""
    mask = _mask(width)
    run = words[at:]
    wide = np.uint64(width)
    for i in range(count):
        bit = np.uint64(i) * wide
        word = bit >> np.uint64(6)
        shift = bit & np.uint64(63)
        # Two shifts, because one by 64 is undefined. Unsigned places, because signed ones may count from the end.
        high = (run[word + np.uint64(1)] << np.uint64(1)) << (np.uint64(63) - shift)
        room[i] = np.int64(((run[word] >> shift) | high) & mask)


@leaf
def _add_up(
    words: Words, at: MachineInt, width: MachineInt, smallest: MachineInt, integer: MachineInt, sums: Float64s
) -> None:
    """The sums of `integer` and the first 1, 2, 3 ... numbers of a packed run, each with `smallest` added to it."""
    mask = _mask(width)
    wide = np.uint64(width)
    word = words[at]
    left = np.uint64(64)
    for i in range(sums.size):
        number = word & mask
        if left >= wide:
            # Two shifts, because one by 64 is undefined.
            word = (word >> (wide - np.uint64(1))) >> np.uint64(1)
            left -= wide
        else:
            at += 1
            following = words[at]
            number = (number | (following << left)) & mask
            taken = wide - left
            word = (following >> (taken - np.uint64(1))) >> np.uint64(1)
            left = np.uint64(64) - taken
        integer += smallest + np.int64(number)
        sums[i] = float(integer)


@leaf
def _find_exponent(values: Float64s, n: MachineInt, integers: Int64s) -> MachineInt:
    """The smallest power of ten that makes all values integers, written to `integers`; -1 if there is none."""
    exponent = 0
    i = 0
    while i < n:
        value = values[i]
        scaled = value * _POWERS[exponent]
        rounded = np.rint(scaled)
        # Compared through the way back; NaN and infinities fail the first test, -0.0 the last.
        if (
            abs(scaled) <= _MAX_INTEGER
            and rounded / _POWERS[exponent] == value
            and not (value == 0.0 and np.signbit(value))
        ):
            integers[i] = np.int64(rounded)
            i += 1
            continue
        if exponent == _MAX_EXPONENT or not abs(scaled) <= _MAX_INTEGER:
            return -1
        exponent += 1
        i = 0
    return exponent


@kernel("UniTuple(int64, 2)(int64[::1], float64[::1], int64, uint64[::1], int64)")
def encode_chunk(  # noqa: C901, PLR0912, PLR0915 - one format; calls with arrays cost in kernels
    times: Int64s, values: Float64s, n: MachineInt, words: Words, at: MachineInt
) -> tuple[MachineInt, MachineInt]:
    """Write the first `n` samples to `words[at:]`, where `MAX_WORDS` must be free.

    Args:
        times: int64[>= n], strictly rising.
        values: float64[>= n].
        n: from 1 to `MAX_SAMPLES`.
        words: where to.
        at: first word to write.

    Returns:
        The descriptor, and how many words were written (the spare word behind them not counted).
    """
    start = at
    numbers = np.empty(MAX_SAMPLES, np.int64)
    integers = np.empty(MAX_SAMPLES, np.int64)

    time_width = 0
    if n > 1:
        smallest = times[1] - times[0]
        largest = smallest
        for i in range(2, n):
            difference = times[i] - times[i - 1]
            smallest = min(smallest, difference)
            largest = max(largest, difference)
        if smallest != largest:
            time_width = _width(largest - smallest)
            for i in range(1, n):
                numbers[i - 1] = times[i] - times[i - 1] - smallest
            words[at] = np.uint64(smallest)
            at = _pack(words, at + 1, numbers, n - 1, time_width)

    bits = values.view(np.uint64)
    differing = np.uint64(0)
    for i in range(1, n):
        differing |= bits[i] ^ bits[0]
    if differing == 0:
        words[at] = bits[0]
        return n | (time_width << 8) | (_CONSTANT << 15), at + 1 - start

    exponent = _find_exponent(values, n, integers)
    if exponent >= 0:
        low = integers[0]
        high = low
        low_step = integers[1] - integers[0]
        high_step = low_step
        for i in range(1, n):
            low = min(low, integers[i])
            high = max(high, integers[i])
            step = integers[i] - integers[i - 1]
            low_step = min(low_step, step)
            high_step = max(high_step, step)
        offset_width = _width(high - low)
        step_width = _width(high_step - low_step)
        if step_width < offset_width:
            for i in range(1, n):
                numbers[i - 1] = integers[i] - integers[i - 1] - low_step
            words[at] = np.uint64(integers[0])
            words[at + 1] = np.uint64(low_step)
            at = _pack(words, at + 2, numbers, n - 1, step_width)
            form = (_DIFFERENCES << 15) | (step_width << 17)
        else:
            for i in range(n):
                numbers[i] = integers[i] - low
            words[at] = np.uint64(low)
            at = _pack(words, at + 1, numbers, n, offset_width)
            form = (_OFFSETS << 15) | (offset_width << 17)
        return n | (time_width << 8) | form | (exponent << 24), at - start

    trailing = 0
    while (differing >> np.uint64(trailing)) & np.uint64(1) == 0:
        trailing += 1
    width = 0
    rest = differing >> np.uint64(trailing)
    while rest != 0:
        width += 1
        rest >>= np.uint64(1)
    for i in range(1, n):
        numbers[i - 1] = np.int64((bits[i] ^ bits[0]) >> np.uint64(trailing))
    words[at] = bits[0]
    at = _pack(words, at + 1, numbers, n - 1, width)
    return n | (time_width << 8) | (_BITS << 15) | (width << 17) | (trailing << 24), at - start


@leaf
def time_words(descriptor: MachineInt) -> MachineInt:
    """How many words a chunk's times take."""
    width = (descriptor >> 8) & 0x7F
    return (((descriptor & 0xFF) - 1) * width + 127) >> 6 if width > 0 else np.int64(0)


@leaf
def decode_times(
    words: Words,
    at: MachineInt,
    descriptor: MachineInt,
    first: MachineInt,
    last: MachineInt,
    times: Int64s,
    out: MachineInt,
    room: Int64s,
) -> None:
    """Unpack the times of a whole chunk to `times[out:]`; `first` and `last` are its first and last time.

    Only kernels call it. `room` holds `MAX_SAMPLES` numbers for a moment.
    """
    n = descriptor & 0xFF
    width = (descriptor >> 8) & 0x7F
    run = times[out : out + n]
    if width == 0:
        step = (last - first) // (n - 1) if n > 1 else np.int64(0)
        for i in range(n):
            run[i] = first + i * step
        return
    smallest = np.int64(words[at])
    _unpack(words, at + 1, n - 1, width, room)
    time = first
    run[0] = time
    rest = run[1:]
    for i in range(rest.size):
        time += smallest + room[i]
        rest[i] = time


@leaf
def decode_values(
    words: Words, at: MachineInt, descriptor: MachineInt, values: Float64s, out: MachineInt, room: Int64s
) -> None:
    """Unpack the values of a whole chunk to `values[out:]`; as `decode_times`."""
    n = descriptor & 0xFF
    form = (descriptor >> 15) & 3
    width = (descriptor >> 17) & 0x7F
    at += time_words(descriptor)
    run = values[out : out + n]
    bits = run.view(np.uint64)
    if form == _CONSTANT:
        word = words[at]
        for i in range(n):
            bits[i] = word
    elif form == _BITS:
        trailing = np.uint64((descriptor >> 24) & 0x3F)
        base = words[at]
        _unpack(words, at + 1, n - 1, width, room)
        bits[0] = base
        rest_bits = bits[1:]
        for i in range(rest_bits.size):
            rest_bits[i] = base ^ (np.uint64(room[i]) << trailing)
    else:
        integer = np.int64(words[at])
        if form == _DIFFERENCES:
            smallest = np.int64(words[at + 1])
            if width == 0:
                for i in range(n):
                    run[i] = float(integer + i * smallest)
            else:
                run[0] = float(integer)
                _add_up(words, at + 2, width, smallest, integer, run[1:])
        else:
            _unpack(words, at + 1, n, width, room)
            for i in range(n):
                run[i] = float(integer + room[i])
        power = _POWERS[(descriptor >> 24) & 0x1F]
        if power != 1.0:
            for i in range(n):
                run[i] /= power
