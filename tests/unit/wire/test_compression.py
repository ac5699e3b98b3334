from __future__ import annotations

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.wire.compression import Encoding, compress, decompress, parse_encoding

PACKED = [encoding for encoding in Encoding if encoding is not Encoding.IDENTITY]
TEXT = b'vedette_requests_total{code="200"} 1027\n' * 100


@given(st.sampled_from(Encoding), st.binary(max_size=5000))
def test_what_is_packed_unpacks_to_itself(encoding: Encoding, data: bytes) -> None:
    assert decompress(compress(data, encoding), encoding, max_bytes=5000) == data


@pytest.mark.parametrize("encoding", Encoding)
def test_a_body_may_hold_exactly_as_many_bytes_as_the_limit(encoding: Encoding) -> None:
    assert decompress(compress(TEXT, encoding), encoding, max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", Encoding)
def test_one_byte_more_than_the_limit_is_refused_by_the_option_that_sets_it(encoding: Encoding) -> None:
    with pytest.raises(LimitExceededError) as caught:
        decompress(compress(TEXT, encoding), encoding, max_bytes=len(TEXT) - 1, limit="remote_write.max_body_bytes")

    assert caught.value.limit == "remote_write.max_body_bytes"
    assert caught.value.allowed == len(TEXT) - 1


@pytest.mark.parametrize("encoding", PACKED)
def test_a_bomb_is_refused(encoding: Encoding) -> None:
    bomb = compress(bytes(100_000_000), encoding)

    with pytest.raises(LimitExceededError):
        decompress(bomb, encoding, max_bytes=1_000_000)


def test_a_snappy_block_that_claims_more_than_it_can_hold_is_corrupt_without_being_unpacked() -> None:
    claims_16_mib = b"\x80\x80\x80\x08" + b"\x00a"

    with pytest.raises(DecodeError, match="cannot hold the 16777216"):
        decompress(claims_16_mib, Encoding.SNAPPY, max_bytes=1 << 25)


def test_the_densest_snappy_block_is_not_taken_for_a_lie() -> None:
    packed = compress(bytes(1 << 20), Encoding.SNAPPY)

    assert len(decompress(packed, Encoding.SNAPPY, max_bytes=1 << 20)) == 1 << 20


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("cut", [1, 5, 50, -1, -3])
def test_a_body_that_is_cut_short_is_corrupt(encoding: Encoding, cut: int) -> None:
    packed = compress(TEXT, encoding)

    with pytest.raises(DecodeError):
        decompress(packed[:cut], encoding, max_bytes=len(TEXT))


@pytest.mark.parametrize("encoding", [Encoding.SNAPPY, Encoding.GZIP, Encoding.ZSTD])
def test_no_bytes_at_all_are_corrupt(encoding: Encoding) -> None:
    with pytest.raises(DecodeError):
        decompress(b"", encoding, max_bytes=10)


@pytest.mark.parametrize("encoding", PACKED)
def test_bytes_after_the_end_are_corrupt(encoding: Encoding) -> None:
    with pytest.raises(DecodeError):
        decompress(compress(TEXT, encoding) + b"xyz", encoding, max_bytes=2 * len(TEXT))


@given(st.sampled_from(PACKED), st.binary(max_size=200))
def test_any_bytes_are_unpacked_or_refused_with_our_errors(encoding: Encoding, data: bytes) -> None:
    try:
        unpacked = decompress(data, encoding, max_bytes=10_000)
    except (DecodeError, LimitExceededError):
        return
    assert len(unpacked) <= 10_000


def test_a_gzip_body_of_several_members_is_one_body() -> None:
    packed = bytes(cramjam.gzip.compress(b"one ")) + bytes(cramjam.gzip.compress(b"two"))

    assert decompress(packed, Encoding.GZIP, max_bytes=100) == b"one two"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("", Encoding.IDENTITY, id="no header is no packing"),
        pytest.param(" GZip ", Encoding.GZIP, id="case and space do not count"),
        pytest.param("x-gzip", Encoding.GZIP, id="gzip's old name"),
        pytest.param("snappy", Encoding.SNAPPY, id="snappy is the block format"),
        pytest.param("x-snappy-framed", Encoding.SNAPPY_FRAMED, id="the framed format has its own name"),
        pytest.param("zstd", Encoding.ZSTD, id="zstd"),
        pytest.param("br", None, id="brotli is not known"),
        pytest.param("gzip, zstd", None, id="two encodings are not one"),
    ],
)
def test_encodings_are_known_by_their_header(header: str, expected: Encoding | None) -> None:
    assert parse_encoding(header) is expected
