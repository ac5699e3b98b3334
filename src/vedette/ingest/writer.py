"""The one way in for samples: limits, memory, the commit queue, and the books.

A source resolves its label sets to slots once and keeps them; from then on its samples are columns. `take` puts them
into memory and the commit queue; `committed` says when they are on disk, which is when a sender may be told so. A
sample that is in memory but not yet on disk counts as a duplicate when it is sent again, and so the sender is made to
wait for the same commit.

Used from the event loop's thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.ledger import Account, Ledger
from vedette.ingest.limits import Drop, IngestLimits, refuse_labels
from vedette.model.errors import LimitExceededError
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.samples import STALE
from vedette.store.commit import Refusal
from vedette.store.head import NO_SLOT, SampleMemory, SeriesCollisionError, SeriesIndex, Verdict
from vedette.store.schema import SAMPLES, SERIES

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Float64s = NDArray[np.float64]

_EXEMPLAR_BYTES: Final = 256

_ROW_BYTES: Final = 64
"""About what a sample takes in the queue; its series' rows included."""

DAY_MS: Final = 86_400_000

_DROPS: Final = {
    Verdict.DUPLICATE: Drop.DUPLICATE,
    Verdict.CONFLICT: Drop.CONFLICT,
    Verdict.TOO_OLD: Drop.TOO_OLD,
}


class CommitQueue(Protocol):
    """What makes batches durable (`vedette.store.commit`)."""

    def ensure_room(self, size_bytes: int, *, sender_retries: bool = False) -> None:
        """Raise `OverloadedError` if there is no room for so much more."""
        ...

    @property
    def committed_sequence(self) -> int:
        """Everything up to this number has been decided: it is on disk, or it was refused."""
        ...

    def append(self, table: str, rows: pa.RecordBatch, *, patience_ms: int | None) -> int:
        """Queue rows to be committed within `patience_ms`, or the usual time; returns its sequence number."""
        ...

    async def committed(self, sequence: int) -> None:
        """Return once everything up to this number is on disk; raise `RowsRefusedError` if it never will be."""
        ...


class MetricTables(Protocol):
    """How rows of the metrics tables are made (`vedette.store.metrics`)."""

    def samples_batch(
        self, codes: Int32s, names: Sequence[str], ids: NDArray[np.uint64], times: Int64s, values: Float64s
    ) -> pa.RecordBatch:
        """Rows of `samples`; sample i is of the metric names[codes[i]]."""
        ...

    def series_batch(self, days: Sequence[int], ids: Sequence[int], label_sets: Sequence[LabelSet]) -> pa.RecordBatch:
        """Rows of `series`: days are counted from the epoch."""
        ...

    def exemplars_batch(
        self,
        metrics: Sequence[str],
        ids: NDArray[np.uint64],
        times: Int64s,
        values: Float64s,
        labels: Sequence[LabelSet],
    ) -> pa.RecordBatch:
        """Rows of `exemplars`, by name and id of their series; `labels` are their own."""
        ...


class SampleObserver(Protocol):
    """Gets a copy of everything that is accepted (`vedette.collect.remote_write`)."""

    def observe(self, slots: Int64s, times: Int64s, values: Float64s) -> None:
        """Samples were accepted. Quick, and never fails; the arrays do not change any more."""
        ...

    async def safe(self) -> None:
        """Return once all that was observed so far outlives this process, or cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of some samples.

    Attributes:
        stored: how many were accepted.
        dropped: how many were not, by reason.
        problem: a sentence about the first one that a sender should know of; empty if there is none.
        sequence: to be given to `MetricsWriter.committed`.
    """

    stored: int
    dropped: dict[Drop, int]
    problem: str
    sequence: int


