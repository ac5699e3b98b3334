"""A keyed hash of label bytes that nobody outside can steer: SipHash-1-3 with 128 bits.

The receiver knows a series again by the hash of its label bytes, without decoding them. A sender who could
make two label sets collide would write into somebody else's series; SipHash under a random key per process
is made against exactly that, which quicker hashes are not. It takes about a quarter of a request's decoding.

Source: Aumasson and Bernstein, https://www.aumasson.jp/siphash/siphash.pdf; the 128-bit variant as in
https://github.com/veorq/SipHash.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np

from vedette.model.kernels import inline
from vedette.wire.remote_write.memory import load_byte, load_word

State = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


@dataclass(frozen=True, slots=True)
class HashKey:
    """128 secret bits as two numbers. Never logged."""

    first: int
    second: int

    @classmethod
    def random(cls) -> HashKey:
        """A key that nobody can guess."""
        return cls(secrets.randbits(64), secrets.randbits(64))

    def __repr__(self) -> str:
        return "HashKey(secret)"


@inline
def siphash(start: int, end: int, first: np.uint64, second: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The 128-bit hash of the bytes from `start` to `end` (addresses) as two numbers."""
    a, b, c, d = sip_start(first, second)
    position = start
    while position + 8 <= end:
        a, b, c, d = sip_word(a, b, c, d, load_word(position))
        position += 8
    word = np.uint64(end - start) << np.uint64(56)
    shift = np.uint64(0)
    while position < end:
        word |= load_byte(position) << shift
        shift += np.uint64(8)
        position += 1
    a, b, c, d = sip_word(a, b, c, d, word)
    return sip_finish(a, b, c, d)


@inline
def sip_start(first: np.uint64, second: np.uint64) -> State:
    """The state before any input."""
    return (
        first ^ np.uint64(0x736F6D6570736575),
        second ^ np.uint64(0x646F72616E646F6D ^ 0xEE),
        first ^ np.uint64(0x6C7967656E657261),
        second ^ np.uint64(0x7465646279746573),
    )


@inline
def sip_word(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, word: np.uint64) -> State:
    """The state after eight more bytes of input."""
    a, b, c, d = _round(a, b, c, d ^ word)
    return a ^ word, b, c, d


@inline
def sip_finish(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The hash from the state after all input."""
    c ^= np.uint64(0xEE)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    low = a ^ b ^ c ^ d
    b ^= np.uint64(0xDD)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    return low, a ^ b ^ c ^ d


@inline
def _round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> State:
    a += b
    b = (b << np.uint64(13)) | (b >> np.uint64(51))
    b ^= a
    a = (a << np.uint64(32)) | (a >> np.uint64(32))
    c += d
    d = (d << np.uint64(16)) | (d >> np.uint64(48))
    d ^= c
    a += d
    d = (d << np.uint64(21)) | (d >> np.uint64(43))
    d ^= a
    c += b
    b = (b << np.uint64(17)) | (b >> np.uint64(47))
    b ^= c
    c = (c << np.uint64(32)) | (c >> np.uint64(32))
    return a, b, c, d
