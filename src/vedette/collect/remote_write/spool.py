"""The folder in which samples wait for another store: bounded, and readable after any crash.

New frames go to the newest segment; a process begins with a segment of its own and never continues an old one. What
has been sent is noted in a position file, and segments that lie wholly before it are removed. Where the folder holds
more than it may, or samples wait longer than they may, the oldest go, and are counted.

Frames are handed to the kernel at once and so outlive the process; a segment is forced to the disk when it is full.

Used from worker threads, several at once.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import orjson

from vedette.collect.remote_write.frames import HEADER, MAGIC, Frame, FrameHead, FrameKind, read_head

_SUFFIX: Final = ".segment"
_POSITION: Final = "position.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """How much may wait.

    Attributes:
        max_bytes: of all segments.
        segment_bytes: a segment that has reached this size is followed by the next one.
        max_age_ms: how long a sample may wait.
    """

    max_bytes: int = 512 << 20
    segment_bytes: int = 8 << 20
    max_age_ms: int = 48 * 3_600_000


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place between two frames: in a segment, by its number, so many bytes from its start."""

    segment: int
    offset: int


@dataclass(slots=True, eq=False)
class Segment:
    """A file of frames.

    Attributes:
        number: rises from one to the next.
        path: where it is.
        size: up to where it holds whole frames.
        newest_ms: when the last of them was written.
        samples: in all of them.
        starts: where each frame begins, and
        before: how many samples the segment holds before it.
    """

    number: int
    path: Path
    size: int = len(MAGIC)
    newest_ms: int = 0
    samples: int = 0
    starts: list[int] = field(default_factory=list[int])
    before: list[int] = field(default_factory=list[int])

    def note(self, head: FrameHead) -> None:
        """Take a frame into account."""
        self.starts.append(head.start)
        self.before.append(self.samples)
        if head.kind is FrameKind.SAMPLES:
            self.samples += head.rows
        self.size = head.end
        self.newest_ms = max(self.newest_ms, head.written_ms)

    def samples_from(self, offset: int) -> int:
        """Samples in frames that begin at `offset` or behind it."""
        at = bisect.bisect_left(self.starts, offset)
        return self.samples - self.before[at] if at < len(self.starts) else 0


