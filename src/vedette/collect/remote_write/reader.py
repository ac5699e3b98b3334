"""Read a spool from where sending got to, frame by frame, with the labels that its slots stand for.

Frames that are damaged are left out and counted; so are samples that have waited too long, and those whose series
was in a damaged frame. Used from one worker thread at a time.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import structlog
from numpy.typing import NDArray

from vedette.collect.remote_write.frames import (
    HEADER,
    MAGIC,
    FrameHead,
    FrameKind,
    read_exemplars,
    read_head,
    read_samples,
    read_series,
)
from vedette.collect.remote_write.spool import Place, Segment, Spool
from vedette.model.errors import DecodeError
from vedette.model.labels import LabelSet
from vedette.model.samples import Exemplar

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Samples to be sent.

    Attributes:
        labels: of the series; all different.
        series: int64[n], which of them each sample belongs to.
        times: int64[n], milliseconds.
        values: float64[n].
        exemplars: with their series' labels.
        end: everything before it is in this reading or an earlier one.
        written_ms: when the newest of them were put into the spool.
        expired: samples left out because they have waited too long.
        damaged: samples left out because they, or their labels, cannot be read.
    """

    labels: list[LabelSet]
    series: Int64s
    times: Int64s
    values: Float64s
    exemplars: list[tuple[LabelSet, Exemplar]]
    end: Place
    written_ms: int
    expired: int
    damaged: int


@dataclass(slots=True, eq=False)
class _Rest:
    """What is left of a frame.

    Attributes:
        start: where the frame begins.
        labels: of its series.
        series: int64[n], which of them each sample belongs to.
        written_ms: when it was put into the spool.
        taken: how many samples were handed out.
    """

    start: Place
    labels: list[LabelSet]
    series: Int64s
    times: Int64s
    values: Float64s
    written_ms: int
    taken: int = 0


@dataclass(slots=True)
class _Draft:
    """A reading while it is put together."""

    numbers: dict[LabelSet, int] = field(default_factory=dict[LabelSet, int])
    series: list[Int64s] = field(default_factory=list[Int64s])
    times: list[Int64s] = field(default_factory=list[Int64s])
    values: list[Float64s] = field(default_factory=list[Float64s])
    exemplars: list[tuple[LabelSet, Exemplar]] = field(default_factory=list[tuple[LabelSet, Exemplar]])
    size: int = 0
    written_ms: int = 0
    expired: int = 0
    damaged: int = 0

    def add(self, rest: _Rest, most: int) -> None:
        """Take up to `most` samples of a frame."""
        part = slice(rest.taken, rest.taken + most)
        numbers = np.array([self.numbers.setdefault(each, len(self.numbers)) for each in rest.labels], np.int64)
        self.series.append(numbers[rest.series[part]])
        self.times.append(rest.times[part])
        self.values.append(rest.values[part])
        self.size += len(self.series[-1])
        self.written_ms = max(self.written_ms, rest.written_ms)
        rest.taken += len(self.series[-1])

    def finish(self, end: Place) -> Reading:
        empty = np.zeros(0, np.int64)
        return Reading(
            labels=list(self.numbers),
            series=np.concatenate(self.series or [empty]),
            times=np.concatenate(self.times or [empty]),
            values=np.concatenate(self.values or [empty.astype(np.float64)]),
            exemplars=self.exemplars,
            end=end,
            written_ms=self.written_ms,
            expired=self.expired,
            damaged=self.damaged,
        )


