from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from google.protobuf.message import DecodeError as RefusedByProtobuf
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.matchers import Matcher, MatchOp
from vedette.wire.remote_read import (
    ReadHints,
    ReadQuery,
    ReadRequest,
    ResponseType,
    UnsupportedResponseError,
    decode_read_request,
    negotiate_response,
)

OPERATORS = list(MatchOp)
INT64S = st.one_of(st.integers(0, 5), st.integers(-(1 << 63), (1 << 63) - 1))
TEXTS = st.text(max_size=6).map(str.encode)
HINTS = st.fixed_dictionaries(
    {
        "step_ms": INT64S,
        "func": TEXTS,
        "start_ms": INT64S,
        "end_ms": INT64S,
        "grouping": st.lists(TEXTS, max_size=3),
        "by": st.booleans(),
        "range_ms": INT64S,
    }
)
QUERIES = st.fixed_dictionaries(
    {
        "start_timestamp_ms": INT64S,
        "end_timestamp_ms": INT64S,
        "matchers": st.lists(
            st.fixed_dictionaries({"type": st.integers(0, 3), "name": TEXTS, "value": TEXTS}), max_size=3
        ),
    },
    optional={"hints": HINTS},
)
REQUESTS = st.fixed_dictionaries(
    {
        "queries": st.lists(QUERIES, max_size=3),
        "accepted_response_types": st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=3),
    }
)


def from_reference(reference: Any) -> ReadRequest:
    return ReadRequest(
        tuple(
            ReadQuery(
                query.start_timestamp_ms,
                query.end_timestamp_ms,
                tuple(Matcher(m.name.decode(), OPERATORS[m.type], m.value.decode()) for m in query.matchers),
                ReadHints(
                    query.hints.start_ms,
                    query.hints.end_ms,
                    query.hints.step_ms,
                    query.hints.func.decode(),
                    tuple(name.decode() for name in query.hints.grouping),
                    query.hints.by,
                    query.hints.range_ms,
                )
                if query.HasField("hints")
                else None,
            )
            for query in reference.queries
        ),
        tuple(reference.accepted_response_types),
    )


@given(REQUESTS)
def test_a_request_is_decoded_as_by_protobuf(prompb: ModuleType, content: dict[str, Any]) -> None:
    reference = prompb.v1.ReadRequest(**content)

    assert decode_read_request(reference.SerializeToString()) == from_reference(reference)


@given(st.data())
def test_damaged_bytes_are_refused_exactly_where_protobuf_or_the_meaning_refuses_them(
    prompb: ModuleType, data: st.DataObject
) -> None:
    body = bytearray(prompb.v1.ReadRequest(**data.draw(REQUESTS)).SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        expected = from_reference(prompb.v1.ReadRequest.FromString(bytes(body)))
    except (RefusedByProtobuf, UnicodeDecodeError, IndexError):
        expected = None

    try:
        found = decode_read_request(bytes(body))
    except DecodeError:
        found = None

    assert found == expected


@pytest.mark.parametrize("part", [b"\x0a\x00", b"\x10\x01"], ids=["queries", "accepted types"])
def test_a_request_of_too_many_parts_is_refused(part: bytes) -> None:
    with pytest.raises(LimitExceededError):
        decode_read_request(part * 10_001)


def test_a_query_of_too_many_matchers_is_refused() -> None:
    matchers = b"\x1a\x00" * 10_001

    with pytest.raises(LimitExceededError):
        decode_read_request(b"\x0a\xa2\x9c\x01" + matchers)


@pytest.mark.parametrize("kind", [4, -1])
def test_a_matcher_of_an_unknown_type_is_refused(prompb: ModuleType, kind: int) -> None:
    query = {"matchers": [{"type": kind, "name": b"job"}]}

    with pytest.raises(DecodeError, match='"job" is of the unknown type'):
        decode_read_request(prompb.v1.ReadRequest(queries=[query]).SerializeToString())


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        pytest.param((), ResponseType.SAMPLES, id="clients that do not say take samples"),
        pytest.param((1, 0), ResponseType.STREAMED_XOR_CHUNKS, id="the first one wins"),
        pytest.param((9, 0), ResponseType.SAMPLES, id="unknown ones are passed over"),
    ],
)
def test_the_first_response_type_that_both_know_is_taken(accepted: tuple[int, ...], expected: ResponseType) -> None:
    assert negotiate_response(accepted) is expected


def test_a_client_that_accepts_nothing_known_is_told_what_is() -> None:
    with pytest.raises(UnsupportedResponseError, match=r"\[7\].*STREAMED_XOR_CHUNKS"):
        negotiate_response((7,))
