from __future__ import annotations

import asyncio
import dataclasses

import orjson
import pytest

from harness.alerting import NOON_MS, TEAM, Disk, Hand, running, settle
from vedette.alerting import Reason, Silence, build_plan, parse_alerting
from vedette.alerting.matchers import parse_matchers
from vedette.alerting.service import ServiceLimits
from vedette.model.errors import OverloadedError, StorageError

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def silence(text: str, *, hours: int = 1) -> Silence:
    return Silence(parse_matchers(text).matchers, NOON_MS, NOON_MS + hours * HOUR, "ann", "why")


async def test_an_alert_is_told_after_group_wait_and_repeated_after_the_repeat_interval() -> None:
    async with running() as world:
        await world.fire()
        await world.hand.pass_time(29 * SECOND)
        early = list(world.post.sent)
        await world.hand.pass_time(SECOND)
        world.deliver_all()
        await world.hand.pass_time(4 * HOUR + 5 * MINUTE)

    assert early == []
    assert [one.reason for one in world.post.sent] == [Reason.FIRST, Reason.REPEAT]


async def test_an_alert_is_on_the_disk_when_its_post_returns() -> None:
    async with running() as world:
        await world.fire()

        assert world.disk.kinds() == ["alert", "group"]


async def test_a_message_is_handed_over_after_the_state_that_it_follows_from_is_stored() -> None:
    async with running() as world:
        await world.fire()
        world.disk.open.clear()
        await world.hand.pass_time(30 * SECOND)
        held_up = list(world.post.sent)
        world.disk.open.set()
        await settle()

    assert held_up == []
    assert len(world.post.sent) == 1


async def test_posts_that_come_while_the_disk_is_busy_share_one_transaction() -> None:
    async with running() as world:
        await world.fire()
        before = world.disk.commits
        world.disk.open.clear()
        async with asyncio.TaskGroup() as tasks:
            for number in range(20):
                tasks.create_task(world.fire(instance=str(number)))
            await settle()
            world.disk.open.set()

    assert len(world.service.pipeline.holdings.alerts) == 21
    assert world.disk.commits - before <= 3


async def test_a_failing_disk_refuses_posts_and_holds_no_message_back() -> None:
    async with running() as world:
        await world.fire("Down")
        world.disk.failing = True
        with pytest.raises(StorageError):
            await world.fire("Full")
        await world.hand.pass_time(MINUTE)
        told = {one.alerts[0].alert.name for one in world.post.sent}
        world.disk.failing = False
        await world.hand.pass_time(MINUTE)

        assert told == {"Down", "Full"}
        assert world.disk.kinds().count("alert") == 2
        assert not world.service.keeper.failing


async def test_what_was_sent_and_reported_is_not_sent_again_after_a_restart() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        await world.fire()
        await hand.pass_time(30 * SECOND)
        world.deliver_all()

    async with running(disk=disk, hand=hand) as again:
        await hand.pass_time(HOUR)

    assert len(world.post.sent) == 1
    assert again.post.sent == []


async def test_what_was_handed_over_and_not_reported_is_sent_once_more_after_a_crash() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        await world.fire()
        await hand.pass_time(30 * SECOND)
        crashed = Disk(dict(disk.rows))  # as it is now: what the stop stores is not there

    async with running(disk=crashed, hand=hand) as again:
        await hand.pass_time(HOUR)
        again.deliver_all()
        await hand.pass_time(HOUR)

    assert len(world.post.sent) == 1
    assert [one.group_key for one in again.post.sent] == [world.post.sent[0].group_key]


async def test_an_end_that_was_due_is_told_after_a_restart() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        await world.fire()
        await hand.pass_time(30 * SECOND)
        world.deliver_all()
        await world.service.post([world.alert(ends_ms=hand.now_ms)])

    hand.now_ms += HOUR
    async with running(disk=disk, hand=hand) as again:
        await hand.pass_time(5 * MINUTE)

    (message,) = again.post.sent
    assert message.reason is Reason.ALL_RESOLVED
    assert not message.alerts[0].firing


async def test_a_silence_survives_a_restart_and_can_be_ended() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        made = await world.service.put_silence(silence('alertname="Down"'))

    async with running(disk=disk, hand=hand) as again:
        await again.fire("Down")
        await hand.pass_time(MINUTE)
        silent = list(again.post.sent)
        await again.service.expire_silence(made.id)
        await hand.pass_time(10 * MINUTE)

    assert silent == []
    assert len(again.post.sent) == 1


