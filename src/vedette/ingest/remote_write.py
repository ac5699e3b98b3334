"""Remote write, received: from a request's bytes to stored samples, and a word on what was not stored.

A sender keeps what it sent until it is answered, and the answer decides what it does next. So a request is answered
only after its samples are on disk, and samples are one of three kinds: stored (a repetition of the same value
included), refused for good (the sender must not send them again; the rest of the request is stored), or not stored
because there is no room now, and then nothing of the request counts as stored and all of it is sent again.

Series are known again by the bytes of their labels, without decoding them. A series that is refused is remembered
like one that is stored, so that a sender's bad series costs its decoding once.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ and Prometheus 3, `storage/remote/write_handler.go`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.limits import Drop, refuse_labels
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.writer import MetricsWriter, Taken
from vedette.model.errors import DecodeError, OverloadedError
from vedette.model.labels import LabelSet, format_labels
from vedette.model.samples import Metadata
from vedette.store.commit import RowsRefusedError
from vedette.wire.compression import Encoding, decompress
from vedette.wire.remote_write import UNKNOWN, LabelCache, Negotiated, WriteRequest, decode_write_request

MAX_UNPACKED_BYTES: Final = 64 << 20
"""Of one request; senders' defaults make requests of one to eight megabytes."""

DECODED_AT_ONCE: Final = 4
"""Requests being unpacked and decoded at one time: bounds memory whatever is sent."""

_IN_THREAD_BYTES: Final = 64 << 10
"""Packed bodies from this size on are decoded in a worker thread."""

_PIECE: Final = 200
"""New series, exemplars or metadata handled before others get their turn."""

_METADATA_TURNS: Final = 64
"""A version 2 request repeats metadata with every series; of known series one in so many is looked at."""

_MAX_METADATA_CHARACTERS: Final = 16_384
_SHOWN: Final = 200

