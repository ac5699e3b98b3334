"""Encode the answers to remote-read requests, in both forms.

SAMPLES is one message, packed with Snappy's block format:

    ReadResponse { repeated QueryResult results = 1; }
    QueryResult { repeated TimeSeries timeseries = 1; }

STREAMED_XOR_CHUNKS is a stream of frames, none of which holds parts of two series:

    frame: length of the message (varint), its CRC-32C (big-endian), the message
    ChunkedReadResponse { repeated ChunkedSeries chunked_series = 1; int64 query_index = 2; }
    ChunkedSeries { repeated Label labels = 1; repeated Chunk chunks = 2; }
    Chunk { int64 min_time_ms = 1; int64 max_time_ms = 2; Encoding type = 3; bytes data = 4; }

Source: prompb/remote.proto, storage/remote/chunked.go and storage/remote/codec.go of Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vedette.model.samples import SampleRuns
from vedette.wire.remote_read.checksum import crc32c
from vedette.wire.remote_read.request import ResponseType
from vedette.wire.remote_read.xor import encode_chunks
from vedette.wire.remote_write.encode import encode_v1
from vedette.wire.remote_write.protobuf import VARINT, encode_bytes, encode_varint

FRAME_BYTES: Final = 1 << 20
"""What a frame holds, up to one chunk more: Prometheus' default."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryResult:
    """The answer to one query.

    Attributes:
        labels: of each series, from `encode_labels_v1`. To be sorted by label set where the answer is
            streamed; clients merge by that order.
        runs: the samples of these series, in the same order. An empty run is left out of a stream.
    """

    labels: Sequence[bytes]
    runs: SampleRuns


def response_headers(kind: ResponseType) -> dict[str, str]:
    """The headers of an answer."""
    match kind:
        case ResponseType.SAMPLES:
            return {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        case ResponseType.STREAMED_XOR_CHUNKS:
            return {"Content-Type": "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"}


def encode_samples(results: Iterable[QueryResult]) -> bytes:
    """A ReadResponse, not packed yet.

    Args:
        results: in the order of the queries.
    """
    # A QueryResult has the bytes of a WriteRequest: the same TimeSeries in the same field.
    return b"".join(encode_bytes(1, encode_v1(result.labels, result.runs)) for result in results)


def encode_chunked(query_index: int, result: QueryResult, *, frame_bytes: int = FRAME_BYTES) -> Iterator[bytes]:
    """The frames that answer one query, one series after the other.

    Args:
        query_index: which of the request's queries it is, from 0.
        result: the answer.
        frame_bytes: when a frame is full; a longer series goes on in the next one.
    """
    index = encode_varint(2 << 3 | VARINT) + encode_varint(query_index) if query_index else b""
    offsets: list[int] = result.runs.offsets.tolist()
    for row, labels in enumerate(result.labels):
        chunks, ends = encode_chunks(result.runs.times, result.runs.values, offsets[row], offsets[row + 1])
        start = 0
        while start < len(chunks):
            # Up to the chunk that fills the frame, like Prometheus: a chunk is never cut.
            full = start + max(frame_bytes - len(labels), 1)
            end = int(ends[min(int(np.searchsorted(ends, full)), len(ends) - 1)])
            yield _frame(encode_bytes(1, labels + chunks[start:end]) + index)
            start = end


def _frame(message: bytes) -> bytes:
    return encode_varint(len(message)) + crc32c(message).to_bytes(4, "big") + message
