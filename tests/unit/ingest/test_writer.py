from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.intake import NOW_MS, Intake, series
from vedette.ingest.limits import Drop, IngestLimits
from vedette.ingest.writer import DAY_MS, Taken
from vedette.model.errors import OverloadedError
from vedette.store.commit import Refusal
from vedette.store.head import NO_SLOT

DAY = NOW_MS // DAY_MS


def take(intake: Intake, *samples: tuple[str, int, float], backfill: bool = False) -> Taken:
    """Samples of series by name, their times relative to now."""
    slots, _ = intake.writer.resolve("test", [series(name) for name, _, _ in samples])
    times = np.array([NOW_MS + time for _, time, _ in samples], np.int64)
    values = np.array([value for _, _, value in samples])
    return intake.writer.take("test", slots, times, values, patience_ms=250, backfill=backfill)


def series_days(intake: Intake) -> list[tuple[int, str]]:
    """Rows queued for the table of series: the day and the metric."""
    return [
        (row["day"].toordinal() - 719_163, row["metric"])
        for table, rows in intake.queue.appended
        if table == "series"
        for row in rows.to_pylist()
    ]


def test_samples_are_in_memory_and_in_the_queue_at_once() -> None:
    intake = Intake()

    taken = take(intake, ("a", 0, 1.0), ("b", -5, 2.0))

    assert taken == Taken(2, {}, "", len(intake.queue.appended))
    assert intake.samples("a") == [(0, 1.0)]
    assert intake.samples("b") == [(-5, 2.0)]
    assert intake.queue.rows("samples") == 2
    assert intake.queue.patience_ms == [250, 250]


def test_the_series_is_queued_before_its_first_sample() -> None:
    intake = Intake()

    take(intake, ("a", 0, 1.0))

    assert [table for table, _ in intake.queue.appended] == ["series", "samples"]


@pytest.mark.parametrize(
    ("second", "drop"),
    [
        pytest.param((0, 1.0), Drop.DUPLICATE, id="the same again"),
        pytest.param((0, 2.0), Drop.CONFLICT, id="another value for the same time"),
        pytest.param((-600_001, 1.0), Drop.TOO_OLD, id="beyond the out-of-order window"),
        pytest.param((600_001, 1.0), Drop.TOO_FAR_IN_FUTURE, id="ahead of the clock"),
        pytest.param((-30 * DAY_MS - 1, 1.0), Drop.OUT_OF_RETENTION, id="older than retention"),
    ],
)
def test_a_sample_that_is_not_stored_is_booked_by_its_reason(second: tuple[int, float], drop: Drop) -> None:
    intake = Intake()
    take(intake, ("a", 0, 1.0))

    taken = take(intake, ("a", *second))

    account = intake.ledger.account("test")
    assert taken.stored == 0
    assert taken.dropped == {drop: 1}
    assert account.dropped == {drop: 1}
    assert account.balanced
    assert intake.samples("a") == [(0, 1.0)]
    assert intake.queue.rows("samples") == 1
    # A sender that sends again is no problem worth telling.
    assert bool(taken.problem) == bool(account.last_problem) == (drop is not Drop.DUPLICATE)


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(-600_000, id="just within the out-of-order window"),
        pytest.param(600_000, id="just not too far ahead"),
    ],
)
def test_a_sample_at_the_edge_is_stored(time: int) -> None:
    intake = Intake()
    take(intake, ("a", 0, 1.0))

    assert take(intake, ("a", time, 2.0)).stored == 1


def test_the_problem_names_the_series_its_time_and_how_many_more_there_are() -> None:
    intake = Intake()

    taken = take(intake, ("a", 700_000, 1.0), ("b", 700_000, 1.0), ("c", 0, 1.0))

    assert taken.stored == 1
    assert taken.problem.startswith(f"sample of a{{}} at {NOW_MS + 700_000} is more than 600000 ms ahead")
    assert taken.problem.endswith("(and 1 more)")


def test_a_back_fill_takes_samples_behind_the_newest_one() -> None:
    intake = Intake()
    take(intake, ("a", 0, 1.0))

    assert take(intake, ("a", -20 * DAY_MS, 2.0), backfill=True).stored == 1
    assert take(intake, ("a", -31 * DAY_MS, 2.0), backfill=True).dropped == {Drop.OUT_OF_RETENTION: 1}


def test_a_full_queue_takes_nothing_and_books_nothing() -> None:
    intake = Intake()
    intake.queue.full = True

    with pytest.raises(OverloadedError):
        take(intake, ("a", 0, 1.0))

    assert intake.samples("a") == []
    assert intake.ledger.account("test").received == 0


async def test_who_sends_again_waits_for_the_commit_of_the_first() -> None:
    intake = Intake()
    first = take(intake, ("a", 0, 1.0))
    take(intake, ("b", 0, 1.0))

    again = take(intake, ("a", 0, 1.0))
    await intake.writer.committed(again)

    assert again.stored == 0
    assert intake.queue.awaited[0] >= first.sequence


