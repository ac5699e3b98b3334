from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from harness.scraping import Scraping
from vedette.collect.scrape import Pool, Publish, Scraper
from vedette.collect.scrape.target import unique_targets
from vedette.collect.targets import Health
from vedette.config import RelabelRule
from vedette.config.relabel import Action


@dataclass(frozen=True)
class Group:
    """Targets found together."""

    source: str
    targets: Sequence[dict[str, str]]
    labels: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, *addresses: str, source: str = "s") -> Group:
        return cls(source, [{"__address__": address} for address in addresses])


class Discovery:
    """Publishes what a test tells it to."""

    def __init__(self, *groups: Group) -> None:
        self._first = groups
        self._publish: Publish | None = None
        self.running = asyncio.Event()
        self.ended = asyncio.Event()

    async def run(self, publish: Publish) -> None:
        self._publish = publish
        if self._first:
            publish(self._first)
        self.running.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    def publish(self, *groups: Group) -> None:
        assert self._publish
        self._publish(groups)


@asynccontextmanager
async def running(pool: Pool) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(pool.run())
        await settle()
        yield
        task.cancel()


async def settle() -> None:
    """Let every task run until it waits for something; the targets' first rounds are seconds away."""
    for _ in range(20):
        await asyncio.sleep(0)


def urls(pool: Pool) -> set[str]:
    return {view.url for view in pool.target_views()}


async def test_what_discovery_finds_is_scraped_and_what_it_no_longer_finds_ends(scraping: Scraping) -> None:
    discovery = Discovery(Group.of("a:1", "b:1"))
    pool = Pool(scraping.job(), [discovery], scraping.context)

    async with running(pool):
        assert urls(pool) == {"http://a:1/metrics", "http://b:1/metrics"}
        assert {view.health for view in pool.target_views()} == {Health.UNKNOWN}

        discovery.publish(Group.of("b:1", "c:1"))
        await settle()
        assert urls(pool) == {"http://b:1/metrics", "http://c:1/metrics"}

        discovery.publish(Group.of())
        await settle()
        assert urls(pool) == set()
    assert discovery.ended.is_set()


async def test_groups_of_several_discoverers_do_not_replace_each_other(scraping: Scraping) -> None:
    first, second = Discovery(Group.of("a:1")), Discovery(Group.of("b:1"))
    pool = Pool(scraping.job(), [first, second], scraping.context)

    async with running(pool):
        first.publish(Group.of("c:1"))
        await settle()

        assert urls(pool) == {"http://b:1/metrics", "http://c:1/metrics"}


async def test_a_target_that_stays_keeps_its_loop(scraping: Scraping) -> None:
    discovery = Discovery(Group.of("a:1"))
    pool = Pool(scraping.job(), [discovery], scraping.context)

    async with running(pool):
        (before,) = pool._running.values()
        discovery.publish(Group.of("a:1", "b:1"))
        await settle()

        assert before in pool._running.values()


async def test_targets_that_relabelling_drops_are_shown_up_to_a_number_and_counted(scraping: Scraping) -> None:
    rule = RelabelRule(source_labels=("__address__",), regex="a.*", action=Action.DROP)
    job = scraping.job(relabel_configs=(rule,), keep_dropped_targets=2)
    pool = Pool(job, [Discovery(Group.of("a1:1", "a2:1", "a3:1", "b:1"))], scraping.context)

    async with running(pool):
        assert urls(pool) == {"http://b:1/metrics"}
        assert [target.discovered["__address__"] for target in pool.dropped()] == ["a1:1", "a2:1"]
        assert pool.view.dropped == 3


async def test_a_target_that_is_none_is_left_out_and_logged_once(
    scraping: Scraping, capsys: pytest.CaptureFixture[str]
) -> None:
    discovery = Discovery(Group.of("a:1", "b:x"))
    pool = Pool(scraping.job(), [discovery], scraping.context)

    async with running(pool):
        discovery.publish(Group.of("a:1", "b:x", "c:1"))
        await settle()
        assert urls(pool) == {"http://a:1/metrics", "http://c:1/metrics"}

    assert capsys.readouterr().out.count("target left out") == 1


async def test_more_targets_than_allowed_are_all_barred_until_there_are_fewer(scraping: Scraping) -> None:
    discovery = Discovery(Group.of("a:1", "b:1"))
    pool = Pool(scraping.job(target_limit=1), [discovery], scraping.context)

    async with running(pool):
        barred = {running.loop.barred for running in pool._running.values()}
        assert barred == {"target_limit exceeded (number of targets: 2, limit: 1)"}

        discovery.publish(Group.of("a:1"))
        await settle()
        assert [running.loop.barred for running in pool._running.values()] == [""]


