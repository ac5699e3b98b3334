from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting.rate_guard import GuardRule, RateGuard


def test_what_is_too_much_waits_until_the_oldest_message_has_left_the_window() -> None:
    guard = RateGuard(GuardRule(2, 100))

    assert [guard.admit(at) for at in (0, 10, 20, 30)] == [True, True, False, False]
    assert guard.summary_ms == 100


def test_while_a_summary_is_due_nothing_goes_before_it() -> None:
    guard = RateGuard(GuardRule(1, 100))
    guard.admit(0)
    guard.admit(10)

    assert not guard.admit(150)
    guard.summarise(150)
    assert not guard.admit(160)
    guard.summarise(250)
    assert guard.admit(360)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 4))
def test_no_window_holds_more_messages_than_allowed(gaps: list[int], messages: int) -> None:
    guard = RateGuard(GuardRule(messages, 100))
    sent: list[int] = []
    now = 0
    for gap in gaps:
        now += gap
        if guard.summary_ms is not None and guard.summary_ms <= now:
            guard.summarise(guard.summary_ms)
            sent.append(now)
        if guard.admit(now):
            sent.append(now)

    for start in sent:
        assert sum(start <= one < start + 100 for one in sent) <= messages + 1
