from __future__ import annotations

import dataclasses
import itertools
from datetime import datetime

import pytest

from vedette.alerting.intervals import TimeInterval
from vedette.alerting.matchers import LabelMatcher, parse_matchers
from vedette.alerting.silences import (
    RETENTION_MS,
    Recurrence,
    Silence,
    SilenceError,
    Silences,
    SilenceState,
    UnknownSilenceError,
)
from vedette.model.matchers import MatchOp

NOW_MS = 1_800_000_000_000
HOUR = 3_600_000


def _silences(**more: int) -> Silences:
    numbers = itertools.count(1)
    return Silences(new_id=lambda: f"s{next(numbers)}", **more)


def _silence(matchers: str = "alertname=Down", *, start: int = 0, end: int = HOUR, **more: object) -> Silence:
    return Silence(parse_matchers(matchers).matchers, NOW_MS + start, NOW_MS + end, "ann", "why", **more)  # type: ignore[arg-type]


def test_a_silence_is_pending_active_and_expired() -> None:
    (made,) = _silences().put(_silence(start=HOUR, end=2 * HOUR), NOW_MS)

    states = [made.state_at(NOW_MS + at) for at in (HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR)]
    assert states == [SilenceState.PENDING, SilenceState.ACTIVE, SilenceState.ACTIVE, SilenceState.EXPIRED]


def test_a_silence_does_not_start_in_the_past() -> None:
    (made,) = _silences().put(_silence(start=-HOUR), NOW_MS)

    assert made.starts_ms == NOW_MS


def test_an_end_can_be_moved_without_making_another_silence() -> None:
    silences = _silences()
    (made,) = silences.put(_silence(), NOW_MS)

    kept = silences.put(dataclasses.replace(made, ends_ms=NOW_MS + 5 * HOUR, comment="longer"), NOW_MS + 60_000)

    assert [(one.id, one.comment) for one in kept] == [("s1", "longer")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"matchers": parse_matchers("alertname=Other").matchers}, id="other matchers"),
        pytest.param({"starts_ms": NOW_MS + 5_000}, id="another start of one that has started"),
        pytest.param({"recurrence": Recurrence(cron="0 2 * * 0", duration_ms=HOUR)}, id="other times"),
    ],
)
def test_a_change_that_would_rewrite_history_makes_another_silence_and_ends_the_old_one(
    change: dict[str, object],
) -> None:
    silences = _silences()
    (made,) = silences.put(_silence(), NOW_MS)

    new, old = silences.put(dataclasses.replace(made, **change), NOW_MS + 60_000)  # type: ignore[arg-type]

    assert (new.id, old.id) == ("s2", "s1")
    assert old.state_at(NOW_MS + 60_000) is SilenceState.EXPIRED


def test_an_expired_silence_comes_back_under_another_id() -> None:
    silences = _silences()
    (made,) = silences.put(_silence(), NOW_MS)
    silences.expire("s1", NOW_MS + 1)

    kept = silences.put(dataclasses.replace(made, ends_ms=NOW_MS + HOUR), NOW_MS + 2)

    assert [one.id for one in kept] == ["s2"]


def test_expiring_twice_changes_nothing() -> None:
    silences = _silences()
    silences.put(_silence(), NOW_MS)
    once = silences.expire("s1", NOW_MS + 1)

    assert silences.expire("s1", NOW_MS + 2) is once


def test_expiring_a_pending_silence_leaves_no_time_in_which_it_held() -> None:
    silences = _silences()
    silences.put(_silence(start=HOUR, end=2 * HOUR), NOW_MS)

    ended = silences.expire("s1", NOW_MS + 1)

    assert ended.starts_ms == ended.ends_ms == NOW_MS + 1


def test_an_unknown_id_is_an_error() -> None:
    with pytest.raises(UnknownSilenceError):
        _silences().expire("x", NOW_MS)
    with pytest.raises(UnknownSilenceError):
        _silences().put(_silence(id="x"), NOW_MS)


