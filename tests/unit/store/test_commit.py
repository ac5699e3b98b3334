from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import LimitExceededError, OverloadedError, StorageError
from vedette.store.commit import CommitLimits, GroupCommit, Queue, open_group_commit, retry_delay_s

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
        self.inserts.append((table, numbers(rows), token))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@asynccontextmanager
async def committing(
    disk: Disk, executor: ThreadPoolExecutor, limits: CommitLimits = AT_ONCE
) -> AsyncGenerator[GroupCommit]:
    async with open_group_commit(disk.insert, TABLES, executor, token_prefix="t", limits=limits) as commit:
        yield commit


async def reached(disk: Disk) -> None:
    assert await asyncio.get_running_loop().run_in_executor(None, disk.reached.wait, 20)


class TestQueue:
    def queue(self, **limits: int) -> Queue:
        return Queue(TABLES, CommitLimits(**limits), "t")

    def test_the_least_patient_row_decides_when_a_flush_is_due(self) -> None:
        queue = self.queue()

        queue.append("samples", rows(1), now_ms=1000, patience_ms=1000)
        queue.append("samples", rows(1), now_ms=1100, patience_ms=250)

        assert queue.due_ms == 1350

    def test_enough_rows_are_due_at_once(self) -> None:
        queue = self.queue(flush_rows=10)

        queue.append("samples", rows(9), now_ms=1000, patience_ms=250)
        queue.append("samples", rows(1), now_ms=1100, patience_ms=250)

        assert queue.due_ms == 1100

    def test_a_large_push_is_due_once_no_other_has_come_for_a_moment(self) -> None:
        queue = self.queue(quick_rows=10, quiet_ms=3)

        queue.append("samples", rows(9), now_ms=1000, patience_ms=250)
        alone = queue.due_ms
        queue.append("samples", rows(9), now_ms=1001, patience_ms=250)
        queue.append("samples", rows(1), now_ms=1002, patience_ms=250)

        assert (alone, queue.due_ms) == (1250, 1005)

    def test_large_pushes_one_after_the_other_keep_their_distance(self) -> None:
        queue = self.queue(quick_rows=10, quiet_ms=3, spacing_ms=15)
        queue.append("samples", rows(10), now_ms=1000, patience_ms=250)
        queue.take(now_ms=1003)

        queue.append("samples", rows(10), now_ms=1005, patience_ms=250)

        assert queue.due_ms == 1018

    def test_large_batches_that_nobody_waits_for_are_patient(self) -> None:
        queue = self.queue(quick_rows=10)

        queue.append("samples", rows(20), now_ms=1000, patience_ms=1000)

        assert queue.due_ms == 2000

    def test_nothing_is_due_after_everything_was_taken(self) -> None:
        queue = self.queue()
        queue.append("samples", rows(5), now_ms=0, patience_ms=0)

        flush = queue.take(now_ms=0)

        assert (flush.rows, queue.rows, queue.held_bytes, queue.due_ms) == (5, 0, 0, None)

    def test_series_are_written_before_samples_whatever_came_first(self) -> None:
        queue = self.queue()
        queue.append("samples", rows(1), now_ms=0, patience_ms=0)
        queue.append("series", rows(1), now_ms=0, patience_ms=0)

        flush = queue.take(now_ms=0)

        assert [planned.table for planned in flush.inserts] == ["series", "samples"]

    def test_batches_of_many_requests_become_one_insert_in_their_order(self) -> None:
        queue = self.queue()
        for first in (0, 3, 6):
            queue.append("samples", rows(3, first), now_ms=0, patience_ms=0)

        flush = queue.take(now_ms=0)

        assert [numbers(planned.rows) for planned in flush.inserts] == [list(range(9))]
        assert flush.last_sequence == 3

    def test_a_flush_larger_than_an_insert_may_be_is_cut_under_tokens_that_differ(self) -> None:
        queue = self.queue(insert_rows=4)
        queue.append("samples", rows(10), now_ms=0, patience_ms=0)

        flush = queue.take(now_ms=0)

        assert [numbers(planned.rows) for planned in flush.inserts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert len({planned.token for planned in flush.inserts}) == 3

    def test_no_two_flushes_share_a_token(self) -> None:
        queue = self.queue()
        tokens: list[str] = []
        for _ in range(3):
            queue.append("series", rows(1), now_ms=0, patience_ms=0)
            queue.append("samples", rows(1), now_ms=0, patience_ms=0)
            tokens += [planned.token for planned in queue.take(now_ms=0).inserts]

        assert len(set(tokens)) == 6

    def test_a_batch_without_rows_gets_a_number_and_no_insert(self) -> None:
        queue = self.queue()

        sequence = queue.append("samples", rows(0), now_ms=0, patience_ms=0)

        assert queue.take(now_ms=0).last_sequence == sequence
        assert not queue.take(now_ms=0).inserts

    def test_an_unknown_table_is_a_mistake_of_the_caller(self) -> None:
        with pytest.raises(ValueError, match="no table 'sample'"):
            self.queue().append("sample", rows(1), now_ms=0, patience_ms=0)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_retry_waits_at_least_half_its_longest_and_never_longer_than_the_bound(failures: int, chance: float) -> None:
    limits = CommitLimits()

    delay_s = retry_delay_s(limits, failures, chance)

    longest = min(limits.last_retry_s, limits.first_retry_s * 2 ** min(failures - 1, 60))
    assert longest / 2 <= delay_s <= longest <= limits.last_retry_s


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
