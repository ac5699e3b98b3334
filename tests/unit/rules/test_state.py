from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.rules.state import (
    NEVER,
    RESOLVED_RETENTION_MS,
    AlertRows,
    AlertState,
    advance,
    new_alerts,
    restored_since,
    send,
)

NOON_MS = 1_700_000_000_000
MINUTE = 60_000


def one(rows: AlertRows, *, found: bool, at_ms: int, hold_ms: int = 0, keep_ms: int = 0) -> AlertRows:
    rows, _, gone = advance(rows, np.array([found]), at_ms=at_ms, hold_ms=hold_ms, keep_firing_ms=keep_ms)
    return rows[~gone]


def state_of(rows: AlertRows) -> AlertState | None:
    return AlertState(int(rows["state"][0])) if len(rows) else None


@pytest.mark.parametrize(
    ("held_ms", "expected"),
    [
        pytest.param(299_999, AlertState.PENDING, id="one millisecond short of `for` is still pending"),
        pytest.param(300_000, AlertState.FIRING, id="exactly `for` fires"),
    ],
)
def test_an_alert_fires_once_it_has_been_found_for_the_whole_of_for(held_ms: int, expected: AlertState) -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS, hold_ms=300_000)

    rows = one(rows, found=True, at_ms=NOON_MS + held_ms, hold_ms=300_000)

    assert state_of(rows) is expected


def test_without_for_an_alert_fires_at_once() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)

    assert (state_of(rows), int(rows["fired_ms"][0])) == (AlertState.FIRING, NOON_MS)


def test_a_pending_alert_that_is_not_found_is_forgotten() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS, hold_ms=MINUTE)

    rows = one(rows, found=False, at_ms=NOON_MS + 1000, hold_ms=MINUTE)

    assert len(rows) == 0


@pytest.mark.parametrize(
    ("passed_ms", "kept"),
    [
        pytest.param(RESOLVED_RETENTION_MS, True, id="15 minutes"),
        pytest.param(RESOLVED_RETENTION_MS + 1, False, id="a millisecond more"),
    ],
)
def test_a_resolved_alert_is_kept_for_a_while(passed_ms: int, *, kept: bool) -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)
    rows = one(rows, found=False, at_ms=NOON_MS + MINUTE)

    rows = one(rows, found=False, at_ms=NOON_MS + MINUTE + passed_ms)

    assert (len(rows) == 1) is kept


def test_a_resolved_alert_that_is_found_again_begins_anew() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)
    rows = one(rows, found=False, at_ms=NOON_MS + MINUTE, hold_ms=MINUTE)

    rows = one(rows, found=True, at_ms=NOON_MS + 2 * MINUTE, hold_ms=MINUTE)

    assert state_of(rows) is AlertState.PENDING
    assert int(rows["active_ms"][0]) == NOON_MS + 2 * MINUTE
    assert int(rows["resolved_ms"][0]) == NEVER


def test_keep_firing_for_counts_from_the_first_time_it_is_missed() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)
    states = []

    for minute in range(1, 5):
        rows = one(rows, found=False, at_ms=NOON_MS + minute * MINUTE, keep_ms=2 * MINUTE)
        states.append(state_of(rows))

    assert states == [AlertState.FIRING, AlertState.FIRING, AlertState.INACTIVE, AlertState.INACTIVE]
    assert int(rows["resolved_ms"][0]) == NOON_MS + 3 * MINUTE


def test_keep_firing_for_begins_anew_when_it_is_found_in_between() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)

    for minute, found in enumerate([False, True, False, False], 1):
        rows = one(rows, found=found, at_ms=NOON_MS + minute * MINUTE, keep_ms=2 * MINUTE)

    assert state_of(rows) is AlertState.FIRING
    assert int(rows["fired_ms"][0]) == NOON_MS


def test_a_firing_alert_is_pending_again_when_for_becomes_longer() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)
    rows, _ = send(rows, at_ms=NOON_MS, resend_delay_ms=MINUTE, interval_ms=MINUTE)

    rows = one(rows, found=True, at_ms=NOON_MS + MINUTE, hold_ms=10 * MINUTE)

    assert state_of(rows) is AlertState.PENDING
    assert (int(rows["fired_ms"][0]), int(rows["sent_ms"][0])) == (NEVER, NEVER)


def test_nothing_given_is_changed() -> None:
    rows = new_alerts(1, NOON_MS)
    before = rows.copy()

    advance(rows, np.array([True]), at_ms=NOON_MS, hold_ms=0, keep_firing_ms=0)
    send(rows, at_ms=NOON_MS, resend_delay_ms=1, interval_ms=1)

    assert rows.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    ("passed_ms", "due"),
    [
        pytest.param(MINUTE, False, id="after the resend delay"),
        pytest.param(MINUTE + 1, True, id="a millisecond later"),
    ],
)
def test_a_firing_alert_is_sent_again_behind_the_resend_delay(passed_ms: int, *, due: bool) -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)
    rows, first = send(rows, at_ms=NOON_MS, resend_delay_ms=MINUTE, interval_ms=15_000)

    _, places = send(rows, at_ms=NOON_MS + passed_ms, resend_delay_ms=MINUTE, interval_ms=15_000)

    assert (len(first), len(places)) == (1, int(due))