async def test_a_silence_that_is_about_to_end_is_told_once_if_its_author_wants_that() -> None:
    async with running() as world:
        await world.service.put_silence(dataclasses.replace(silence("alertname=Down"), remind_ms=20 * MINUTE))
        await world.hand.pass_time(39 * MINUTE)
        early = list(world.post.sent)
        await world.hand.pass_time(2 * MINUTE)
        world.deliver_all()
        await world.hand.pass_time(15 * MINUTE)

    (message,) = world.post.sent
    assert early == []
    assert dict(message.alerts[0].alert.labels)["alertname"] == "SilenceEnding"
    assert "Down" in dict(message.alerts[0].alert.annotations)["summary"]


async def test_a_reload_keeps_alerts_and_what_was_told() -> None:
    async with running() as world:
        await world.fire()
        await world.hand.pass_time(30 * SECOND)
        world.deliver_all()
        world.service.reconfigure(build_plan(parse_alerting(TEAM.replace("4h", "6h"), file="x")))
        await world.hand.pass_time(5 * HOUR)
        after_5h = len(world.post.sent)
        await world.hand.pass_time(2 * HOUR)

    assert after_5h == 1
    assert len(world.post.sent) == 2


async def test_messages_wait_while_nobody_delivers() -> None:
    async with running() as world:
        world.service.deliver_by(None)
        await world.fire()
        await world.hand.pass_time(MINUTE)
        before = list(world.post.sent)
        world.service.deliver_by(world.post)

    assert before == []
    assert len(world.post.sent) == 1


async def test_more_alerts_than_there_may_be_are_refused_and_known_ones_are_not() -> None:
    async with running(limits=ServiceLimits(alerts=2)) as world:
        await world.fire("A")
        await world.fire("B")
        with pytest.raises(OverloadedError):
            await world.service.post([world.alert("C"), world.alert("A")])
        world.service.receive([world.alert("D"), world.alert("B")])

        assert {held.alert.name for held in world.service.pipeline.holdings.alerts.values()} == {"A", "B"}
        assert world.service.refused == 2


async def test_a_row_that_cannot_be_read_is_left_out_and_the_others_count() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        await world.fire()
    disk.rows["alert", '["0"]'] = '{"labels": {}}'
    disk.rows["nonsense", "[]"] = "{}"
    disk.rows["group", "not JSON"] = "{}"

    async with running(disk=disk, hand=hand) as again:
        assert len(again.service.pipeline.holdings.alerts) == 1


async def test_a_clock_that_is_corrected_by_seconds_stops_nothing() -> None:
    async with running() as world:
        await world.hand.pass_time(MINUTE)
        before_ms = world.service.now_ms()
        world.hand.ahead_ms = -20 * SECOND
        await world.fire()
        await world.hand.pass_time(30 * SECOND)

        assert world.service.now_ms() == before_ms + 30 * SECOND
        assert len(world.post.sent) == 1


async def test_alerting_goes_on_from_the_time_of_a_clock_that_was_set_back_by_an_hour() -> None:
    async with running() as world:
        await world.fire("Before")
        await world.hand.pass_time(MINUTE)
        world.deliver_all()
        world.hand.ahead_ms = -HOUR
        wall_ms = world.hand.now_ms - HOUR
        down = world.alert("After", ends_ms=wall_ms + 4 * MINUTE)
        await world.service.post([dataclasses.replace(down, starts_ms=wall_ms, updated_ms=wall_ms)])
        await world.hand.pass_time(MINUTE)
        told = [(one.alerts[0].alert.name, one.alerts[0].firing) for one in world.post.sent]
        world.deliver_all()
        await world.hand.pass_time(2 * HOUR)

        assert told == [("Before", True), ("After", True)]
        assert [one.alerts[0].alert.name for one in world.post.sent].count("Before") == 1
        assert not world.post.sent[2].alerts[0].firing


async def test_what_was_stored_after_a_step_back_is_what_counts_after_a_restart() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        await world.fire()
        await hand.pass_time(MINUTE)
        world.deliver_all()
        hand.ahead_ms = -HOUR
        await hand.pass_time(2 * MINUTE)

    async with running(disk=disk, hand=hand) as again:
        await hand.pass_time(HOUR)

        assert again.post.sent == []
        assert len(again.service.pipeline.holdings.alerts) == 1


async def test_decisions_are_in_the_history_with_what_the_alert_said() -> None:
    async with running() as world:
        await world.fire()
        await world.hand.pass_time(MINUTE)
        world.deliver_all()
        await settle()

        assert [orjson.loads(row.content)["verdict"] for row in world.disk.history] == [
            "fired",
            "waiting",
            "sending",
            "sent",
        ]
        assert '"starts_ms"' in world.disk.history[0].content


async def test_stopping_stores_what_was_reported_last() -> None:
    disk, hand = Disk(), Hand()
    async with running(disk=disk, hand=hand) as world:
        await world.fire()
        await hand.pass_time(MINUTE)
        world.deliver_all()

    assert disk.kinds() == ["alert", "group", "log"]
