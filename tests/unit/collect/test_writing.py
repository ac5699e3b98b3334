from __future__ import annotations

import numpy as np
import pytest

from harness.intake import NOW_MS, Intake, series
from vedette.collect.writing import PATIENCE_MS, mark_stale, reached_tick_ms, round_time_ms, write_now
from vedette.ingest.limits import Drop


def slots_of(intake: Intake, *names: str) -> np.ndarray:
    return intake.writer.resolve("test", [series(name) for name in names])[0]


def test_samples_of_one_time_are_stored_and_series_without_a_slot_are_left_out() -> None:
    intake = Intake()
    slots = np.concatenate([slots_of(intake, "a"), [-1], slots_of(intake, "b")])

    assert write_now(intake.writer, "test", slots, np.array([1.0, 2.0, 3.0]), NOW_MS)

    assert (intake.samples("a"), intake.samples("b")) == ([(0, 1.0)], [(0, 3.0)])
    assert set(intake.queue.patience_ms) == {PATIENCE_MS}


def test_what_finds_no_room_is_booked_as_lost() -> None:
    intake = Intake()
    slots = slots_of(intake, "a", "b")
    intake.queue.full = True

    assert not mark_stale(intake.writer, "test", slots, NOW_MS)

    account = intake.ledger.account("test")
    assert account.dropped == {Drop.OVERLOADED: 2}
    assert account.balanced


def test_nothing_to_write_is_no_failure_even_without_room() -> None:
    intake = Intake()
    intake.queue.full = True

    assert mark_stale(intake.writer, "test", np.zeros(0, np.int64), NOW_MS)
    assert write_now(intake.writer, "test", np.array([-1]), np.ones(1), NOW_MS)


@pytest.mark.parametrize(
    ("now_ms", "interval_ms", "expected"),
    [
        pytest.param(5_000, 15_000, 5_000, id="on time"),
        pytest.param(5_010, 15_000, 5_000, id="a little late"),
        pytest.param(4_990, 15_000, 5_000, id="a little early"),
        pytest.param(5_011, 15_000, 5_011, id="late"),
        pytest.param(5_003, 200, 5_003, id="late for a short interval"),
        pytest.param(5_002, 200, 5_000, id="a little late for a short interval"),
        pytest.param(5_000 - 3_600_000, 15_000, 5_000 - 3_600_000, id="the clock was set back"),
    ],
)
def test_a_round_has_the_time_it_was_due_unless_that_is_not_true(now_ms: int, interval_ms: int, expected: int) -> None:
    assert round_time_ms(5_000, now_ms, interval_ms) == expected


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        pytest.param(60_000, 60_000, id="on time"),
        pytest.param(59_999, 60_000, id="woken a little early"),
        pytest.param(74_999, 60_000, id="late by less than a round"),
        pytest.param(75_000, 75_000, id="late by a round"),
        pytest.param(3_660_007, 3_660_000, id="the clock was set an hour ahead"),
        pytest.param(45_001, 60_000, id="the clock was set back by less than a round"),
        pytest.param(30_007, 30_000, id="the clock was set back"),
    ],
)
def test_a_round_stands_for_the_tick_that_the_clock_has_reached(now_ms: int, expected: int) -> None:
    assert reached_tick_ms(60_000, now_ms, 15_000) == expected
