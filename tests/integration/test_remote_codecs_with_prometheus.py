"""A real Prometheus takes what we encode, and answers remote reads with what our encoders would have made."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import httpx
import numpy as np
import pytest

from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import STALE, Exemplar, SampleRuns
from vedette.wire.compression import Encoding, compress, decompress
from vedette.wire.remote_read import QueryResult, ResponseType, encode_chunked, encode_samples, response_headers
from vedette.wire.remote_read.xor import SAMPLES_PER_CHUNK
from vedette.wire.remote_write import (
    HashKey,
    Version,
    decode_write_request,
    encode_exemplars_v1,
    encode_labels_v1,
    encode_v1,
    request_headers,
)

SAMPLES = 300
LABELS = [label_set({"__name__": "vedette_codec_total", "path": path}) for path in ("/", "/a b", "/ü")]


@pytest.fixture(scope="module")
def runs() -> SampleRuns:
    """Three series: a counter with scrape jitter, values of all kinds, and one that ends."""
    generator = np.random.default_rng(11)
    start_ms = int(time.time() * 1000) - SAMPLES * 10_000
    times = start_ms + 10_000 * np.arange(SAMPLES, dtype=np.int64) + generator.integers(0, 9, SAMPLES)
    odd = generator.normal(size=SAMPLES) * 10.0 ** generator.integers(-300, 300, SAMPLES)
    odd[:6] = [0.0, -1.5, np.inf, -np.inf, np.nan, 5e-324]
    ending = np.append(np.arange(9.0), STALE)
    return SampleRuns(
        np.array([0, SAMPLES, 2 * SAMPLES, 2 * SAMPLES + 10], np.int64),
        np.concatenate([times, times, times[:10]]),
        np.concatenate([np.cumsum(generator.integers(0, 50, SAMPLES)).astype(float), odd, ending]),
    )


@pytest.fixture(scope="module")
def written(prometheus_server: Any, runs: SampleRuns) -> str:
    """The address of a Prometheus that holds these samples and an exemplar."""
    labels = [encode_labels_v1(each) for each in LABELS]
    exemplar = Exemplar(label_set({"trace_id": "4bf92f3577b34da6"}), 0.25, int(runs.times[-1]))
    body = encode_v1(labels, runs) + encode_exemplars_v1(labels[0], [exemplar])
    response = httpx.post(
        f"{prometheus_server.url}/api/v1/write",
        content=compress(body, Encoding.SNAPPY),
        headers=request_headers(Version.V1),
    )
    assert response.status_code == 204, response.text
    return prometheus_server.url


def read(url: str, prompb: ModuleType, runs: SampleRuns, accepted: ResponseType) -> httpx.Response:
    query = {
        "start_timestamp_ms": int(runs.times.min()),
        "end_timestamp_ms": int(runs.times.max()),
        "matchers": [{"type": 0, "name": b"__name__", "value": b"vedette_codec_total"}],
    }
    body = prompb.v1.ReadRequest(queries=[query], accepted_response_types=[accepted.value]).SerializeToString()
    response = httpx.post(
        f"{url}/api/v1/read",
        content=compress(body, Encoding.SNAPPY),
        headers={"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"},
    )
    assert response.status_code == 200, response.text
    for name, value in response_headers(accepted).items():
        assert response.headers[name] == value
    return response


def run_of(runs: SampleRuns, row: int) -> tuple[list[int], bytes]:
    part = slice(runs.offsets[row], runs.offsets[row + 1])
    return runs.times[part].tolist(), runs.values[part].tobytes()


def labels_of(series: Any) -> LabelSet:
    return label_set((label.name.decode(), label.value.decode()) for label in series.labels)


def test_prometheus_reads_back_every_bit_that_we_wrote(written: str, prompb: ModuleType, runs: SampleRuns) -> None:
    response = read(written, prompb, runs, ResponseType.SAMPLES)

    message = decompress(response.content, Encoding.SNAPPY, max_bytes=1 << 25)
    [result] = prompb.v1.ReadResponse.FromString(message).results
    found = decode_write_request(result.SerializeToString(), Version.V1, key=HashKey(1, 2))
    assert [found.labels(row) for row in range(found.series_count)] == LABELS
    back = SampleRuns(found.sample_offsets, found.times, found.values)
    assert [run_of(back, row) for row in range(3)] == [run_of(runs, row) for row in range(3)]


def test_our_answer_in_samples_is_prometheus_own(written: str, prompb: ModuleType, runs: SampleRuns) -> None:
    response = read(written, prompb, runs, ResponseType.SAMPLES)

    ours = encode_samples([QueryResult([encode_labels_v1(each) for each in LABELS], runs)])

    theirs = decompress(response.content, Encoding.SNAPPY, max_bytes=1 << 25)
    assert prompb.v1.ReadResponse.FromString(ours) == prompb.v1.ReadResponse.FromString(theirs)


def test_our_chunks_are_prometheus_own_byte_for_byte(written: str, prompb: ModuleType, runs: SampleRuns) -> None:
    """Prometheus also cuts chunks at the ends of its blocks; what it cut is encoded again as a run of its own."""
    response = read(written, prompb, runs, ResponseType.STREAMED_XOR_CHUNKS)

    theirs = prompb.read_frames(response.content)
    assert [checksum for _, checksum in theirs] == [prompb.slow_crc32c(message) for message, _ in theirs]
    series = [prompb.v1.ChunkedReadResponse.FromString(message).chunked_series[0] for message, _ in theirs]
    for row, each in enumerate(series):
        counts = [len(prompb.read_xor_chunk(chunk.data)) for chunk in each.chunks]
        offsets = runs.offsets[row] + np.cumsum([0, *counts])
        cut = QueryResult([b""] * len(counts), SampleRuns(offsets, runs.times, runs.values))
        ours = [
            prompb.v1.ChunkedReadResponse.FromString(message).chunked_series[0].chunks[0]
            for message, _ in prompb.read_frames(b"".join(encode_chunked(0, cut)))
        ]
        assert labels_of(each) == LABELS[row]
        assert offsets[-1] == runs.offsets[row + 1]
        assert [chunk.min_time_ms for chunk in ours] == [chunk.min_time_ms for chunk in each.chunks]
        for our_chunk, their_chunk, count in zip(ours, each.chunks, counts, strict=True):
            if count > SAMPLES_PER_CHUNK:
                continue  # Prometheus lets a chunk grow at the end of a block; we cut at 120
            # Where the last bit fills its byte, Prometheus 2 has begun the next one.
            assert their_chunk.data in {our_chunk.data, our_chunk.data + b"\x00"}


def test_prometheus_keeps_our_exemplar(written: str, runs: SampleRuns) -> None:
    window = {"start": int(runs.times.min()) / 1000, "end": int(runs.times.max()) / 1000 + 1}

    answer = httpx.get(f"{written}/api/v1/query_exemplars", params={"query": "vedette_codec_total", **window}).json()

    [series] = answer["data"]
    assert series["seriesLabels"]["path"] == "/"
    assert [exemplar["labels"] for exemplar in series["exemplars"]] == [{"trace_id": "4bf92f3577b34da6"}]


def test_prometheus_refuses_a_request_that_we_cut_short(written: str, runs: SampleRuns) -> None:
    body = encode_v1([encode_labels_v1(each) for each in LABELS], runs)[:-1]

    response = httpx.post(
        f"{written}/api/v1/write", content=compress(body, Encoding.SNAPPY), headers=request_headers(Version.V1)
    )

    assert response.status_code == 400
