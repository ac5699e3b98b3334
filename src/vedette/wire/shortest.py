"""The shortest decimal digits that read back as the same float64, for kernels.

Source: Raffaello Giulietti, "The Schubfach way to render doubles" (2020), in the arrangement of Alexander Bolz's
Drachennest: two products with 128 bits of a power of ten, no division by more than ten, no table of cases.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, inline
from vedette.wire.exposition.words import multiply_high

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

_TENS: Final = np.array([10**power for power in range(20)], np.uint64)
_PAIRS: Final = np.frombuffer("".join(f"{pair:02d}" for pair in range(100)).encode(), np.uint8).copy()

_HIDDEN_BIT: Final = 1 << 52
_EXPONENT_BIAS: Final = 1075


@inline
def _round_to_odd(high: MachineInt, low: MachineInt, factor: MachineInt) -> Any:
    """The upper 64 bits of a 128 by 64 bit product; its last bit tells whether anything lies below."""
    middle = multiply_high(low, factor) + high * factor
    carry = np.uint64(1) if middle < high * factor else np.uint64(0)
    upper = multiply_high(high, factor) + carry
    return upper | (np.uint64(1) if middle > np.uint64(1) else np.uint64(0))


@inline
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


@inline
def write_digits(digits: MachineInt, out: Bytes, at: MachineInt) -> Any:
    """Write a uint64 in decimal; returns the place behind it."""
    length = 1
    while length < 20 and digits >= _TENS[length]:
        length += 1
    place = at + length
    while digits >= np.uint64(100):
        rest = digits // np.uint64(100)
        pair = np.int64(digits - rest * np.uint64(100))
        place -= 2
        out[place] = _PAIRS[2 * pair]
        out[place + 1] = _PAIRS[2 * pair + 1]
        digits = rest
    if place - at == 2:
        out[at] = _PAIRS[2 * np.int64(digits)]
        out[at + 1] = _PAIRS[2 * np.int64(digits) + 1]
    else:
        out[at] = np.uint8(48 + np.int64(digits))
    return at + length
