"""How samples wait on the disk for another store: frames, one after the other in a segment file.

    segment: magic, frame, frame, …
    frame:   length of the content (4 bytes), CRC-32 of all that follows (4), kind (1), rows (4), time of writing in
             milliseconds (8), all little-endian; then the content, packed with zstd
    SERIES:     [[slot, [[name, value], …]], …] as JSON: what slots mean from here on in this segment
    SAMPLES:    columns: slots (uint32), times (int64), values (float64)
    EXEMPLARS:  [[slot, [[name, value], …], value, time], …] as JSON

A segment needs no other to be read. What a crash has cut short ends it, and what does not match its checksum is left
out; nothing that stands in such a file makes reading it fail.

Pure. The files are `spool`'s.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.labels import LabelSet
from vedette.model.samples import Exemplar
from vedette.wire.compression import Encoding, compress, decompress

MAGIC: Final = b"vedette remote write 1\n"
MAX_ROWS: Final = 65_536
"""Of one frame."""
MAX_CONTENT_BYTES: Final = 64 << 20
"""Of one frame, packed or not: series with the longest labels that are allowed are split over several."""
HEADER: Final = struct.Struct("<IIBIq")
_CHECKED: Final = struct.Struct("<BIq")
_ROW_BYTES: Final = 4 + 8 + 8
_SERIES_PER_FRAME: Final = 2048

Int64s = NDArray[np.int64]
UInt32s = NDArray[np.uint32]
Float64s = NDArray[np.float64]


class FrameKind(IntEnum):
    """What a frame holds."""

    SERIES = 1
    SAMPLES = 2
    EXEMPLARS = 3


@dataclass(frozen=True, slots=True)
class FrameHead:
    """A frame's head.

    Attributes:
        start: where in the segment the frame begins.
        end: where the next one does.
        kind: what it holds.
        rows: how many series, samples or exemplars.
        written_ms: when it was written.
        checksum: of the rest.
    """

    start: int
    end: int
    kind: FrameKind
    rows: int
    written_ms: int
    checksum: int


@dataclass(frozen=True, slots=True, eq=False)
class SampleColumns:
    """Samples of a segment.

    Attributes:
        slots: uint32[n], what each is a sample of; SERIES frames before this one say what that means.
        times: int64[n], milliseconds.
        values: float64[n].
    """

    slots: UInt32s
    times: Int64s
    values: Float64s


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame ready to be written.

    Attributes:
        data: head and content.
        kind: what it holds.
        rows: how many.
    """

    data: bytes
    kind: FrameKind
    rows: int


def series_frames(series: Sequence[tuple[int, LabelSet]], written_ms: int) -> Iterator[Frame]:
    """Frames that say what slots mean."""
    for start in range(0, len(series), _SERIES_PER_FRAME):
        part = series[start : start + _SERIES_PER_FRAME]
        yield _frame(FrameKind.SERIES, len(part), orjson.dumps(part), written_ms)


def sample_frames(slots: Int64s, times: Int64s, values: Float64s, written_ms: int) -> Iterator[Frame]:
    """Frames with samples, in the order given."""
    for start in range(0, len(slots), MAX_ROWS):
        part = slice(start, start + MAX_ROWS)
        columns = (slots[part].astype("<u4"), times[part].astype("<i8"), values[part].astype("<f8"))
        content = b"".join(column.tobytes() for column in columns)
        yield _frame(FrameKind.SAMPLES, len(columns[0]), content, written_ms)


def exemplar_frames(exemplars: Sequence[tuple[int, Exemplar]], written_ms: int) -> Iterator[Frame]:
    """Frames with exemplars; their times must be known. One whose value JSON cannot say is left out."""
    for start in range(0, len(exemplars), _SERIES_PER_FRAME):
        part = [
            (slot, exemplar.labels, exemplar.value, exemplar.time_ms)
            for slot, exemplar in exemplars[start : start + _SERIES_PER_FRAME]
            if np.isfinite(exemplar.value) and exemplar.time_ms is not None
        ]
        if part:
            yield _frame(FrameKind.EXEMPLARS, len(part), orjson.dumps(part), written_ms)


def read_head(header: bytes, start: int, size: int) -> FrameHead | None:
    """The head of the frame at `start` of a segment.

    Args:
        header: the segment's bytes from `start` on, at least as many as a head has.
        start: where it is.
        size: how long the segment is.

    Returns:
        None where no whole frame is: the segment ends here, or was cut short, or is damaged.
    """
    if len(header) < HEADER.size:
        return None
    length, checksum, kind, rows, written_ms = HEADER.unpack(header[: HEADER.size])
    end = start + HEADER.size + length
    if kind not in _KINDS or length > MAX_CONTENT_BYTES or rows > MAX_ROWS or end > size:
        return None
    return FrameHead(start, end, FrameKind(kind), rows, written_ms, checksum)


def read_series(head: FrameHead, content: bytes) -> dict[int, LabelSet]:
    """What slots mean.

    Raises:
        DecodeError: the frame is damaged.
    """
    found: dict[int, LabelSet] = {}
    for slot, labels in _json(head, content):
        found[slot] = _labels(labels)
    return found


def read_samples(head: FrameHead, content: bytes) -> SampleColumns:
    """The samples of a frame.

    Raises:
        DecodeError: the frame is damaged.
    """
    raw = _unpack(head, content)
    if len(raw) != head.rows * _ROW_BYTES:
        raise DecodeError(f"a frame of {head.rows} samples holds {len(raw)} bytes")
    times_at, values_at = 4 * head.rows, 12 * head.rows
    return SampleColumns(
        np.frombuffer(raw, "<u4", head.rows),
        np.frombuffer(raw, "<i8", head.rows, times_at),
        np.frombuffer(raw, "<f8", head.rows, values_at),
    )


def read_exemplars(head: FrameHead, content: bytes) -> list[tuple[int, Exemplar]]:
    """The exemplars of a frame, with their series' slots.

    Raises:
        DecodeError: the frame is damaged.
    """
    return [
        (slot, Exemplar(_labels(labels), float(value), time_ms))
        for slot, labels, value, time_ms in _json(head, content)
    ]


_KINDS: Final = frozenset(FrameKind)


def _frame(kind: FrameKind, rows: int, content: bytes, written_ms: int) -> Frame:
    packed = compress(content, Encoding.ZSTD)
    checked = _CHECKED.pack(kind, rows, written_ms)
    checksum = zlib.crc32(packed, zlib.crc32(checked))
    return Frame(HEADER.pack(len(packed), checksum, kind, rows, written_ms) + packed, kind, rows)


def _unpack(head: FrameHead, content: bytes) -> bytes:
    checked = _CHECKED.pack(head.kind, head.rows, head.written_ms)
    if zlib.crc32(content, zlib.crc32(checked)) != head.checksum:
        raise DecodeError(f"the frame at byte {head.start} does not match its checksum")
    limit = head.rows * _ROW_BYTES if head.kind is FrameKind.SAMPLES else MAX_CONTENT_BYTES
    try:
        return decompress(content, Encoding.ZSTD, max_bytes=limit)
    except LimitExceededError as exc:
        raise DecodeError(f"the frame at byte {head.start} holds more than it says") from exc


def _json(head: FrameHead, content: bytes) -> list[Any]:
    try:
        return cast("list[Any]", orjson.loads(_unpack(head, content)))
    except orjson.JSONDecodeError as exc:
        raise DecodeError(f"the frame at byte {head.start} is not JSON") from exc


def _labels(pairs: list[list[str]]) -> LabelSet:
    return tuple((name, value) for name, value in pairs)
