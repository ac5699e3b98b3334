"""Answers to queries as Arrow streams, for notebooks and the web interface.

One row for each sample: `labels` (dictionary-encoded map of string to string), `time` (timestamp[ms, UTC]) and
`value` (double). Rows of one series stand together, its samples in the order of time. The kind of result and the
query's warnings and infos are in the schema's metadata. A string has no form here.

The stream is made in pieces of some 100,000 rows; the label sets travel once, with the first piece, and no
Python object is made for a sample or a series. The reader is `vedette.client.results`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame
from vedette.model.samples import SampleRuns

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]

CONTENT_TYPE: Final = "application/vnd.apache.arrow.stream"
RESULT_TYPE_KEY: Final = b"vedette.result_type"
WARNINGS_KEY: Final = b"vedette.warnings"
INFOS_KEY: Final = b"vedette.infos"

BATCH_ROWS: Final = 1 << 17
"""Rows of a piece, unless a single step or series makes more."""

MAP_TYPE: Final = pa.map_(pa.string(), pa.string())
LABELS_TYPE: Final = pa.dictionary(pa.int32(), MAP_TYPE)
TIME_TYPE: Final = pa.timestamp("ms", "UTC")


class ResultType(StrEnum):
    """What a result is, by the names that the HTTP API uses."""

    MATRIX = "matrix"
    VECTOR = "vector"
    SCALAR = "scalar"


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is said along with a result."""

    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()


def encode_matrix(
    labels: LabelFrame, times: Int64s, values: Float64s, present: Bools, remarks: Remarks | None = None
) -> Iterator[bytes]:
    """The answer to a range query.

    Args:
        labels: of each row.
        times: int64[steps], milliseconds.
        values: float64[series, steps].
        present: bool[series, steps]; where it is false there is no row.
        remarks: warnings and infos.
    """
    return _encode([_matrix_part(labels, times, values, present)], ResultType.MATRIX, remarks)


def encode_vector(
    labels: LabelFrame, time_ms: int, values: Float64s, remarks: Remarks | None = None
) -> Iterator[bytes]:
    """The answer to an instant query for an instant vector."""
    times = np.array([time_ms], np.int64)
    part = _matrix_part(labels, times, values.reshape(-1, 1), np.ones((len(values), 1), np.bool_))
    return _encode([part], ResultType.VECTOR, remarks)


def encode_scalar(time_ms: int, value: float, remarks: Remarks | None = None) -> Iterator[bytes]:
    """The answer to an instant query for a number: one row without labels."""
    runs = SampleRuns(np.array([0, 1], np.int64), np.array([time_ms], np.int64), np.array([value]))
    return _encode([_runs_part(pa.array([[]], MAP_TYPE), runs)], ResultType.SCALAR, remarks)


def encode_runs(parts: Iterable[tuple[LabelFrame, SampleRuns]], remarks: Remarks | None = None) -> Iterator[bytes]:
    """Raw samples: the answer to an instant query for a range vector (one part), or an export (any number).

    The label sets of each part travel with it, so that an export need not know all of them at its start.
    """
    return _encode((_runs_part(label_maps(frame), runs) for frame, runs in parts), ResultType.MATRIX, remarks)


def label_maps(labels: LabelFrame) -> pa.MapArray:
    """The label sets of a frame as a column of maps, sorted by label name."""
    names = sorted(labels.columns)
    if not names:
        return pa.MapArray.from_arrays(np.zeros(labels.size + 1, np.int32), _strings([]), _strings([]))
    symbols = np.stack([labels.columns[name] for name in names], axis=1)
    held = symbols != 0
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(held.sum(axis=1, dtype=np.int64))])
    numbers, places = np.unique(symbols[held], return_inverse=True)
    texts = _strings([labels.symbols.text(number) for number in numbers.tolist()])
    keys = _strings(names).take(pa.array(np.nonzero(held)[1]))
    return pa.MapArray.from_arrays(offsets.astype(np.int32), keys, texts.take(pa.array(places)))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Some rows: the number of each row's label set, its time and its value."""

    series: Int32s
    times: Int64s
    values: Float64s


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Rows that share a dictionary of label sets."""

    labels: pa.Array
    rows: Iterator[_Rows]


def _matrix_part(labels: LabelFrame, times: Int64s, values: Float64s, present: Bools) -> _Part:
    return _Part(label_maps(labels), _matrix_rows(times, values, present))


def _matrix_rows(times: Int64s, values: Float64s, present: Bools) -> Iterator[_Rows]:
    step = max(1, BATCH_ROWS // max(1, len(times)))
    for first in range(0, len(values), step):
        held = present[first : first + step]
        counts = held.sum(axis=1)
        series = np.repeat(np.arange(first, first + len(held), dtype=np.int32), counts)
        yield _Rows(series, np.broadcast_to(times, held.shape)[held], values[first : first + step][held])


def _runs_part(labels: pa.Array, runs: SampleRuns) -> _Part:
    return _Part(labels, _runs_rows(runs))


def _runs_rows(runs: SampleRuns) -> Iterator[_Rows]:
    begin, end = int(runs.offsets[0]), int(runs.offsets[-1])
    for first in range(begin, end, BATCH_ROWS):
        last = min(first + BATCH_ROWS, end)
        # The last series that begins at or before a sample holds it; empty ones begin where the next one does.
        series = np.searchsorted(runs.offsets, np.arange(first, last), side="right") - 1
        yield _Rows(series.astype(np.int32), runs.times[first:last], runs.values[first:last])


def _encode(parts: Iterable[_Part], result: ResultType, remarks: Remarks | None) -> Iterator[bytes]:
    sink = _Sink()
    schema = _schema(result, remarks or Remarks())
    with pa.ipc.new_stream(sink, schema) as writer:
        for part in parts:
            for rows in part.rows:
                if not len(rows.values):
                    continue
                writer.write_batch(
                    pa.RecordBatch.from_arrays(
                        [
                            pa.DictionaryArray.from_arrays(pa.array(rows.series), part.labels),
                            pa.array(np.ascontiguousarray(rows.times)).view(TIME_TYPE),
                            pa.array(np.ascontiguousarray(rows.values)),
                        ],
                        schema=schema,
                    )
                )
                yield sink.taken()
    yield sink.taken()


def _schema(result: ResultType, remarks: Remarks) -> pa.Schema:
    metadata = {
        RESULT_TYPE_KEY: result.value.encode(),
        WARNINGS_KEY: json.dumps(list(remarks.warnings)).encode(),
        INFOS_KEY: json.dumps(list(remarks.infos)).encode(),
    }
    columns = [("labels", LABELS_TYPE), ("time", TIME_TYPE), ("value", pa.float64())]
    return pa.schema(columns).with_metadata(metadata)


def _strings(texts: Sequence[str]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        # Half of a surrogate pair, which a remote-written label may hold and Arrow's strings may not.
        return pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.string())


class _Sink:
    """A file that gives away what was written to it."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The writer leaves it open."""

    def taken(self) -> bytes:
        """What was written since the last call."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole
