from __future__ import annotations

import struct
from types import ModuleType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.labels import label_set
from vedette.model.samples import SampleRuns
from vedette.wire.remote_read import QueryResult, ResponseType, encode_chunked, encode_samples, response_headers
from vedette.wire.remote_write import encode_labels_v1

UP = encode_labels_v1(label_set({"__name__": "up", "job": "a"}))
DOWN = encode_labels_v1(label_set({"__name__": "up", "job": "b"}))


def result_of(*counts: int) -> QueryResult:
    total = sum(counts)
    runs = SampleRuns(
        np.cumsum([0, *counts]).astype(np.int64),
        1_795_230_000_000 + 15_000 * np.arange(total, dtype=np.int64),
        np.sqrt(np.arange(total)),
    )
    return QueryResult([UP, DOWN][: len(counts)], runs)


def test_samples_are_one_message_with_a_result_for_each_query(prompb: ModuleType) -> None:
    body = encode_samples([result_of(2, 1), result_of(), result_of(3)])

    response = prompb.v1.ReadResponse.FromString(body)
    assert [[len(s.samples) for s in result.timeseries] for result in response.results] == [[2, 1], [], [3]]
    assert response.results[0].timeseries[1].labels[1].value == b"b"
    assert response.results[2].timeseries[0].samples[2].value == np.sqrt(2)


def test_a_stream_holds_all_samples_of_each_series_in_chunks_of_120(prompb: ModuleType) -> None:
    result = result_of(250, 120)

    frames = prompb.read_frames(b"".join(encode_chunked(3, result)))

    messages = [prompb.v1.ChunkedReadResponse.FromString(message) for message, _ in frames]
    assert [message.query_index for message in messages] == [3, 3]
    assert [[label.value for label in message.chunked_series[0].labels] for message in messages] == [
        [b"up", b"a"],
        [b"up", b"b"],
    ]
    chunks = [chunk for message in messages for chunk in message.chunked_series[0].chunks]
    read = [prompb.read_xor_chunk(chunk.data) for chunk in chunks]
    assert [len(samples) for samples in read] == [120, 120, 10, 120]
    assert [(chunk.min_time_ms, chunk.max_time_ms) for chunk in chunks] == [(s[0][0], s[-1][0]) for s in read]
    assert {chunk.type for chunk in chunks} == {1}
    samples = [sample for found in read for sample in found]
    assert [time for time, _ in samples] == result.runs.times.tolist()
    assert b"".join(value for _, value in samples) == result.runs.values.tobytes()


def test_each_frame_carries_its_checksum(prompb: ModuleType) -> None:
    for message, checksum in prompb.read_frames(b"".join(encode_chunked(0, result_of(300, 7)))):
        assert checksum == prompb.slow_crc32c(message)


def test_a_series_larger_than_a_frame_goes_on_in_the_next_one_with_its_labels(prompb: ModuleType) -> None:
    frames = list(encode_chunked(0, result_of(1200), frame_bytes=2500))

    messages = [prompb.v1.ChunkedReadResponse.FromString(m) for m, _ in prompb.read_frames(b"".join(frames))]
    assert len(messages) > 2
    assert all(len(message.chunked_series[0].labels) == 2 for message in messages)
    assert sum(len(message.chunked_series[0].chunks) for message in messages) == 10
    assert all(len(frame) < 2500 + 1100 for frame in frames)


def test_a_frame_holds_one_chunk_even_where_it_is_too_small_for_any() -> None:
    frames = list(encode_chunked(0, result_of(360), frame_bytes=1))

    assert len(frames) == 3


def test_a_series_without_samples_is_left_out_of_a_stream() -> None:
    assert len(list(encode_chunked(0, result_of(0, 5)))) == 1


def test_only_samples_are_packed() -> None:
    assert response_headers(ResponseType.SAMPLES)["Content-Encoding"] == "snappy"
    assert response_headers(ResponseType.STREAMED_XOR_CHUNKS) == {
        "Content-Type": "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
    }


TIMES = st.one_of(
    st.integers(-(1 << 62), 1 << 62),
    st.sampled_from([0, 1, 8191, 8192, 8193, 65535, 65536, 65537, 524287, 524288, 524289]),
    st.sampled_from([-8191, -8192, -8193, -65535, -65536, -65537, -524287, -524288, -524289]),
)
VALUES = st.one_of(
    st.floats(),
    st.integers(0, (1 << 64) - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]),
    st.sampled_from([0.0, -0.0, 1.0, 2.0]),
)


@given(st.lists(st.tuples(TIMES, VALUES), min_size=1, max_size=130))
def test_a_chunk_gives_back_times_and_values_to_the_bit(prompb: ModuleType, steps: list[tuple[int, float]]) -> None:
    """Times are sums of sums of steps, so that the steps are the changes that a chunk holds."""
    changes = np.array([step for step, _ in steps], np.int64)
    with np.errstate(over="ignore"):
        times = np.cumsum(np.cumsum(changes))
    values = np.array([value for _, value in steps], np.float64)
    result = QueryResult([UP], SampleRuns(np.array([0, len(steps)], np.int64), times, values))

    frames = prompb.read_frames(b"".join(encode_chunked(0, result)))

    chunks = [
        chunk for m, _ in frames for chunk in prompb.v1.ChunkedReadResponse.FromString(m).chunked_series[0].chunks
    ]
    samples = [sample for chunk in chunks for sample in prompb.read_xor_chunk(chunk.data)]
    assert [time for time, _ in samples] == times.tolist()
    assert b"".join(value for _, value in samples) == values.tobytes()
