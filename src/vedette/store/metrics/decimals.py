"""Floats as decimals: what a program printed as `12.75` is kept as 1275 with 2 digits.

A value is `mantissa / 10^digits` when that gives back the very same bits, with as many digits as its series
has needed today, so that a series' mantissas differ by what its values differ by. All else (NaN, infinities,
minus zero, integers from 2^53 on, floats that no short decimal names) is kept as the float's bits, with
`digits` saying so (`RAW`). A series most of whose values use all of a float's precision is kept as bits throughout:
a decimal found for every other one by chance would only make neighbours differ more.

Dividing is exact in the sense needed: mantissa and power of ten are both floats without error (below 2^53 and
up to 10^22), and IEEE division rounds correctly, as does whoever parsed the decimal in the first place.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.store.schema.tables import RAW

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Int8s = NDArray[np.int8]
UInt64s = NDArray[np.uint64]

MAX_DIGITS: Final = 12
"""Beyond it the mantissa of a full-precision float is as long as its bits are."""

POWERS: Final = np.array([float(f"1e{digits}") for digits in range(MAX_DIGITS + 1)])
_LIMIT: Final = float(1 << 53)
_FIRST_SLOTS: Final = 1 << 14
_MOST_SLOTS: Final = 1 << 21
_EMPTY: Final = -1
_LONG: Final = 1e15
"""A mantissa from here on has as many digits as a float has."""
_LONG_COST: Final = 4
_RAW_FROM: Final = 32
_MOST_STRAIN: Final = 64
"""A long value adds `_LONG_COST` to its series' strain, a short one takes 1 away; from `_RAW_FROM` on all are bits."""


class DecimalEncoder:
    """Encodes values and remembers, for the current day, how many digits each series needs and whether any help.

    Forgetting is harmless: it costs a few bytes where a series has to find its digits again. So the memory
    starts anew every UTC day (a series that once held a long decimal is not spoilt for ever), when it
    grows, and when it would exceed its bound of two million series. Not thread-safe.
    """

    def __init__(self) -> None:
        self._day = -1
        self._used = 0
        self._keys: UInt64s = np.zeros(_FIRST_SLOTS, np.uint64)
        self._known: Int8s = np.full(_FIRST_SLOTS, _EMPTY, np.int8)
        self._strain: Int8s = np.zeros(_FIRST_SLOTS, np.int8)

    def encode(self, ids: UInt64s, values: Floats, *, day: int) -> tuple[Int64s, Int8s]:
        """Mantissas and digits of some values.

        Args:
            ids: uint64[samples], the series of each.
            values: float64[samples].
            day: of the samples, in days since the epoch.
        """
        if day != self._day:
            self._day = day
            self._forget(len(self._keys))
        mantissas = np.empty(len(values), np.int64)
        digits = np.empty(len(values), np.int8)
        values = np.ascontiguousarray(values)
        self._used = to_decimals(
            np.ascontiguousarray(ids), values, values.view(np.int64), self._keys, self._known, self._strain, self._used,
            mantissas, digits,
        )  # fmt: skip
        if 2 * self._used > len(self._keys):
            self._forget(min(4 * len(self._keys), _MOST_SLOTS))
        return mantissas, digits

    def _forget(self, slots: int) -> None:
        self._used = 0
        self._keys = np.zeros(slots, np.uint64)
        self._known = np.full(slots, _EMPTY, np.int8)
        self._strain = np.zeros(slots, np.int8)


@kernel("int64(uint64[::1], float64[::1], int64[::1], uint64[::1], int8[::1], int8[::1], int64, int64[::1], int8[::1])")
def to_decimals(  # noqa: PLR0913 - columns in, columns out, and the table between them
    ids: UInt64s,
    values: Floats,
    bits: Int64s,
    keys: UInt64s,
    known: Int8s,
    strain: Int8s,
    used: int,
    mantissas: Int64s,
    digits: Int8s,
) -> int:
    """Fill `mantissas` and `digits`; `keys`, `known` and `strain` are an open-addressing table by series.

    Returns:
        How many of the table's slots are used now.
    """
    mask = len(keys) - 1
    room = 3 * len(keys) // 4
    for i in range(len(values)):
        key = ids[i]
        slot = np.int64(key & np.uint64(mask))
        while known[slot] != -1 and keys[slot] != key:
            slot = (slot + 1) & mask
        start = max(known[slot], 0)
        value = values[i]
        found = -1
        mantissa = 0.0
        # Minus zero has no decimal: its bits are the smallest integer.
        if abs(value) < _LIMIT and bits[i] != -9223372036854775808:
            for step in range(MAX_DIGITS + 1):
                # From the digits known upwards; then, for a value too large for them, from none upwards.
                candidate = start + step
                if candidate > MAX_DIGITS:
                    candidate -= MAX_DIGITS + 1
                mantissa = np.rint(value * POWERS[candidate])
                if abs(mantissa) < _LIMIT and mantissa / POWERS[candidate] == value:
                    found = candidate
                    break
        is_new = known[slot] == -1
        # NaN and infinities say nothing about the others.
        if found >= 0 and abs(mantissa) < _LONG:
            worn = max(strain[slot] - 1, 0)
        elif np.isfinite(value):
            worn = min(strain[slot] + _LONG_COST, _MOST_STRAIN)
        else:
            worn = strain[slot]
        if found < 0 or worn >= _RAW_FROM:
            mantissas[i] = bits[i]
            digits[i] = RAW
        else:
            mantissas[i] = np.int64(mantissa)
            digits[i] = found
        if is_new:
            if used < room:
                used += 1
                keys[slot] = key
                known[slot] = max(found, 0)
                strain[slot] = worn
        else:
            strain[slot] = worn
            known[slot] = max(known[slot], found)
    return used
