"""Numbers as expositions write them, read to the nearest float64.

Two readers with one meaning. `parse_float` is the reference: Go's `strconv.ParseFloat` without hexadecimal
floats and underscores, which Prometheus refuses (a number beyond the range is an error, not an infinity).
`read_float` is for kernels: it reads what is commonly written, to the same bits, and leaves the rest to the
reference.

The kernel's method: up to 19 digits are an integer; where it and the power of ten are exact in a float64, one
multiplication or division rounds once (Clinger 1990); otherwise 128 bits of the power of ten decide, and
say so when they cannot (Eisel-Lemire, https://arxiv.org/abs/2101.11408, as Go does it).
"""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import inline
from vedette.wire.exposition.words import multiply_high, signed

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_INFINITY = re.compile(r"[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)


def parse_float(text: str) -> float:
    """A number's value.

    Raises:
        ValueError: it is none; the message says why, without the text.
    """
    if _NUMBER.fullmatch(text):
        value = float(text)
        if math.isinf(value):
            raise ValueError("value out of range")
        return value
    if text.lower() == "nan":
        return math.nan
    if _INFINITY.fullmatch(text):
        return float(text)
    if any(character in text for character in "pP_"):
        raise ValueError("unsupported character in float")
    raise ValueError("invalid syntax")


Bytes = NDArray[np.uint8]

_DIGITS: Final = 19
"""So many decimal digits always fit into 64 bits."""

_MIN_POWER: Final = -348
_MAX_POWER: Final = 347

_EXACT_POWERS: Final = np.array([10.0**power for power in range(23)])
"""Powers of ten that a float64 holds exactly."""

_EXACT_INTEGER: Final = 1 << 53
"""Up to here a float64 holds every integer."""


def _powers_of_ten() -> list[tuple[int, int]]:
    """The upper and lower 64 bits of each power of ten's mantissa, its top bit set, rounded down."""
    mantissas: list[int] = []
    for power in range(_MIN_POWER, _MAX_POWER + 1):
        if power >= 0:
            five = 5**power
            excess = five.bit_length() - 128
            mantissas.append(five >> excess if excess > 0 else five << -excess)
        else:
            five = 5**-power
            mantissas.append((1 << (five.bit_length() + 127)) // five)
    return [(mantissa >> 64, mantissa & 0xFFFF_FFFF_FFFF_FFFF) for mantissa in mantissas]


_POWERS: Final = np.array(_powers_of_ten(), np.uint64)

_NAN: Final = math.nan

_MAX_EXPONENT: Final = 10_000
"""Exponents beyond are not counted further: the number is out of range either way."""


@inline
def _leading_zeros(word: np.uint64) -> np.uint64:
    zeros = np.uint64(0)
    for shift in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(64 - shift) == np.uint64(0):
            zeros += np.uint64(shift)
            word <<= np.uint64(shift)
    return zeros


@inline
def _scale(mantissa: np.uint64, power: int) -> tuple[np.float64, bool]:
    """`mantissa * 10**power` rounded once, and whether 128 bits were enough to know (Eisel-Lemire)."""
    if mantissa == np.uint64(0):
        return np.float64(0.0), True
    if power < _MIN_POWER or power > _MAX_POWER:
        return np.float64(0.0), False
    zeros = _leading_zeros(mantissa)
    mantissa <<= zeros
    # 217706 / 2**16 approximates log2(10); right for all powers of the table.
    exponent = np.uint64(((217706 * power) >> 16) + 64 + 1023) - zeros
    upper_power = _POWERS[power - _MIN_POWER, 0]
    high = multiply_high(mantissa, upper_power)
    low = mantissa * upper_power
    if high & np.uint64(0x1FF) == np.uint64(0x1FF) and low + mantissa < mantissa:
        lower_power = _POWERS[power - _MIN_POWER, 1]
        carry_high = multiply_high(mantissa, lower_power)
        carry_low = mantissa * lower_power
        merged_high = high
        merged_low = low + carry_high
        if merged_low < low:
            merged_high += np.uint64(1)
        if (
            merged_high & np.uint64(0x1FF) == np.uint64(0x1FF)
            and merged_low + np.uint64(1) == np.uint64(0)
            and carry_low + mantissa < mantissa
        ):
            return np.float64(0.0), False
        high = merged_high
        low = merged_low
    top = high >> np.uint64(63)
    bits = high >> (top + np.uint64(9))
    exponent -= np.uint64(1) ^ top
    if low == np.uint64(0) and high & np.uint64(0x1FF) == np.uint64(0) and bits & np.uint64(3) == np.uint64(1):
        return np.float64(0.0), False  # half-way between two floats
    bits += bits & np.uint64(1)
    bits >>= np.uint64(1)
    if bits >> np.uint64(53) > np.uint64(0):
        bits >>= np.uint64(1)
        exponent += np.uint64(1)
    if exponent - np.uint64(1) >= np.uint64(0x7FE):
        return np.float64(0.0), False  # subnormal or beyond the range; unsigned, so that 0 wraps round
    pattern = (exponent << np.uint64(52)) | (bits & np.uint64(0xF_FFFF_FFFF_FFFF))
    return np.uint64(pattern).view(np.float64), True


@inline
def _word(data: Bytes, at: int) -> int:
    """Three bytes, lower-cased, as one number."""
    return (signed(data[at]) << 16 | signed(data[at + 1]) << 8 | signed(data[at + 2])) | 0x202020


@inline
def _special(data: Bytes, at: int, first: int) -> tuple[np.float64, int, bool]:
    """NaN or an infinity at `at`, whose number proper begins at `first`."""
    word = _word(data, first)
    if word == 0x6E616E and first == at:
        return np.float64(_NAN), at + 3, True
    if word == 0x696E66:
        return (np.float64(-np.inf) if data[at] == 0x2D else np.float64(np.inf)), first + 3, True
    return np.float64(0.0), at, False


@inline
def _read_exponent(data: Bytes, at: int) -> tuple[int, int]:
    """The exponent behind its `e`, and where it ends; -1 if there is none."""
    falling = data[at] == 0x2D
    if falling or data[at] == 0x2B:
        at += 1
    begin = at
    exponent = 0
    while True:
        digit = signed(data[at]) - 48
        if digit < 0 or digit > 9:
            break
        if exponent < _MAX_EXPONENT:
            exponent = exponent * 10 + digit
        at += 1
    if at == begin:
        return 0, -1
    return (-exponent if falling else exponent), at


@inline
def read_float(  # noqa: C901, PLR0912 - one loop over digits, which calls would slow down
    data: Bytes, at: int
) -> tuple[np.float64, int, bool]:
    """The number at `data[at]`, where it ends, and whether it is known.

    The caller decides whether the byte at the end may follow a number. Three readable bytes have to follow
    the end of the text.
    """
    first = at
    if data[at] == 0x2D or data[at] == 0x2B:
        first += 1
    here = first
    mantissa = np.uint64(0)
    digits = 0
    power = 0
    cut = False
    seen = False
    point = False
    while True:
        byte = signed(data[here])
        if byte == 0x2E and not point:
            point = True
        else:
            digit = byte - 48
            if digit < 0 or digit > 9:
                break
            seen = True
            if digits < _DIGITS:
                mantissa = mantissa * np.uint64(10) + np.uint64(digit)
                if mantissa != np.uint64(0):
                    digits += 1
                if point:
                    power -= 1
            else:
                cut = cut or digit != 0
                if not point:
                    power += 1
        here += 1
    if not seen:
        return _special(data, at, first)
    if data[here] == 0x65 or data[here] == 0x45:
        exponent, here = _read_exponent(data, here + 1)
        if here < 0:
            return np.float64(0.0), at, False
        power += exponent
    if not cut and mantissa > np.uint64(_EXACT_INTEGER):
        # Zeros that end a fraction say nothing, and could make the number too long for the exact way.
        while power < 0 and mantissa % np.uint64(10) == np.uint64(0):
            mantissa //= np.uint64(10)
            power += 1
    if not cut and mantissa <= np.uint64(_EXACT_INTEGER) and -22 <= power <= 22:
        value = np.float64(mantissa)
        value = value * _EXACT_POWERS[power] if power >= 0 else value / _EXACT_POWERS[-power]
        known = True
    else:
        value, known = _scale(mantissa, power)
        if known and cut:
            # The digits that were cut off lie between these two.
            above, known = _scale(mantissa + np.uint64(1), power)
            known = known and above == value
    return (-value if data[at] == 0x2D else value), here, known
