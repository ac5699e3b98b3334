from __future__ import annotations

from vedette.alerting.flapping import Changes, FlappingRule

RULE = FlappingRule(changes=3, window_ms=100, quiet_ms=50)


def test_it_takes_enough_changes_within_the_window() -> None:
    changes = Changes()
    for at_ms in (0, 60, 120):
        changes.add(at_ms, RULE)
    assert not changes.is_flapping(120, RULE)

    changes.add(150, RULE)

    assert changes.is_flapping(150, RULE)


def test_it_is_over_when_nothing_changed_for_a_while() -> None:
    changes = Changes()
    for at_ms in (0, 10, 20):
        changes.add(at_ms, RULE)

    assert changes.is_flapping(69, RULE)
    assert not changes.is_flapping(70, RULE)


def test_one_change_more_keeps_it_flapping() -> None:
    changes = Changes()
    for at_ms in (0, 10, 20, 60):
        changes.add(at_ms, RULE)

    assert changes.is_flapping(109, RULE)


def test_after_a_quiet_time_a_single_change_is_not_flapping() -> None:
    changes = Changes()
    for at_ms in (0, 10, 20, 200):
        changes.add(at_ms, RULE)

    assert not changes.is_flapping(200, RULE)


def test_it_can_be_turned_off() -> None:
    changes = Changes()
    for at_ms in range(10):
        changes.add(at_ms, FlappingRule(changes=0))

    assert not changes.is_flapping(10, FlappingRule(changes=0))


def test_memory_is_bounded() -> None:
    changes = Changes()
    for at_ms in range(5000):
        changes.add(at_ms, FlappingRule(window_ms=10**9))

    assert len(changes.times) <= 1001
