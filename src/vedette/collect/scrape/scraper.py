"""All jobs: started, reloaded one by one, and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vedette.collect.scrape.loop import ScrapeContext
from vedette.collect.scrape.pool import Discoverer, Pool
from vedette.collect.targets import DroppedTarget, PoolView, TargetView
from vedette.config import ScrapeConfig

MakeDiscoverers = Callable[[ScrapeConfig], tuple[Sequence[Discoverer], str]]
"""A job's discoverers, and why it is inactive if it is (a kind of discovery that Vedette does not have)."""


@dataclass(frozen=True, slots=True)
class PreparedJobs:
    """Jobs that are ready to take over.

    Attributes:
        jobs: all names, in the configuration's order.
        pools: new and changed jobs.
    """

    jobs: tuple[str, ...]
    pools: dict[str, Pool]


@dataclass(slots=True)
class _Running:
    pool: Pool
    task: asyncio.Task[None]


class Scraper:
    """Runs the pools of all jobs. `prepare` may fail and changes nothing; `apply` does not fail."""

    def __init__(self, context: ScrapeContext, make_discoverers: MakeDiscoverers) -> None:
        self._context = context
        self._make_discoverers = make_discoverers
        self._pools: dict[str, _Running] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._pending: PreparedJobs | None = None

    def prepare(self, jobs: Sequence[ScrapeConfig]) -> PreparedJobs:
        """Build what new and changed jobs need.

        Raises:
            ValueError: a job's options do not work.
        """
        pools: dict[str, Pool] = {}
        for job in jobs:
            running = self._pools.get(job.job_name)
            if running is None or running.pool.job != job:
                discoverers, inactive = self._make_discoverers(job)
                pools[job.job_name] = Pool(job, discoverers, self._context, inactive=inactive)
        return PreparedJobs(tuple(job.job_name for job in jobs), pools)

    def apply(self, prepared: PreparedJobs) -> None:
        """Stop what is gone, replace what has changed, start what is new; leave the others alone."""
        if self._tasks is None:
            self._pending = prepared
            return
        wanted = set(prepared.jobs)
        for name in [name for name in self._pools if name not in wanted]:
            gone = self._pools.pop(name)
            gone.task.cancel()
            gone.pool.end()
        for name, pool in prepared.pools.items():
            replaced = self._pools.get(name)
            if replaced is not None:
                replaced.task.cancel()
                pool.inherit(replaced.pool.hand_over())
            self._pools[name] = _Running(pool, self._tasks.create_task(pool.run()))

    async def run(self) -> None:
        """Scrape until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                if self._pending is not None:
                    self.apply(self._pending)
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def active(self) -> Sequence[TargetView]:
        """See `TargetsView`."""
        return [view for running in self._pools.values() for view in running.pool.target_views()]

    def dropped(self) -> Sequence[DroppedTarget]:
        """See `TargetsView`."""
        return [target for running in self._pools.values() for target in running.pool.dropped()]

    def pools(self) -> Sequence[PoolView]:
        """See `TargetsView`."""
        return [running.pool.view for running in self._pools.values()]
