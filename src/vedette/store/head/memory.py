"""Recent samples in memory, by slot: plain columns for the newest, compressed chunks behind them.

A series' newest samples (its tail) are plain times and values; when the tail is full it is sealed as a chunk
(`chunks`). Chunks live in one ring of words: the oldest make room for the newest, and `complete_from_ms` says
from which time on nothing is missing. A series' chunks form a chain from the newest to the oldest.

Writing takes a lock. Reading takes it only to copy the tails: chunks never change, and a reader whose chunks
were overwritten while it unpacked them notices that (`FIRST_LIVE` has passed them) and reads again.
`read` unpacks all that is asked for; `read_packed` leaves that to a kernel, which can do it series by series.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.samples import SampleRuns
from vedette.store.head.chunks import MAX_WORDS
from vedette.store.head.kernels import (
    COLUMNS,
    COMPLETE_FROM,
    FIRST_LIVE,
    FREE_ROWS,
    NEXT,
    PLACED,
    STATE_SIZE,
    TAIL,
    WORD,
    append_kernel,
    seal_all,
)
from vedette.store.head.unpacking import (
    CHAINS,
    CHAINS_TOO_SHORT,
    FACTS,
    OLDEST,
    SAMPLES,
    Packed,
    copy_tails,
    unpack_all,
)

_CHUNK_BYTES: Final = 104
"""What a chunk takes with its table row, in typical data; sets how the ring and its table share the memory."""
_ROW_BYTES: Final = 32
_USUAL_CHAIN: Final = 128
"""A series with more chunks than this makes its reader take longer lists."""

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

NO_TIME: Final = -(1 << 62)
NO_CHUNK: Final = (1 << 63) - 1
"""Larger than any chunk's number."""


class Verdict(IntEnum):
    """What became of a sample."""

    STORED = 0
    DUPLICATE = 1  # the same time and value are there already
    CONFLICT = 2  # another value is there for this time
    TOO_OLD = 3  # further behind its series' newest sample than the window allows
    REFUSED = 4  # its series has no slot


@dataclass(slots=True)
class _Scratch:
    """What one thread reads into, again and again."""

    tail_counts: Int64s
    tail_times: NDArray[np.int64]
    tail_values: NDArray[np.float64]
    newest: Int64s
    offsets: Int64s
    chains: NDArray[np.int64]
    facts: Int64s
    times: Int64s
    values: Float64s


