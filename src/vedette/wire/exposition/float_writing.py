"""Numbers as Go prints them (`strconv` format `g`, shortest), which is how expositions write them."""

from __future__ import annotations

import math


def format_float(value: float) -> str:
    """A float's shortest text that reads back the same: `1e+06`, `1.5`, `+Inf`, `NaN`."""
    if math.isfinite(value):
        return _format_finite(value)
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def format_openmetrics_float(value: float) -> str:
    """As `format_float`, but a whole number shows that it is a float: `1.0`."""
    if value == 0:
        return "0.0"
    text = format_float(value)
    return text if not math.isfinite(value) or "e" in text or "." in text else text + ".0"


def _format_finite(value: float) -> str:
    # Python and Go agree on the digits; they differ in when and how they write an exponent.
    size = abs(value)
    if 1e-4 <= size < 1e6:
        return repr(value).removesuffix(".0")
    if size == 0:
        return "0"
    number, _, power = repr(size).partition("e")
    whole, _, fraction = number.partition(".")
    digits = (whole + fraction).rstrip("0")
    exponent = int(power or 0) + len(whole) - 1
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
