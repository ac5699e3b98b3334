from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError as RefusedByProtobuf
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.samples import STALE_BITS, Metadata, MetricType
from vedette.wire.remote_write import HashKey, Version, WriteRequest, decode_write_request

KEY = HashKey(0x0123456789ABCDEF, 0xFEDCBA9876543210)
UP = b"\x0a\x0e\x0a\x08__name__\x12\x02up"
"""The label field of `up`."""

TEXTS = st.one_of(st.binary(max_size=12), st.text(max_size=8).map(str.encode))
INT64S = st.one_of(st.integers(0, 5), st.integers(-(1 << 63), (1 << 63) - 1))
LABELS = st.lists(st.fixed_dictionaries({"name": TEXTS, "value": TEXTS}), max_size=4)
SERIES = st.fixed_dictionaries(
    {
        "labels": LABELS,
        "samples": st.lists(st.fixed_dictionaries({"value": st.floats(), "timestamp": INT64S}), max_size=4),
        "exemplars": st.lists(
            st.fixed_dictionaries({"labels": LABELS, "value": st.floats(), "timestamp": INT64S}), max_size=2
        ),
        "histograms": st.lists(st.binary(max_size=5), max_size=2),
    }
)
METADATA = st.fixed_dictionaries(
    {"type": st.integers(-1, 9), "family": TEXTS, "help": TEXTS, "unit": TEXTS},
)
REQUESTS = st.fixed_dictionaries(
    {"timeseries": st.lists(SERIES, max_size=4), "metadata": st.lists(METADATA, max_size=2)}
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
    return decode_write_request(body, Version.V1, key=KEY, **limits)


def assert_same(request: WriteRequest, reference: Any) -> None:
    """The columns hold what Google's parser found."""
    assert request.series_count == len(reference.timeseries)
    assert request.sample_offsets.tolist() == np.cumsum([0, *(len(s.samples) for s in reference.timeseries)]).tolist()
    samples = [(row, sample) for row, s in enumerate(reference.timeseries) for sample in s.samples]
    assert request.sample_series.tolist() == [row for row, _ in samples]
    assert request.times.tolist() == [sample.timestamp for _, sample in samples]
    assert request.values.tobytes() == np.array([sample.value for _, sample in samples], np.float64).tobytes()
    assert request.histograms.tolist() == [len(s.histograms) for s in reference.timeseries]
    exemplars = [(row, exemplar) for row, s in enumerate(reference.timeseries) for exemplar in s.exemplars]
    assert request.exemplar_series.tolist() == [row for row, _ in exemplars]


@given(REQUESTS)
def test_a_request_is_decoded_as_by_protobuf(prompb: ModuleType, content: dict[str, Any]) -> None:
    reference = prompb.v1.WriteRequest(**content)

    request = decode(reference.SerializeToString())

    assert_same(request, reference)
    for row, series in enumerate(reference.timeseries):
        assert request.texts.label_pairs(row) == [(label.name, label.value) for label in series.labels]
    found = request.texts.family_metadata()
    assert found == [(each.type & 0xFFFFFFFF, each.family, each.unit, each.help) for each in reference.metadata]
    exemplars = [exemplar for series in reference.timeseries for exemplar in series.exemplars]
    for number, exemplar in enumerate(exemplars):
        pairs, value, time_ms = request.texts.exemplar(number)
        assert pairs == [(label.name, label.value) for label in exemplar.labels]
        assert np.float64(value).tobytes() == np.float64(exemplar.value).tobytes()
        assert time_ms == exemplar.timestamp


@given(st.data())
def test_damaged_bytes_are_refused_exactly_where_protobuf_refuses_them(prompb: ModuleType, data: st.DataObject) -> None:
    bodies = REQUESTS.map(lambda content: prompb.v1.WriteRequest(**content).SerializeToString())
    body = data.draw(damaged(bodies))
    try:
        reference = prompb.v1.WriteRequest.FromString(body)
    except RefusedByProtobuf:
        with pytest.raises(DecodeError, match="at byte"):
            decode(body)
        return

    request = decode(body)

    assert_same(request, reference)
    for row, series in enumerate(reference.timeseries):
        assert request.texts.label_pairs(row) == [(label.name, label.value) for label in series.labels]


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        request = decode(body)
    except DecodeError:
        return
    for row in range(request.series_count):
        request.texts.label_pairs(row)


@pytest.mark.parametrize(
    ("body", "byte"),
    [
        pytest.param(b"\x0a", 1, id="a tag without its length"),
        pytest.param(b"\x0a\x05\x0a\x00", 1, id="a series that runs past the end"),
        pytest.param(b"\x0a\x04\x12\x05\x09\x00", 3, id="a sample that runs past its series"),
        pytest.param(b"\x0a\x04\x12\x02\x09\x00", 5, id="a value that runs past its sample"),
        pytest.param(b"\x0a\x02\x0a\x00\x08" + b"\x80" * 11, 5, id="a number of eleven bytes"),
        pytest.param(b"\x0a\x02\x0a\x00\x00\x00", 4, id="field number zero"),
        pytest.param(b"\x0a\x02\x0a\x00\x0f", 4, id="wire type seven"),
        pytest.param(b"\x0a\x02\x0a\x00\x0c", 4, id="the end of a group that never began"),
    ],
)
def test_a_refusal_names_the_byte(body: bytes, byte: int) -> None:
    with pytest.raises(DecodeError, match=rf"at byte {byte}:"):
        decode(body)


def test_groups_of_unknown_fields_are_passed_over() -> None:
    group = b"\x7b\x08\x01\x83\x01\x84\x01\x7c"  # field 15, holding field 16

    assert decode(b"\x0a\x10" + UP + group).series_count == 1
    with pytest.raises(DecodeError, match="group"):
        decode(b"\x0a\x10" + UP + group[:-1])


def test_a_deep_nest_of_groups_is_refused() -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode(b"\x7b" * 1000 + b"\x7c" * 1000)


def test_equal_label_bytes_have_equal_hashes_whatever_stands_around_them() -> None:
    alone = b"\x0a\x10" + UP
    with_sample = b"\x0a\x1b\x12\x09\x09" + bytes(8) + UP

    hashes = decode(alone + with_sample).hashes

    assert (hashes[0] == hashes[1]).all()


def test_other_label_bytes_or_another_key_have_other_hashes() -> None:
    up, ups = b"\x0a\x10" + UP, b"\x0a\x11\x0a\x0f\x0a\x08__name__\x12\x03ups"

    hashes = decode(up + ups).hashes
    others = decode_write_request(up + ups, Version.V1, key=HashKey(1, 2)).hashes

    assert len({*hashes.ravel().tolist(), *others.ravel().tolist()}) == 8


def test_labels_may_stand_among_samples() -> None:
    job = b"\x0a\x08\x0a\x03job\x12\x01a"
    scattered = UP + b"\x12\x00" + job

    request = decode(b"\x0a" + bytes([len(scattered)]) + scattered)

    assert request.labels(0) == (("__name__", "up"), ("job", "a"))
    assert request.sample_offsets.tolist() == [0, 1]


def test_unsorted_labels_are_sorted_and_empty_values_left_out(prompb: ModuleType) -> None:
    labels = [{"name": b"job", "value": b"a"}, {"name": b"zone", "value": b""}, {"name": b"__name__", "value": b"up"}]

    request = decode(prompb.v1.WriteRequest(timeseries=[{"labels": labels}]).SerializeToString())

    assert request.labels(0) == (("__name__", "up"), ("job", "a"))
    assert request.label_counts.tolist() == [3]


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        pytest.param([(b"job", b"a")], "no metric name", id="no metric name"),
        pytest.param([(b"__name__", b"")], "no metric name", id="an empty metric name is none"),
        pytest.param([(b"__name__", b"up"), (b"", b"a")], "label without a name", id="an empty label name"),
        pytest.param(
            [(b"__name__", b"up"), (b"a", b"1"), (b"a", b"2")], 'two labels named "a"', id="a name that comes twice"
        ),
        pytest.param([(b"__name__", b"up"), (b"a", b"\xff")], "not UTF-8", id="a value that is not UTF-8"),
        pytest.param([(b"__name__", b"up"), (b"\xff", b"a")], "not UTF-8", id="a name that is not UTF-8"),
    ],
)
def test_a_bad_label_set_is_the_fault_of_its_series_alone(
    prompb: ModuleType, pairs: list[tuple[bytes, bytes]], problem: str
) -> None:
    bad = [{"name": name, "value": value} for name, value in pairs]
    good = [{"name": b"__name__", "value": b"up"}]

    request = decode(prompb.v1.WriteRequest(timeseries=[{"labels": bad}, {"labels": good}]).SerializeToString())

    with pytest.raises(DecodeError, match=problem):
        request.labels(0)
    assert request.labels(1) == (("__name__", "up"),)