class SampleMemory:
    """The samples of the newest time, as many as fit into `max_bytes`."""

    def __init__(self, *, max_bytes: int) -> None:
        """Set aside address space; memory is used as samples come.

        Args:
            max_bytes: for sealed chunks. Tails come on top: 1 KiB for each series with recent samples.
        """
        chunks = max(256, max_bytes // _CHUNK_BYTES)
        self._lock = threading.Lock()
        self._words: Words = np.empty(max(8 * MAX_WORDS, (max_bytes - chunks * _ROW_BYTES) // 8), np.uint64)
        self._table: NDArray[np.int64] = np.empty((chunks, COLUMNS), np.int64)
        self._state: Int64s = np.zeros(STATE_SIZE, np.int64)
        self._state[COMPLETE_FROM] = NO_TIME
        # By slot.
        self._rows: Int32s = np.empty(0, np.int32)
        self._newest: Int64s = np.empty(0, np.int64)
        self._last_ms: Int64s = np.empty(0, np.int64)
        # By row: tails are lent to the series that need one.
        self._counts: Int64s = np.empty(0, np.int64)
        self._tail_times: NDArray[np.int64] = np.empty((0, TAIL), np.int64)
        self._tail_values: NDArray[np.float64] = np.empty((0, TAIL), np.float64)
        self._free_rows: Int32s = np.empty(0, np.int32)
        self._local = threading.local()

    # -- facts -----------------------------------------------------------------------------------------

    @property
    def complete_from_ms(self) -> int:
        """Every sample given to `append` with a time from here on can be read."""
        return int(self._state[COMPLETE_FROM])

    def start_from(self, time_ms: int) -> None:
        """Declare that nothing older than this was loaded."""
        with self._lock:
            self._state[COMPLETE_FROM] = max(int(self._state[COMPLETE_FROM]), time_ms)

    @property
    def used_bytes(self) -> int:
        """Memory in use, tails and tables included."""
        with self._lock:
            live = int(self._state[NEXT] - self._state[FIRST_LIVE])
            words = self._live_words()
            rows = len(self._counts) - int(self._state[FREE_ROWS])
        return 8 * words + live * _ROW_BYTES + rows * TAIL * 16 + len(self._rows) * 20

    @property
    def chunk_count(self) -> int:
        """Sealed chunks in memory."""
        return int(self._state[NEXT] - self._state[FIRST_LIVE])

    def _live_words(self) -> int:
        first, after = int(self._state[FIRST_LIVE]), int(self._state[NEXT])
        if first == after:
            return 0
        start, end = int(self._table[first % len(self._table), PLACED]) >> 32, int(self._state[WORD])
        return end - start if end > start else len(self._words) - start + end

    # -- writing ---------------------------------------------------------------------------------------

    def append(self, slots: Int64s, times: Int64s, values: Float64s, *, window_ms: int) -> Bytes:
        """Take samples in, in any order.

        Args:
            slots: int64[n], whose sample it is; negative for none.
            times: int64[n], milliseconds.
            values: float64[n].
            window_ms: how far behind its series' newest sample one may be.

        Returns:
            uint8[n], each sample's `Verdict`.
        """
        verdicts = np.empty(len(slots), np.uint8)
        at = 0
        with self._lock:
            if len(slots):
                self._reserve_slots(int(slots.max()) + 1)
            while at < len(slots):
                if not self._state[FREE_ROWS]:
                    self._add_rows()
                at = append_kernel(
                    at,
                    slots,
                    times,
                    values,
                    window_ms,
                    verdicts,
                    self._rows,
                    self._newest,
                    self._last_ms,
                    self._counts,
                    self._tail_times,
                    self._tail_values,
                    self._free_rows,
                    self._words,
                    self._table,
                    self._state,
                )
        return verdicts

    def newest_ms(self, slots: Int64s) -> Int64s:
        """int64[n]: the time of each series' newest sample that was taken in; `NO_TIME` where there was none."""
        with self._lock:
            known = slots < len(self._last_ms)
            newest = np.full(len(slots), NO_TIME, np.int64)
            newest[known] = self._last_ms[slots[known]]
            return newest

    def seal_idle(self, before_ms: int) -> int:
        """Seal the tails of series without a sample since `before_ms`, to lend their rows to others.

        Returns:
            How many there were.
        """
        with self._lock:
            idle = np.flatnonzero((self._rows >= 0) & (self._last_ms < before_ms)).astype(np.int64)
            seal_all(
                idle,
                self._rows,
                self._newest,
                self._counts,
                self._tail_times,
                self._tail_values,
                self._free_rows,
                self._words,
                self._table,
                self._state,
            )
            return len(idle)

    def forget(self, slots: Int64s) -> None:
        """Drop all samples of removed series, so that their slots can be given to others."""
        with self._lock:
            slots = slots[slots < len(self._rows)]
            rows = self._rows[slots]
            rows = rows[rows >= 0]
            free = int(self._state[FREE_ROWS])
            self._free_rows[free : free + len(rows)] = rows
            self._counts[rows] = 0
            self._state[FREE_ROWS] += len(rows)
            self._rows[slots] = -1
            self._newest[slots] = -1
            self._last_ms[slots] = NO_TIME

    def _reserve_slots(self, slots: int) -> None:
        known = len(self._rows)
        if slots <= known:
            return
        size = max(1024, 2 * known, slots)
        self._rows = np.concatenate([self._rows, np.full(size - known, -1, np.int32)])
        self._newest = np.concatenate([self._newest, np.full(size - known, -1, np.int64)])
        self._last_ms = np.concatenate([self._last_ms, np.full(size - known, NO_TIME, np.int64)])

    def _add_rows(self) -> None:
        known = len(self._counts)
        added = max(256, known // 2)
        self._counts = np.concatenate([self._counts, np.zeros(added, np.int64)])
        self._tail_times = np.concatenate([self._tail_times, np.empty((added, TAIL), np.int64)])
        self._tail_values = np.concatenate([self._tail_values, np.empty((added, TAIL), np.float64)])
        free = np.empty(known + added, np.int32)
        # The lowest rows are lent first: the stack is popped from its end.
        free[:added] = np.arange(known + added - 1, known - 1, -1, dtype=np.int32)
        self._free_rows = free
        self._state[FREE_ROWS] = added

    # -- reading ---------------------------------------------------------------------------------------

    def read(self, slots: Int64s, start_ms: int, end_ms: int) -> tuple[SampleRuns, int]:
        """The samples of some series between two times (inclusive), and more where that is cheaper.

        Returns:
            The samples, in arrays that this thread's next call uses again; and `complete_from_ms` at the
            moment of reading: samples before that may be missing.
        """
        scratch = self._scratch(len(slots))

        def unpack(packed: Packed) -> int:
            offsets = scratch.offsets[: len(slots) + 1]
            found = int(unpack_all(packed, offsets, scratch.times, scratch.values))
            if found > len(scratch.times):
                scratch.times = np.empty(found + found // 2, np.int64)
                scratch.values = np.empty(found + found // 2, np.float64)
                found = int(unpack_all(packed, offsets, scratch.times, scratch.values))
            return found

        _, complete_from = self.read_packed(slots, start_ms, end_ms, unpack)
        offsets = scratch.offsets[: len(slots) + 1]
        total = int(offsets[-1])
        return SampleRuns(offsets, scratch.times[:total], scratch.values[:total]), complete_from

    def read_packed(self, slots: Int64s, start_ms: int, end_ms: int, use: Callable[[Packed], int]) -> tuple[int, int]:
        """Hand the samples of some series between two times, and more where that is cheaper, to a kernel.

        Args:
            slots: whose.
            start_ms: from here ...
            end_ms: ... to here.
            use: called with the samples, again if they were overwritten meanwhile or it returns
                `CHAINS_TOO_SHORT`. What it is given belongs to this thread's next call.

        Returns:
            How many samples were unpacked; and `complete_from_ms` at the moment of reading, as in `read`.
        """
        count = len(slots)
        scratch = self._scratch(count)
        while True:
            with self._lock:
                copy_tails(
                    slots,
                    self._rows,
                    self._newest,
                    self._counts,
                    self._tail_times,
                    self._tail_values,
                    scratch.tail_counts,
                    scratch.tail_times,
                    scratch.tail_values,
                    scratch.newest,
                )
                first_live = int(self._state[FIRST_LIVE])
                complete_from = int(self._state[COMPLETE_FROM])
            scratch.facts[:] = (start_ms, end_ms, first_live, NO_CHUNK, 0, 0)
            packed = (
                scratch.newest[:count],
                scratch.tail_counts[:count],
                scratch.tail_times,
                scratch.tail_values,
                self._table,
                self._words,
                scratch.chains,
                scratch.facts,
            )
            if use(packed) == CHAINS_TOO_SHORT:
                scratch.chains = np.empty((CHAINS, 2 * scratch.chains.shape[1]), np.int64)
                continue
            if int(self._state[FIRST_LIVE]) <= int(scratch.facts[OLDEST]):
                return int(scratch.facts[SAMPLES]), complete_from

    def _scratch(self, count: int) -> _Scratch:
        scratch: _Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None or len(scratch.tail_counts) < count:
            size = max(64, count)
            scratch = _Scratch(
                tail_counts=np.empty(size, np.int64),
                tail_times=np.empty((size, TAIL), np.int64),
                tail_values=np.empty((size, TAIL), np.float64),
                newest=np.empty(size, np.int64),
                offsets=np.zeros(size + 1, np.int64),
                chains=np.empty((CHAINS, _USUAL_CHAIN), np.int64),
                facts=np.empty(FACTS, np.int64),
                times=np.empty(0, np.int64),
                values=np.empty(0, np.float64),
            )
            self._local.scratch = scratch
        return scratch
