from __future__ import annotations

import dataclasses

import pytest
from simulation import (
    CALENDAR,
    DAY,
    DIGEST,
    FLAPPING,
    GUARDED,
    HOUR,
    INHIBITING,
    LATER,
    MINUTE,
    NOON_MS,
    SECOND,
    SIMPLE,
    World,
    alert,
    plan_of,
    silence,
)

from vedette.alerting import Form, Notify, Verdict


def test_a_new_group_waits_for_company_and_tells_all_at_once() -> None:
    world = World.of()

    world.fire(instance="a")
    world.pass_time(10 * SECOND)
    world.fire(instance="b")
    world.pass_time(HOUR)

    assert world.messages() == [(30, "first notification", ["Down/a", "Down/b"])]


def test_what_comes_after_the_first_message_waits_for_the_group_interval() -> None:
    world = World.of()

    world.fire(instance="a")
    world.pass_time(MINUTE)
    world.fire(instance="b")
    world.pass_time(HOUR)

    assert world.messages()[1:] == [(330, "new alerts in group", ["Down/a", "Down/b"])]


def test_alerts_with_other_group_labels_are_told_apart() -> None:
    world = World.of()

    world.fire("Down")
    world.fire("Slow")
    world.pass_time(HOUR)

    assert [one.group_key for one in world.sent] == ['{}:{alertname="Down"}', '{}:{alertname="Slow"}']


def test_an_alert_older_than_group_wait_is_told_at_once() -> None:
    world = World.of()

    world.post(alert(starts_ms=NOON_MS - 31 * SECOND))
    world.pass_time(0)

    assert world.messages() == [(0, "first notification", ["Down"])]


def test_an_old_alert_ends_the_wait_of_a_group_that_was_never_told() -> None:
    world = World.of()

    world.fire(instance="a")
    world.pass_time(10 * SECOND)
    world.post(alert(instance="b", starts_ms=NOON_MS - HOUR))
    world.pass_time(HOUR)

    assert world.messages() == [(10, "first notification", ["Down/a", "Down/b"])]


def test_nothing_is_repeated_before_the_repeat_interval_has_passed() -> None:
    world = World.of()

    world.fire()
    world.pass_time(4 * HOUR)

    assert len(world.messages()) == 1


def test_an_unchanged_group_is_repeated_at_the_first_look_after_the_repeat_interval() -> None:
    world = World.of()

    world.fire()
    world.pass_time(9 * HOUR)

    assert world.messages()[1:] == [
        (30 + 4 * 3600 + 300, "repeat interval elapsed", ["Down"]),
        (30 + 8 * 3600 + 600, "repeat interval elapsed", ["Down"]),
    ]


def test_the_end_of_all_alerts_is_told_and_the_group_forgotten() -> None:
    world = World.of()

    world.fire()
    world.pass_time(MINUTE)
    world.resolve()
    world.pass_time(HOUR)

    assert world.messages()[1:] == [(330, "all alerts resolved", ["-Down"])]
    assert world.pipeline.wake_at() is None
    assert not world.pipeline.holdings.alerts
    assert not world.pipeline.holdings.groups


def test_the_end_of_one_of_several_alerts_is_told_with_the_others() -> None:
    world = World.of()

    world.fire(instance="a")
    world.fire(instance="b")
    world.pass_time(MINUTE)
    world.resolve(instance="a")
    world.pass_time(HOUR)

    assert world.messages()[1:] == [(330, "new resolved alerts", ["-Down/a", "Down/b"])]


def test_an_alert_that_ends_before_anybody_was_told_is_never_told() -> None:
    world = World.of()

    world.fire()
    world.pass_time(10 * SECOND)
    world.resolve()
    world.pass_time(HOUR)

    assert world.messages() == []
    assert Verdict.ENDED_UNTOLD in {one.verdict for one in world.records}


def test_an_alert_that_nobody_reports_again_ends_by_itself() -> None:
    world = World.of()

    world.post(alert(ends_ms=NOON_MS + 5 * MINUTE))
    world.pass_time(HOUR)

    assert world.messages()[1:] == [(330, "all alerts resolved", ["-Down"])]


def test_an_alert_that_fires_again_after_its_end_was_told_is_news() -> None:
    world = World.of()

    world.fire()
    world.pass_time(MINUTE)
    world.resolve()
    world.pass_time(HOUR)
    world.fire()
    world.pass_time(HOUR)

    assert [one[1] for one in world.messages()] == ["first notification", "all alerts resolved", "first notification"]


