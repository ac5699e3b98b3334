from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.alerting import NOON_MS, TEAM, Running, running, settle
from vedette.alerting import Silence, Verdict
from vedette.alerting.matchers import parse_matchers
from vedette.alerting.stories import Stories
from vedette.store.state import AlertBatch, AlertStore, open_state

MINUTE, HOUR = 60_000, 3_600_000


@asynccontextmanager
async def past(folder: Path, world: Running) -> AsyncIterator[Stories]:
    """What a service has written, in a real database."""
    await settle()
    async with open_state(folder / "state.db") as database:
        store = AlertStore(database)
        await store.commit(AlertBatch(history=world.disk.history, labels=list(world.disk.labels.values())))
        yield Stories(store)


async def test_why_somebody_was_told_is_found_from_the_message(tmp_path: Path) -> None:
    async with running() as world:
        await world.fire("Down", service="web")
        await world.hand.pass_time(MINUTE)
        world.deliver_all()

        async with past(tmp_path, world) as stories:
            chain = await stories.why_sent(world.post.sent[0].id)

    assert [one.verdict for one in chain] == [Verdict.FIRED, Verdict.WAITING, Verdict.SENDING, Verdict.SENT]


async def test_why_nobody_was_told_is_found_for_a_time(tmp_path: Path) -> None:
    async with running() as world:
        silence = Silence(parse_matchers("service=web").matchers, NOON_MS, NOON_MS + HOUR, "ann", "why")
        made = await world.service.put_silence(silence)
        await world.fire("Down", service="web")
        await world.hand.pass_time(2 * HOUR)
        world.deliver_all()

        async with past(tmp_path, world) as stories:
            (alert,) = await stories.find(parse_matchers('alertname="Down"').matchers, limit=9)
            before = await stories.standing(alert, NOON_MS - 1)
            waiting = await stories.standing(alert, NOON_MS + 1_000)
            silenced = await stories.standing(alert, NOON_MS + MINUTE)
            told = await stories.standing(alert, NOON_MS + 2 * HOUR)
            elsewhere = await stories.standing(alert, NOON_MS + 2 * HOUR, receiver="other")

    assert before.life is None
    assert [one.verdict for one in waiting.decisions] == [Verdict.WAITING]
    assert [(one.verdict, one.by) for one in silenced.decisions] == [(Verdict.SILENCED, (made.id,))]
    assert silenced.firing
    assert not silenced.told
    assert told.told
    assert not elsewhere.decisions


async def test_alerts_are_found_by_any_label(tmp_path: Path) -> None:
    async with running(TEAM) as world:
        for service in ("web", "db"):
            await world.fire("Down", service=service)
        await world.fire("Full", service="web")

        async with past(tmp_path, world) as stories:
            by_service = await stories.find(parse_matchers("service=web").matchers, limit=9)
            by_both = await stories.find(parse_matchers('alertname="Down",service=~"d.*"').matchers, limit=9)
            first = await stories.find((), limit=1)

    assert sorted(one.labels["alertname"] for one in by_service) == ["Down", "Full"]
    assert [one.labels["service"] for one in by_both] == ["db"]
    assert len(first) == 1
