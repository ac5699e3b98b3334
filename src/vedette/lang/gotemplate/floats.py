"""Floating-point numbers as Go writes them.

Source: Go's `strconv.FormatFloat` (https://pkg.go.dev/strconv#FormatFloat).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

SHORTEST: Final = -1
"""As a precision: as few digits as give the number back."""

_MANTISSA_BITS: Final = 52
_EXPONENT_BIAS: Final = 1075
_MOST_DIGITS: Final = 2000
"""Digits behind which every float64 has zeros only."""
_LEAST_PLAIN: Final = -4
_MOST_PLAIN: Final = 6
"""Where the point may stand in a number of the fewest digits without an exponent."""


def format_float(value: float, verb: str, precision: int = SHORTEST) -> str:
    """A number, with a sign only if it is negative.

    Args:
        value: the number.
        verb: one of b, e, E, f, g, G, x, X.
        precision: digits behind the point, or of all for g; `SHORTEST`.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    match verb:
        case "b":
            return _binary(value)
        case "x" | "X":
            text = _hexadecimal(value, precision)
            return text.upper() if verb == "X" else text
        case _ if precision == SHORTEST:
            text = _shortest(value, verb.lower())
        case _:
            # More digits than there can be are zeros, and Python writes fewer of them at a time than Go.
            more = max(0, precision - _MOST_DIGITS) if verb not in ("g", "G") else 0
            text = f"{value:.{min(precision, _MOST_DIGITS)}{verb.lower()}}"
            text = _with_zeros(text, more)
    return text.upper() if verb in "EG" else text


def shortest_digits(value: float) -> tuple[str, str, int]:
    """Sign, the fewest digits that give the value back, and where among them the point stands."""
    parts = Decimal(repr(value)).as_tuple()
    written = "".join(map(str, parts.digits))
    digits = written.rstrip("0") or "0"
    point = len(written) + int(parts.exponent)
    return "-" if parts.sign else "", digits, point if digits != "0" else 1


def _shortest(value: float, verb: str) -> str:
    sign, digits, point = shortest_digits(value)
    if verb == "e" or (verb == "g" and not _LEAST_PLAIN < point <= _MOST_PLAIN):
        return sign + _exponential(digits, point)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _exponential(digits: str, point: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+03d}"


def _with_zeros(text: str, count: int) -> str:
    if not count:
        return text
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}{'0' * count}{mark}{exponent}"


def _binary(value: float) -> str:
    mantissa, exponent = math.frexp(abs(value))
    if value == 0:
        whole, power = 0, 1 - _EXPONENT_BIAS
    else:
        power = max(exponent - _MANTISSA_BITS - 1, 1 - _EXPONENT_BIAS)
        whole = int(math.ldexp(mantissa, exponent - power))
    sign = "-" if math.copysign(1, value) < 0 else ""
    return f"{sign}{whole}p{power:+d}"


def _hexadecimal(value: float, precision: int) -> str:
    sign = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        digits = "" if precision <= 0 else f".{'0' * precision}"
        return f"{sign}0x0{digits}p+00"
    mantissa, exponent = math.frexp(abs(value))
    # 1.xxx with 52 bits behind the point.
    bits = int(math.ldexp(mantissa, _MANTISSA_BITS + 1))
    power = exponent - 1
    if precision == SHORTEST:
        fraction = f"{bits & ((1 << _MANTISSA_BITS) - 1):013x}".rstrip("0")
    else:
        kept = min(precision, 13)
        dropped = 4 * (13 - kept)
        rest = bits & ((1 << dropped) - 1)
        bits >>= dropped
        half = 1 << dropped >> 1
        if dropped and (rest > half or (rest == half and bits & 1)):
            bits += 1
        if bits >> (4 * kept) > 1:
            bits >>= 1
            power += 1
        fraction = (f"{bits & ((1 << 4 * kept) - 1):0{kept}x}" if kept else "") + "0" * (precision - kept)
    point = f".{fraction}" if fraction else ""
    return f"{sign}0x1{point}p{power:+03d}"
