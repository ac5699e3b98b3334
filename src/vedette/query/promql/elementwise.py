"""What is done to each element of an instant vector by itself: mathematics, comparisons with a scalar, dates.

Source: Prometheus' promql/functions.go; Go's `math` where C's or NumPy's differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vedette.lang.promql.ast import BinaryOp
from vedette.query.promql.rows import Mapping
from vedette.query.promql.values import Bools, Floats

Operation = Callable[..., Any]
"""A NumPy function of one or two arrays that takes `out`."""

_DAY_S: Final = 86_400


def _sign(values: Floats, out: Floats) -> Floats:
    result = np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))
    np.copyto(out, result)
    return out


def _radians(values: Floats, out: Floats) -> Floats:
    np.multiply(values, np.pi, out=out)
    return np.divide(out, 180.0, out=out)


def _degrees(values: Floats, out: Floats) -> Floats:
    np.multiply(values, 180.0, out=out)
    return np.divide(out, np.pi, out=out)


MATH: Final[dict[str, Operation]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": _degrees,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": _radians,
    "sgn": _sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}
"""Functions of one number."""

ARITHMETIC: Final[dict[BinaryOp, Operation]] = {
    BinaryOp.ADD: np.add,
    BinaryOp.SUB: np.subtract,
    BinaryOp.MUL: np.multiply,
    BinaryOp.DIV: np.divide,
    BinaryOp.MOD: np.fmod,
    BinaryOp.POW: np.power,
    BinaryOp.ATAN2: np.arctan2,
}

COMPARISONS: Final[dict[BinaryOp, Operation]] = {
    BinaryOp.EQL: np.equal,
    BinaryOp.NEQ: np.not_equal,
    BinaryOp.GTR: np.greater,
    BinaryOp.LSS: np.less,
    BinaryOp.GTE: np.greater_equal,
    BinaryOp.LTE: np.less_equal,
}


def apply_math(function: str) -> Mapping:
    """The mapping of a function of one number."""
    operation = MATH[function]

    def apply(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
        del mask
        operation(values, out=room)
        return room, present

    return apply


def apply_scalar(op: BinaryOp, scalars: Floats, *, scalar_left: bool, return_bool: bool) -> Mapping:
    """The mapping of an operator between the elements and a number for each step."""
    if op in ARITHMETIC:
        arithmetic = ARITHMETIC[op]

        def compute(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
            del mask
            left, right = (scalars, values) if scalar_left else (values, scalars)
            arithmetic(left, right, out=room)
            return room, present

        return compute
    comparison = COMPARISONS[op]

    def compare(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
        left, right = (scalars, values) if scalar_left else (values, scalars)
        holds = comparison(left, right)
        if return_bool:
            np.copyto(room, holds)
            return room, present
        np.logical_and(present, holds, out=mask)
        # What is kept is the element, on whichever side it stands.
        return values, mask

    return compare


def apply_clamp(lower: Floats, upper: Floats) -> Mapping:
    """The mapping of `clamp`: nothing at steps where the limits exclude each other."""
    possible = ~(upper < lower)

    def clamp(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
        np.minimum(upper, values, out=room)
        np.maximum(lower, room, out=room)
        if possible.all():
            return room, present
        return room, np.logical_and(present, possible, out=mask)

    return clamp


def apply_round(nearest: Floats) -> Mapping:
    """The mapping of `round`: ties go up."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest

    def round_to(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
        del mask
        np.multiply(values, inverse, out=room)
        np.add(room, 0.5, out=room)
        np.floor(room, out=room)
        np.divide(room, inverse, out=room)
        return room, present

    return round_to


def negate(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
    """The mapping of a minus sign."""
    del mask
    np.negative(values, out=room)
    return room, present


def leave(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
    """The mapping that changes nothing (but the name, as all do)."""
    del room, mask
    return values, present


def set_to(per_step: Floats) -> Mapping:
    """The mapping that replaces every element by a number for its step."""

    def replace(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
        del values, mask
        room[:] = per_step
        return room, present

    return replace


def apply_date(function: str) -> Mapping:
    """The mapping of a function of a date, given in seconds since the epoch."""
    part = DATES[function]

    def apply(values: Floats, present: Bools, room: Floats, mask: Bools) -> tuple[Floats, Bools]:
        del mask
        room[:] = part(_whole_seconds(values))
        return room, present

    return apply


def _whole_seconds(values: Floats) -> NDArray[np.int64]:
    # As Go on amd64: what does not fit becomes the smallest integer.
    fits = (values > -(2.0**63)) & (values < 2.0**63)
    return np.where(fits, values, -(2.0**63)).astype(np.int64)


def _civil(seconds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Year, month and day of the proleptic Gregorian calendar, for any int64.

    Source: "chrono-Compatible Low-Level Date Algorithms", Howard Hinnant: years begin in March.
    """
    days = seconds // _DAY_S + 719_468
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = np.where(shifted < 10, shifted + 3, shifted - 9)
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day


def _is_leap(year: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


_DAYS_BEFORE: Final = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_DAYS_IN: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_FEBRUARY: Final = 2


def _day_of_year(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    year, month, day = _civil(seconds)
    return _DAYS_BEFORE[month] + day + (_is_leap(year) & (month > _FEBRUARY))


def _days_in_month(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    year, month, _ = _civil(seconds)
    return _DAYS_IN[month] + (_is_leap(year) & (month == _FEBRUARY))


DATES: Final[dict[str, Callable[[NDArray[np.int64]], NDArray[np.int64]]]] = {
    "day_of_month": lambda seconds: _civil(seconds)[2],
    "day_of_week": lambda seconds: (seconds // _DAY_S + 4) % 7,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "hour": lambda seconds: seconds % _DAY_S // 3600,
    "minute": lambda seconds: seconds % 3600 // 60,
    "month": lambda seconds: _civil(seconds)[1],
    "year": lambda seconds: _civil(seconds)[0],
}
"""Functions of a date."""
