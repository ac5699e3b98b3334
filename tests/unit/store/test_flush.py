from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.store.flush import CommitLimits, Queue, retry_delay_s

TABLES = ("series", "samples")


def rows(count: int, first: int = 0) -> pa.RecordBatch:
    return pa.record_batch({"number": np.arange(first, first + count)})


def numbers(table: pa.Table) -> list[int]:
    return table.column("number").to_pylist()


class TestQueue:
    def queue(self, **limits: int) -> Queue:
        return Queue(TABLES, CommitLimits(**limits), "t")

    def test_the_least_patient_row_decides_when_a_flush_is_due(self) -> None:
        queue = self.queue()

        queue.append("samples", rows(1), now_ms=1000, patience_ms=1000)
        queue.append("samples", rows(1), now_ms=1100, patience_ms=500)

        assert queue.due_ms == 1600

    def test_enough_rows_are_due_at_once(self) -> None:
        queue = self.queue(flush_rows=10)

        queue.append("samples", rows(9), now_ms=1000, patience_ms=250)
        queue.append("samples", rows(1), now_ms=1100, patience_ms=250)

        assert queue.due_ms == 1100

    def test_rows_that_somebody_waits_for_are_due_at_once_when_the_engine_has_had_its_rest(self) -> None:
        queue = self.queue()
        queue.append("samples", rows(1), now_ms=0, patience_ms=250)
        queue.take(now_ms=0)

        queue.append("samples", rows(1), now_ms=250, patience_ms=250)

        assert queue.due_ms == 250

    @pytest.mark.parametrize(
        ("count", "due_ms"),
        [
            pytest.param(20, 1004, id="a full batch after the shortest distance"),
            pytest.param(10, 1016, id="half of it after four times as long"),
            pytest.param(1, 1250, id="a few rows after their whole patience"),
        ],
    )
    def test_flushes_keep_the_more_distance_the_fewer_rows_they_have(self, count: int, due_ms: float) -> None:
        queue = self.queue(quick_rows=20, spacing_ms=4)
        queue.append("samples", rows(1), now_ms=1000, patience_ms=250)
        queue.take(now_ms=1000)

        queue.append("samples", rows(count), now_ms=1001, patience_ms=250)

        assert queue.due_ms == due_ms

    def test_company_makes_rows_due_earlier(self) -> None:
        queue = self.queue(quick_rows=20, spacing_ms=4)
        queue.append("samples", rows(1), now_ms=1000, patience_ms=250)
        queue.take(now_ms=1000)

        queue.append("samples", rows(10), now_ms=1001, patience_ms=250)
        alone = queue.due_ms
        queue.append("samples", rows(10), now_ms=1002, patience_ms=1000)

        assert (alone, queue.due_ms) == (1016, 1004)

    def test_senders_who_were_together_wait_a_moment_for_each_other(self) -> None:
        queue = self.queue(quick_rows=10, spacing_ms=4, company_ms=12, enough_rows=1000)
        queue.append("samples", rows(10), now_ms=1000, patience_ms=250)
        queue.take(now_ms=1000)
        queue.append("samples", rows(20), now_ms=1002, patience_ms=250)
        queue.finish(now_ms=1005)

        without_the_first = queue.due_ms
        queue.append("samples", rows(10), now_ms=1007, patience_ms=250)

        assert (without_the_first, queue.due_ms) == (1017, 1007)

    def test_enough_rows_wait_for_nobody(self) -> None:
        queue = self.queue(quick_rows=10, spacing_ms=4, company_ms=12, enough_rows=20)
        queue.append("samples", rows(10), now_ms=1000, patience_ms=250)
        queue.take(now_ms=1000)
        queue.append("samples", rows(20), now_ms=1002, patience_ms=250)

        queue.finish(now_ms=1005)

        assert queue.due_ms == 1005

    def test_nobody_is_waited_for_who_sent_what_nobody_waits_for(self) -> None:
        queue = self.queue(quick_rows=10, spacing_ms=4, company_ms=12, enough_rows=1000)
        queue.append("samples", rows(500), now_ms=1000, patience_ms=1000)
        queue.append("samples", rows(10), now_ms=1000, patience_ms=250)
        queue.take(now_ms=1000)
        queue.finish(now_ms=1005)

        queue.append("samples", rows(10), now_ms=1007, patience_ms=250)

        assert queue.due_ms == 1007

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

    def test_a_batch_that_is_cut_keeps_its_number(self) -> None:
        queue = self.queue(insert_rows=4)
        queue.append("samples", rows(3), now_ms=0, patience_ms=0)
        queue.append("samples", rows(3, 3), now_ms=0, patience_ms=0)

        flush = queue.take(now_ms=0)

        assert [planned.sequences for planned in flush.inserts] == [(1, 2), (2,)]
        assert [[batch.num_rows for batch in planned.batches] for planned in flush.inserts] == [[3, 1], [2]]

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


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(1, 16))
def test_cutting_loses_no_row_and_keeps_every_bound(sizes: list[int], insert_rows: int) -> None:
    queue = Queue(TABLES, CommitLimits(insert_rows=insert_rows), "t")
    first = 0
    for size in sizes:
        queue.append("samples", rows(size, first), now_ms=0, patience_ms=0)
        first += size

    inserts = [numbers(planned.rows) for planned in queue.take(now_ms=0).inserts]

    assert [number for inserted in inserts for number in inserted] == list(range(first))
    assert all(len(inserted) <= insert_rows for inserted in inserts)


def test_halves_hold_every_batch_once_under_tokens_of_their_own() -> None:
    queue = Queue(TABLES, CommitLimits(), "t")
    for first in range(5):
        queue.append("samples", rows(1, first), now_ms=0, patience_ms=0)
    (planned,) = queue.take(now_ms=0).inserts

    left, right = planned.halves()

    assert numbers(left.rows) + numbers(right.rows) == [0, 1, 2, 3, 4]
    assert left.sequences + right.sequences == planned.sequences
    assert len({planned.token, left.token, right.token}) == 3


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_retry_waits_at_least_half_its_longest_and_never_longer_than_the_bound(failures: int, chance: float) -> None:
    limits = CommitLimits()

    delay_s = retry_delay_s(limits, failures, chance)

    longest = min(limits.last_retry_s, limits.first_retry_s * 2 ** min(failures - 1, 60))
    assert longest / 2 <= delay_s <= longest <= limits.last_retry_s