def test_an_alert_that_fires_again_before_its_end_was_told_has_never_ended() -> None:
    world = World.of()

    world.fire()
    world.pass_time(MINUTE)
    world.resolve()
    world.pass_time(SECOND)
    world.fire()
    world.pass_time(HOUR)

    assert len(world.messages()) == 1


def test_who_does_not_want_to_hear_of_ends_is_told_of_the_next_beginning_all_the_same() -> None:
    world = World.of(SIMPLE.replace("'http://example.org/'", "'http://example.org/', send_resolved: false"))

    world.fire()
    world.pass_time(MINUTE)
    world.resolve()
    world.pass_time(HOUR)
    world.fire()
    world.pass_time(HOUR)

    assert [one[1:] for one in world.messages()] == [("first notification", ["Down"])] * 2


def test_who_does_not_want_to_hear_of_ends_gets_messages_without_ended_alerts() -> None:
    world = World.of(SIMPLE.replace("'http://example.org/'", "'http://example.org/', send_resolved: false"))

    world.fire(instance="a")
    world.fire(instance="b")
    world.pass_time(MINUTE)
    world.resolve(instance="a")
    world.fire(instance="c")
    world.pass_time(HOUR)

    assert world.messages()[1:] == [(330, "new alerts in group", ["Down/b", "Down/c"])]


def test_a_message_that_failed_is_made_again_at_the_next_look() -> None:
    world = World.of()
    world.deliver = lambda _: "503" if len(world.sent) == 1 else ""

    world.fire()
    world.pass_time(HOUR)

    assert world.messages() == [(30, "first notification", ["Down"]), (330, "first notification", ["Down"])]


def test_an_end_that_could_not_be_told_is_told_later() -> None:
    world = World.of()
    world.deliver = lambda _: "503" if len(world.sent) == 2 else ""

    world.fire()
    world.pass_time(MINUTE)
    world.resolve()
    world.pass_time(HOUR)

    assert [one[:2] for one in world.messages()] == [
        (30, "first notification"),
        (330, "all alerts resolved"),
        (630, "all alerts resolved"),
    ]
    assert not world.pipeline.holdings.groups


def test_while_a_message_is_on_its_way_no_other_one_is_sent_there() -> None:
    world = World.of()
    world.deliver = lambda _: None

    world.fire(instance="a")
    world.pass_time(MINUTE)
    world.fire(instance="b")
    world.pass_time(10 * MINUTE)
    assert len(world.sent) == 1

    world.take(world.pipeline.report(world.sent[0].id, world.now_ms))
    world.pass_time(5 * MINUTE)

    assert [one[1:] for one in world.messages()][1:] == [("new alerts in group", ["Down/a", "Down/b"])]


def test_an_end_that_came_while_a_message_was_on_its_way_is_not_lost() -> None:
    world = World.of()
    world.deliver = lambda _: None
    world.fire()
    world.pass_time(MINUTE)
    world.resolve()
    world.pass_time(10 * MINUTE)

    world.deliver = lambda _: ""
    world.take(world.pipeline.report(world.sent[0].id, world.now_ms))
    world.pass_time(HOUR)

    assert [one[1] for one in world.messages()] == ["first notification", "all alerts resolved"]


def test_a_failing_integration_neither_delays_nor_repeats_the_messages_of_another() -> None:
    world = World.of(SIMPLE.replace("[{url: 'http://example.org/'}]", "[{url: 'http://a/'}, {url: 'http://b/'}]"))
    world.deliver = lambda message: "503" if message.address.number == 1 else ""

    world.fire()
    world.pass_time(14 * MINUTE)

    assert [one.address.number for one in world.sent] == [0, 1, 1, 1]


def test_a_report_that_comes_twice_counts_once() -> None:
    world = World.of()
    world.fire()
    world.pass_time(HOUR)

    assert world.pipeline.report(world.sent[0].id, world.now_ms, error="late") == []


def test_a_silenced_alert_is_not_told_until_the_silence_ends() -> None:
    world = World.of()
    world.pipeline.put_silence(silence("Down", starts_ms=NOON_MS, ends_ms=NOON_MS + HOUR), NOON_MS)

    world.fire()
    world.pass_time(2 * HOUR)

    assert world.messages() == [(3630, "first notification", ["Down"])]
    assert any(one.verdict is Verdict.SILENCED and one.by == ("silence-1",) for one in world.records)


