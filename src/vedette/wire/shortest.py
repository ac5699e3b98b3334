"""The shortest decimal digits that read back as the same float64, for kernels.

Source: Raffaello Giulietti, "The Schubfach way to render doubles" (2020), in the arrangement of Alexander Bolz's
Drachennest: two products with 128 bits of a power of ten, no division by more than ten, no table of cases.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, leaf
from vedette.wire.exposition.words import multiply_high, store_word

Bytes = NDArray[np.uint8]

_MIN_POWER: Final = -292
_MAX_POWER: Final = 324
_EXACT_POWERS: Final = range(56)
"""Powers of ten whose power of five fits into 128 bits."""


def _powers_of_ten() -> NDArray[np.uint64]:
    """The 128 leading bits of each power of ten, rounded up where it is not exact: high and low halves."""
    halves: list[tuple[int, int]] = []
    for power in range(_MIN_POWER, _MAX_POWER + 1):
        if power >= 0:
            ten = 10**power
            excess = ten.bit_length() - 128
            bits = ten >> excess if excess > 0 else ten << -excess
        else:
            ten = 10**-power
            bits = (1 << (ten.bit_length() + 127)) // ten
        if power not in _EXACT_POWERS:
            bits += 1
        halves.append((bits >> 64, bits & 0xFFFF_FFFF_FFFF_FFFF))
    return np.array(halves, np.uint64)


_POWERS: Final = _powers_of_ten()

TENS: Final = np.array([10**power for power in range(20)], np.uint64)

_HIDDEN_BIT: Final = 1 << 52
_EXPONENT_BIAS: Final = 1075


@leaf
def _round_to_odd(high: MachineInt, low: MachineInt, factor: MachineInt) -> Any:
    """The upper 64 bits of a 128 by 64 bit product; its last bit tells whether anything lies below."""
    middle = multiply_high(low, factor) + high * factor
    carry = np.uint64(1) if middle < high * factor else np.uint64(0)
    upper = multiply_high(high, factor) + carry
    return upper | (np.uint64(1) if middle > np.uint64(1) else np.uint64(0))


@leaf
def shortest_digits(bits: MachineInt) -> tuple[Any, Any]:
    """A finite, non-zero, positive float64 as digits and a power of ten.

    Args:
        bits: uint64, its bits, without the sign.

    Returns:
        uint64 digits, perhaps with zeros at their end, and int64 exponent: the value is digits * 10**exponent.
    """
    fraction = bits & np.uint64(_HIDDEN_BIT - 1)
    biased = np.int64(bits >> np.uint64(52))
    if biased != 0:
        significand = fraction | np.uint64(_HIDDEN_BIT)
        exponent = biased - _EXPONENT_BIAS
        if -53 < exponent <= 0:
            shift = np.uint64(-exponent)
            if (significand >> shift) << shift == significand:
                return significand >> shift, np.int64(0)
    else:
        significand = fraction
        exponent = np.int64(1 - _EXPONENT_BIAS)
    uneven = significand & np.uint64(1)
    closer = np.int64(1) if fraction == 0 and biased > 1 else np.int64(0)
    power = (exponent * 1262611 - closer * 524031) >> 22
    shift = np.uint64(exponent + ((-power * 1741647) >> 19) + 1)
    high = _POWERS[-power - _MIN_POWER, 0]
    low = _POWERS[-power - _MIN_POWER, 1]
    four = significand << np.uint64(2)
    lower = _round_to_odd(high, low, (four - np.uint64(2) + np.uint64(closer)) << shift) + uneven
    middle = _round_to_odd(high, low, four << shift)
    upper = _round_to_odd(high, low, (four + np.uint64(2)) << shift) - uneven
    digits = middle >> np.uint64(2)
    if digits >= np.uint64(10):
        tens = digits // np.uint64(10)
        down = lower <= np.uint64(40) * tens
        up = np.uint64(40) * tens + np.uint64(40) <= upper
        if down != up:
            return tens + (np.uint64(1) if up else np.uint64(0)), power + 1
    down = lower <= np.uint64(4) * digits
    up = np.uint64(4) * digits + np.uint64(4) <= upper
    if down == up:
        half = np.uint64(4) * digits + np.uint64(2)
        up = middle > half or (middle == half and digits & np.uint64(1) != np.uint64(0))
    return digits + (np.uint64(1) if up else np.uint64(0)), power


@leaf
def strip_zeros(digits: MachineInt, exponent: MachineInt) -> tuple[Any, Any]:
    """The same number without zeros at the end of its digits; they are not 0."""
    while True:
        rest = digits // np.uint64(100_000_000)
        if rest * np.uint64(100_000_000) != digits:
            break
        digits = rest
        exponent += 8
    rest = digits // np.uint64(10_000)
    if rest * np.uint64(10_000) == digits:
        digits = rest
        exponent += 4
    rest = digits // np.uint64(100)
    if rest * np.uint64(100) == digits:
        digits = rest
        exponent += 2
    rest = digits // np.uint64(10)
    if rest * np.uint64(10) == digits:
        digits = rest
        exponent += 1
    return digits, exponent


@leaf
def count_digits(digits: MachineInt) -> MachineInt:
    """How many decimal digits a uint64 has; one for 0."""
    length = np.int64(0)  # less one
    if digits >= TENS[16]:
        length = np.int64(16)
    else:
        if digits >= TENS[8]:
            length = np.int64(8)
        if digits >= TENS[length + 4]:
            length += 4
    if digits >= TENS[length + 2]:
        length += 2
    if digits >= TENS[length + 1]:
        length += 1
    return length + 1


@leaf
def _eight(digits: MachineInt) -> Any:
    """Eight decimal digits, zeros in front, as characters in a uint64; the first in its lowest byte.

    Four, two and then one digit in each part of the word: all parts are divided by one multiplication.
    """
    fours = digits // np.uint64(10_000)
    word = fours | ((digits - fours * np.uint64(10_000)) << np.uint64(32))
    twos = ((word * np.uint64(10_486)) >> np.uint64(20)) & np.uint64(0x7F_0000_007F)
    word = twos | ((word - twos * np.uint64(100)) << np.uint64(16))
    ones = ((word * np.uint64(103)) >> np.uint64(10)) & np.uint64(0x000F_000F_000F_000F)
    word = ones | ((word - ones * np.uint64(10)) << np.uint64(8))
    return word | np.uint64(0x3030_3030_3030_3030)


@leaf
def write_padded(digits: MachineInt, length: MachineInt, out: Bytes, at: MachineInt) -> MachineInt:
    """Write a uint64 with so many digits, at least as many as it has; returns the place behind it.

    Up to seven bytes behind that place are overwritten with anything.
    """
    if length > 16:
        first = digits // np.uint64(10_000_000_000_000_000)
        store_word(out, at, _eight(first) >> np.uint64(8 * (24 - length)))
        at += length - 16
        length = np.int64(16)
        digits -= first * np.uint64(10_000_000_000_000_000)
    if length > 8:
        first = digits // np.uint64(100_000_000)
        store_word(out, at, _eight(first) >> np.uint64(8 * (16 - length)))
        at += length - 8
        length = np.int64(8)
        digits -= first * np.uint64(100_000_000)
    store_word(out, at, _eight(digits) >> np.uint64(8 * (8 - length)))
    return at + length


@leaf
def write_digits(digits: MachineInt, out: Bytes, at: MachineInt) -> MachineInt:
    """Write a uint64 in decimal; returns the place behind it, and overwrites bytes there as `write_padded`."""
    return write_padded(digits, count_digits(digits), out, at)
