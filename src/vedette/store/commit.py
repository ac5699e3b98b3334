"""Group commit: what many requests hand in goes to the disk together, and each hears when it is there.

`append` takes rows and returns a number; `committed` returns once every row up to that number is on the
disk. A flush is due when enough rows have come, or when the least patient of them has waited as long as it
may. It writes the tables in a fixed order (series before their samples), one insert for each.

A flush that fails is repeated, with the same rows under the same tokens, until it succeeds: the engine stores
them once, however its first attempt ended. Meanwhile rows queue up to a bound. Whoever waits hears "come back
later" after a while, and a sender who keeps its rows until they are acknowledged is turned away at the door
(`ensure_room`). Rows that nobody else has (scraped ones) are taken until the queue is full.

Rows that the engine refuses again and again are tried in halves, and those that it still refuses are put off
until other rows show which of the two is to blame. If the engine takes others, it is the rows: they are set aside
(`set_aside`), and whoever sent them hears that they were refused.

`flush` decides (pure, given the time); this waits and writes.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import pyarrow as pa

from vedette.model.errors import LimitExceededError, OverloadedError, StorageError, VedetteError
from vedette.store.flush import CommitLimits, Flush, PlannedInsert, Queue, retry_delay_s

PENDING_OPTION: Final = "limits.ingest_queue"

_REMEMBERED: Final = 1000
"""Refused batches whose senders may still ask what became of them."""

Insert = Callable[[str, pa.Table, str], None]
"""Writes rows to a table under a token, blocking; `Engine.insert` with the token by position."""

SetAside = Callable[[str, pa.Table, str, str], str]
"""Keeps rows that are refused for good, blocking: table, rows, token, what the engine says. Says where they are."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Rows that the engine refuses for good.

    Attributes:
        table: where they should have gone.
        rows: how many of each appended batch, by its number.
        problem: what the engine says, and where they are kept.
    """

    table: str
    rows: dict[int, int]
    problem: str


class RowsRefusedError(StorageError):
    """The engine refuses these rows, whenever they are sent."""


class GroupCommit:
    """The queue at work. Used from one event loop; use `open_group_commit` to have it run and drained.

    Attributes:
        flushes: that succeeded.
        failures: attempts that failed.
        rows_committed: on the disk, through this.
        rows_refused: that the engine would not take, and that it will not be given again.
        on_refusal: told of every such refusal.
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
        set_aside: SetAside | None = None,
    ) -> None:
        """Begin with nothing.

        Args:
            insert: what writes.
            tables: in the order in which a flush writes them.
            executor: where `insert` and `set_aside` run; one thread.
            token_prefix: distinguishes this process's tokens from all others.
            limits: when, and how much.
            set_aside: keeps what the engine refuses for good; None to offer it to the engine for ever.
        """
        self._insert = insert
        self._executor = executor
        self._set_aside = set_aside
        self._limits = limits or CommitLimits()
        self._queue = Queue(tables, self._limits, token_prefix)
        self._flush: Flush | None = None
        self._changed = asyncio.Event()
        self._closing = False
        self._finished = asyncio.Event()
        self._committed = 0
        self._failing = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        # The latest batches that were refused, by number, and why.
        self._refused: dict[int, str] = {}
        self.flushes = 0
        self.failures = 0
        self.rows_committed = 0
        self.rows_refused = 0
        self.on_refusal: list[Callable[[Refusal], None]] = []
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
            RowsRefusedError: the engine refuses the rows that have this number.
        """
        if sequence in self._refused:
            raise RowsRefusedError(self._refused[sequence])
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
                self._queue.finish(now_ms=self._now_ms())
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

    async def _wait_until_due(self, longest_s: float | None = None) -> None:
        until = None if longest_s is None else asyncio.get_running_loop().time() + longest_s
        while not self._closing:
            self._changed.clear()
            due_ms = self._queue.due_ms
            due = until if due_ms is None else min(due_ms / 1000, until or due_ms / 1000)
            wait_s = None if due is None else max(0.0, due - asyncio.get_running_loop().time())
            if wait_s == 0.0:
                return
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _write(self, flush: Flush) -> None:
        put_off: list[PlannedInsert] = []
        while flush.inserts or put_off:
            if not flush.inserts:
                await self._join_later(flush, put_off)
            if not flush.inserts:
                flush.inserts.extend(put_off)
                put_off.clear()
            planned = flush.inserts[0]
            failed = await self._attempt(planned)
            if failed is None:
                flush.inserts.popleft()
                # The engine takes rows: what it refuses now is to blame itself.
                flush.inserts.extend(planned.on_last_trial(self._limits.tries) for planned in put_off)
                put_off.clear()
            elif failed.failures < self._limits.tries or self._set_aside is None:
                flush.inserts[0] = failed
                await self._pause(retry_delay_s(self._limits, self._failing, random.random()))  # noqa: S311 - jitter
            else:
                flush.inserts.popleft()
                if len(failed.batches) > 1 and not self._closing:
                    flush.inserts.extendleft(reversed(planned.halves()))
                elif not (failed.on_trial or self._closing) or not await self._refuse(failed, self._set_aside):
                    put_off.append(failed)
        self.flushes += 1

    async def _attempt(self, planned: PlannedInsert) -> PlannedInsert | None:
        """Insert; returns None, or what is to be tried again."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        rows = planned.rows
        try:
            await loop.run_in_executor(self._executor, self._insert, planned.table, rows, planned.token)
        except VedetteError as exc:
            self.failures += 1
            self._failing += 1
            self.last_error = str(exc)
            refused = isinstance(exc, StorageError)
            return replace(planned, failures=planned.failures + refused, problem=str(exc))
        self._failing = 0
        self.last_error = ""
        self.rows_committed += rows.num_rows
        self.last_flush_s = loop.time() - started
        return None

    async def _join_later(self, flush: Flush, put_off: Sequence[PlannedInsert]) -> None:
        """Wait for other rows, or a while, and take those that have come."""
        # Whoever has rows may come in: they will show what is wrong.
        failures, self._failing = max(planned.failures for planned in put_off), 0
        await self._wait_until_due(retry_delay_s(self._limits, failures, random.random()))  # noqa: S311 - jitter
        flush.join(self._queue.take(now_ms=self._now_ms()))

    async def _refuse(self, planned: PlannedInsert, set_aside: SetAside) -> bool:
        """Set rows aside for good; false where that is not possible now."""
        keep = partial(set_aside, planned.table, planned.rows, planned.token, planned.problem)
        try:
            kept = await asyncio.get_running_loop().run_in_executor(self._executor, keep)
        except OverloadedError as exc:
            self.failures += 1
            self._failing += 1
            self.last_error = str(exc)
            await self._pause(retry_delay_s(self._limits, self._failing, random.random()))  # noqa: S311 - jitter
            return False
        problem = f"the engine refuses these rows: {planned.problem} ({kept})"
        rows = {sequence: batch.num_rows for sequence, batch in zip(planned.sequences, planned.batches, strict=True)}
        self._refused.update(dict.fromkeys(rows, problem))
        while len(self._refused) > _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self.rows_refused += sum(rows.values())
        self._failing = 0
        self.last_error = ""
        for tell in self.on_refusal:
            tell(Refusal(planned.table, rows, problem))
        return True

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
            if number in self._refused:
                waiter.set_exception(RowsRefusedError(self._refused[number]))
            elif number <= sequence:
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
    set_aside: SetAside | None = None,
) -> AsyncGenerator[GroupCommit]:
    """A `GroupCommit` that runs while the block does and is drained when it ends."""
    commit = GroupCommit(insert, tables, executor, token_prefix=token_prefix, limits=limits, set_aside=set_aside)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(commit.run(), name="group commit")
        try:
            yield commit
        finally:
            try:
                await commit.close()
            finally:
                running.cancel()