@pytest.mark.parametrize(
    ("silence", "problem"),
    [
        pytest.param(_silence(""), "at least one matcher required", id="no matcher"),
        pytest.param(_silence("a=~.*"), "must not match the empty string", id="everything"),
        pytest.param(_silence(end=-HOUR), "must not be before start time", id="an end before the start"),
        pytest.param(_silence(start=-2 * HOUR, end=-HOUR), "in the past", id="an end in the past"),
        pytest.param(
            Silence((LabelMatcher("a", MatchOp.REGEX, "["),), NOW_MS, NOW_MS + HOUR),
            "invalid label matcher 0: invalid regular expression",
            id="no regular expression",
        ),
        pytest.param(_silence(recurrence=Recurrence()), "needs intervals", id="an empty recurrence"),
        pytest.param(_silence(recurrence=Recurrence(cron="x")), "not a cron expression", id="no cron expression"),
        pytest.param(_silence(recurrence=Recurrence(cron="0 2 * * 0")), "needs a duration", id="no duration"),
        pytest.param(_silence(ticket_url="x" * 20_000), "longer than", id="a novel"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(silence: Silence, problem: str) -> None:
    with pytest.raises(SilenceError, match=problem):
        _silences().put(silence, NOW_MS)


def test_a_negative_matcher_alone_is_accepted() -> None:
    silences = _silences()
    silences.put(_silence("env!=prod"), NOW_MS)

    assert silences.matching({"env": "dev"}) == silences.matching({}) == ("s1",)
    assert silences.matching({"env": "prod"}) == ()


def test_there_can_be_a_limit() -> None:
    silences = _silences(most=1)
    silences.put(_silence(), NOW_MS)

    with pytest.raises(SilenceError, match="exceeded maximum number of silences: 1"):
        silences.put(_silence(), NOW_MS)


def test_a_query_gives_active_pending_and_expired_silences_in_this_order() -> None:
    silences = _silences()
    silences.put(_silence(end=2 * HOUR), NOW_MS)
    silences.put(_silence(end=HOUR), NOW_MS)
    silences.put(_silence(start=HOUR, end=3 * HOUR), NOW_MS)
    silences.put(_silence(), NOW_MS)
    silences.expire("s4", NOW_MS)

    assert [one.id for one in silences.query(NOW_MS)] == ["s2", "s1", "s3", "s4"]
    assert [one.id for one in silences.query(NOW_MS, states=[SilenceState.PENDING])] == ["s3"]


def test_a_query_can_ask_for_matched_alerts_and_for_matchers() -> None:
    silences = _silences()
    silences.put(_silence("alertname=Down,team=db"), NOW_MS)
    silences.put(_silence("alertname=Slow"), NOW_MS)

    assert [one.id for one in silences.query(NOW_MS, labels={"alertname": "Down", "team": "db"})] == ["s1"]
    assert [one.id for one in silences.query(NOW_MS, filters=parse_matchers("team=~d.*").matchers)] == ["s1"]


def test_ended_silences_are_forgotten_after_the_retention_time() -> None:
    silences = _silences()
    silences.put(_silence(), NOW_MS)

    assert silences.collect(NOW_MS + HOUR + RETENTION_MS - 1) == []
    assert silences.collect(NOW_MS + HOUR + RETENTION_MS) == ["s1"]
    assert len(silences) == 0


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("recurrence"),
    [
        pytest.param(
            Recurrence((TimeInterval(((120, 240),), ((0, 0),), location="Europe/Berlin"),)), id="by the calendar"
        ),
        pytest.param(Recurrence(cron="0 2 * * sun", duration_ms=2 * HOUR, location="Europe/Berlin"), id="by cron"),
    ],
)
def test_a_silence_can_come_back_every_sunday_night(recurrence: Recurrence) -> None:
    silence = Silence(
        parse_matchers("a=b").matchers,
        _ms("2026-11-01T00:00:00Z"),
        _ms("2027-11-01T00:00:00Z"),
        recurrence=recurrence,
    )

    def state(text: str) -> SilenceState:
        return silence.state_at(_ms(text))

    assert state("2026-11-22T01:59:59+01:00") is SilenceState.PENDING
    assert state("2026-11-22T02:00:00+01:00") is SilenceState.ACTIVE
    assert state("2026-11-22T03:59:59+01:00") is SilenceState.ACTIVE
    assert state("2026-11-22T04:00:00+01:00") is SilenceState.PENDING
    assert state("2027-11-07T02:30:00+01:00") is SilenceState.EXPIRED


def test_moving_the_end_brings_the_reminder_back() -> None:
    silences = _silences()
    (made,) = silences.put(_silence(remind_ms=HOUR // 2), NOW_MS)
    assert [one.id for one in silences.take_reminders(NOW_MS + HOUR // 2)] == ["s1"]
    assert silences.next_reminder_ms() is None

    silences.put(dataclasses.replace(made, ends_ms=NOW_MS + 2 * HOUR), NOW_MS + HOUR // 2)

    assert silences.next_reminder_ms() == NOW_MS + HOUR + HOUR // 2
