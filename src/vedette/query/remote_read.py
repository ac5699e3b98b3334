"""Answer remote-read requests: all samples in one message, or compressed chunks, series by series.

Clients merge streams by the order of label sets, but a source is read best in its own order. So each batch is
compressed as it is read and put aside (in memory, and on disk when it is much), and sent in the order of labels.
Memory is bounded by a batch and by what is put aside, whatever is asked for.

As in Prometheus, external labels are added to what is handed out, and a matcher that asks for one of them finds the
series that have not got it.

Source: Prometheus 3, `storage/remote/read_handler.go` and `codec.go`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from vedette.model.errors import LimitExceededError
from vedette.model.labels import LabelSet
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import SampleRuns
from vedette.query.raw import Check, RawBatch, RawLimits, select_raw
from vedette.query.source import SampleSource
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_read import QueryResult, ReadQuery, encode_chunked
from vedette.wire.remote_write import encode_labels_v1, encode_v1
from vedette.wire.remote_write.protobuf import encode_bytes

IN_MEMORY_BYTES: Final = 16 << 20
"""What a stream puts aside in memory; more goes to a file."""

MAX_ASIDE_BYTES: Final = 4 << 30
"""What a stream may put aside at all."""

PIECE_BYTES: Final = 1 << 20
"""What is sent at a time."""


@dataclass(frozen=True, slots=True)
class ReadJob:
    """What is asked for, and on which terms.

    Attributes:
        queries: to be answered in their order.
        external_labels: added to every series that has not got them.
        limits: bounds on series and samples.
    """

    queries: tuple[ReadQuery, ...]
    external_labels: LabelSet
    limits: RawLimits


def read_samples(job: ReadJob, source: SampleSource, check: Check) -> bytes:
    """The answer in samples, packed with Snappy.

    Raises:
        LimitExceededError: there are too many series or samples.
        QueryError: a matcher's regular expression is none.
    """
    count = 0
    results: list[bytes] = []
    for query in job.queries:
        parts: list[bytes] = []
        labels, batches = _select(job, query, source, check)
        for batch in batches:
            count += len(batch.runs.times)
            if count > job.limits.max_samples:
                raise LimitExceededError(
                    limit="query.max_samples",
                    allowed=job.limits.max_samples,
                    found=None,
                    what="samples in the answer to a remote read that does not accept streamed chunks",
                )
            parts.append(_encode_batch(labels, batch))
        # Messages that follow each other are one message: the batches make one QueryResult, which has the bytes
        # of a WriteRequest.
        results.append(encode_bytes(1, b"".join(parts)))
    return compress(b"".join(results), Encoding.SNAPPY)


class ChunkStream:
    """The frames of an answer, put aside and ready to be sent. Close it."""

    def __init__(self, folder: Path | None) -> None:
        place = str(folder) if folder else None
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES, dir=place)  # noqa: SIM115 - see close
        self._order: list[tuple[LabelSet, int, int]] = []
        self._size = 0

    def pieces(self) -> Iterator[bytes]:
        """The frames in their order, about `PIECE_BYTES` at a time."""
        gathered: list[bytes] = []
        size = 0
        for _, start, end in self._order:
            self._file.seek(start)
            at = start
            while at < end:
                part = self._file.read(min(end - at, PIECE_BYTES))
                at += len(part)
                gathered.append(part)
                size += len(part)
                if size >= PIECE_BYTES:
                    yield b"".join(gathered)
                    gathered, size = [], 0
        if gathered:
            yield b"".join(gathered)

    def close(self) -> None:
        """Drop what was put aside."""
        self._file.close()

    def put(self, number: int, labels: list[LabelSet], batches: Iterator[RawBatch]) -> None:
        """Put the answer to one query aside."""
        places: list[tuple[LabelSet, int, int]] = []
        for batch in batches:
            runs = batch.runs
            for row, (start, end) in enumerate(pairwise(runs.offsets.tolist())):
                if start == end:
                    continue
                series = labels[batch.start + row]
                run = SampleRuns(runs.offsets[row : row + 2], runs.times, runs.values)
                begin = self._size
                for frame in encode_chunked(number, QueryResult([encode_labels_v1(series)], run)):
                    self._size += self._file.write(frame)
                places.append((series, begin, self._size))
            if self._size > MAX_ASIDE_BYTES:
                raise LimitExceededError(
                    limit="query.max_samples",
                    allowed=MAX_ASIDE_BYTES,
                    found=None,
                    what="bytes in the answer to a remote read",
                )
        self._order += sorted(places)


def read_chunks(job: ReadJob, source: SampleSource, check: Check, *, folder: Path | None = None) -> ChunkStream:
    """The answer in chunks.

    Args:
        job: what is asked for.
        source: what to read.
        check: see `Check`.
        folder: where to put aside what does not fit into memory; None for the system's place for such files.

    Raises:
        LimitExceededError: there are too many series, or their samples take too much room.
        QueryError: a matcher's regular expression is none.
    """
    stream = ChunkStream(folder)
    try:
        for number, query in enumerate(job.queries):
            labels, batches = _select(job, query, source, check)
            stream.put(number, labels, batches)
    except BaseException:
        stream.close()
        raise
    return stream


def merge_labels(labels: LabelSet, external: LabelSet) -> LabelSet:
    """A series' labels with the external ones that it has not got."""
    return tuple(sorted({**dict(external), **dict(labels)}.items())) if external else labels


def _select(
    job: ReadJob, query: ReadQuery, source: SampleSource, check: Check
) -> tuple[list[LabelSet], Iterator[RawBatch]]:
    external = dict(job.external_labels)
    matchers = [
        Matcher(m.name, MatchOp.EQUAL, "") if m.op is MatchOp.EQUAL and external.get(m.name) == m.value else m
        for m in query.matchers
    ]
    labels, batches = select_raw(
        source, matchers, query.start_ms, query.end_ms, max_series=job.limits.max_series, check=check
    )
    return [merge_labels(series, job.external_labels) for series in labels], batches


def _encode_batch(labels: list[LabelSet], batch: RawBatch) -> bytes:
    """A batch's series that have samples, as TimeSeries."""
    runs = batch.runs
    rows = np.flatnonzero(np.diff(runs.offsets))
    offsets = np.concatenate([runs.offsets[:1], runs.offsets[rows + 1]])
    encoded = [encode_labels_v1(labels[batch.start + row]) for row in rows.tolist()]
    return encode_v1(encoded, SampleRuns(offsets, runs.times, runs.values))
