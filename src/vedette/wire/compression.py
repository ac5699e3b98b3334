"""Unpack and pack bodies by the name in `Content-Encoding`, never beyond a limit.

A small body can claim to hold gigabytes. The claim is checked before anything is unpacked where the format
makes one, and the output goes into a buffer of the limit's size, so that a lie cannot pass either: the
system gives memory to the pages that are written, and the codec cannot write past the end.

In `Content-Encoding`, `snappy` is the block format, as Prometheus' remote write uses it; the framed stream
format has the name of its media type, `x-snappy-framed`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import cramjam
import numpy as np

from vedette.model.errors import DecodeError, LimitExceededError

BODY_LIMIT: Final = "max_body_bytes"
"""The option that a refusal names, unless the caller knows it by another name."""

_SNAPPY_MAX_RATIO: Final = 22
"""A snappy copy of 3 bytes makes at most 64; no block is denser."""


class Encoding(StrEnum):
    """The content encodings that Vedette reads and writes."""

    IDENTITY = "identity"
    SNAPPY = "snappy"
    SNAPPY_FRAMED = "x-snappy-framed"
    GZIP = "gzip"
    ZSTD = "zstd"


def parse_encoding(content_encoding: str) -> Encoding | None:
    """The encoding that a `Content-Encoding` header names; None for one that Vedette has not got.

    The empty header is `identity`. A list of several encodings is none of ours.
    """
    name = content_encoding.strip().lower()
    if name == "x-gzip":
        return Encoding.GZIP
    try:
        return Encoding(name or "identity")
    except ValueError:
        return None


def decompress(data: bytes, encoding: Encoding, *, max_bytes: int, limit: str = BODY_LIMIT) -> bytes:
    """Unpack a whole body.

    Args:
        data: the body as it came.
        encoding: how it was packed.
        max_bytes: the most that it may hold.
        limit: the option that sets `max_bytes`, for the refusal's text.

    Raises:
        LimitExceededError: it holds, or claims to hold, more than `max_bytes`.
        DecodeError: it is corrupt or cut short.
    """
    match encoding:
        case Encoding.IDENTITY:
            if len(data) > max_bytes:
                raise _too_large(max_bytes, len(data), limit)
            return data
        case Encoding.SNAPPY:
            return _decompress_snappy_block(data, max_bytes, limit)
        case Encoding.SNAPPY_FRAMED:
            unpack = cramjam.snappy.decompress_into
        case Encoding.GZIP:
            unpack = cramjam.gzip.decompress_into
        case Encoding.ZSTD:
            unpack = cramjam.zstd.decompress_into
    output = np.empty(max_bytes, np.uint8)
    try:
        length = unpack(data, output.data)
    except cramjam.DecompressionError as exc:
        if "whole buffer" in str(exc) and "write" in str(exc):
            raise _too_large(max_bytes, None, limit) from exc
        raise DecodeError(f"the {encoding} body is corrupt: {exc}") from exc
    return output[:length].tobytes()


def compress(data: bytes, encoding: Encoding) -> bytes:
    """Pack a whole body, at the speed that suits a network: the codecs' quick levels."""
    match encoding:
        case Encoding.IDENTITY:
            return data
        case Encoding.SNAPPY:
            return bytes(cramjam.snappy.compress_raw(data))
        case Encoding.SNAPPY_FRAMED:
            return bytes(cramjam.snappy.compress(data))
        case Encoding.GZIP:
            return bytes(cramjam.gzip.compress(data, level=4))
        case Encoding.ZSTD:
            return bytes(cramjam.zstd.compress(data, level=1))


def _decompress_snappy_block(data: bytes, max_bytes: int, limit: str) -> bytes:
    try:
        claimed = cramjam.snappy.decompress_raw_len(data)
        if claimed > max_bytes:
            raise _too_large(max_bytes, claimed, limit)
        if not data or claimed > _SNAPPY_MAX_RATIO * len(data):
            raise DecodeError(f"the snappy body is corrupt: {len(data)} bytes cannot hold the {claimed} that it claims")
        output = bytearray(claimed)
        cramjam.snappy.decompress_raw_into(data, output)
    except cramjam.DecompressionError as exc:
        raise DecodeError(f"the snappy body is corrupt: {exc}") from exc
    return bytes(output)


def _too_large(max_bytes: int, found: int | None, limit: str) -> LimitExceededError:
    return LimitExceededError(limit=limit, allowed=max_bytes, found=found, what="bytes in the unpacked body")
