from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.wire.remote_write.memory import address_of
from vedette.wire.remote_write.siphash import HashKey, siphash

MASK = (1 << 64) - 1


@kernel("UniTuple(uint64, 2)(Array(uint8, 1, 'C', True), uint64, uint64)")
def _hash(data: NDArray[np.uint8], first: np.uint64, second: np.uint64) -> tuple[np.uint64, np.uint64]:
    base = address_of(data)
    return siphash(base, base + len(data), first, second)


def slow_siphash(data: bytes, key: bytes, *, rounds: int, final_rounds: int) -> bytes:
    """The paper's algorithm with 128 bits of output, on Python's integers."""
    first, second = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    v = [
        first ^ 0x736F6D6570736575,
        second ^ 0x646F72616E646F6D ^ 0xEE,
        first ^ 0x6C7967656E657261,
        second ^ 0x7465646279746573,
    ]

    def rotate(index: int, by: int) -> None:
        v[index] = (v[index] << by | v[index] >> (64 - by)) & MASK

    def scramble(times: int) -> None:
        for _ in range(times):
            for into, other, by, turned in ((0, 1, 13, 0), (2, 3, 16, None), (0, 3, 21, None), (2, 1, 17, 2)):
                v[into] = (v[into] + v[other]) & MASK
                rotate(other, by)
                v[other] ^= v[into]
                if turned is not None:
                    rotate(turned, 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= word
        scramble(rounds)
        v[0] ^= word
    v[2] ^= 0xEE
    scramble(final_rounds)
    low = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    scramble(final_rounds)
    return (low | (v[0] ^ v[1] ^ v[2] ^ v[3]) << 64).to_bytes(16, "little")


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(0, "a3817f04ba25a8e66df67214c7550293", id="no bytes"),
        pytest.param(1, "da87c1d86b99af44347659119b22fc45", id="one byte"),
        pytest.param(15, "5493e99933b0a8117e08ec0f97cfc3d9", id="more than a word"),
    ],
)
def test_the_slow_hash_with_2_and_4_rounds_gives_the_published_vectors(length: int, expected: str) -> None:
    found = slow_siphash(bytes(range(length)), bytes(range(16)), rounds=2, final_rounds=4)

    assert found.hex() == expected


@given(st.binary(max_size=100), st.binary(min_size=16, max_size=16))
def test_the_kernel_gives_siphash_1_3_with_128_bits(data: bytes, key: bytes) -> None:
    first, second = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")

    low, high = _hash(np.frombuffer(data, np.uint8), np.uint64(first), np.uint64(second))

    assert (int(low) | int(high) << 64).to_bytes(16, "little") == slow_siphash(data, key, rounds=1, final_rounds=3)


def test_a_key_does_not_show_itself() -> None:
    key = HashKey.random()

    assert str(key.first) not in repr(key)
    assert key != HashKey.random()
