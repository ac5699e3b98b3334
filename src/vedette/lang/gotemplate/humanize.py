"""Numbers as people read them: with prefixes, as durations, as times, as shares.

Source: Prometheus' `template/template.go` and prometheus/common's `helpers/templates`.
"""

from __future__ import annotations

import math
from typing import Any, Final

from vedette.lang.gotemplate.calendar import SECOND, Instant
from vedette.lang.gotemplate.errors import FunctionError
from vedette.lang.gotemplate.floats import format_float
from vedette.lang.gotemplate.kinds import FLOAT64, INT, INT64, STRING, UINT, UINT64
from vedette.lang.gotemplate.layouts import FULL, format_time
from vedette.lang.gotemplate.literals import MAX_INT, MIN_INT, parse_float
from vedette.lang.gotemplate.times import DURATION
from vedette.lang.gotemplate.values import payload, type_of, unboxed

_LARGE: Final = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL: Final = ("m", "u", "n", "p", "f", "a", "z", "y")
_BINARY: Final = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_NUMBERS: Final = frozenset((FLOAT64, INT, INT64, UINT, UINT64))
_MS_NS: Final = 1_000_000


def float_of(value: Any) -> float:
    """A number, a text with one, or a duration in seconds.

    Raises:
        FunctionError: it is none of these.
    """
    value = unboxed(value)
    kind = type_of(value) if value is not None else None
    if kind in _NUMBERS:
        return float(payload(value))
    if kind is STRING:
        try:
            return parse_float(payload(value))
        except ValueError as exc:
            raise FunctionError(str(exc)) from exc
    if kind is DURATION:
        return payload(value) / SECOND
    raise FunctionError(f"can't convert {kind.name if kind is not None else '<nil>'} to float")


def _short(number: float) -> str:
    """As `%.4g` writes it."""
    return format_float(number, "g", 4)


def humanize(value: Any) -> str:
    """A number with a prefix of the SI: `1.235M`, `120m`.

    Raises:
        FunctionError: the value is no number.
    """
    number = float_of(value)
    if number == 0 or not math.isfinite(number):
        return _short(number)
    return _prefixed(number)


def _prefixed(number: float) -> str:
    prefix = ""
    if abs(number) >= 1:
        for larger in _LARGE:
            if abs(number) < 1000:
                break
            prefix = larger
            number /= 1000
    else:
        for smaller in _SMALL:
            if abs(number) >= 1:
                break
            prefix = smaller
            number *= 1000
    return f"{_short(number)}{prefix}"


def humanize_1024(value: Any) -> str:
    """A number with a prefix for powers of 1024: `1.177Mi`.

    Raises:
        FunctionError: the value is no number.
    """
    number = float_of(value)
    if abs(number) <= 1 or not math.isfinite(number):
        return _short(number)
    prefix = ""
    for larger in _BINARY:
        if abs(number) < 1024:
            break
        prefix = larger
        number /= 1024
    return f"{_short(number)}{prefix}"


def humanize_duration(value: Any) -> str:  # noqa: PLR0911 - one line for each size
    """Seconds as a duration: `1h 2m 3s`, `123.5ms`.

    Raises:
        FunctionError: the value is no number.
    """
    number = float_of(value)
    if not math.isfinite(number):
        return _short(number)
    if number == 0:
        return f"{_short(number)}s"
    if abs(number) < 1:
        return f"{_prefixed(number)}s"
    sign = "-" if number < 0 else ""
    whole = min(int(abs(number)), MAX_INT)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_short(abs(number))}s"


def humanize_percentage(value: Any) -> str:
    """A share of 1 as a percentage.

    Raises:
        FunctionError: the value is no number.
    """
    return f"{_short(float_of(value) * 100)}%"


def instant_of(number: float) -> Instant:
    """Seconds since the epoch as an instant, to the millisecond.

    Raises:
        FunctionError: there is no such time.
    """
    if not math.isfinite(number):
        raise FunctionError("value is NaN or Inf")
    ns = number * 1e9
    if not float(MIN_INT) <= ns <= float(MAX_INT):
        shown = format_float(number, "g")
        raise FunctionError(f"{shown} cannot be represented as a nanoseconds timestamp since it overflows int64")
    whole = min(int(ns), MAX_INT)
    ms = -(-whole // _MS_NS) if whole < 0 else whole // _MS_NS
    return Instant(ms * _MS_NS)


def humanize_timestamp(value: Any) -> str:
    """Seconds since the epoch as a time in UTC.

    Raises:
        FunctionError: the value is no number, or no time that can be shown.
    """
    number = float_of(value)
    return format_time(instant_of(number), FULL) if math.isfinite(number) else _short(number)