def test_expiring_a_silence_lets_the_alert_through_at_the_next_look() -> None:
    world = World.of()
    made = world.pipeline.put_silence(silence("Down", starts_ms=NOON_MS, ends_ms=NOON_MS + HOUR), NOON_MS)
    world.fire()
    world.pass_time(10 * MINUTE)

    world.pipeline.expire_silence(made.id, world.now_ms)
    world.pass_time(10 * MINUTE)

    assert world.messages() == [(630, "first notification", ["Down"])]


def test_a_warning_is_not_told_while_something_worse_fires() -> None:
    world = World.of(INHIBITING)

    world.fire("Slow", severity="warning", service="web")
    world.fire("Down", severity="critical", service="web")
    world.pass_time(HOUR)

    assert [one[2] for one in world.messages()] == [["Down/web/critical"]]
    assert any(one.verdict is Verdict.INHIBITED and one.detail == "worse" for one in world.records)


def test_a_silenced_alert_inhibits_others_all_the_same() -> None:
    world = World.of(INHIBITING)
    world.pipeline.put_silence(silence("Down", starts_ms=NOON_MS, ends_ms=NOON_MS + DAY), NOON_MS)

    world.fire("Slow", severity="warning", service="web")
    world.fire("Down", severity="critical", service="web")
    world.pass_time(HOUR)

    assert world.messages() == []


def test_a_warning_is_told_once_what_was_worse_has_ended() -> None:
    world = World.of(INHIBITING)
    world.fire("Slow", severity="warning", service="web")
    world.fire("Down", severity="critical", service="web")
    world.pass_time(HOUR)

    world.resolve("Down", severity="critical", service="web")
    world.pass_time(HOUR)

    assert sorted(one[2] for one in world.messages()[1:]) == [["-Down/web/critical"], ["Slow/web/warning"]]


def test_in_a_mute_interval_nothing_is_sent_and_afterwards_what_still_fires() -> None:
    world = World.of(CALENDAR)

    world.fire(team="night")
    world.pass_time(2 * HOUR)

    assert world.messages() == [(3600, "first notification", ["Down/night"])]
    assert any(one.verdict is Verdict.MUTED and one.by == ("lunch",) for one in world.records)


def test_outside_of_all_active_intervals_nothing_is_sent() -> None:
    world = World.of(CALENDAR)

    world.fire(team="day")
    world.pass_time(3 * HOUR)

    assert world.messages() == [(7200, "first notification", ["Down/day"])]
    assert any(one.verdict is Verdict.INACTIVE and one.by == ("office", "weekend") for one in world.records)


def test_a_route_that_goes_on_tells_two_receivers() -> None:
    world = World.of("""
route:
  receiver: rest
  group_wait: 0s
  routes:
  - {matchers: [severity="critical"], receiver: pager, continue: true}
  - {matchers: [severity=~"critical|warning"], receiver: chat}
receivers:
- {name: rest, webhook_configs: [{url: 'http://example.org/'}]}
- {name: pager, webhook_configs: [{url: 'http://example.org/'}]}
- {name: chat, webhook_configs: [{url: 'http://example.org/'}]}
""")

    world.fire(severity="critical")
    world.fire(severity="warning")
    world.fire(severity="info")
    world.pass_time(MINUTE)

    assert [(one.address.receiver, len(one.alerts)) for one in world.sent] == [("pager", 1), ("chat", 2), ("rest", 1)]


def test_a_receiver_that_vedette_cannot_reach_is_named_in_the_records() -> None:
    world = World.of("""
global: {wechat_api_secret: k, wechat_api_corp_id: c}
route: {receiver: team, group_wait: 0s}
receivers: [{name: team, wechat_configs: [{send_resolved: true}]}]
""")

    world.fire()
    world.pass_time(MINUTE)

    assert world.messages() == []
    assert [one.address.kind for one in world.records if one.verdict is Verdict.UNDELIVERED] == ["wechat"]


def test_a_decision_is_recorded_once_and_again_only_when_it_changes() -> None:
    world = World.of()

    world.fire()
    world.pass_time(3 * HOUR)

    assert world.verdicts("Down") == ["FIRED", "WAITING", "SENDING", "SENT", "NOT_DUE"]


# Flapping.


def _flap(world: World, times: int) -> None:
    for _ in range(times):
        world.resolve()
        world.pass_time(6 * MINUTE)
        world.fire()
        world.pass_time(6 * MINUTE)


