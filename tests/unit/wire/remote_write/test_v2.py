from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError as RefusedByProtobuf
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.samples import Metadata, MetricType
from vedette.wire.remote_write import HashKey, Version, WriteRequest, decode_write_request

KEY = HashKey(0x0123456789ABCDEF, 0xFEDCBA9876543210)
SYMBOLS = [b"", b"__name__", b"up", b"job", b"a", b"Whether it is up.", b"seconds"]
UP_A = [1, 2, 3, 4]

INT64S = st.one_of(st.integers(0, 5), st.integers(-(1 << 63), (1 << 63) - 1))
REFS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 6)), max_size=4).map(
    lambda pairs: [ref for pair in pairs for ref in pair]
)
SERIES = st.fixed_dictionaries(
    {
        "labels_refs": REFS,
        "samples": st.lists(
            st.fixed_dictionaries(
                {"value": st.floats(), "timestamp": INT64S, "start_timestamp": st.sampled_from([0, 7])}
            ),
            max_size=4,
        ),
        "histograms": st.lists(st.binary(max_size=5), max_size=2),
        "exemplars": st.lists(
            st.fixed_dictionaries({"labels_refs": REFS, "value": st.floats(), "timestamp": INT64S}), max_size=2
        ),
        "created_timestamp": INT64S,
    },
    optional={
        "metadata": st.fixed_dictionaries(
            {"type": st.integers(0, 9), "help_ref": st.integers(0, 6), "unit_ref": st.integers(0, 6)}
        )
    },
)
REQUESTS = st.fixed_dictionaries(
    {
        "symbols": st.lists(st.binary(max_size=6), min_size=5, max_size=7).map(lambda found: [b"", *found]),
        "timeseries": st.lists(SERIES, max_size=4),
    }
)


@st.composite
def damaged(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """A body with a few bytes changed, left out or put in, perhaps cut short."""
    body = bytearray(draw(bodies))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(body)))
        inserted = draw(st.one_of(st.binary(max_size=2), st.binary(min_size=9, max_size=11)))
        body[place : place + draw(st.integers(0, 2))] = inserted
    return bytes(body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body)


def decode(body: bytes, **limits: int) -> WriteRequest:
    return decode_write_request(body, Version.V2, key=KEY, **limits)


def is_valid(reference: Any) -> bool:
    """The rules of the specification that protobuf does not know."""
    symbols = reference.symbols
    if len(symbols) and symbols[0]:
        return False
    for series in reference.timeseries:
        for refs in (series.labels_refs, *(exemplar.labels_refs for exemplar in series.exemplars)):
            if len(refs) % 2 or any(ref >= len(symbols) for ref in refs):
                return False
        if max(series.metadata.help_ref, series.metadata.unit_ref) >= max(len(symbols), 1):
            return False
    return True


def assert_same(request: WriteRequest, reference: Any) -> None:
    """The columns hold what Google's parser found."""
    symbols = reference.symbols
    assert request.series_count == len(reference.timeseries)
    samples = [(row, s, sample) for row, s in enumerate(reference.timeseries) for sample in s.samples]
    assert request.sample_offsets.tolist() == np.cumsum([0, *(len(s.samples) for s in reference.timeseries)]).tolist()
    assert request.sample_series.tolist() == [row for row, _, _ in samples]
    assert request.times.tolist() == [sample.timestamp for _, _, sample in samples]
    assert request.values.tobytes() == np.array([sample.value for _, _, sample in samples], np.float64).tobytes()
    starts = [sample.start_timestamp or series.created_timestamp for _, series, sample in samples]
    assert (request.starts.tolist() if request.starts is not None else [0] * len(starts)) == starts
    assert request.histograms.tolist() == [len(s.histograms) for s in reference.timeseries]
    exemplars = [(row, exemplar) for row, s in enumerate(reference.timeseries) for exemplar in s.exemplars]
    assert request.exemplar_series.tolist() == [row for row, _ in exemplars]
    for row, series in enumerate(reference.timeseries):
        texts = [symbols[ref] for ref in series.labels_refs]
        assert request.texts.label_pairs(row) == list(zip(texts[::2], texts[1::2], strict=True))
        found = request.texts.series_metadata(row)
        if not series.HasField("metadata"):
            assert found is None
        else:
            given = series.metadata
            unit = symbols[given.unit_ref] if given.unit_ref else b""
            help_text = symbols[given.help_ref] if given.help_ref else b""
            assert found == (given.type & 0xFFFFFFFF, unit, help_text)
    for number, (_, exemplar) in enumerate(exemplars):
        pairs, value, time_ms = request.texts.exemplar(number)
        texts = [symbols[ref] for ref in exemplar.labels_refs]
        assert pairs == list(zip(texts[::2], texts[1::2], strict=True))
        assert np.float64(value).tobytes() == np.float64(exemplar.value).tobytes()
        assert time_ms == exemplar.timestamp


@given(REQUESTS)
def test_a_request_is_decoded_as_by_protobuf(prompb: ModuleType, content: dict[str, Any]) -> None:
    reference = prompb.v2.Request(**content)
    body = reference.SerializeToString()
    if not is_valid(reference):
        with pytest.raises(DecodeError):
            decode(body)
        return

    assert_same(decode(body), reference)


