"""A job's targets: what discovery finds becomes loops, and what it no longer finds ends.

Targets that stay keep their loops, and so their place in the interval.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from vedette.collect.http_client import Fetcher, check_options
from vedette.collect.scrape.loop import ScrapeContext, TargetLoop
from vedette.collect.scrape.target import Target, TargetError, build_target, unique_targets
from vedette.collect.targets import DroppedTarget, PoolView, TargetView
from vedette.collect.writing import mark_stale
from vedette.config import ScrapeConfig
from vedette.ingest.relabel import compile_rules
from vedette.model.labels import LabelSet

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

Int64s = NDArray[np.int64]

_NOTHING: Int64s = np.zeros(0, np.int64)

MAX_DROPPED_KEPT = 1000
"""Targets dropped by relabelling whose labels are kept, where the job does not say."""


class FoundGroup(Protocol):
    """Targets found together (`vedette.collect.discovery.TargetGroup`)."""

    @property
    def source(self) -> str:
        """Names the group within its discoverer: a later group of this name takes its place."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of all its targets."""
        ...

    @property
    def targets(self) -> Sequence[Mapping[str, str]]:
        """Each target's own labels, with its `__address__`."""
        ...


Publish = Callable[[Sequence[FoundGroup]], None]


class Discoverer(Protocol):
    """Finds targets (`vedette.collect.discovery`)."""

    async def run(self, publish: Publish) -> None:
        """Publish groups as they change, until cancelled. A group without targets is gone."""
        ...


@dataclass(slots=True)
class _Running:
    loop: TargetLoop
    task: asyncio.Task[None]


class Pool:
    """One job. `run` it within its owner's task."""

    def __init__(
        self,
        job: ScrapeConfig,
        discoverers: Sequence[Discoverer],
        context: ScrapeContext,
        *,
        inactive: str = "",
    ) -> None:
        """Prepare; nothing runs yet.

        Raises:
            ValueError: the job's HTTP options do not make a client.
        """
        check_options(job)
        self.job = job
        self._discoverers = discoverers
        self._context = context
        self._inactive = inactive
        self._rules = compile_rules(job.relabel_configs, job.metric_name_validation_scheme)
        self._groups: list[dict[str, FoundGroup]] = [{} for _ in discoverers]
        self._silent = set(range(len(discoverers)))  # those that have not published yet
        self._changed = asyncio.Event()
        self._running: dict[object, _Running] = {}
        self._dropped: list[DroppedTarget] = []
        self._dropped_count = 0
        self._problems: set[str] = set()
        # From the pool that this one replaces, by target's labels: series that end unless they come again.
        self._inherited: dict[LabelSet, Int64s] = {}

    @property
    def view(self) -> PoolView:
        """What the API shows."""
        return PoolView(self.job.job_name, self._inactive, self._dropped_count)

    def target_views(self) -> list[TargetView]:
        """All targets that are scraped."""
        return [running.loop.view for running in self._running.values()]

    def dropped(self) -> Sequence[DroppedTarget]:
        """Targets that relabelling dropped, as far as they are kept."""
        return self._dropped

    async def run(self) -> None:
        """Discover and scrape until cancelled."""
        async with Fetcher(self.job) as fetcher, asyncio.TaskGroup() as tasks:
            for number, discoverer in enumerate(self._discoverers):
                tasks.create_task(discoverer.run(self._publisher(number)))
            while True:
                if not self._silent:
                    self._end_inherited()
                await self._changed.wait()
                self._changed.clear()
                self._sync(fetcher, tasks)

    def hand_over(self) -> dict[LabelSet, Int64s]:
        """For the pool that replaces this one: the live series of each target, not to be marked stale yet."""
        handed = self._inherited
        for running in self._running.values():
            labels = running.loop.target.labels
            handed[labels] = np.union1d(running.loop.take_live(), handed.get(labels, _NOTHING))
        return handed

    def inherit(self, handed: dict[LabelSet, Int64s]) -> None:
        """Take over what the pool that this one replaces had."""
        self._inherited = handed

    def end(self) -> None:
        """Mark everything stale: the job is gone."""
        now_ms = self._context.clock.now_ms()
        for running in self._running.values():
            running.loop.end(now_ms)
        self._running.clear()
        self._end_inherited()

    def _end_inherited(self) -> None:
        """Mark the series stale whose targets were not found again."""
        slots = [slots for slots in self._inherited.values() if len(slots)]
        self._inherited.clear()
        if slots:
            ended = np.unique(np.concatenate(slots))
            mark_stale(self._context.writer, f"scrape:{self.job.job_name}", ended, self._context.clock.now_ms())

    def _publisher(self, number: int) -> Publish:
        def publish(groups: Sequence[FoundGroup]) -> None:
            for group in groups:
                if group.targets:
                    self._groups[number][group.source] = group
                else:
                    self._groups[number].pop(group.source, None)
            self._silent.discard(number)
            self._changed.set()

        return publish

    def _sync(self, fetcher: Fetcher, tasks: asyncio.TaskGroup) -> None:
        targets = {target.key: target for target in self._targets()}
        barred = ""
        if self.job.target_limit and len(targets) > self.job.target_limit:
            barred = f"target_limit exceeded (number of targets: {len(targets)}, limit: {self.job.target_limit})"
        now_ms = self._context.clock.now_ms()
        for key in [key for key in self._running if key not in targets]:
            gone = self._running.pop(key)
            gone.task.cancel()
            gone.loop.end(now_ms)
        for key, target in targets.items():
            if key not in self._running:
                inherited = self._inherited.pop(target.labels, None)
                loop = TargetLoop(target, self.job, fetcher, self._context, inherited=inherited)
                self._running[key] = _Running(loop, tasks.create_task(loop.run()))
            self._running[key].loop.barred = barred

    def _targets(self) -> list[Target]:
        found: list[Target] = []
        dropped: list[DroppedTarget] = []
        problems: set[str] = set()
        count = 0
        most = self.job.keep_dropped_targets or MAX_DROPPED_KEPT
        for groups in self._groups:
            for group in groups.values():
                for own in group.targets:
                    try:
                        discovered, target = build_target(own, group.labels, self.job, self._rules)
                    except TargetError as exc:
                        problems.add(f"{own.get('__address__', '?')}: {exc}")
                        continue
                    if target is not None:
                        found.append(target)
                        continue
                    count += 1
                    if len(dropped) < most:
                        dropped.append(DroppedTarget(self.job.job_name, dict(discovered)))
        for problem in sorted(problems - self._problems):
            log.warning("target left out", job=self.job.job_name, error=problem)
        self._dropped, self._dropped_count, self._problems = dropped, count, problems
        return unique_targets(found)
