from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import pyarrow as pa
import pytest

from vedette.model.errors import LimitExceededError, OverloadedError, StorageError
from vedette.store.commit import GroupCommit, Refusal, RowsRefusedError, SetAside, open_group_commit
from vedette.store.flush import CommitLimits

TABLES = ("series", "samples")
AT_ONCE = CommitLimits(flush_ms=0.0, first_retry_s=0.001, last_retry_s=0.002)


def rows(count: int, first: int = 0) -> pa.RecordBatch:
    return pa.record_batch({"number": np.arange(first, first + count)})


def numbers(table: pa.Table) -> list[int]:
    return table.column("number").to_pylist()


class Disk:
    """Takes inserts; can be told to fail, and to hold them until it is released."""

    def __init__(self) -> None:
        self.inserts: list[tuple[str, list[int], str]] = []
        self.attempts: list[tuple[str, list[int], str]] = []
        self.failures: list[Exception] = []
        self.broken: Exception | None = None
        self.poison: set[int] = set()
        self.kept: list[tuple[str, list[int], str]] = []
        self.keeping_fails: list[Exception] = []
        self.released = threading.Event()
        self.released.set()
        self.reached = threading.Event()

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        self.attempts.append((table, numbers(rows), token))
        self.reached.set()
        assert self.released.wait(20)
        if self.failures:
            raise self.failures.pop(0)
        if self.broken:
            raise self.broken
        if self.poison.intersection(numbers(rows)):
            raise StorageError("there is no such column")
        self.inserts.append((table, numbers(rows), token))

    def set_aside(self, table: str, rows: pa.Table, token: str, problem: str) -> str:
        if self.keeping_fails:
            raise self.keeping_fails.pop(0)
        self.kept.append((table, numbers(rows), problem))
        return f"they are kept in {token}"


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@asynccontextmanager
async def committing(
    disk: Disk, executor: ThreadPoolExecutor, limits: CommitLimits = AT_ONCE, *, set_aside: SetAside | None = None
) -> AsyncGenerator[GroupCommit]:
    async with open_group_commit(
        disk.insert, TABLES, executor, token_prefix="t", limits=limits, set_aside=set_aside or disk.set_aside
    ) as commit:
        yield commit


async def reached(disk: Disk) -> None:
    assert await asyncio.get_running_loop().run_in_executor(None, disk.reached.wait, 20)


