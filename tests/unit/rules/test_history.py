from __future__ import annotations

from harness.rules import MINUTE, labels_of, store_of
from vedette.rules.history import last_firing, last_for_states

DOWN = 'ALERTS_FOR_STATE{alertname="Down",instance="%s"} %s'


def test_the_last_sample_of_each_alert_is_found() -> None:
    store = store_of(
        DOWN % ("a", "5 5 5"), DOWN % ("b", "7"), 'ALERTS_FOR_STATE{alertname="Other"} 1', now_ms=5 * MINUTE
    )

    found = last_for_states(store, "Down", start_ms=0, end_ms=5 * MINUTE)

    assert [(last.labels, last.time_ms, last.since_s) for last in found] == [
        (labels_of(name="ALERTS_FOR_STATE", alertname="Down", instance="a"), 2 * MINUTE, 5.0),
        (labels_of(name="ALERTS_FOR_STATE", alertname="Down", instance="b"), 0, 7.0),
    ]


def test_alerts_that_had_ended_are_not() -> None:
    store = store_of(DOWN % ("a", "5 stale"), now_ms=5 * MINUTE)

    assert last_for_states(store, "Down", start_ms=0, end_ms=5 * MINUTE) == []


def test_samples_outside_of_the_time_do_not_count() -> None:
    store = store_of(DOWN % ("a", "1 2 3 4"), DOWN % ("b", "1"), now_ms=5 * MINUTE)

    found = last_for_states(store, "Down", start_ms=MINUTE, end_ms=2 * MINUTE)

    assert [(last.time_ms, last.since_s) for last in found] == [(2 * MINUTE, 3.0)]


def test_without_a_past_there_is_nothing() -> None:
    assert last_for_states(store_of("up 1"), "Down", start_ms=0, end_ms=MINUTE) == []


ALERTS = 'ALERTS{alertname="Down",alertstate="firing",instance="%s"} %s'


def test_the_last_time_that_each_alert_fired_is_found() -> None:
    store = store_of(
        ALERTS % ("goes on", "1 1 1"),
        ALERTS % ("over", "1 1 stale"),
        ALERTS % ("again", "1 stale _ 1 1 stale"),
        ALERTS % ("long ago", "stale"),
        'ALERTS{alertname="Down",alertstate="pending",instance="pending"} 1x5',
        now_ms=9 * MINUTE,
    )

    found = last_firing(store, "Down", start_ms=0, end_ms=9 * MINUTE)

    assert {dict(last.labels)["instance"]: (last.fired_ms, last.last_ms, last.ended_ms) for last in found} == {
        "goes on": (0, 2 * MINUTE, None),
        "over": (0, MINUTE, 2 * MINUTE),
        "again": (3 * MINUTE, 4 * MINUTE, 5 * MINUTE),
    }
    assert found[0].labels == labels_of(alertname="Down", instance="goes on")