async def test_the_same_target_found_twice_is_scraped_once(scraping: Scraping) -> None:
    pool = Pool(scraping.job(), [Discovery(Group.of("a:1")), Discovery(Group.of("a:1"))], scraping.context)

    async with running(pool):
        assert len(pool.target_views()) == 1
    assert unique_targets([]) == []


async def scraped(scraping: Scraping, pool: Pool) -> None:
    """One round of every target, by the fixture's pages."""
    for entry in pool._running.values():
        entry.loop._fetcher = scraping.pages  # type: ignore[assignment]
        await entry.loop.scrape(scraping.intake.now_ms)


async def test_a_job_that_is_gone_ends_all_of_its_series(scraping: Scraping) -> None:
    pool = Pool(scraping.job(), [Discovery(Group.of("a:1", "b:1"))], scraping.context)

    async with running(pool):
        await scraped(scraping, pool)
        scraping.intake.now_ms += 1
        pool.end()

        assert scraping.intake.samples("a") == [(0, 1.0), (1, "stale")] * 2
        assert scraping.intake.samples("up") == [(0, 1.0), (1, "stale")] * 2


async def test_a_replaced_job_ends_the_targets_that_are_not_found_again_once_all_discovery_has_spoken(
    scraping: Scraping,
) -> None:
    old = Pool(scraping.job(), [Discovery(Group.of("a:1", "b:1"))], scraping.context)
    async with running(old):
        await scraped(scraping, old)
        handed = old.hand_over()
    scraping.intake.now_ms += 1
    quick, slow = Discovery(Group.of("a:1")), Discovery()
    new = Pool(scraping.job(sample_limit=9), [quick, slow], scraping.context)
    new.inherit(handed)

    async with running(new):
        assert scraping.intake.samples("up", instance="b:1") == [(0, 1.0)], "it may still be found"
        slow.publish()
        await settle()

        assert scraping.intake.samples("up", instance="b:1") == [(0, 1.0), (1, "stale")]
        assert scraping.intake.samples("a", instance="b:1") == [(0, 1.0), (1, "stale")]
        assert scraping.intake.samples("a", instance="a:1") == [(0, 1.0)]


async def test_a_job_that_becomes_inactive_ends_its_series(scraping: Scraping) -> None:
    old = Pool(scraping.job(), [Discovery(Group.of("a:1"))], scraping.context)
    async with running(old):
        await scraped(scraping, old)
        handed = old.hand_over()
    scraping.intake.now_ms += 1
    new = Pool(scraping.job(), [], scraping.context, inactive="no such discovery")
    new.inherit(handed)

    async with running(new):
        assert scraping.intake.samples("a") == [(0, 1.0), (1, "stale")]
        assert new.view.inactive == "no such discovery"


async def test_a_job_that_is_replaced_twice_in_a_row_forgets_no_series(scraping: Scraping) -> None:
    old = Pool(scraping.job(), [Discovery(Group.of("a:1"))], scraping.context)
    async with running(old):
        await scraped(scraping, old)
        handed = old.hand_over()
    between = Pool(scraping.job(), [Discovery()], scraping.context)
    between.inherit(handed)
    async with running(between):
        handed = between.hand_over()
    scraping.intake.now_ms += 1
    last = Pool(scraping.job(), [Discovery()], scraping.context)
    last.inherit(handed)

    last.end()

    assert scraping.intake.samples("a") == [(0, 1.0), (1, "stale")]


async def test_a_scraper_touches_only_the_jobs_that_have_changed(scraping: Scraping) -> None:
    discoveries: dict[str, list[Discovery]] = {}

    def discover(job: Any) -> tuple[list[Discovery], str]:
        discoveries.setdefault(job.job_name, []).append(Discovery(Group.of("a:1")))
        return discoveries[job.job_name][-1:], ""

    scraper = Scraper(scraping.context, discover)
    kept, changed, gone = (replace(scraping.job(), job_name=name) for name in ("kept", "changed", "gone"))
    scraper.apply(scraper.prepare([kept, changed, gone]))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(scraper.run())
        await settle()
        assert len(scraper.active()) == 3

        scraper.apply(scraper.prepare([kept, replace(changed, sample_limit=5)]))
        await settle()

        assert {name: len(made) for name, made in discoveries.items()} == {"kept": 1, "changed": 2, "gone": 1}
        assert not discoveries["kept"][0].ended.is_set()
        assert discoveries["changed"][0].ended.is_set()
        assert discoveries["gone"][0].ended.is_set()
        assert [view.name for view in scraper.pools()] == ["kept", "changed"]
        assert len(scraper.active()) == 2
        task.cancel()
