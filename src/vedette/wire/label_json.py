"""Label sets as JSON objects: `{"__name__":"up","job":"node"}`, without a Python object for each series.

Every different pair of a frame is written by orjson once; a kernel puts a row's pairs together. Where there are only a
few rows, each row's pairs are written as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame
from vedette.model.kernels import MachineInt, inline

Bytes = NDArray[np.uint8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

_FEW: Final = 32
"""Rows for which it does not pay to look for equal pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelPairs:
    """The pairs of some label sets.

    Attributes:
        numbers: int32[series, names], which pair a series has of each name, in the order of names; 0 for none.
        bounds: int64[pairs + 1]; pair i is `text[bounds[i]:bounds[i + 1]]`, as in `"job":"node",`. Pair 0 is empty.
        text: uint8[].
        most_bytes: no label set is longer than this.
    """

    numbers: Int32s
    bounds: Int64s
    text: Bytes
    most_bytes: int


def label_pairs(labels: LabelFrame, rows: int) -> LabelPairs:
    """The pairs of the first `rows` label sets."""
    if rows <= _FEW:
        whole = [orjson.dumps(dict(labels.label_set(row)))[1:-1] for row in range(rows)]
        pieces = [b"", *(pairs + b"," if pairs else b"" for pairs in whole)]
        return _packed(np.arange(1, rows + 1, dtype=np.int32).reshape(rows, 1), pieces, max(map(len, pieces)))
    names = sorted(labels.columns)
    numbers = np.zeros((rows, len(names)), np.int32)
    pieces = [b""]
    most_bytes = 0
    for place, name in enumerate(names):
        symbols, codes = np.unique(labels.columns[name][:rows], return_inverse=True)
        key = orjson.dumps(name)
        made = [
            b"%b:%b," % (key, orjson.dumps(labels.symbols.text(symbol))) if symbol else b""
            for symbol in symbols.tolist()
        ]
        numbers[:, place] = np.where(symbols[codes] == 0, 0, codes + len(pieces))
        pieces += made
        most_bytes += max(map(len, made), default=0)
    return _packed(numbers, pieces, most_bytes)


def _packed(numbers: Int32s, pieces: Sequence[bytes], most_bytes: int) -> LabelPairs:
    bounds = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)), out=bounds[1:])
    return LabelPairs(numbers, bounds, np.frombuffer(bytearray(b"".join(pieces)), np.uint8), most_bytes + 2)


@inline
def write_labels(
    numbers: Int32s, row: MachineInt, bounds: Int64s, text: Bytes, out: Bytes, at: MachineInt
) -> MachineInt:
    """Write a row's label set; returns the place behind it."""
    out[at] = 123
    at += 1
    start = at
    for place in range(numbers.shape[1]):
        pair = numbers[row, place]
        if pair:
            for i in range(bounds[pair], bounds[pair + 1]):
                out[at] = text[i]
                at += 1
    # The last comma makes room for the brace.
    at = max(start, at - 1)
    out[at] = 125
    return at + 1
