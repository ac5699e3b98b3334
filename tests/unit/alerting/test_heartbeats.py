from __future__ import annotations

import pytest

from vedette.alerting.heartbeats import Heartbeats
from vedette.config import AlertHeartbeat
from vedette.model.durations import Duration

NOON_MS, MINUTE, HOUR = 1_800_014_400_000, 60_000, 3_600_000
BACKUP = AlertHeartbeat(
    name="backup", interval=Duration(HOUR), grace=Duration(MINUTE), labels=(("severity", "critical"),)
)


def waiting(last: dict[str, int] | None = None) -> Heartbeats:
    return Heartbeats([BACKUP], last or {}, NOON_MS)


@pytest.mark.parametrize(
    ("after_ms", "missing"),
    [
        pytest.param(HOUR + MINUTE - 1, 0, id="one millisecond before its grace is over nothing is missing"),
        pytest.param(HOUR + MINUTE, 1, id="then it is"),
    ],
)
def test_a_call_is_missing_once_interval_and_grace_have_passed(after_ms: int, missing: int) -> None:
    beats = waiting()
    beats.beat("backup", NOON_MS)

    assert len(beats.missing(NOON_MS + after_ms)) == missing


def test_the_alert_has_its_labels_and_the_same_start_each_time() -> None:
    beats = waiting()

    (first,) = beats.missing(NOON_MS + 2 * HOUR)
    (again,) = beats.missing(NOON_MS + 3 * HOUR)

    assert dict(first.labels) == {"alertname": "HeartbeatMissed", "heartbeat": "backup", "severity": "critical"}
    assert first.starts_ms == again.starts_ms == NOON_MS + HOUR + MINUTE
    assert not again.resolved_at(NOON_MS + 3 * HOUR)


def test_an_alert_that_goes_on_is_reported_once_a_minute() -> None:
    beats = waiting()
    beats.missing(NOON_MS + 2 * HOUR)

    assert beats.missing(NOON_MS + 2 * HOUR + MINUTE - 1) == []
    assert len(beats.missing(NOON_MS + 2 * HOUR + MINUTE)) == 1


def test_the_next_call_ends_the_alert_and_starts_the_wait_anew() -> None:
    beats = waiting()
    beats.missing(NOON_MS + 2 * HOUR)

    (end,) = beats.beat("backup", NOON_MS + 2 * HOUR)

    assert end.resolved_at(NOON_MS + 2 * HOUR)
    assert beats.beat("backup", NOON_MS + 2 * HOUR) == []
    assert beats.missing(NOON_MS + 3 * HOUR) == []


def test_the_first_call_after_a_start_ends_an_alert_that_may_be_left() -> None:
    (end,) = waiting({"backup": NOON_MS - HOUR}).beat("backup", NOON_MS)

    assert end.resolved_at(NOON_MS)


def test_after_a_start_everybody_has_the_grace_to_call() -> None:
    beats = waiting({"backup": NOON_MS - 5 * HOUR})

    assert beats.missing(NOON_MS + MINUTE - 1) == []
    assert len(beats.missing(NOON_MS + MINUTE)) == 1


def test_a_call_before_the_start_counts() -> None:
    beats = waiting({"backup": NOON_MS - HOUR // 2})

    assert beats.missing(NOON_MS + HOUR // 2) == []
    assert len(beats.missing(NOON_MS + HOUR // 2 + MINUTE)) == 1


def test_a_name_that_nobody_waits_for_is_unknown() -> None:
    with pytest.raises(KeyError):
        waiting().beat("other", NOON_MS)


def test_a_reload_keeps_what_is_the_same_and_ends_the_alerts_of_what_is_gone() -> None:
    beats = waiting()
    beats.missing(NOON_MS + 2 * HOUR)
    kept = beats.reconfigure([BACKUP], NOON_MS + 2 * HOUR)
    still = beats.missing(NOON_MS + 2 * HOUR + MINUTE)

    (gone,) = beats.reconfigure([], NOON_MS + 2 * HOUR)

    assert kept == []
    assert len(still) == 1
    assert gone.resolved_at(NOON_MS + 2 * HOUR)
    assert beats.missing(NOON_MS + 9 * HOUR) == []