class SpoolReader:
    """Reads on from a spool's position. Close it."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._segment: Segment | None = None
        self._file: BinaryIO | None = None
        self._at = 0
        self._labels: dict[int, LabelSet] = {}
        self._rest: _Rest | None = None
        self._begin = spool.position
        spool.read_place = spool.position

    @property
    def unread(self) -> int:
        """Samples that wait to be read."""
        rest = self._rest
        return max(0, self._spool.samples_from(self.place) - (rest.taken if rest is not None else 0))

    @property
    def place(self) -> Place:
        """Everything before it was read."""
        if self._rest is not None:
            return self._rest.start
        if self._segment is None:
            return self._begin
        return Place(self._segment.number, self._at)

    def read(self, most: int, *, written_after_ms: int) -> Reading:
        """The next samples: as many as there are, but no more than `most`, together with exemplars.

        Args:
            most: samples.
            written_after_ms: what was put into the spool before this has waited too long.

        Raises:
            OSError: a segment cannot be read.
        """
        draft = _Draft()
        while draft.size < most and len(draft.exemplars) < most:
            if self._rest is not None:
                draft.add(self._rest, most - draft.size)
                if self._rest.taken == len(self._rest.series):
                    self._rest = None
                continue
            head = self._next_head()
            if head is None:
                break
            self._take(head, draft, written_after_ms)
        self._spool.read_place = Place(self.place.segment, self.place.offset + (self._rest is not None))
        return draft.finish(self.place)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self, head: FrameHead, draft: _Draft, written_after_ms: int) -> None:
        assert self._file is not None  # noqa: S101 - it has just been read from
        assert self._segment is not None  # noqa: S101 - as above
        content = self._file.read(head.end - head.start - HEADER.size)
        start, self._at = Place(self._segment.number, head.start), head.end
        expired = head.written_ms < written_after_ms
        try:
            match head.kind:
                case FrameKind.SERIES:
                    self._labels.update(read_series(head, content))
                case FrameKind.SAMPLES if expired:
                    draft.expired += head.rows
                case FrameKind.SAMPLES:
                    columns = read_samples(head, content)
                    slots, series = np.unique(columns.slots, return_inverse=True)
                    labels = [self._labels.get(slot) for slot in slots.tolist()]
                    known = np.array([each is not None for each in labels], np.bool_)[series]
                    draft.damaged += int(len(known) - known.sum())
                    rest = _Rest(
                        start,
                        [each or () for each in labels],
                        series.astype(np.int64)[known],
                        columns.times[known],
                        columns.values[known],
                        head.written_ms,
                    )
                    self._rest = rest if len(rest.series) else None
                case FrameKind.EXEMPLARS if not expired:
                    found = read_exemplars(head, content)
                    draft.exemplars += [(self._labels[slot], each) for slot, each in found if slot in self._labels]
                case FrameKind.EXEMPLARS:
                    pass
        except DecodeError as exc:
            log.warning("part of a remote-write queue is damaged", file=str(self._segment.path), error=str(exc))
            draft.damaged += head.rows if head.kind is FrameKind.SAMPLES else 0

    def _next_head(self) -> FrameHead | None:
        """The head of the next frame that there is; the file then stands at its content."""
        while True:
            segment = self._segment
            if segment is not None and self._at < segment.size and self._spool.segment_at(segment.number) is segment:
                head = self._head_here(segment)
                if head is not None:
                    return head
                # Damaged since it was scanned: the rest of the segment cannot be found.
                self._at = segment.size
            after = self._spool.segment_at(segment.number + 1 if segment else self._begin.segment)
            if after is None:
                return None
            self._open(after)

    def _head_here(self, segment: Segment) -> FrameHead | None:
        if self._file is None:
            return None
        self._file.seek(self._at)
        return read_head(self._file.read(HEADER.size), self._at, segment.size)

    def _open(self, segment: Segment) -> None:
        """Go to the beginning of a segment, or to where sending got to in it."""
        self.close()
        self._labels.clear()
        begin = self._begin.offset if segment.number == self._begin.segment else 0
        with contextlib.suppress(FileNotFoundError):  # dropped in this moment, or removed by somebody
            self._file = segment.path.open("rb")
        self._segment, self._at = segment, len(MAGIC)
        if begin > self._at:
            self._learn_series(begin)

    def _learn_series(self, until: int) -> None:
        """Read what slots mean in the part of a segment that was sent before."""
        while self._file is not None and self._at < until:
            self._file.seek(self._at)
            head = read_head(self._file.read(HEADER.size), self._at, until)
            if head is None:
                break
            if head.kind is FrameKind.SERIES:
                try:
                    self._labels.update(read_series(head, self._file.read(head.end - head.start - HEADER.size)))
                except DecodeError:
                    log.warning("labels in a remote-write queue are damaged", byte=head.start)
            self._at = head.end
        self._at = until