class MetricsWriter:
    """Takes samples in. See the module."""

    def __init__(
        self,
        *,
        index: SeriesIndex,
        memory: SampleMemory,
        queue: CommitQueue,
        tables: MetricTables,
        ledger: Ledger,
        limits: IngestLimits,
        now_ms: Callable[[], int],
    ) -> None:
        self._index = index
        self._memory = memory
        self._queue = queue
        self._tables = tables
        self._ledger = ledger
        self.limits = limits
        self.observers: list[SampleObserver] = []
        self._now_ms = now_ms
        self._sequence = 0
        # Batches that the queue has not decided about, and on whose account they are.
        self._on_the_way: deque[tuple[int, Account]] = deque()
        # By slot: the days between these have a row in the table of series, or none is needed there.
        self._first_day: Int32s = np.zeros(0, np.int32)
        self._last_day: Int32s = np.zeros(0, np.int32)

    @property
    def generation(self) -> int:
        """Rises when slots were taken back: those who keep slots must resolve their label sets again."""
        return self._index.generation

    @property
    def index(self) -> SeriesIndex:
        """The index that slots belong to."""
        return self._index

    def resolve(self, source: str, label_sets: Sequence[LabelSet]) -> tuple[Int64s, list[tuple[int, Drop, str]]]:
        """Slots of series, made where they are new.

        Returns:
            int64[n] slots, `NO_SLOT` where a limit refuses one; and for each of those its row, the reason and a
            sentence. The caller books their samples as dropped, in this round and in the following ones.
        """
        slots = np.empty(len(label_sets), np.int64)
        refused: list[tuple[int, Drop, str]] = []
        for row, labels in enumerate(label_sets):
            refusal = refuse_labels(labels, self.limits)
            if refusal is None:
                try:
                    slots[row], _ = self._index.resolve(labels, max_series=self.limits.max_series)
                    continue
                except LimitExceededError as exc:
                    refusal = Drop.SERIES_LIMIT, str(exc)
                except SeriesCollisionError as exc:
                    refusal = Drop.COLLISION, str(exc)
            slots[row] = NO_SLOT
            reason, problem = refusal
            refused.append((row, reason, problem))
            self._ledger.account(source).last_problem = problem
        return slots, refused

    def known_days(self, slots: Int64s, first_day: Int32s, last_day: Int32s) -> None:
        """Note which days of series are on disk already, as they are loaded at start."""
        self._reserve(int(slots.max(initial=-1)) + 1)
        self._first_day[slots] = first_day
        self._last_day[slots] = last_day

    def take(
        self,
        source: str,
        slots: Int64s,
        times: Int64s,
        values: Float64s,
        *,
        patience_ms: int | None,
        sender_retries: bool = False,
        backfill: bool = False,
    ) -> Taken:
        """Take samples in.

        Args:
            source: on whose account.
            slots: int64[n] from `resolve`; none negative.
            times: int64[n], milliseconds.
            values: float64[n]. None of the three is changed afterwards: observers keep them.
            patience_ms: how long they may stay in memory alone; as configured if None.
            sender_retries: the sender keeps them until `committed` says that they are safe; it is turned away while
                the engine fails.
            backfill: old samples are welcome, whatever their series' newest one is.

        Raises:
            OverloadedError: the queue is full; nothing was taken.
        """
        self._queue.ensure_room(_ROW_BYTES * len(slots), sender_retries=sender_retries)
        account = self._ledger.account(source)
        account.received += len(slots)
        now_ms = self._now_ms()
        dropped: dict[Drop, int] = {}
        problem = ""
        late = times > now_ms + self.limits.max_future_ms
        early = times < now_ms - self.limits.retention_ms
        if (outside := late | early).any():
            if count := int(late.sum()):
                dropped[Drop.TOO_FAR_IN_FUTURE] = count
                problem = self._describe(
                    slots, times, late, f"is more than {self.limits.max_future_ms} ms ahead of this machine's clock"
                )
            if count := int(early.sum()):
                dropped[Drop.OUT_OF_RETENTION] = count
                problem = problem or self._describe(slots, times, early, "is older than retention")
            slots, times, values = slots[~outside], times[~outside], values[~outside]
        window_ms = self.limits.retention_ms * 4 if backfill else self.limits.out_of_order_window_ms
        verdicts = self._memory.append(slots, times, values, window_ms=window_ms)
        stored = verdicts == Verdict.STORED
        if not stored.all():
            for verdict, drop in _DROPS.items():
                hit = verdicts == verdict
                if count := int(hit.sum()):
                    dropped[drop] = count
                    if verdict is not Verdict.DUPLICATE:
                        problem = problem or self._describe(slots, times, hit, _PROBLEMS[verdict])
            slots, times, values = slots[stored], times[stored], values[stored]
        account.stored += len(slots)
        account.dropped.update(dropped)
        if problem:
            account.last_problem = problem
        if len(slots):
            self._index.touch(slots, times, times)
            self._register_days(slots, times, patience_ms)
            codes, names = self._index.metrics(slots)
            batch = self._tables.samples_batch(codes, names, self._index.ids(slots), times, values)
            self._sequence = self._queue.append(SAMPLES.name, batch, patience_ms=patience_ms)
            self._note_on_the_way(account)
            for observer in self.observers:
                observer.observe(slots, times, values)
        return Taken(len(slots), dropped, problem, self._sequence)

    def end(self, source: str, slots: Int64s, time_ms: int, *, patience_ms: int | None) -> Taken:
        """Mark series as stale at a time; those that have a sample of that time or a later one go on.

        Raises:
            OverloadedError: the queue is full; none were marked.
        """
        slots = slots[self._memory.newest_ms(slots) < time_ms]
        times, values = np.full(len(slots), time_ms, np.int64), np.full(len(slots), STALE)
        return self.take(source, slots, times, values, patience_ms=patience_ms)

    def refuse(self, source: str, drop: Drop, count: int, problem: str = "") -> None:
        """Book samples that never got as far as `take`."""
        account = self._ledger.account(source)
        account.received += count
        account.dropped[drop] += count
        if problem:
            account.last_problem = problem

    def write_exemplars(self, exemplars: ExemplarStore, *, patience_ms: int | None) -> int:
        """Send on to the disk what a store of exemplars keeps and has not sent yet.

        Returns:
            What to wait for, as in `Taken.sequence`.

        Raises:
            OverloadedError: the queue is full; they stay where they are.
        """
        waiting = list(exemplars.unwritten)
        if waiting:
            self._queue.ensure_room(_EXEMPLAR_BYTES * len(waiting))
            slots = np.array([slot for slot, _ in waiting], np.int64)
            codes, names = self._index.metrics(slots)
            named = [names[code] for code in list[int](codes.tolist())]
            times = np.array([exemplar.time_ms or 0 for _, exemplar in waiting], np.int64)
            batch = self._tables.exemplars_batch(
                named,
                self._index.ids(slots),
                times,
                np.array([exemplar.value for _, exemplar in waiting], np.float64),
                [exemplar.labels for _, exemplar in waiting],
            )
            self._sequence = self._queue.append("exemplars", batch, patience_ms=patience_ms)
            exemplars.unwritten.clear()
        return self._sequence

    async def committed(self, taken: Taken) -> None:
        """Wait until these samples, and those that they duplicate, are on disk, and those for other stores kept.

        Raises:
            OverloadedError: that took too long; they stay queued.
            RowsRefusedError: the engine refuses them; they are booked as set aside.
        """
        await self._queue.committed(taken.sequence)
        for observer in self.observers:
            await observer.safe()

    def refused(self, refusal: Refusal) -> None:
        """Book samples as set aside that were booked as stored: the engine does not take them."""
        if refusal.table != SAMPLES.name:
            return
        for sequence, account in self._on_the_way:
            if count := refusal.rows.get(sequence, 0):
                account.stored -= count
                account.dropped[Drop.SET_ASIDE] += count
                account.last_problem = refusal.problem

    def _note_on_the_way(self, account: Account) -> None:
        decided = self._queue.committed_sequence
        while self._on_the_way and self._on_the_way[0][0] <= decided:
            self._on_the_way.popleft()
        self._on_the_way.append((self._sequence, account))

    def _register_days(self, slots: Int64s, times: Int64s, patience_ms: int | None) -> None:
        """Queue a row of `series` for every series that has its first sample of a day."""
        self._reserve(int(slots.max()) + 1)
        days = (times // DAY_MS).astype(np.int32)
        new = (days > self._last_day[slots]) | (days < self._first_day[slots])
        if not new.any():
            return
        pairs = np.unique(np.stack([slots[new], days[new].astype(np.int64)]), axis=1)
        new_slots, new_days = pairs[0], pairs[1].astype(np.int32)
        np.minimum.at(self._first_day, new_slots, new_days)
        np.maximum.at(self._last_day, new_slots, new_days)
        label_sets = [self._index.labels(slot) for slot in new_slots.tolist()]
        batch = self._tables.series_batch(new_days.tolist(), self._index.ids(new_slots).tolist(), label_sets)
        self._queue.append(SERIES.name, batch, patience_ms=patience_ms)

    def forget(self, slots: Int64s) -> None:
        """Take slots back: their series are gone."""
        slots = slots[slots < len(self._first_day)]
        self._first_day[slots] = np.iinfo(np.int32).max
        self._last_day[slots] = np.iinfo(np.int32).min

    def _reserve(self, slots: int) -> None:
        known = len(self._first_day)
        if slots > known:
            added = max(1024, known, slots - known)
            self._first_day = np.concatenate([self._first_day, np.full(added, np.iinfo(np.int32).max, np.int32)])
            self._last_day = np.concatenate([self._last_day, np.full(added, np.iinfo(np.int32).min, np.int32)])

    def _describe(self, slots: Int64s, times: Int64s, hit: NDArray[np.bool_], what: str) -> str:
        row = int(np.argmax(hit))
        labels = dict(self._index.labels(int(slots[row])))
        name = labels.pop(METRIC_NAME, "")
        more = int(hit.sum()) - 1
        return f"sample of {name}{labels} at {int(times[row])} {what}" + (f" (and {more} more)" if more else "")


_PROBLEMS: Final = {
    Verdict.CONFLICT: "has another value than the one stored for this time",
    Verdict.TOO_OLD: "is further behind its series' newest sample than `storage.out_of_order_window` allows",
}