def test_of_a_flapping_alert_people_hear_nothing_until_it_is_quiet() -> None:
    world = World.of(FLAPPING)
    world.fire()
    world.pass_time(MINUTE)

    _flap(world, 4)
    before = len(world.messages())
    world.resolve()
    world.pass_time(19 * MINUTE)
    assert len(world.messages()) == before == 3
    world.pass_time(10 * MINUTE)

    assert world.messages()[-1][1:] == ("all alerts resolved", ["-Down"])
    assert any(one.verdict is Verdict.FLAPPING for one in world.records)


def test_without_hold_flapping_every_change_is_told_and_marked() -> None:
    world = World.of(FLAPPING.replace("hold_flapping: true, ", ""))
    world.fire()
    world.pass_time(MINUTE)

    _flap(world, 3)

    assert len(world.messages()) == 7
    assert [one.alerts[0].flapping for one in world.sent] == [False, False, False, True, True, True, True]


# Rate guard.


def test_a_storm_becomes_one_summary() -> None:
    world = World.of(GUARDED)

    for number in range(6):
        world.fire(f"A{number}")
        world.pass_time(SECOND)
    world.pass_time(HOUR)

    assert [one[1:] for one in world.messages()] == [
        ("first notification", ["A0"]),
        ("first notification", ["A1"]),
        ("summary", ["A2", "A3", "A4", "A5"]),
    ]
    assert world.messages()[-1][0] == 600


def test_the_summary_tells_the_latest_state() -> None:
    world = World.of(GUARDED)
    for number in range(4):
        world.fire(f"A{number}")
        world.pass_time(SECOND)

    world.resolve("A2")
    world.pass_time(HOUR)

    assert [one[2] for one in world.messages() if one[1] == "summary"] == [["A3"]]


def test_what_a_summary_could_not_tell_is_told_later() -> None:
    world = World.of(GUARDED)
    world.deliver = lambda message: "503" if message.form is Form.SUMMARY and len(world.sent) == 3 else ""

    for number in range(4):
        world.fire(f"A{number}")
    world.pass_time(HOUR)

    told = {one for message in world.messages()[3:] for one in message[2]}
    assert told == {"A2", "A3"}


# Digests.


def test_a_digest_tells_at_the_full_hour_what_happened_since_the_last_one() -> None:
    world = World.of(DIGEST)
    world.pass_time(10 * MINUTE)

    world.fire("A")
    world.pass_time(10 * MINUTE)
    world.fire("B")
    world.resolve("A")
    world.pass_time(3 * HOUR)

    assert world.messages() == [(3600, "digest", ["-A", "B"])]
    assert [(one.fired, one.resolved, one.firing) for one in world.sent[0].items] == [(1, 1, False), (1, 0, True)]


def test_a_digest_in_which_nothing_happened_is_not_sent() -> None:
    world = World.of(DIGEST)
    world.fire("A")
    world.pass_time(3 * HOUR)

    assert len(world.messages()) == 1


def test_a_digest_that_could_not_be_sent_is_sent_with_the_next_one() -> None:
    world = World.of(DIGEST)
    world.deliver = lambda _: "503" if len(world.sent) == 1 else ""
    world.fire("A")
    world.pass_time(70 * MINUTE)

    world.fire("B")
    world.pass_time(2 * HOUR)

    assert [one[2] for one in world.messages()] == [["A"], ["A", "B"]]


def test_what_happens_while_a_digest_is_on_its_way_is_in_the_next_one() -> None:
    world = World.of(DIGEST)
    world.deliver = lambda _: None
    world.fire("A")
    world.pass_time(HOUR)
    world.fire("B")
    world.pass_time(MINUTE)

    world.deliver = lambda _: ""
    world.take(world.pipeline.report(world.sent[0].id, world.now_ms))
    world.pass_time(2 * HOUR)

    assert [one[2] for one in world.messages()] == [["A"], ["B"]]


def test_without_send_resolved_a_digest_does_not_claim_that_an_ended_alert_fires() -> None:
    world = World.of(DIGEST.replace("digest: hourly", "digest: hourly, send_resolved: false"))
    world.fire("A")
    world.fire("B")
    world.pass_time(10 * MINUTE)
    world.resolve("A")
    world.pass_time(3 * HOUR)

    assert world.messages() == [(3600, "digest", ["-A", "B"])]


def test_a_reminder_in_a_digest_does_not_count_as_a_new_beginning() -> None:
    world = World.of(DIGEST)
    world.fire("A")
    world.pass_time(6 * HOUR)

    assert [one.fired for message in world.sent for one in message.items] == [1, 0]


# Silences' reminders.


