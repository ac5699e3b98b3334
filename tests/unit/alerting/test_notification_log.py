from __future__ import annotations

import pytest

from vedette.alerting.notification_log import RETENTION_MS, Address, Entry, NotificationLog, Reason, decide

NOW_MS = 100_000_000
HOUR = 3_600_000
ADDRESS = Address("team", "webhook", 0)


def _entry(firing: str, resolved: str = "", *, age_ms: int = 0) -> Entry:
    return Entry(NOW_MS - age_ms, frozenset(firing), frozenset(resolved), NOW_MS + HOUR)


@pytest.mark.parametrize(
    ("entry", "firing", "resolved", "expected"),
    [
        pytest.param(None, "a", "", Reason.FIRST, id="never told: what fires is"),
        pytest.param(None, "", "a", None, id="never told: what has ended is not"),
        pytest.param(_entry("a"), "ab", "", Reason.NEW_ALERTS, id="one more"),
        pytest.param(_entry("ab"), "a", "", None, id="one less, of which nothing is known"),
        pytest.param(_entry("", "a"), "a", "", Reason.FIRST, id="again after the end"),
        pytest.param(_entry("a"), "", "a", Reason.ALL_RESOLVED, id="all ended"),
        pytest.param(_entry("", "a"), "", "a", None, id="all ended, and told"),
        pytest.param(_entry("", "a"), "", "b", None, id="fired and ended in between"),
        pytest.param(_entry("ab"), "a", "b", Reason.NEW_RESOLVED, id="one ended"),
        pytest.param(_entry("ab", "c"), "ab", "c", None, id="nothing new"),
        pytest.param(_entry("a", age_ms=4 * HOUR), "a", "", None, id="exactly the repeat interval"),
        pytest.param(_entry("a", age_ms=4 * HOUR + 1), "a", "", Reason.REPEAT, id="one millisecond later"),
    ],
)
def test_when_a_message_is_due(entry: Entry | None, firing: str, resolved: str, expected: Reason | None) -> None:
    found = decide(entry, frozenset(firing), frozenset(resolved), now_ms=NOW_MS, repeat_ms=4 * HOUR, send_resolved=True)

    assert found is expected


def test_who_does_not_want_ends_is_not_told_of_one_among_others() -> None:
    found = decide(_entry("ab"), frozenset("a"), frozenset("b"), now_ms=NOW_MS, repeat_ms=HOUR, send_resolved=False)

    assert found is None


@pytest.mark.parametrize(("repeat_ms", "kept_ms"), [(HOUR, 2 * HOUR), (1000 * HOUR, RETENTION_MS)])
def test_an_entry_is_kept_for_twice_the_repeat_interval_and_at_most_the_retention(repeat_ms: int, kept_ms: int) -> None:
    log = NotificationLog()
    log.put("g", ADDRESS, firing=frozenset("a"), resolved=frozenset(), now_ms=NOW_MS, repeat_ms=repeat_ms)

    assert log.collect(NOW_MS + kept_ms - 1) == []
    assert log.collect(NOW_MS + kept_ms) == [("g", ADDRESS)]
    assert log.get("g", ADDRESS) is None
