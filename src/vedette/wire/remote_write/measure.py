"""Count what a remote-write request holds, so that its columns can be made to measure before it is decoded.

Counting reads tags and lengths only. It is also where a request with absurdly many parts is refused, since
an empty part takes two bytes on the wire and many more in a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import LimitExceededError
from vedette.model.kernels import MachineInt, kernel
from vedette.wire.remote_write.memory import address_of
from vedette.wire.remote_write.protobuf import (
    BYTES,
    READONLY_BYTES,
    failure,
    read_length,
    read_tag,
    skip_field,
)

_NUMBERS: Final = 8
"""Field numbers below this are counted."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of each part.

    Attributes:
        series: time series.
        top: by field number, fields of wire type BYTES in the request.
        in_series: the same in all its time series.
        first_field_bytes: bytes in, or otherwise occurrences of, field 1 of all time series: no fewer than
            there are numbers if it is a repeated number.
    """

    series: int
    top: tuple[int, ...]
    in_series: tuple[int, ...]
    first_field_bytes: int

    def check(self, *, max_series: int, max_samples: int) -> None:
        """Refuse a request that is too large to be meant well.

        Raises:
            LimitExceededError: naming what there is too much of.
        """
        parts = max(self.top[3:])
        if max(self.series, parts) > max_series:
            found = max(self.series, parts)
            raise LimitExceededError(
                limit="max_series_per_request", allowed=max_series, found=found, what="series, symbols or metadata"
            )
        if max(self.in_series[2:]) > max_samples:
            found = max(self.in_series[2:])
            raise LimitExceededError(
                limit="max_samples_per_request", allowed=max_samples, found=found, what="samples or exemplars"
            )


def measure(data: NDArray[np.uint8], *, series_field: int) -> Size:
    """Count the parts of a request.

    Args:
        data: the request.
        series_field: the field number of its time series.

    Raises:
        DecodeError: it is malformed.
    """
    counts = np.zeros(2 * _NUMBERS + 1, np.int64)
    result = _measure(data, series_field, counts)
    if result < 0:
        raise failure(result, data)
    found: list[int] = counts.tolist()
    return Size(
        series=found[series_field],
        top=tuple(0 if number == series_field else found[number] for number in range(_NUMBERS)),
        in_series=tuple(found[_NUMBERS : 2 * _NUMBERS]),
        first_field_bytes=found[-1],
    )


@kernel(f"int64({READONLY_BYTES}, int64, int64[::1])")
def _measure(  # noqa: C901 - one walk
    data: NDArray[np.uint8], series_field: int, counts: NDArray[np.int64]
) -> MachineInt:
    position = address_of(data)
    stop = position + len(data)
    while position < stop:
        tag, position = read_tag(position, stop)
        if position < 0:
            return position
        number = tag >> 3
        if tag & 7 != BYTES:
            position = skip_field(tag, position, stop)
            if position < 0:
                return position
            continue
        start, end = read_length(position, stop)
        if end < 0:
            return end
        if number < _NUMBERS:
            counts[number] += 1
        position = end
        if number != series_field:
            continue
        while start < end:
            tag, start = read_tag(start, end)
            if start < 0:
                return start
            number = tag >> 3
            before = start
            start = skip_field(tag, start, end)
            if start < 0:
                return start
            if number == 1:
                counts[2 * _NUMBERS] += start - before
            if tag & 7 == BYTES and number < _NUMBERS:
                counts[_NUMBERS + number] += 1
    return 0