def test_a_series_may_have_more_labels_than_is_usual(prompb: ModuleType) -> None:
    labels = [{"name": f"l{number:04d}".encode(), "value": b"x"} for number in range(500)]
    labels.append({"name": b"__name__", "value": b"up"})

    request = decode(prompb.v1.WriteRequest(timeseries=[{"labels": labels}]).SerializeToString())

    assert len(request.labels(0)) == 501


def test_a_stale_marker_keeps_its_bits() -> None:
    sample = b"\x12\x09\x09" + STALE_BITS.to_bytes(8, "little")

    request = decode(b"\x0a" + bytes([len(UP + sample)]) + UP + sample)

    assert request.values.view(np.uint64).tolist() == [STALE_BITS]


def test_metadata_are_of_families(prompb: ModuleType) -> None:
    record = {"type": 5, "family": b"rpc_seconds", "help": b"Latency.", "unit": b"seconds"}

    request = decode(prompb.v1.WriteRequest(metadata=[record, {"type": 77}]).SerializeToString())

    assert request.family_metadata() == [
        Metadata("rpc_seconds", MetricType.SUMMARY, "seconds", "Latency."),
        Metadata("", MetricType.UNKNOWN, "", ""),
    ]


def test_an_absurdly_long_exemplar_is_refused_by_itself(prompb: ModuleType) -> None:
    exemplar = {"labels": [{"name": b"trace_id", "value": bytes(10_000)}]}

    request = decode(prompb.v1.WriteRequest(timeseries=[{"exemplars": [exemplar]}]).SerializeToString())

    with pytest.raises(DecodeError, match="4096 are allowed"):
        request.exemplar(0)


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        pytest.param(b"\x0a\x00" * 11, "max_series_per_request", id="series"),
        pytest.param(b"\x1a\x00" * 11, "max_series_per_request", id="metadata"),
        pytest.param(b"\x0a\x2a" + b"\x12\x00" * 21, "max_samples_per_request", id="samples"),
        pytest.param(b"\x0a\x2a" + b"\x1a\x00" * 21, "max_samples_per_request", id="exemplars"),
        pytest.param(b"\x0a\x2a" + b"\x22\x00" * 21, "max_samples_per_request", id="histograms"),
    ],
)
def test_a_request_of_too_many_parts_is_refused_before_it_takes_memory(body: bytes, limit: str) -> None:
    with pytest.raises(LimitExceededError) as caught:
        decode(body, max_series=10, max_samples=20)

    assert caught.value.limit == limit


def test_an_empty_request_is_a_request() -> None:
    request = decode(b"")

    assert request.series_count == 0
    assert request.native_histograms == 0