def test_the_author_of_a_silence_is_reminded_once_before_it_ends() -> None:
    world = World.of()
    reminding = silence("Down", starts_ms=NOON_MS, ends_ms=NOON_MS + 2 * HOUR, remind_ms=30 * MINUTE)
    world.pipeline.put_silence(reminding, NOON_MS)

    world.pass_time(89 * MINUTE)
    assert world.reminders == []
    world.pass_time(DAY)

    assert [one.silence.id for one in world.reminders] == ["silence-1"]


# Reconfiguration.


def test_groups_keep_their_clocks_and_memory_across_a_reload() -> None:
    world = World.of()
    world.fire()
    world.pass_time(MINUTE)

    world.take(world.pipeline.reconfigure(plan_of(SIMPLE), world.now_ms))
    world.fire(instance="b")
    world.pass_time(HOUR)

    assert world.messages() == [
        (30, "first notification", ["Down"]),
        (330, "new alerts in group", ["Down/b", "Down"]),
    ]


def test_a_new_receiver_is_told_of_what_fires_already() -> None:
    world = World.of()
    world.fire()
    world.pass_time(10 * MINUTE)

    changed = SIMPLE.replace("receiver: team", "receiver: others").replace("name: team", "name: others")
    world.take(world.pipeline.reconfigure(plan_of(changed), world.now_ms))
    world.pass_time(10 * MINUTE)

    assert [one[1:] for one in world.messages("others")] == [("first notification", ["Down"])]


def test_a_digest_that_is_configured_away_is_told_at_once() -> None:
    world = World.of(DIGEST)
    world.fire("A")
    world.pass_time(10 * MINUTE)

    world.take(world.pipeline.reconfigure(plan_of(DIGEST.replace(", digest: hourly", "")), world.now_ms))
    world.pass_time(10 * MINUTE)

    assert [one[1:] for one in world.messages()] == [("first notification", ["A"])]


def test_a_message_on_its_way_during_a_reload_is_not_sent_twice() -> None:
    world = World.of()
    world.deliver = lambda _: None
    world.fire()
    world.pass_time(MINUTE)

    world.take(world.pipeline.reconfigure(plan_of(SIMPLE), world.now_ms))
    world.pass_time(10 * MINUTE)
    world.take(world.pipeline.report(world.sent[0].id, world.now_ms))
    world.pass_time(HOUR)

    assert len(world.sent) == 1


# Bounds.


def test_nothing_is_kept_of_what_is_over() -> None:
    world = World.of()
    for number in range(50):
        world.fire(f"A{number}")
    world.pass_time(HOUR)
    for number in range(50):
        world.resolve(f"A{number}")
    world.pass_time(10 * DAY)
    world.take(world.pipeline.advance(world.now_ms))

    holdings = world.pipeline.holdings
    assert not holdings.alerts
    assert not holdings.groups
    assert not holdings.changes
    assert len(holdings.log) == 0
    assert world.pipeline.in_flight() == 0


@pytest.mark.slow
def test_on_a_day_with_ten_thousand_alerts_everyone_is_told_of_every_one() -> None:
    world = World.of(SIMPLE.replace("group_by: [alertname]", "group_by: [alertname, cluster]"))
    firing: set[str] = set()
    for number in range(10_000):
        world.now_ms = max(world.now_ms, NOON_MS + number * 4 * SECOND)
        world.fire(f"A{number % 50}", cluster=f"c{number // 50 % 10}", instance=f"i{number}")
        if number % 100 == 0:
            world.pass_time(0)
        if number % 3 == 0:
            world.resolve(f"A{number % 50}", cluster=f"c{number // 50 % 10}", instance=f"i{number}")
        else:
            firing.add(f"A{number % 50}/c{number // 50 % 10}/i{number}")
    world.pass_time(NOON_MS + DAY - world.now_ms)

    last: dict[str, list[str]] = {one.group_key: [] for one in world.sent}
    for one in world.sent:
        last[one.group_key] = ["/".join(value for _, value in told.alert.labels) for told in one.alerts if told.firing]
    assert {name for names in last.values() for name in names} == firing
    assert len(world.pipeline.holdings.groups) == 500
    assert len(world.pipeline.holdings.alerts) == len(firing)


def test_effects_of_one_call_are_plain_frozen_data() -> None:
    world = World.of()
    world.fire()
    world.pass_time(MINUTE)

    with pytest.raises(dataclasses.FrozenInstanceError):
        world.sent[0].at_ms = 0  # type: ignore[misc]
    assert isinstance(world.sent[0], Notify)
    assert world.sent[0].alerts[0].alert.ends_ms == NOON_MS + LATER
