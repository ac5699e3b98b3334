from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.labels import label_set
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.exposition import NO_TIME, Format, LayoutParser
from vedette.wire.exposition.protobuf import decode_families


def varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(*fields: tuple[int, int | float | str | bytes]) -> bytes:
    out = bytearray()
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return bytes(out)


def delimited(family: bytes) -> bytes:
    return varint(len(family)) + family


def label(name: str, value: str) -> bytes:
    return message((1, name), (2, value))


EXEMPLAR = message((1, label("trace_id", "x")), (2, 0.5), (3, message((1, 1_700_000_000), (2, 250_000_000))))
COUNTER = message(
    (1, "hits_total"),
    (2, "Hits."),
    (3, 0),
    (4, message((1, label("a", "b")), (1, label("e", "")), (3, message((1, 3.0), (2, EXEMPLAR))), (6, -5))),
)
HISTOGRAM = message(
    (1, "wait_seconds"),
    (3, 4),
    (4, message((7, message((1, 3), (2, 4.5), (3, message((1, 1), (2, 1.0), (3, EXEMPLAR))), (5, 3))))),
    (5, "seconds"),
)
NATIVE = message((1, "native"), (3, 4), (4, message((7, message((1, 3), (2, 4.5), (5, 3), (12, b"\x01"))))))


def test_counters_and_histograms_become_the_samples_of_the_text_format() -> None:
    decoded = decode_families(delimited(COUNTER) + delimited(HISTOGRAM), max_samples=10)

    exemplar = Exemplar((("trace_id", "x"),), 0.5, 1_700_000_000_250)
    assert [(s.labels, s.value, s.time_ms, s.exemplar) for s in decoded.samples] == [
        (label_set({"__name__": "hits_total", "a": "b"}), 3.0, -5, exemplar),
        (label_set({"__name__": "wait_seconds_count"}), 3.0, None, None),
        (label_set({"__name__": "wait_seconds_sum"}), 4.5, None, None),
        (label_set({"__name__": "wait_seconds_bucket", "le": "1.0"}), 1.0, None, exemplar),
        (label_set({"__name__": "wait_seconds_bucket", "le": "+Inf"}), 3.0, None, None),
    ]
    assert decoded.metadata == (
        Metadata("hits_total", MetricType.COUNTER, "", "Hits."),
        Metadata("wait_seconds", MetricType.HISTOGRAM, "seconds", ""),
    )


def test_a_native_histogram_is_noted_by_name() -> None:
    scrape = LayoutParser().parse(delimited(NATIVE), Format.PROTOBUF)

    assert scrape.notes == ("native: native histograms are not read, only their classic part",)
    assert scrape.values.tolist() == [3.0, 4.5, 3.0]


def test_rows_are_the_same_in_all_formats() -> None:
    parser = LayoutParser()
    first = parser.parse(b'hits_total{a="b"} 1\ngone 1\n', Format.TEXT)

    second = parser.parse(delimited(COUNTER), Format.PROTOBUF)
    third = parser.parse(b'hits_total{a="b"} 1\ngone 1\n', Format.TEXT)

    assert (second.rows.tolist(), second.new_rows, second.missing_rows.tolist()) == ([0], (), [1])
    assert second.times_ms.tolist() == [-5]
    assert third.times_ms.tolist() == [NO_TIME, NO_TIME]
    assert third.rows.tolist() == first.rows.tolist()
    assert third.new_rows == ()


def test_a_row_known_from_protobuf_alone_is_forgotten_in_time() -> None:
    parser = LayoutParser(forget_after=2)
    parser.parse(delimited(COUNTER), Format.PROTOBUF)

    forgotten = [parser.parse(delimited(NATIVE), Format.PROTOBUF).forgotten_rows.tolist() for _ in range(4)]

    assert [rows for rows in forgotten if rows] == [[0]]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(delimited(COUNTER)[:-1], "are left", id="cut off"),
        pytest.param(b"\xff", "ends within a number", id="half a number"),
        pytest.param(b"\xff" * 11, "more than 64 bits", id="an endless number"),
        pytest.param(delimited(message((2, "help"))), "without a name", id="no name"),
        pytest.param(delimited(message((1, "a"), (3, 9))), "unknown type 9", id="unknown type"),
        pytest.param(delimited(message((1, "a"), (3, 1), (4, b""))), "something else", id="gauge without a gauge"),
        pytest.param(delimited(message((1, b"\xff"))), "UTF-8", id="not UTF-8"),
        pytest.param(delimited(message((1, "a"), (5, "s"))), "not a suffix", id="unit that is no suffix"),
    ],
)
def test_a_broken_body_is_refused(body: bytes, problem: str) -> None:
    parser = LayoutParser()

    with pytest.raises(DecodeError, match=problem):
        parser.parse(body, Format.PROTOBUF)
    scrape = parser.parse(delimited(COUNTER), Format.PROTOBUF)

    assert len(scrape.new_rows) == 1


def test_too_many_samples_are_refused() -> None:
    with pytest.raises(LimitExceededError, match="max_series"):
        LayoutParser(max_series=2).parse(delimited(HISTOGRAM), Format.PROTOBUF)


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 200))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int, length: int) -> None:
    body = bytearray(delimited(COUNTER) + delimited(HISTOGRAM))
    body[at : at + length] = noise

    for candidate in (noise, bytes(body)):
        try:
            LayoutParser().parse(candidate, Format.PROTOBUF)
        except DecodeError:
            continue