@given(st.data())
def test_damaged_bytes_are_refused_exactly_where_protobuf_or_the_specification_refuses_them(
    prompb: ModuleType, data: st.DataObject
) -> None:
    bodies = REQUESTS.map(lambda content: prompb.v2.Request(**content).SerializeToString())
    body = data.draw(damaged(bodies))
    try:
        reference = prompb.v2.Request.FromString(body)
    except RefusedByProtobuf:
        reference = None
    if reference is None or not is_valid(reference):
        with pytest.raises(DecodeError):
            decode(body)
        return

    assert_same(decode(body), reference)


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        request = decode(body)
    except DecodeError:
        return
    for row in range(request.series_count):
        request.texts.label_pairs(row)


def encode(prompb: ModuleType, *series: dict[str, Any], symbols: list[bytes] | None = None) -> bytes:
    return prompb.v2.Request(symbols=SYMBOLS if symbols is None else symbols, timeseries=series).SerializeToString()


def test_labels_are_symbols(prompb: ModuleType) -> None:
    request = decode(encode(prompb, {"labels_refs": UP_A}))

    assert request.labels(0) == (("__name__", "up"), ("job", "a"))
    assert request.label_counts.tolist() == [2]


def test_the_same_labels_have_the_same_hash_under_other_references(prompb: ModuleType) -> None:
    first = decode(encode(prompb, {"labels_refs": UP_A}))
    second = decode(encode(prompb, {"labels_refs": [4, 3, 2, 1]}, symbols=[b"", b"a", b"job", b"up", b"__name__"]))
    other = decode(encode(prompb, {"labels_refs": [1, 4, 3, 2]}))

    assert (first.hashes == second.hashes).all()
    assert (first.hashes != other.hashes).all()


def test_symbols_may_follow_the_series_that_use_them(prompb: ModuleType) -> None:
    series = encode(prompb, {"labels_refs": UP_A}, symbols=[])
    symbols = encode(prompb)

    assert decode(series + symbols).labels(0) == (("__name__", "up"), ("job", "a"))


def test_references_may_come_one_by_one() -> None:
    symbols = b"\x22\x00\x22\x08__name__\x22\x02up"

    assert decode(symbols + b"\x2a\x04\x08\x01\x08\x02").labels(0) == (("__name__", "up"),)


@pytest.mark.parametrize(
    ("series", "symbols", "problem"),
    [
        pytest.param({"labels_refs": [1, 7]}, SYMBOLS, "symbol that the request has not got", id="a label"),
        pytest.param({"labels_refs": [0, 0]}, [], "symbol that the request has not got", id="no symbols"),
        pytest.param({"metadata": {"help_ref": 7}}, SYMBOLS, "symbol that the request has not got", id="a help text"),
        pytest.param({"exemplars": [{"labels_refs": [7, 1]}]}, SYMBOLS, "symbol", id="an exemplar's label"),
        pytest.param({"labels_refs": [1, 2, 3]}, SYMBOLS, "do not come in pairs", id="a name without a value"),
        pytest.param({"exemplars": [{"labels_refs": [1]}]}, SYMBOLS, "do not come in pairs", id="in an exemplar"),
        pytest.param({"labels_refs": [0, 1]}, SYMBOLS[1:], "first symbol", id="the first symbol is not empty"),
    ],
)
def test_what_refers_to_nothing_is_refused(
    prompb: ModuleType, series: dict[str, Any], symbols: list[bytes], problem: str
) -> None:
    with pytest.raises(DecodeError, match=problem):
        decode(encode(prompb, series, symbols=symbols))


def test_metadata_are_of_the_family_of_their_series(prompb: ModuleType) -> None:
    symbols = [b"", b"__name__", b"rpc_seconds_bucket", b"Latency.", b"seconds"]
    series = {"labels_refs": [1, 2], "metadata": {"type": 3, "help_ref": 3, "unit_ref": 4}}

    request = decode(encode(prompb, series, {"labels_refs": [1, 2]}, symbols=symbols))

    labels = request.labels(0)
    assert request.series_metadata(0, labels) == Metadata("rpc_seconds", MetricType.HISTOGRAM, "seconds", "Latency.")
    assert request.series_metadata(1, labels) is None
    assert request.family_metadata() == []


def test_an_exemplar_has_labels_of_symbols_and_no_time_where_it_is_zero(prompb: ModuleType) -> None:
    exemplar = {"labels_refs": [3, 4], "value": 0.25}

    found = decode(encode(prompb, {"labels_refs": UP_A, "exemplars": [exemplar]})).exemplar(0)

    assert (found.labels, found.value, found.time_ms) == ((("job", "a"),), 0.25, None)


def test_a_request_of_too_many_symbols_is_refused() -> None:
    with pytest.raises(LimitExceededError):
        decode(b"\x22\x00" * 11, max_series=10)


def test_an_empty_request_is_a_request() -> None:
    assert decode(b"").series_count == 0
    assert decode(b"\x22\x00").series_count == 0


def test_a_version_1_request_sent_as_version_2_holds_nothing(prompb: ModuleType) -> None:
    body = prompb.v1.WriteRequest(timeseries=[{"labels": [{"name": b"__name__", "value": b"up"}]}]).SerializeToString()

    assert decode(body).series_count == 0