def test_a_series_is_queued_once_for_each_day_on_which_it_has_samples() -> None:
    intake = Intake(limits=IngestLimits(out_of_order_window_ms=5 * DAY_MS))

    for days in (0, 0, -1, -1, -3):
        take(intake, ("a", days * DAY_MS - intake.now_ms % 1000 - days, 1.0))
    take(intake, ("a", -2 * DAY_MS, 1.0))

    # The third day back lies between days that have a row: the series lives as long as it needs to.
    assert series_days(intake) == [(DAY, "a"), (DAY - 1, "a"), (DAY - 3, "a")]


def test_days_that_are_on_disk_already_are_not_queued_again() -> None:
    intake = Intake()
    slots, _ = intake.writer.resolve("test", [series("a"), series("b")])
    intake.writer.known_days(slots[:1], np.array([DAY - 2], np.int32), np.array([DAY], np.int32))

    take(intake, ("a", 0, 1.0), ("b", 0, 1.0))

    assert series_days(intake) == [(DAY, "b")]


def test_the_series_that_takes_a_forgotten_slot_is_queued_for_its_days() -> None:
    intake = Intake()
    take(intake, ("a", 0, 1.0))
    (slot,) = intake.slots("a")
    generation = intake.writer.generation

    intake.forget(slot)
    take(intake, ("b", 0, 1.0))

    assert intake.slots("b") == [slot]
    assert series_days(intake) == [(DAY, "a"), (DAY, "b")]
    assert intake.writer.generation != generation
    assert intake.samples("b") == [(0, 1.0)]


def test_series_beyond_the_limit_have_no_slot_and_a_reason() -> None:
    intake = Intake(limits=IngestLimits(max_series=2))

    slots, refused = intake.writer.resolve("test", [series("a"), series("b"), series("c"), series("a")])

    assert slots[2] == NO_SLOT
    assert slots[0] == slots[3]
    ((row, reason, problem),) = refused
    assert (row, reason) == (2, Drop.SERIES_LIMIT)
    assert "2" in problem
    assert intake.ledger.account("test").last_problem == problem


def test_observers_see_what_is_stored_and_nothing_else() -> None:
    class Observer:
        def __init__(self) -> None:
            self.seen: list[tuple[int, float]] = []

        def observe(self, slots: np.ndarray, times: np.ndarray, values: np.ndarray) -> None:
            del slots
            self.seen += zip((times - NOW_MS).tolist(), values.tolist(), strict=True)

        async def safe(self) -> None:
            pass

    intake = Intake()
    observer = Observer()
    intake.writer.observers.append(observer)

    take(intake, ("a", 0, 1.0), ("a", 0, 1.0), ("b", 700_000, 3.0), ("c", 5, 2.0))

    assert observer.seen == [(0, 1.0), (5, 2.0)]


sample = st.tuples(st.sampled_from("abc"), st.integers(-700_000, 700_000), st.integers(0, 2).map(float))


@given(st.lists(st.lists(sample, min_size=1, max_size=20), max_size=8))
def test_the_books_balance_and_the_queue_has_what_memory_has(batches: list[list[tuple[str, int, float]]]) -> None:
    intake = Intake()

    for batch in batches:
        taken = take(intake, *batch)
        assert taken.stored + sum(taken.dropped.values()) == len(batch)

    account = intake.ledger.account("test")
    assert account.balanced
    assert account.received == sum(map(len, batches))
    held = sum(len(intake.samples(name)) for name in "abc")
    assert held == account.stored == intake.queue.rows("samples")


def test_samples_that_the_engine_refuses_are_booked_as_set_aside_on_their_sources_account() -> None:
    intake = Intake()
    taken = take(intake, ("a", 0, 1.0), ("b", 0, 1.0))
    slots, _ = intake.writer.resolve("other", [series("c")])
    intake.writer.take("other", slots, np.array([NOW_MS]), np.array([1.0]), patience_ms=250)

    intake.writer.refused(Refusal("samples", {taken.sequence: 2}, "the engine refuses these rows"))

    account, other = intake.ledger.account("test"), intake.ledger.account("other")
    assert (account.stored, account.dropped, account.balanced) == (0, {Drop.SET_ASIDE: 2}, True)
    assert account.last_problem == "the engine refuses these rows"
    assert (other.stored, other.balanced) == (1, True)


def test_rows_of_other_tables_that_the_engine_refuses_are_no_samples() -> None:
    intake = Intake()
    taken = take(intake, ("a", 0, 1.0))

    intake.writer.refused(Refusal("series", {taken.sequence: 1}, "the engine refuses these rows"))

    assert intake.ledger.account("test").stored == 1


def test_whose_samples_they_were_is_forgotten_once_they_are_on_disk() -> None:
    intake = Intake()
    first = take(intake, ("a", 0, 1.0))
    intake.queue.committed_sequence = first.sequence

    take(intake, ("a", 1, 1.0))
    intake.writer.refused(Refusal("samples", {first.sequence: 1}, "too late to be true"))

    assert intake.ledger.account("test").stored == 2
