"""Numbers as PromQL writes them, which is nearly as Go does: `1e3`, `0x1F`, `1_000`, `Inf`.

A leading zero means octal as long as the digits allow it: `0755` is 493, `089` is 89. An integer in hex has
to fit an int64.

Source: Go's `strconv.ParseInt` with base 0 and `strconv.ParseFloat`.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from vedette.lang.promql.strings import quote

_MISPLACED = re.compile(r"(?<![0-9])_|_(?![0-9])")
_MISPLACED_IN_HEX = re.compile(r"(?<![0-9a-fA-F])_(?<!\A0[xX]_)|_(?![0-9a-fA-F])")
_PLAIN = re.compile(r"[1-9][0-9]{0,14}\Z")  # fewer digits than could be lost in a float
_DECIMAL = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_HEX_OR_OCTAL = re.compile(r"0(?:[xX]([0-9a-fA-F]{1,64})|([0-7]{1,64}))\Z")
_MAX_INT: Final = 2**63 - 1
_WORDS: Final = {"inf": math.inf, "nan": math.nan}
_LONGEST_QUOTED: Final = 400


def parse_number(text: str) -> float:
    """The value of an unsigned number.

    Raises:
        ValueError: it has the looks but not the value of a number; the message says so.
    """
    if _PLAIN.match(text):
        return float(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    digits = _without_underscores(text)
    prefixed = _HEX_OR_OCTAL.match(digits)
    if prefixed is not None:
        value = int(prefixed[1], 16) if prefixed[1] else int(prefixed[2], 8)
        if value <= _MAX_INT:
            return float(value)
    if not _DECIMAL.match(digits):
        raise ValueError(_problem(text, "invalid syntax"))
    number = float(digits)
    if math.isinf(number):
        raise ValueError(_problem(text, "value out of range"))
    return number


def _without_underscores(text: str) -> str:
    """The digits; nothing if an underscore does not stand between two of them (or after `0x`)."""
    if "_" not in text:
        return text
    misplaced = _MISPLACED_IN_HEX if text[:2] in ("0x", "0X") else _MISPLACED
    return "" if misplaced.search(text) else text.replace("_", "")


def _problem(text: str, reason: str) -> str:
    shown = text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}..."
    return f"error parsing number: strconv.ParseFloat: parsing {quote(shown)}: {reason}"


def format_number(value: float) -> str:
    """A number without an exponent and with no more digits than it needs, as Go's `FormatFloat(v, 'f', -1, 64)`."""
    if not math.isfinite(value):
        return _not_finite(value)
    sign, digits, point = _shortest(value)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def format_short(value: float) -> str:
    """A number as Go's `%v`: with an exponent where that is below -4 or above 5."""
    if not math.isfinite(value):
        return _not_finite(value)
    sign, digits, point = _shortest(value)
    exponent = point - 1
    if -5 < exponent < 6:
        return format_number(value)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{exponent:+03d}"


def _shortest(value: float) -> tuple[str, str, int]:
    """Sign, the fewest digits that give the value, and where among them the decimal point stands."""
    parts = Decimal(repr(value)).as_tuple()
    written = "".join(map(str, parts.digits))
    digits = written.rstrip("0") or "0"
    point = len(written) + int(parts.exponent)
    return "-" if parts.sign else "", digits, point if digits != "0" else 1


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"
