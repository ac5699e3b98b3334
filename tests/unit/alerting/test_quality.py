from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any

from vedette.alerting import Address, Record, Verdict
from vedette.alerting.quality import quality, quality_fields

NOON_MS, MINUTE, HOUR = 1_800_014_400_000, 60_000, 3_600_000
TEAM = Address("team", "slack", 0)


def record(verdict: Verdict, at_ms: int, *, name: str = "Down/1", **more: Any) -> Record:
    return Record(at_ms, name, verdict, **more)


def judged(*records: Record, zone: Any = UTC) -> dict[str, Any]:
    return {one.name: one for one in quality(records, lambda name: name.partition("/")[0], zone)}


def test_an_alert_that_ends_within_five_minutes_is_short_and_a_longer_one_is_not() -> None:
    found = judged(
        record(Verdict.FIRED, NOON_MS),
        record(Verdict.RESOLVED, NOON_MS + 5 * MINUTE),
        record(Verdict.FIRED, NOON_MS + HOUR),
        record(Verdict.RESOLVED, NOON_MS + HOUR + 5 * MINUTE + 1),
    )["Down"]

    assert (found.fired, found.short) == (2, 1)
    assert found.median_ms == 5 * MINUTE


def test_one_message_about_several_alerts_of_a_name_is_one_message() -> None:
    sent = [record(Verdict.SENT, NOON_MS, name=f"Down/{n}", address=TEAM, message=7) for n in range(20)]

    assert judged(*sent, record(Verdict.SENT, NOON_MS, name="Down/1", message=8))["Down"].told == 2


def test_the_night_is_where_people_sleep() -> None:
    sent = record(Verdict.SENT, NOON_MS, message=7)

    assert judged(sent)["Down"].told_at_night == 0
    assert judged(sent, zone=timezone(timedelta(hours=12)))["Down"].told_at_night == 1


def test_what_hid_alerts_is_counted_by_name_and_what_fired_most_comes_first() -> None:
    found = judged(
        record(Verdict.SILENCED, NOON_MS, name="Full/1"),
        record(Verdict.INHIBITED, NOON_MS, name="Full/2"),
        record(Verdict.FLAPPING, NOON_MS, name="Full/2"),
        record(Verdict.FAILED, NOON_MS, name="Full/2", message=1),
        record(Verdict.FIRED, NOON_MS, name="Down/1"),
    )

    assert list(found) == ["Down", "Full"]
    full = quality_fields(found["Full"])
    assert [full[name] for name in ("silenced", "inhibited", "flapping", "failed", "told")] == [1, 1, 1, 1, 0]
    assert full["medianSeconds"] is None