async def test_committed_returns_only_when_the_rows_are_on_the_disk(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.released.clear()
    async with committing(disk, executor) as commit, asyncio.TaskGroup() as group:
        waiting = group.create_task(commit.committed(commit.append("samples", rows(3))))
        await reached(disk)
        assert not waiting.done()
        assert commit.pending_rows == 3

        disk.released.set()
        await waiting

        assert disk.inserts == [("samples", [0, 1, 2], "t-1-samples-0")]
        assert (commit.pending_rows, commit.pending_bytes, commit.flushes, commit.rows_committed) == (0, 0, 1, 3)


async def test_rows_that_come_during_a_flush_go_together_into_the_next(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.released.clear()
    async with committing(disk, executor) as commit:
        commit.append("samples", rows(1))
        await reached(disk)
        last = [commit.append("samples", rows(1, first)) for first in range(1, 6)][-1]
        disk.released.set()

        await commit.committed(last)

    assert [inserted for _, inserted, _ in disk.inserts] == [[0], [1, 2, 3, 4, 5]]


async def test_a_failed_insert_is_repeated_with_the_same_rows_and_token(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.failures = [OverloadedError("disk full", retry_after_s=1), StorageError("something else")]
    async with committing(disk, executor) as commit:
        commit.append("series", rows(1))
        sequence = commit.append("samples", rows(2))

        await commit.committed(sequence)

        assert disk.attempts[0] == disk.attempts[1] == disk.attempts[2] == disk.inserts[0]
        assert [table for table, _, _ in disk.inserts] == ["series", "samples"]
        assert (commit.failures, commit.failing, commit.last_error) == (2, False, "")


async def test_whoever_waits_too_long_is_told_to_come_back_while_the_rows_stay_queued(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.broken = OverloadedError("the disk is full", retry_after_s=1)
    limits = CommitLimits(flush_ms=0, wait_s=0.05, first_retry_s=0.001, last_retry_s=0.002)
    async with committing(disk, executor, limits) as commit:
        sequence = commit.append("samples", rows(2))
        with pytest.raises(OverloadedError, match="the disk is full") as refusal:
            await commit.committed(sequence)
        assert refusal.value.retry_after_s > 0
        assert (commit.pending_rows, commit.failing) == (2, True)

        disk.broken = None

    assert [inserted for _, inserted, _ in disk.inserts] == [[0, 1]]


async def test_while_the_engine_fails_senders_are_turned_away_and_scrapes_are_not(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.broken = OverloadedError("the disk is full", retry_after_s=1)
    limits = CommitLimits(flush_ms=0, wait_s=0.05, first_retry_s=0.001, last_retry_s=0.002)
    async with committing(disk, executor, limits) as commit:
        with pytest.raises(OverloadedError):
            await commit.committed(commit.append("samples", rows(1)))

        with pytest.raises(OverloadedError, match="the disk is full"):
            commit.ensure_room(100, sender_retries=True)
        commit.ensure_room(100)

        disk.broken = None


async def test_a_full_queue_refuses_more_but_takes_what_it_has_let_in(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.released.clear()
    async with committing(disk, executor, CommitLimits(flush_ms=0, max_pending_bytes=800)) as commit:
        commit.ensure_room(800)
        commit.append("series", rows(90))
        commit.append("samples", rows(90))

        with pytest.raises(OverloadedError, match=r"limits\.ingest_queue"):
            commit.ensure_room(8)

        disk.released.set()
    assert sum(len(inserted) for _, inserted, _ in disk.inserts) == 180


async def test_a_batch_that_can_never_fit_is_refused_for_good(disk: Disk, executor: ThreadPoolExecutor) -> None:
    async with committing(disk, executor, CommitLimits(max_pending_bytes=800)) as commit:
        with pytest.raises(LimitExceededError, match=r"limits\.ingest_queue"):
            commit.ensure_room(801)


async def test_closing_writes_all_that_was_taken_without_waiting_for_its_time(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    async with committing(disk, executor, CommitLimits(flush_ms=3_600_000)) as commit:
        commit.append("samples", rows(5))

    assert [inserted for _, inserted, _ in disk.inserts] == [[0, 1, 2, 3, 4]]
    with pytest.raises(OverloadedError, match="shutting down"):
        commit.append("samples", rows(1))


async def test_closing_says_how_many_rows_it_could_not_write(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.broken = OverloadedError("the disk is full", retry_after_s=1)
    limits = CommitLimits(flush_ms=0, drain_s=0.05, first_retry_s=0.001, last_retry_s=0.002)

    with pytest.raises(ExceptionGroup) as lost:
        async with committing(disk, executor, limits) as commit:
            commit.append("samples", rows(7))

    assert lost.group_contains(OverloadedError, match="7 rows could not be stored .* the disk is full")


async def test_a_bug_in_the_engine_ends_the_process_and_leaves_nobody_waiting(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.broken = TypeError("a bug")

    with pytest.raises(ExceptionGroup) as ended:
        async with committing(disk, executor) as commit:
            await commit.committed(commit.append("samples", rows(1)))

    assert ended.group_contains(TypeError, match="a bug")


async def test_nobody_waits_for_what_is_on_the_disk_already(disk: Disk, executor: ThreadPoolExecutor) -> None:
    async with committing(disk, executor) as commit:
        sequence = commit.append("samples", rows(1))
        await commit.committed(sequence)

        await commit.committed(sequence)
        await commit.committed(0)

        assert commit.committed_sequence == sequence


async def test_a_waiter_who_goes_away_disturbs_nobody(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.released.clear()
    async with committing(disk, executor) as commit, asyncio.TaskGroup() as group:
        sequence = commit.append("samples", rows(1))
        leaving = group.create_task(commit.committed(sequence))
        staying = group.create_task(commit.committed(sequence))
        await reached(disk)
        leaving.cancel()
        disk.released.set()

        await staying

        assert leaving.cancelled()


POISONED = CommitLimits(flush_ms=0, first_retry_s=0.001, last_retry_s=0.002, tries=3)


async def test_rows_that_the_engine_refuses_are_set_aside_and_hold_up_nobody_else(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.poison = {7}
    refusals: list[Refusal] = []
    async with committing(disk, executor, POISONED) as commit, asyncio.TaskGroup() as group:
        commit.on_refusal.append(refusals.append)
        refused = group.create_task(refusal_of(commit, commit.append("samples", rows(1, 7))))
        await reached(disk)

        others = commit.append("samples", rows(2))
        await commit.committed(others)

        assert "there is no such column" in await refused
        assert [inserted for _, inserted, _ in disk.inserts] == [[0, 1]]
        assert disk.kept == [("samples", [7], "there is no such column")]
        assert [(refusal.table, refusal.rows) for refusal in refusals] == [("samples", {1: 1})]
        assert (commit.rows_committed, commit.rows_refused, commit.pending_rows) == (2, 1, 0)
        assert not commit.failing


async def test_whoever_asks_later_hears_that_the_rows_were_refused(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.poison = {7}
    async with committing(disk, executor, POISONED) as commit:
        refused = commit.append("samples", rows(1, 7))
        await commit.committed(commit.append("samples", rows(1)))

        with pytest.raises(RowsRefusedError):
            await commit.committed(refused)


async def test_only_the_batch_that_is_to_blame_is_set_aside(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.poison = {13}
    disk.released.clear()
    async with committing(disk, executor, POISONED) as commit:
        commit.append("samples", rows(1))
        await reached(disk)
        numbered = [commit.append("samples", rows(2, first)) for first in range(10, 30, 2)]
        disk.released.set()
        await commit.committed(numbered[0])
        await commit.committed(commit.append("samples", rows(1, 99)))

        stored = sorted(number for _, inserted, _ in disk.inserts for number in inserted)
        assert stored == [0, 10, 11, *range(14, 30), 99]
        assert [kept for _, kept, _ in disk.kept] == [[12, 13]]


async def test_an_engine_that_takes_nothing_is_not_the_rows_fault(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.broken = StorageError("the table is read-only")
    limits = CommitLimits(flush_ms=0, wait_s=0.1, first_retry_s=0.001, last_retry_s=0.002, tries=2)
    async with committing(disk, executor, limits) as commit:
        sequences = [commit.append("samples", rows(1))]
        with pytest.raises(OverloadedError):
            await commit.committed(sequences[0])
        sequences.append(commit.append("samples", rows(1, 1)))
        with pytest.raises(OverloadedError):
            await commit.committed(sequences[1])
        assert not disk.kept

        disk.broken = None
        await commit.committed(sequences[1])

    assert sorted(number for _, inserted, _ in disk.inserts for number in inserted) == [0, 1]
    assert not disk.kept


async def test_being_busy_is_never_a_reason_to_set_rows_aside(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.failures = [OverloadedError("the disk is full", retry_after_s=1) for _ in range(20)]
    async with committing(disk, executor, POISONED) as commit:
        await commit.committed(commit.append("samples", rows(1)))

    assert not disk.kept
    assert commit.failures == 20


async def test_refused_rows_that_cannot_be_set_aside_now_are_kept_until_they_can(
    disk: Disk, executor: ThreadPoolExecutor
) -> None:
    disk.poison = {7}
    disk.keeping_fails = [OverloadedError("the disk is full", retry_after_s=1)]
    async with committing(disk, executor, POISONED) as commit:
        commit.append("samples", rows(1, 7))
        await reached(disk)
        # The first of these shows that the engine works, the second that it still does.
        for first in (0, 1):
            commit.append("samples", rows(1, first))
            await attempted(disk, first)

    assert [kept for _, kept, _ in disk.kept] == [[7]]


async def test_closing_sets_aside_what_the_engine_refuses_to_the_last(disk: Disk, executor: ThreadPoolExecutor) -> None:
    disk.poison = {7}
    async with committing(disk, executor, POISONED) as commit:
        commit.append("samples", rows(1, 7))

    assert [kept for _, kept, _ in disk.kept] == [[7]]


async def attempted(disk: Disk, number: int) -> None:
    """Return once a row has been stored."""
    while not any(number in inserted for _, inserted, _ in disk.inserts):
        disk.reached.clear()
        await reached(disk)


async def refusal_of(commit: GroupCommit, sequence: int) -> str:
    try:
        await commit.committed(sequence)
    except RowsRefusedError as exc:
        return str(exc)
    return ""
