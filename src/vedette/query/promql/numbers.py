"""Numbers as Go writes and reads them, for the labels and messages in which Prometheus puts them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_GO_FLOAT = re.compile(
    r"[+-]?(?:inf(?:inity)?|nan"
    r"|0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?\d+"
    r"|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)",
    re.IGNORECASE | re.ASCII,
)
_LOWEST_PLAIN_EXPONENT = -4
_HIGHEST_PLAIN_EXPONENT = 21


def parse_float(text: str) -> float | None:
    """What Go's `strconv.ParseFloat` reads, or None where it fails."""
    if not _GO_FLOAT.fullmatch(text):
        return None
    try:
        value = float.fromhex(text) if "x" in text.lower() else float(text)
    except OverflowError:
        return None
    # Go reports digits that overflow as an error; only the word makes an infinity.
    return None if math.isinf(value) and "inf" not in text.lower() else value


def format_plain(value: float) -> str:
    """The shortest digits that give the number back, without an exponent: Go's `'f', -1`."""
    special = _special(value)
    if special is not None:
        return special
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_general(value: float) -> str:
    """Go's `%g`: as short as possible, with an exponent for large and small numbers."""
    special = _special(value)
    if special is not None:
        return special
    sign, digits, point = Decimal(repr(value)).normalize().as_tuple()
    exponent = len(digits) + int(point) - 1
    if value != 0 and not _LOWEST_PLAIN_EXPONENT <= exponent < _HIGHEST_PLAIN_EXPONENT:
        head, tail = str(digits[0]), "".join(map(str, digits[1:]))
        mantissa = f"{head}.{tail}" if tail else head
        return f"{'-' if sign else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return format_plain(value)


def format_open_metrics(value: float) -> str:
    """As OpenMetrics writes label values such as `quantile`: 1 is `1.0`."""
    text = format_general(value)
    return text if any(mark in text for mark in ".eIN") else f"{text}.0"


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return None
