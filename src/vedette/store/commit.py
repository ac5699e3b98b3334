"""Group commit: what many requests hand in goes to the disk together, and each hears when it is there.

`append` takes rows and returns a number; `committed` returns once every row up to that number is on the
disk. A flush is due when enough rows have come, or when the least patient of them has waited as long as it
may. It writes the tables in a fixed order (series before their samples), one insert for each.

A flush that fails is repeated, with the same rows under the same tokens, until it succeeds: the engine stores
them once, however its first attempt ended. Meanwhile rows queue up to a bound. Whoever waits hears "come back
later" after a while, and a sender who keeps its rows until they are acknowledged is turned away at the door
(`ensure_room`). Rows that nobody else has (scraped ones) are taken until the queue is full.

`Queue` decides (pure, given the time); `GroupCommit` waits and writes.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from vedette.model.errors import LimitExceededError, OverloadedError, VedetteError

PENDING_OPTION: Final = "limits.ingest_queue"

Insert = Callable[[str, pa.Table, str], None]
"""Writes rows to a table under a token, blocking; `Engine.insert` with the token by position."""


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """When a flush is due and how much may wait for it.

    Attributes:
        flush_rows: so many rows are flushed at once, without waiting for more.
        flush_ms: how long a row waits for company, unless its sender says otherwise.
        quick_rows: with so many rows waiting, and somebody who waits for them, no more company is needed...
        quiet_ms: ... once none has come for so long,
        spacing_ms: and the flush before began so long ago. A sender who waits for each answer is not slowed
            down by `flush_ms`, and parts in the engine stay few and large.
        insert_rows: one insert has no more rows than this, which bounds the engine's memory.
        max_pending_bytes: rows that are not on the disk yet; beyond it they are refused.
        wait_s: how long `committed` waits before it says "come back later".
        first_retry_s: pause after a failed flush; doubles with each further failure...
        last_retry_s: ... up to this.
        drain_s: how long closing may take; what is not written by then is reported as lost.
    """

    flush_rows: int = 65_536
    flush_ms: float = 250.0
    quick_rows: int = 1_000
    quiet_ms: float = 3.0
    spacing_ms: float = 15.0
    insert_rows: int = 262_144
    max_pending_bytes: int = 64 << 20
    wait_s: float = 10.0
    first_retry_s: float = 0.25
    last_retry_s: float = 15.0
    drain_s: float = 10.0


@dataclass(frozen=True, slots=True)
class PlannedInsert:
    """One insert of a flush.

    Attributes:
        table: where to.
        rows: what.
        token: names these rows, for as long as it takes to store them.
    """

    table: str
    rows: pa.Table
    token: str


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
    _latest_ms: float = math.inf
    _waiting: dict[str, list[pa.RecordBatch]] = field(default_factory=dict[str, "list[pa.RecordBatch]"])

    def append(self, table: str, rows: pa.RecordBatch, *, now_ms: float, patience_ms: float) -> int:
        """Add rows; returns their number."""
        if table not in self.tables:
            raise ValueError(f"no table {table!r} among {', '.join(self.tables)}")
        self.sequence += 1
        if rows.num_rows:
            self._waiting.setdefault(table, []).append(rows)
            self.rows += rows.num_rows
            self.held_bytes += rows.nbytes
        self._latest_ms = min(self._latest_ms, now_ms + patience_ms)
        self.due_ms = self._latest_ms
        if self.rows >= self.limits.flush_rows:
            self.due_ms = min(self.due_ms, now_ms)
        elif self.rows >= self.limits.quick_rows and patience_ms <= self.limits.flush_ms:
            quick_ms = max(now_ms + self.limits.quiet_ms, self._taken_ms + self.limits.spacing_ms)
            self.due_ms = min(self.due_ms, quick_ms)
        return self.sequence

    def take(self, *, now_ms: float) -> Flush:
        """Everything that waits, as the next flush."""
        self._taken_ms, self._latest_ms = now_ms, math.inf
        inserts: deque[PlannedInsert] = deque()
        for table in self.tables:
            batches = self._waiting.get(table)
            if not batches:
                continue
            rows = pa.Table.from_batches(batches)
            for first in range(0, rows.num_rows, self.limits.insert_rows):
                token = f"{self.token_prefix}-{self.sequence}-{table}-{first}"
                inserts.append(PlannedInsert(table, rows.slice(first, self.limits.insert_rows), token))
        flush = Flush(self.sequence, inserts, self.rows, self.held_bytes)
        self._waiting, self.rows, self.held_bytes, self.due_ms = {}, 0, 0, None
        return flush


def retry_delay_s(limits: CommitLimits, failures: int, chance: float) -> float:
    """How long to wait after so many failures in a row; `chance` in [0, 1) spreads retries over the upper half."""
    longest = min(limits.last_retry_s, limits.first_retry_s * 2 ** min(failures - 1, 30))
    return longest * (0.5 + 0.5 * chance)


class GroupCommit:
    """The queue at work. Used from one event loop; use `open_group_commit` to have it run and drained.

    Attributes:
        flushes: that succeeded.
        failures: attempts that failed.
        rows_committed: on the disk, through this.
        last_flush_s: how long the last successful flush took.
        last_error: what the last attempt said; empty if it succeeded.
    """

    def __init__(
        self,
        insert: Insert,
        tables: Sequence[str],
        executor: Executor,
        *,
        token_prefix: str,
        limits: CommitLimits | None = None,
    ) -> None:
        self._insert = insert
        self._executor = executor
        self._limits = limits or CommitLimits()
        self._queue = Queue(tables, self._limits, token_prefix)
        self._flush: Flush | None = None
        self._changed = asyncio.Event()
        self._closing = False
        self._finished = asyncio.Event()
        self._committed = 0
        self._failing = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.flushes = 0
        self.failures = 0
        self.rows_committed = 0
        self.last_flush_s = 0.0
        self.last_error = ""

    @property
    def pending_rows(self) -> int:
        """Rows that are not on the disk yet."""
        return self._queue.rows + (self._flush.rows if self._flush else 0)

    @property
    def pending_bytes(self) -> int:
        """Bytes that are not on the disk yet."""
        return self._queue.held_bytes + (self._flush.held_bytes if self._flush else 0)

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failing > 0

    @property
    def committed_sequence(self) -> int:
        """Everything up to this number is on the disk."""
        return self._committed

    def ensure_room(self, size_bytes: int, *, sender_retries: bool = False) -> None:
        """Refuse rows before anything is done with them.

        Args:
            size_bytes: about how much `append` will be given before the next `await`.
            sender_retries: whoever sent them keeps them until they are acknowledged, and is turned away
                while the engine fails. Scraped rows exist only here and are taken until the queue is full.

        Raises:
            OverloadedError: the queue is full, the engine fails, or this is closing.
            LimitExceededError: these rows alone are more than the queue may hold.
        """
        if self._closing:
            raise OverloadedError("Vedette is shutting down", retry_after_s=self._retry_after_s)
        if self._failing and sender_retries:
            raise OverloadedError(f"rows cannot be stored now: {self.last_error}", retry_after_s=self._retry_after_s)
        bound = self._limits.max_pending_bytes
        if size_bytes > bound:
            raise LimitExceededError(limit=PENDING_OPTION, allowed=bound, found=size_bytes, what="bytes in one batch")
        self._refuse_beyond(bound, size_bytes)

    def append(self, table: str, rows: pa.RecordBatch, *, patience_ms: float | None = None) -> int:
        """Take rows; they are not safe until `committed` says so.

        What `ensure_room` has let in is not refused: its estimate may be wrong, and the samples are in memory
        already, where they would pass for stored. So the queue can exceed its bound by one batch.

        Args:
            table: one of those given on construction.
            rows: all batches of a table have the same columns.
            patience_ms: how long they may wait for company; the configured time if None.

        Returns:
            Their number, for `committed`. Numbers rise.

        Raises:
            OverloadedError: everything has been written and it is closed.
        """
        if self._finished.is_set():
            raise OverloadedError("Vedette is shutting down", retry_after_s=self._retry_after_s)
        patience = self._limits.flush_ms if patience_ms is None else patience_ms
        sequence = self._queue.append(table, rows, now_ms=self._now_ms(), patience_ms=patience)
        self._changed.set()
        return sequence

    async def committed(self, sequence: int) -> None:
        """Wait until everything up to this number is on the disk.

        Raises:
            OverloadedError: not yet, after `wait_s`. The rows stay queued and may still be stored, so the
                sender sends them again and duplicates are ignored when they are read.
        """
        if sequence <= self._committed:
            return
        if self._finished.is_set():
            raise OverloadedError(
                f"Vedette has shut down before the rows were stored: {self.last_error}", retry_after_s=1
            )
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append((sequence, waiter))
        try:
            async with asyncio.timeout(self._limits.wait_s):
                await waiter
        except TimeoutError:
            reason = f": {self.last_error}" if self.last_error else ""
            raise OverloadedError(
                f"the rows could not be stored within {self._limits.wait_s:g} s{reason}",
                retry_after_s=self._retry_after_s,
            ) from None

    async def run(self) -> None:
        """Flush what is appended until `close` is called and everything is written. Run once, by its owner."""
        try:
            while True:
                await self._wait_until_due()
                if self._queue.due_ms is None:
                    return
                flush = self._flush = self._queue.take(now_ms=self._now_ms())
                await self._write(flush)
                self._flush = None
                self._committed = flush.last_sequence
                self._wake(flush.last_sequence)
        finally:
            self._finished.set()
            self._refuse_waiters()

    async def close(self) -> None:
        """Refuse new rows and wait until all that were taken are on the disk.

        Raises:
            OverloadedError: they could not be written within `drain_s`.
        """
        self._closing = True
        self._changed.set()
        try:
            async with asyncio.timeout(self._limits.drain_s):
                await self._finished.wait()
        except TimeoutError:
            raise OverloadedError(
                f"{self.pending_rows} rows could not be stored within {self._limits.drain_s:g} s of shutting down: "
                f"{self.last_error or 'the engine did not answer'}",
                retry_after_s=self._limits.last_retry_s,
            ) from None

    @property
    def _retry_after_s(self) -> float:
        return 1.0 + retry_delay_s(self._limits, max(self._failing, 1), 1.0)

    def _refuse_beyond(self, bound: int, size_bytes: int) -> None:
        if self.pending_bytes + size_bytes > bound:
            reason = f" ({self.last_error})" if self.last_error else ""
            raise OverloadedError(
                f"{self.pending_bytes} bytes wait to be stored{reason}, and `{PENDING_OPTION}` allows no more than "
                f"{self._limits.max_pending_bytes}",
                retry_after_s=self._retry_after_s,
            )

    async def _wait_until_due(self) -> None:
        while not self._closing:
            self._changed.clear()
            due_ms = self._queue.due_ms
            wait_s = None if due_ms is None else max(0.0, (due_ms - self._now_ms()) / 1000)
            if wait_s == 0.0:
                return
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _write(self, flush: Flush) -> None:
        loop = asyncio.get_running_loop()
        while flush.inserts:
            started = loop.time()
            planned = flush.inserts[0]
            try:
                await loop.run_in_executor(self._executor, self._insert, planned.table, planned.rows, planned.token)
            except VedetteError as exc:
                self.failures += 1
                self._failing += 1
                self.last_error = str(exc)
                await self._pause(retry_delay_s(self._limits, self._failing, random.random()))  # noqa: S311 - jitter
                continue
            flush.inserts.popleft()
            self._failing = 0
            self.last_error = ""
            self.rows_committed += planned.rows.num_rows
            self.last_flush_s = loop.time() - started
        self.flushes += 1

    async def _pause(self, delay_s: float) -> None:
        # Closing cuts the first pause short: the drain's time is better spent on trying.
        until = asyncio.get_running_loop().time() + delay_s
        closing_before = self._closing
        while (left_s := until - asyncio.get_running_loop().time()) > 0 and self._closing == closing_before:
            self._changed.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _wake(self, sequence: int) -> None:
        waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        for number, waiter in self._waiters:
            if waiter.done():
                continue
            if number <= sequence:
                waiter.set_result(None)
            else:
                waiting.append((number, waiter))
        self._waiters = waiting

    def _refuse_waiters(self) -> None:
        for _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(
                    OverloadedError("Vedette has shut down before the rows were stored", retry_after_s=1)
                )
        self._waiters.clear()

    @staticmethod
    def _now_ms() -> float:
        return asyncio.get_running_loop().time() * 1000


@asynccontextmanager
async def open_group_commit(
    insert: Insert,
    tables: Sequence[str],
    executor: Executor,
    *,
    token_prefix: str,
    limits: CommitLimits | None = None,
) -> AsyncGenerator[GroupCommit]:
    """A `GroupCommit` that runs while the block does and is drained when it ends."""
    commit = GroupCommit(insert, tables, executor, token_prefix=token_prefix, limits=limits)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(commit.run(), name="group commit")
        try:
            yield commit
        finally:
            try:
                await commit.close()
            finally:
                running.cancel()
