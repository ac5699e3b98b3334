"""The machine decides, the outbox sends and reports, and the machine goes on from there."""

from __future__ import annotations

from simulation import MINUTE, NOON_MS, SECOND, World, alert

from harness.delivering import Delivering, delivering
from harness.receivers import Reply, serve_receiver
from vedette.alerting import Effect, Notify, parse_alerting
from vedette.alerting.settings.file import AlertingConfig

CONFIG = """
route: {{receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 4h}}
receivers:
- name: team
  webhook_configs: [{{url: '{0}/broken'}}, {{url: '{0}/works'}}]
"""


async def run_until(world: World, it: Delivering, end_ms: int) -> None:
    """Let time pass; what is sent is reported before the next thing happens."""
    pipeline = world.pipeline
    while (wake_ms := pipeline.wake_at()) is not None and wake_ms <= end_ms:
        world.now_ms = max(world.now_ms, wake_ms)
        it.time.now_ms = max(it.time.now_ms, world.now_ms)
        await act(world, it, pipeline.advance(world.now_ms))
    world.now_ms = end_ms
    it.time.now_ms = max(it.time.now_ms, end_ms)


async def act(world: World, it: Delivering, effects: list[Effect]) -> None:
    notices = [effect for effect in effects if isinstance(effect, Notify)]
    before = len(it.reported)
    await it.deliver(*notices)
    for number, error in it.reported[before:]:
        world.pipeline.report(number, world.now_ms, error=error)


def config_for(url: str) -> AlertingConfig:
    return parse_alerting(CONFIG.format(url), file="alerting.yml")


async def test_what_failed_is_sent_again_when_the_group_is_looked_at_next_and_nobody_else_is_told_twice() -> None:
    async with serve_receiver() as server:
        config = config_for(server.url)
        world = World.of(CONFIG.format(server.url))
        server.answer(Reply(400), "/broken")
        async with delivering(config) as it:
            world.pipeline.receive([alert(starts_ms=NOON_MS)], NOON_MS)
            await run_until(world, it, NOON_MS + 10 * SECOND)
            server.answer(Reply(200), "/broken")
            await run_until(world, it, NOON_MS + 10 * MINUTE)

    assert [sent.path for sent in server.sent].count("/broken") == 2
    assert [sent.path for sent in server.sent].count("/works") == 1


async def test_both_are_told_of_the_end() -> None:
    async with serve_receiver() as server:
        world = World.of(CONFIG.format(server.url))
        async with delivering(config_for(server.url)) as it:
            world.pipeline.receive([alert(starts_ms=NOON_MS)], NOON_MS)
            await run_until(world, it, NOON_MS + 90 * SECOND)
            ended = alert(starts_ms=NOON_MS, ends_ms=world.now_ms, at_ms=world.now_ms)
            world.pipeline.receive([ended], world.now_ms)
            await run_until(world, it, NOON_MS + 10 * MINUTE)

    told = sorted((sent.path, sent.json["status"]) for sent in server.sent)
    assert told == [("/broken", "firing"), ("/broken", "resolved"), ("/works", "firing"), ("/works", "resolved")]
