"""CRC-32C (Castagnoli), which guards each frame of a streamed answer.

Eight bytes a step, by eight tables ("slicing by 8").

Source: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4; Kounavis and Berry, "A Systematic Approach to
Building High Performance Software-based CRC Generators".
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.wire.remote_write.memory import address_of, load_byte, load_word
from vedette.wire.remote_write.protobuf import READONLY_BYTES

_POLYNOMIAL: Final = 0x82F63B78
_SLICES: Final = 8


def crc32c(data: bytes) -> int:
    """The checksum of some bytes."""
    return int(_crc32c(np.frombuffer(data, np.uint8), _TABLES))


def _make_tables() -> NDArray[np.uint64]:
    tables = np.empty((_SLICES, 256), np.uint64)
    row = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        row = np.where(row & np.uint64(1), row >> np.uint64(1) ^ np.uint64(_POLYNOMIAL), row >> np.uint64(1))
    tables[0] = row
    for number in range(1, _SLICES):
        row = tables[0][(row & np.uint64(0xFF)).astype(np.int64)] ^ row >> np.uint64(8)
        tables[number] = row
    return tables


_TABLES: Final = _make_tables()


@kernel(f"uint64({READONLY_BYTES}, uint64[:,::1])")
def _crc32c(data: NDArray[np.uint8], tables: NDArray[np.uint64]) -> np.uint64:
    position = address_of(data)
    end = position + len(data)
    low_byte = np.uint64(0xFF)
    crc = np.uint64(0xFFFFFFFF)
    while position + 8 <= end:
        word = load_word(position) ^ crc
        crc = np.uint64(0)
        for i in range(8):
            crc ^= tables[7 - i, word >> np.uint64(8 * i) & low_byte]
        position += 8
    while position < end:
        crc = tables[0, (crc ^ load_byte(position)) & low_byte] ^ crc >> np.uint64(8)
        position += 1
    return crc ^ np.uint64(0xFFFFFFFF)
