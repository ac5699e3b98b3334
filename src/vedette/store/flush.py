"""When rows go to the disk, and which of them together: the decisions of group commit.

Senders who wait for their answer should not wait for a clock, and the engine should not make a part of every
handful of rows: a part costs it as much as some thousand rows. So flushes of rows that somebody waits for keep
their distance, and it is the shorter the more rows there are: none to speak of for thousands of them, `flush_ms`
for a few.

Senders who send again as soon as they are answered go together: those whose rows were written by the last flush,
and those whose rows came meanwhile, are given a moment to be all there again.

Pure: `Queue` is told the time; `vedette.store.commit` waits and writes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """When a flush is due and how much may wait for it.

    Attributes:
        flush_rows: so many rows are flushed at once, without waiting for more.
        flush_ms: how long a row waits for company, unless its sender says otherwise.
        quick_rows: so many rows that somebody waits for are flushed...
        spacing_ms: ... so long after the flush before them began, if not at once; half as many after four times as
            long, and so on up to `flush_ms`.
        company_ms: so long after the flush before them ended, expected rows are waited for no more...
        enough_rows: ... and with so many rows none are expected.
        insert_rows: one insert has no more rows than this, which bounds the engine's memory.
        max_pending_bytes: rows that are not on the disk yet; beyond it they are refused.
        wait_s: how long `GroupCommit.committed` waits before it says "come back later".
        first_retry_s: pause after a failed flush; doubles with each further failure...
        last_retry_s: ... up to this.
        tries: an insert that the engine has refused so often, otherwise than for being busy, is put off, so that
            other rows show whether it is them or the engine.
        drain_s: how long closing may take; what is not written by then is reported as lost.
    """

    flush_rows: int = 65_536
    flush_ms: float = 250.0
    quick_rows: int = 2_000
    spacing_ms: float = 4.0
    company_ms: float = 8.0
    enough_rows: int = 10_000
    insert_rows: int = 262_144
    max_pending_bytes: int = 64 << 20
    wait_s: float = 10.0
    first_retry_s: float = 0.25
    last_retry_s: float = 15.0
    tries: int = 5
    drain_s: float = 10.0


@dataclass(frozen=True, slots=True)
class PlannedInsert:
    """One insert of a flush.

    Attributes:
        table: where to.
        batches: what, as it was appended.
        sequences: the number of each batch.
        token: names these rows, for as long as it takes to store them.
        failures: how often the engine has refused it.
        problem: what the engine said last.
        on_trial: the engine took other rows after it had refused these: one more refusal is its last word.
    """

    table: str
    batches: tuple[pa.RecordBatch, ...]
    sequences: tuple[int, ...]
    token: str
    failures: int = 0
    problem: str = ""
    on_trial: bool = False

    @property
    def rows(self) -> pa.Table:
        """All batches as one."""
        return pa.Table.from_batches(self.batches)

    def on_last_trial(self, tries: int) -> PlannedInsert:
        """The same, with one of so many tries left."""
        return replace(self, on_trial=True, failures=tries - 1)

    def halves(self) -> tuple[PlannedInsert, PlannedInsert]:
        """The same rows as two inserts, to find out which of them the engine refuses."""
        middle = len(self.batches) // 2
        return self._part(slice(0, middle), "1"), self._part(slice(middle, None), "2")

    def _part(self, part: slice, name: str) -> PlannedInsert:
        return replace(self, batches=self.batches[part], sequences=self.sequences[part], token=f"{self.token}-{name}")


@dataclass(slots=True)
class Flush:
    """The rows that go to the disk together.

    Attributes:
        last_sequence: all appended rows up to this number are in this flush or an earlier one.
        inserts: still to be done, in order; what has succeeded is taken off.
        rows: of all inserts.
        held_bytes: of all inserts.
    """

    last_sequence: int
    inserts: deque[PlannedInsert]
    rows: int
    held_bytes: int

    def join(self, later: Flush) -> None:
        """Take over the rows of a later flush."""
        self.last_sequence = later.last_sequence
        self.inserts.extend(later.inserts)
        self.rows += later.rows
        self.held_bytes += later.held_bytes


@dataclass(slots=True)
class Queue:
    """Rows that wait for their flush. Pure: it is told the time.

    Attributes:
        tables: in the order in which a flush writes them.
        limits: when a flush is due.
        token_prefix: distinguishes this process's tokens from all others.
        sequence: the number given last.
        rows: waiting.
        held_bytes: waiting.
        due_ms: when the next flush is due; None while nothing waits.
    """

    tables: Sequence[str]
    limits: CommitLimits
    token_prefix: str
    sequence: int = 0
    rows: int = 0
    held_bytes: int = 0
    due_ms: float | None = None
    _taken_ms: float = -math.inf
    _finished_ms: float = -math.inf
    _latest_ms: float = math.inf
    # Rows that somebody waits for: in the queue, in the flush that is being written, expected to be in the next.
    _awaited: int = 0
    _awaited_in_flush: int = 0
    _expected: int = 0
    _waiting: dict[str, list[tuple[int, pa.RecordBatch]]] = field(
        default_factory=dict[str, "list[tuple[int, pa.RecordBatch]]"]
    )

    def append(self, table: str, rows: pa.RecordBatch, *, now_ms: float, patience_ms: float) -> int:
        """Add rows; returns their number."""
        if table not in self.tables:
            raise ValueError(f"no table {table!r} among {', '.join(self.tables)}")
        self.sequence += 1
        if rows.num_rows:
            self._waiting.setdefault(table, []).append((self.sequence, rows))
            self.rows += rows.num_rows
            self.held_bytes += rows.nbytes
        self._latest_ms = min(self._latest_ms, now_ms + patience_ms)
        # Rows that nobody waits for are patient.
        if patience_ms <= self.limits.flush_ms:
            self._awaited += rows.num_rows
        self.due_ms = self._due_ms(now_ms)
        return self.sequence

    def take(self, *, now_ms: float) -> Flush:
        """Everything that waits, as the next flush."""
        inserts: deque[PlannedInsert] = deque()
        for table in self.tables:
            for number, part in enumerate(_cut(self._waiting.get(table, []), self.limits.insert_rows)):
                token = f"{self.token_prefix}-{self.sequence}-{table}-{number}"
                sequences, batches = zip(*part, strict=True)
                inserts.append(PlannedInsert(table, batches, sequences, token))
        flush = Flush(self.sequence, inserts, self.rows, self.held_bytes)
        self._waiting, self.rows, self.held_bytes, self.due_ms = {}, 0, 0, None
        self._taken_ms, self._latest_ms = now_ms, math.inf
        self._awaited_in_flush, self._awaited = self._awaited, 0
        return flush

    def finish(self, *, now_ms: float) -> None:
        """The flush taken last has been written: its senders will be back, perhaps."""
        self._finished_ms = now_ms
        self._expected = min(self._awaited_in_flush + self._awaited, self.limits.enough_rows)
        if self.due_ms is not None:
            self.due_ms = self._due_ms(now_ms)

    def _due_ms(self, now_ms: float) -> float:
        if self.rows >= self.limits.flush_rows:
            return min(self._latest_ms, now_ms)
        if not self._awaited:
            return self._latest_ms
        spacing_ms = self.limits.spacing_ms * (self.limits.quick_rows / self.rows) ** 2
        due_ms = max(now_ms, self._taken_ms + min(spacing_ms, self.limits.flush_ms))
        if self._awaited < self._expected:
            due_ms = max(due_ms, self._finished_ms + self.limits.company_ms)
        return min(self._latest_ms, due_ms)


def _cut(batches: Sequence[tuple[int, pa.RecordBatch]], most_rows: int) -> list[list[tuple[int, pa.RecordBatch]]]:
    """Numbered batches in parts of no more than so many rows; a batch may be cut."""
    parts: list[list[tuple[int, pa.RecordBatch]]] = []
    room = 0
    for sequence, batch in batches:
        first = 0
        while first < batch.num_rows:
            if not room:
                parts.append([])
                room = most_rows
            piece = batch if batch.num_rows <= room and not first else batch.slice(first, room)
            parts[-1].append((sequence, piece))
            first += piece.num_rows
            room -= piece.num_rows
    return parts


def retry_delay_s(limits: CommitLimits, failures: int, chance: float) -> float:
    """How long to wait after so many failures in a row; `chance` in [0, 1) spreads retries over the upper half."""
    longest = min(limits.last_retry_s, limits.first_retry_s * 2 ** min(failures - 1, 30))
    return longest * (0.5 + 0.5 * chance)
