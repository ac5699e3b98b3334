"""Columns of numbers as the embedded engine hands them out: its Native format, without copying.

Of a block there are the numbers of columns and rows, and of each column its name, its type and its values as the
machine holds them. Arrow's framing of the same costs the engine two more copies of everything. Only types of a fixed
width are read: those of samples.

Source: https://clickhouse.com/docs/interfaces/formats/Native
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from vedette.model.errors import StorageError

_TYPES: Final[dict[str, tuple[pa.DataType, int]]] = {
    "UInt8": (pa.uint8(), 1),
    "UInt16": (pa.uint16(), 2),
    "UInt32": (pa.uint32(), 4),
    "UInt64": (pa.uint64(), 8),
    "Int8": (pa.int8(), 1),
    "Int16": (pa.int16(), 2),
    "Int32": (pa.int32(), 4),
    "Int64": (pa.int64(), 8),
    "Float64": (pa.float64(), 8),
}
_MILLISECONDS: Final = re.compile(r"DateTime64\(3(?:, 'UTC')?\)")
_TIME: Final = (pa.timestamp("ms", "UTC"), 8)


def batches_of_native(data: memoryview, owner: object) -> Iterator[pa.RecordBatch]:
    """The batches in some whole blocks.

    Args:
        data: the blocks. The arrays lie within it, wherever that is: their addresses need not be multiples of 8.
        owner: what the memory belongs to; kept for as long as any of the arrays is.

    Raises:
        StorageError: a column has another type than a number's or a time's.
    """
    base = np.frombuffer(data, np.uint8).ctypes.data if len(data) else 0
    at = 0
    while at < len(data):
        columns, at = _number(data, at)
        rows, at = _number(data, at)
        names: list[str] = []
        arrays: list[pa.Array] = []
        for _ in range(columns):
            name, at = _text(data, at)
            kind, at = _text(data, at)
            arrow, width = _type(name, kind)
            if rows * width > len(data) - at:
                raise StorageError(f"the engine's answer ends within the column {name}")
            names.append(name)
            values = pa.foreign_buffer(base + at, rows * width, base=owner)
            arrays.append(pa.Array.from_buffers(arrow, rows, [None, values]))
            at += rows * width
        if rows:
            yield pa.RecordBatch.from_arrays(arrays, names=names)


def _type(column: str, kind: str) -> tuple[pa.DataType, int]:
    found = _TYPES.get(kind)
    if found is not None:
        return found
    if _MILLISECONDS.fullmatch(kind):
        return _TIME
    raise StorageError(f"the column {column} of type {kind} cannot be streamed: only numbers and times can")


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits to a byte, lowest first; and what is behind it."""
    number = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise StorageError("the engine's answer ends within a number")


def _text(data: memoryview, at: int) -> tuple[str, int]:
    size, at = _number(data, at)
    return bytes(data[at : at + size]).decode(errors="replace"), at + size