def test_a_resolved_alert_is_sent_at_once() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)
    rows, _ = send(rows, at_ms=NOON_MS, resend_delay_ms=MINUTE, interval_ms=15_000)
    rows = one(rows, found=False, at_ms=NOON_MS + 15_000)

    _, places = send(rows, at_ms=NOON_MS + 15_000, resend_delay_ms=MINUTE, interval_ms=15_000)

    assert places.tolist() == [0]


@pytest.mark.parametrize(
    ("resend_ms", "interval_ms", "valid_ms"),
    [
        pytest.param(MINUTE, 15_000, 4 * MINUTE, id="four times the resend delay"),
        pytest.param(MINUTE, 5 * MINUTE, 20 * MINUTE, id="four times a longer interval"),
    ],
)
def test_a_sent_alert_is_valid_for_two_failures_in_a_row(resend_ms: int, interval_ms: int, valid_ms: int) -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS)

    rows, _ = send(rows, at_ms=NOON_MS, resend_delay_ms=resend_ms, interval_ms=interval_ms)

    assert int(rows["valid_ms"][0]) == NOON_MS + valid_ms


def test_pending_alerts_are_not_sent() -> None:
    rows = one(new_alerts(1, NOON_MS), found=True, at_ms=NOON_MS, hold_ms=MINUTE)

    _, places = send(rows, at_ms=NOON_MS, resend_delay_ms=0, interval_ms=15_000)

    assert len(places) == 0


# `for` is an hour and the grace period ten minutes; the alert was found since -60 minutes or later.
@pytest.mark.parametrize(
    ("since", "last", "expected"),
    [
        pytest.param(-70, -5, -70, id="it was firing: it fires at once"),
        pytest.param(-60, -5, -50, id="five minutes were left: it fires in ten"),
        pytest.param(-55, -10, -45, id="a quarter of an hour was left: the absence does not count"),
        pytest.param(-30, -20, -10, id="fifty minutes were left: fifty are left"),
    ],
)
def test_time_in_which_nobody_looked_does_not_count_towards_for(since: int, last: int, expected: int) -> None:
    found = restored_since(
        NOON_MS + since * MINUTE,
        NOON_MS + last * MINUTE,
        at_ms=NOON_MS,
        hold_ms=60 * MINUTE,
        grace_ms=10 * MINUTE,
    )

    assert found == NOON_MS + expected * MINUTE


def test_rules_with_a_short_for_are_not_restored() -> None:
    assert restored_since(0, 0, at_ms=NOON_MS, hold_ms=9 * MINUTE, grace_ms=10 * MINUTE) is None


# Against one alert at a time, as Prometheus' rules/alerting.go says it.


@dataclass
class SlowAlert:
    state: str = "pending"
    active: int = 0
    fired: int | None = None
    resolved: int | None = None
    keep_since: int | None = None


def slow_step(alert: SlowAlert | None, *, found: bool, at: int, hold: int, keep: int) -> SlowAlert | None:
    if found and (alert is None or alert.state == "inactive"):
        alert = SlowAlert(active=at)
    if alert is None:
        return None
    keeping = False
    if not found:
        if alert.state == "firing" and keep > 0:
            if alert.keep_since is None:
                alert.keep_since = at
            keeping = at - alert.keep_since < keep
        if alert.state == "pending" or (alert.resolved is not None and at - alert.resolved > 15):
            return None
        if alert.state != "inactive" and not keeping:
            alert.state, alert.resolved = "inactive", at
        if not keeping:
            return alert
    else:
        alert.keep_since = None
    if alert.state == "pending" and at - alert.active >= hold:
        alert.state, alert.fired = "firing", at
    if alert.state == "firing" and at - alert.active < hold:
        alert.state, alert.fired, alert.keep_since = "pending", None, None
    return alert


@given(
    st.lists(
        st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), st.integers(1, 9), st.integers(0, 4)), max_size=40
    ),
    st.integers(0, 5),
)
def test_columns_advance_as_alerts_do_one_by_one(rounds: list[tuple[list[bool], int, int]], keep: int) -> None:
    slow: list[SlowAlert | None] = [None, None, None]
    rows, owners = new_alerts(0, NEVER), np.zeros(0, np.int64)
    minute = 0

    for found, passed, hold in rounds:
        minute += passed
        at_ms = minute * MINUTE
        slow = [
            slow_step(alert, found=hit, at=minute, hold=hold, keep=keep) for alert, hit in zip(slow, found, strict=True)
        ]
        fresh = [i for i in range(3) if found[i] and i not in owners]
        rows = np.concatenate([rows, new_alerts(len(fresh), at_ms)])
        owners = np.concatenate([owners, np.array(fresh, np.int64)])
        hits = np.array([found[i] for i in owners.tolist()], np.bool_)
        rows, active, gone = advance(rows, hits, at_ms=at_ms, hold_ms=hold * MINUTE, keep_firing_ms=keep * MINUTE)
        active, rows, owners = active[~gone], rows[~gone], owners[~gone]

        expected = {i: alert for i, alert in enumerate(slow) if alert is not None}
        assert sorted(owners.tolist()) == sorted(expected)
        for place, owner in enumerate(owners.tolist()):
            alert, row = expected[owner], rows[place]
            assert AlertState(int(row["state"])).name.lower() == alert.state
            assert bool(active[place]) is (alert.state != "inactive")
            assert int(row["active_ms"]) == alert.active * MINUTE
            for name, value in (
                ("fired_ms", alert.fired),
                ("resolved_ms", alert.resolved),
                ("keep_ms", alert.keep_since),
            ):
                assert int(row[name]) == (NEVER if value is None else value * MINUTE), name
