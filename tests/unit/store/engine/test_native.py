from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import StorageError
from vedette.store.engine.native import batches_of_native


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def text(value: str) -> bytes:
    return number(len(value.encode())) + value.encode()


def block(*columns: tuple[str, str, bytes], rows: int) -> bytes:
    return (
        number(len(columns)) + number(rows) + b"".join(text(name) + text(kind) + data for name, kind, data in columns)
    )


def read(data: bytes) -> list[pa.RecordBatch]:
    return list(batches_of_native(memoryview(data), data))


def test_columns_come_with_their_names_types_and_values() -> None:
    ids = struct.pack("<2Q", 5, 2**64 - 1)
    times = struct.pack("<2q", 0, 1_700_000_000_123)
    small = struct.pack("<2b", -1, 127)

    (batch,) = read(
        block(("id", "UInt64", ids), ("time", "DateTime64(3, 'UTC')", times), ("small", "Int8", small), rows=2)
    )

    assert batch.schema.names == ["id", "time", "small"]
    assert batch.column("id").to_pylist() == [5, 2**64 - 1]
    assert batch.column("time").type.equals(pa.timestamp("ms", "UTC"))
    assert batch.column("time").view(pa.int64()).to_pylist() == [0, 1_700_000_000_123]
    assert batch.column("small").to_pylist() == [-1, 127]


def test_blocks_without_rows_are_passed_over() -> None:
    one = block(("n", "UInt8", b"\x07"), rows=1)

    batches = read(block(("n", "UInt8", b""), rows=0) + one + one)

    assert [batch.column("n").to_pylist() for batch in batches] == [[7], [7]]


def test_no_bytes_are_no_rows() -> None:
    assert read(b"") == []


@pytest.mark.parametrize("kind", ["String", "LowCardinality(String)", "Nullable(Int64)", "DateTime64(6, 'UTC')"])
def test_what_is_not_of_a_fixed_width_is_refused_by_its_columns_name(kind: str) -> None:
    with pytest.raises(StorageError, match=r"column x of type .* cannot be streamed"):
        read(block(("x", kind, b"abc"), rows=1))


@given(st.integers(1, 60), st.integers(1, 300))
def test_a_block_that_was_cut_is_refused(cut: int, rows: int) -> None:
    whole = block(("value", "Float64", np.zeros(rows).tobytes()), rows=rows)

    with pytest.raises(StorageError):
        read(whole[: -min(cut, len(whole) - 1)])


def test_the_arrays_keep_what_they_lie_in() -> None:
    memory = np.frombuffer(block(("n", "UInt8", b"\x07\x08"), rows=2), np.uint8).copy()
    column = next(iter(batches_of_native(memoryview(memory), memory))).column("n")

    del memory

    assert column.to_pylist() == [7, 8]