_FIRST_REASON: Final = -2
_REASONS: Final = tuple(Drop)
"""A series refused for reason i is remembered as `_FIRST_REASON - i`."""

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a request.

    Attributes:
        samples: stored now or, with the same value, before.
        exemplars: kept.
        dropped: samples refused for good, by reason; repetitions are not among them.
        problems: a sentence for each reason, for the sender's log.
    """

    samples: int = 0
    exemplars: int = 0
    dropped: dict[Drop, int] = field(default_factory=dict[Drop, int])
    problems: tuple[str, ...] = ()


class RemoteWriteReceiver:
    """Takes remote-write requests in. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        writer: MetricsWriter,
        exemplars: ExemplarStore,
        metadata: MetadataStore,
        now_ms: Callable[[], int],
        max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
    ) -> None:
        self._writer = writer
        self._exemplars = exemplars
        self._metadata = metadata
        self._now_ms = now_ms
        self._max_unpacked_bytes = max_unpacked_bytes
        self._cache = LabelCache()
        self._cached_for = writer.generation, writer.limits
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)
        self._turn = 0

    async def receive(self, source: str, body: bytes, kind: Negotiated) -> Received:
        """Store a request; returns when it is on disk.

        Args:
            source: on whose account.
            body: as it came.
            kind: what it is.

        Raises:
            DecodeError: it is malformed; nothing was stored.
            LimitExceededError: it is too large; nothing was stored.
            OverloadedError: nothing, or not all, is on disk: it is to be sent again.
        """
        async with self._decoding:
            request, families = await self._decode(body, kind)
            marks = await self._resolve(source, request)
            # Nothing is awaited between the last look at the slots' generation and this.
            taken, dropped = self._take(source, request, marks)
            exemplars = await self._keep_exemplars(request, marks)
            written = self._writer.write_exemplars(self._exemplars, patience_ms=None)
            await self._describe(request, families, marks)
        stored = taken.stored
        refused = Counter(dropped) + Counter({r: n for r, n in taken.dropped.items() if r is not Drop.DUPLICATE})
        problems = [self._sentence(request, marks, reason) for reason in dropped]
        if taken.problem:
            problems.append(taken.problem)
        try:
            # Also where all was refused or known: what a sample repeats may still be on its way to the disk.
            await self._writer.committed(taken)
        except RowsRefusedError:
            # What the engine says may name files of this machine, and is in the log.
            problems.append("the storage does not take these samples; the log of Vedette says why")
            refused[Drop.SET_ASIDE] += stored
            stored = 0
        if written != taken.sequence:
            try:
                await self._writer.committed(replace(taken, sequence=written))
            except RowsRefusedError:
                exemplars = 0
        return Received(stored + taken.dropped.get(Drop.DUPLICATE, 0), exemplars, dict(refused), tuple(problems))

    async def _decode(self, body: bytes, kind: Negotiated) -> tuple[WriteRequest, list[Metadata]]:
        def decode() -> tuple[WriteRequest, list[Metadata]]:
            unpacked = decompress(body, kind.encoding, max_bytes=self._max_unpacked_bytes)
            request = decode_write_request(unpacked, kind.version, key=self._cache.key)
            try:
                return request, request.family_metadata()
            except DecodeError:  # samples are not refused for a help text
                return request, []

        # Only Snappy's blocks bound what a small body can hold.
        if len(body) < _IN_THREAD_BYTES and kind.encoding in (Encoding.SNAPPY, Encoding.IDENTITY):
            return decode()
        return await asyncio.to_thread(decode)

    async def _resolve(self, source: str, request: WriteRequest) -> Int64s:
        """Each series' slot, or a mark that says why it has none."""
        while True:
            state = self._writer.generation, self._writer.limits
            if state != self._cached_for:
                # Slots mean other series now, or what was refused may be allowed.
                self._cache.clear()
                self._cached_for = state
            marks = self._cache.lookup(request.hashes)
            unknown = np.flatnonzero(marks == UNKNOWN)
            for start in range(0, len(unknown), _PIECE):
                if start:
                    await asyncio.sleep(0)
                    if (self._writer.generation, self._writer.limits) != state:
                        break
                rows = unknown[start : start + _PIECE]
                marks[rows] = self._resolve_piece(source, request, rows.tolist())
                self._cache.insert(request.hashes[rows], marks[rows])
            else:
                await self._describe_series(request, unknown, marks)
                if (self._writer.generation, self._writer.limits) == state:
                    return marks

    def _resolve_piece(self, source: str, request: WriteRequest, rows: Sequence[int]) -> Int64s:
        marks = np.empty(len(rows), np.int64)
        places: list[int] = []
        label_sets: list[LabelSet] = []
        for place, row in enumerate(rows):
            if request.label_counts[row] > self._writer.limits.max_labels:
                marks[place] = _mark(Drop.LABEL_COUNT)
                continue
            try:
                label_sets.append(request.labels(row))
            except DecodeError:
                marks[place] = _mark(Drop.INVALID_LABELS)
            else:
                places.append(place)
        slots, refused = self._writer.resolve(source, label_sets)
        for position, reason, _ in refused:
            slots[position] = _mark(reason)
        marks[places] = slots
        return marks

    def _take(self, source: str, request: WriteRequest, marks: Int64s) -> tuple[Taken, dict[Drop, int]]:
        """Store what has a slot; count the rest by reason."""
        slots = marks[request.sample_series]
        times, values = request.times, request.values
        refused: dict[Drop, int] = {}
        if (marks < 0).any():
            stored = slots >= 0
            for mark in np.unique(slots[~stored]).tolist():
                refused[_reason(mark)] = int((slots == mark).sum())
            slots, times, values = slots[stored], times[stored], values[stored]
        if request.native_histograms:
            refused[Drop.NATIVE_HISTOGRAM] = request.native_histograms
        try:
            taken = self._writer.take(source, slots, times, values, patience_ms=None, sender_retries=True)
        except OverloadedError as exc:
            total = len(request.times) + request.native_histograms
            self._writer.refuse(source, Drop.OVERLOADED, total, str(exc))
            raise
        for reason, count in refused.items():
            self._writer.refuse(source, reason, count, self._sentence(request, marks, reason))
        return taken, refused

    async def _keep_exemplars(self, request: WriteRequest, marks: Int64s) -> int:
        """Keep what can be kept. As in Prometheus, a bad exemplar is no reason to refuse a request."""
        generation = self._writer.generation
        latest_ms = self._now_ms() + self._writer.limits.max_future_ms
        kept = 0
        for number, row in enumerate(request.exemplar_series.tolist()):
            if number % _PIECE == _PIECE - 1:
                await asyncio.sleep(0)
                if self._writer.generation != generation:
                    break
            slot = int(marks[row])
            if slot < 0:
                continue
            try:
                exemplar = request.exemplar(number)
            except DecodeError:
                self._exemplars.refused += 1
                continue
            last = int(request.sample_offsets[row + 1]) - 1
            has_samples = last >= int(request.sample_offsets[row])
            sample_time_ms = int(request.times[last]) if has_samples else self._now_ms()
            if (exemplar.time_ms or sample_time_ms) > latest_ms:
                self._exemplars.refused += 1
            elif self._exemplars.add(slot, exemplar, sample_time_ms=sample_time_ms):
                kept += 1
        return kept

    async def _describe(self, request: WriteRequest, families: Sequence[Metadata], marks: Int64s) -> None:
        """Take in metadata: version 1 sends it by family, version 2 with every series."""
        for start in range(0, len(families), _PIECE):
            if start:
                await asyncio.sleep(0)
            self._metadata.describe(filter(_is_short, families[start : start + _PIECE]))
        if not families:
            self._turn = (self._turn + 1) % _METADATA_TURNS
            known = np.arange(self._turn, request.series_count, _METADATA_TURNS)
            await self._describe_series(request, known, marks)

    async def _describe_series(self, request: WriteRequest, rows: Int64s, marks: Int64s) -> None:
        for number, row in enumerate(rows.tolist()):
            if number % _PIECE == _PIECE - 1:
                await asyncio.sleep(0)
            if marks[row] < 0 or request.texts.series_metadata(row) is None:
                continue
            try:
                entry = request.series_metadata(row, request.labels(row))
            except DecodeError:
                continue
            if entry is not None and _is_short(entry):
                self._metadata.describe([entry])

    def _sentence(self, request: WriteRequest, marks: Int64s, reason: Drop) -> str:
        """Why series of a request were refused, by the first one that was for this reason."""
        if reason is Drop.NATIVE_HISTOGRAM:
            return _of_series(request, int(np.argmax(request.histograms > 0)), "native histograms are not stored")
        row = int(np.argmax(marks == _mark(reason)))
        if reason is Drop.LABEL_COUNT:
            count, allowed = int(request.label_counts[row]), self._writer.limits.max_labels
            return f"series {row}: {count} labels where `limits.labels_per_series` allows {allowed}"
        try:
            labels = request.labels(row)
        except DecodeError as exc:
            return str(exc)
        refusal = refuse_labels(labels, self._writer.limits)
        if refusal is not None:
            return _of_series(request, row, refusal[1])
        if reason is Drop.SERIES_LIMIT:
            allowed = self._writer.limits.max_series
            return _of_series(request, row, f"there are {allowed} series already, all that `limits.series` allows")
        return _of_series(request, row, f"refused ({reason})")


def _mark(reason: Drop) -> int:
    return _FIRST_REASON - _REASONS.index(reason)


def _reason(mark: int) -> Drop:
    return _REASONS[_FIRST_REASON - mark]


def _is_short(entry: Metadata) -> bool:
    return len(entry.family) + len(entry.unit) + len(entry.help) <= _MAX_METADATA_CHARACTERS


def _of_series(request: WriteRequest, row: int, problem: str) -> str:
    try:
        labels = format_labels(request.labels(row))
    except DecodeError:
        return f"series {row}: {problem}"
    return f"{labels if len(labels) <= _SHOWN else labels[:_SHOWN] + '…'}: {problem}"