class Spool:
    """One store's folder. Open it with `open_spool`."""

    def __init__(self, folder: Path, limits: SpoolLimits, segments: list[Segment], position: Place) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._segments = segments
        self._position = position
        self._handle = -1
        self.read_place = position
        """Up to where samples were handed out by a reader: what is dropped before that may still be sent."""

    @property
    def position(self) -> Place:
        """Everything before it was sent, or given up."""
        return self._position

    @property
    def size_bytes(self) -> int:
        """Of all segments."""
        with self._lock:
            return sum(segment.size for segment in self._segments)

    @property
    def has_room(self) -> bool:
        """Whether there is a segment to append to, which has not reached its size."""
        size = min(self._limits.segment_bytes, self._limits.max_bytes // 4)
        with self._lock:
            return self._handle >= 0 and self._segments[-1].size < size

    def samples_from(self, place: Place) -> int:
        """Samples that wait from a place on."""
        with self._lock:
            return sum(
                segment.samples if segment.number > place.segment else segment.samples_from(place.offset)
                for segment in self._segments
                if segment.number >= place.segment
            )

    def segment_at(self, number: int) -> Segment | None:
        """The segment with this number, or the first one behind it."""
        with self._lock:
            return next((segment for segment in self._segments if segment.number >= number), None)

    # -- writing ---------------------------------------------------------------------------------------

    def begin_segment(self) -> None:
        """Begin the next segment: what slots mean is to be said anew.

        Raises:
            OSError: the disk is full, or not there.
        """
        self._end_segment()
        number = self._segments[-1].number + 1 if self._segments else self._position.segment + 1
        path = self._folder / f"{number:012d}{_SUFFIX}"
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write(handle, MAGIC)
        except OSError:
            os.close(handle)
            path.unlink(missing_ok=True)
            raise
        with self._lock:
            self._segments.append(Segment(number, path))
            self._handle = handle

    def append(self, frames: Sequence[Frame], written_ms: int) -> None:
        """Add frames to the newest segment: all or none.

        Raises:
            OSError: the disk is full, or not there. The segment is ended; begin another one.
        """
        segment = self._segments[-1]
        try:
            _write(self._handle, b"".join(frame.data for frame in frames))
        except OSError:
            # What was written of them is cut off, or else its end is noticed by whoever reads it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, segment.size)
            self._end_segment()
            if not segment.samples:
                with self._lock:
                    self._segments.remove(segment)
                segment.path.unlink(missing_ok=True)
            raise
        with self._lock:
            for frame in frames:
                end = segment.size + len(frame.data)
                segment.note(FrameHead(segment.size, end, frame.kind, frame.rows, written_ms, 0))

    def drop_old(self, now_ms: int) -> int:
        """Drop the oldest segments where there is too much, or where they have waited too long.

        Returns:
            How many samples were dropped that were not handed out before.
        """
        dropped = 0
        while True:
            with self._lock:
                first = self._segments[0] if self._segments else None
                if first is None or (first is self._segments[-1] and self._handle >= 0):
                    return dropped
                size = sum(segment.size for segment in self._segments)
                if size <= self._limits.max_bytes and first.newest_ms >= now_ms - self._limits.max_age_ms:
                    return dropped
                self._segments.pop(0)
                if self.read_place.segment == first.number:
                    dropped += first.samples_from(self.read_place.offset)
                elif self.read_place.segment < first.number:
                    dropped += first.samples
            first.path.unlink(missing_ok=True)

    # -- sent ------------------------------------------------------------------------------------------

    def acknowledge(self, place: Place) -> None:
        """Note that everything before a place was sent.

        Raises:
            OSError: that cannot be written down; after a crash it will be sent again.
        """
        with self._lock:
            self._position = max(self._position, place)
            gone = [segment for segment in self._segments[:-1] if segment.number < self._position.segment]
            self._segments = [segment for segment in self._segments if segment not in gone]
        for segment in gone:
            segment.path.unlink(missing_ok=True)
        temporary = self._folder / (_POSITION + ".new")
        temporary.write_bytes(orjson.dumps({"segment": self._position.segment, "offset": self._position.offset}))
        temporary.replace(self._folder / _POSITION)

    def close(self) -> None:
        """Force what was written to the disk."""
        self._end_segment()

    def _end_segment(self) -> None:
        with self._lock:
            handle, self._handle = self._handle, -1
        if handle >= 0:
            with contextlib.suppress(OSError):  # the frames are with the kernel; there is nothing else to do
                os.fdatasync(handle)
            os.close(handle)


def open_spool(folder: Path, limits: SpoolLimits) -> Spool:
    """Open a folder, made if need be, whatever a crash has left there.

    Raises:
        OSError: it cannot be made, or cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    position = _load_position(folder)
    segments: list[Segment] = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if not path.stem.isdigit():
            continue
        segment = _scan(Segment(int(path.stem), path))
        # A segment of our own begins later; one without samples is of no use.
        if segment.number < position.segment or not segment.samples:
            path.unlink(missing_ok=True)
        else:
            segments.append(segment)
    if segments and segments[0].number == position.segment:
        # Between two frames, or else the whole segment is sent again.
        first = segments[0]
        if position.offset not in (*first.starts, first.size):
            position = Place(position.segment, 0)
    elif segments:
        position = Place(segments[0].number, 0)
    return Spool(folder, limits, segments, position)


def _scan(segment: Segment) -> Segment:
    """Find a segment's whole frames, by their heads."""
    with segment.path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(len(MAGIC)) != MAGIC:
            return segment
        while True:
            file.seek(segment.size)
            head = read_head(file.read(HEADER.size), segment.size, size)
            if head is None:
                return segment
            segment.note(head)


def _load_position(folder: Path) -> Place:
    try:
        found: Any = orjson.loads((folder / _POSITION).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return Place(0, 0)
    if not isinstance(found, dict):
        return Place(0, 0)
    fields = cast("dict[str, Any]", found)
    segment, offset = fields.get("segment"), fields.get("offset")
    return Place(segment, offset) if isinstance(segment, int) and isinstance(offset, int) else Place(0, 0)


def _write(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
