"""Evaluate rule groups, each at its own place in its interval, until cancelled.

A group's rules run one after the other, groups independently of each other. A rule is a unit of failure: what goes
wrong with it is logged, counted and shown, and the next rule runs. `apply` takes new groups over while they run: groups
that did not change go on undisturbed, changed ones finish their round first and hand their state over.

Alerts are handed to `notify` as they become due, again and again while they fire; sending them on is its business, and
so are the external labels. After a start the state of `for` is looked up in the stored series once a group has been
evaluated twice: by then targets have been scraped and recording rules have given something.

Source: Prometheus' `rules/manager.go` and `rules/group.go`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from prometheus_client import CollectorRegistry

from vedette.lang.promql.ast import Expr
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.errors import OverloadedError, VedetteError
from vedette.model.labels import LabelSet
from vedette.query.promql import InstantResult, Vector
from vedette.rules.alerting import Alerting, LastFiring, LastForState
from vedette.rules.definitions import RuleGroup
from vedette.rules.expansion import Surroundings, Templates
from vedette.rules.group import Evaluated, GroupAtWork, GroupDefaults, Health, RuleAtWork, open_group
from vedette.rules.metrics import RuleMetrics
from vedette.rules.schedule import next_round, offset_of
from vedette.rules.writing import SampleWriter, end_series

_ON_THE_SPOT: Final = 2000
_ALERTS_ON_THE_SPOT: Final = 200
"""Series of an answer that are dealt with on the event loop; more go to a thread. Alerts have texts to be expanded."""

_TIMES_LOOKED_BACK: Final = 16
"""After a start a rule is evaluated at so many times of before; alerts that ended at yet others have no values."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Queries(Protocol):
    """Evaluates expressions (`vedette.query.service`)."""

    async def instant(self, expr: Expr, at_ms: int) -> InstantResult:
        """Evaluate at one time; raises `VedetteError`."""
        ...


class PastAlerts(Protocol):
    """Knows what alerts there were (`vedette.rules.history`)."""

    async def for_states(self, alert: str, start_ms: int, end_ms: int) -> Sequence[LastForState]:
        """The last `ALERTS_FOR_STATE` samples within a time; raises `VedetteError`."""
        ...

    async def firing(self, alert: str, start_ms: int, end_ms: int) -> Sequence[LastFiring]:
        """When alerts fired last within a time; raises `VedetteError`."""
        ...


Notify = Callable[[Sequence[Alert]], None]
"""Takes alerts that are due to be sent. Quick, and never fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """How alerts of before a start are taken up again.

    Attributes:
        outage_tolerance_ms: nothing is taken up after a longer absence.
        grace_ms: the least time until a pending alert fires; rules with a shorter `for` begin anew.
    """

    outage_tolerance_ms: int = 3_600_000
    grace_ms: int = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerParts:
    """What a runner works with."""

    queries: Queries
    writer: SampleWriter
    notify: Notify
    past: PastAlerts
    templates: Templates
    clock: Clock
    registry: CollectorRegistry
    restore: RestoreOptions = field(default_factory=RestoreOptions)


@dataclass(slots=True, eq=False)
class _Running:
    """A group and the task that evaluates it.

    Attributes:
        former: the version that it takes over from.
        ended: set when the task has ended, or never was.
        busy: whether it is in the middle of an evaluation.
        stopping: whether it is to end after that.
    """

    work: GroupAtWork
    former: _Running | None = None
    restore: bool = False
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    busy: bool = False
    stopping: bool = False

    def stop(self) -> None:
        """End, after the evaluation that is under way."""
        self.stopping = True
        if self.task is None:
            self.ended.set()
        elif not self.busy:
            self.task.cancel()


class RuleRunner:
    """All rule groups. `run` it; `apply` may be called before and while it runs, and does not fail."""

    def __init__(self, parts: RunnerParts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._metrics = RuleMetrics(parts.registry)
        self._running: dict[str, _Running] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._applied = False

    def groups(self) -> list[GroupAtWork]:
        """All groups, in order of their files and names."""
        works = (running.work for running in self._running.values())
        return sorted(works, key=lambda work: (work.group.file, work.group.name))

    def apply(self, groups: Sequence[RuleGroup], defaults: GroupDefaults, around: Surroundings | None = None) -> None:
        """Evaluate these groups from now on, and no others.

        Alerts of before the start are taken up by the groups of the first call only.
        """
        around = around or Surroundings()
        before, self._running = self._running, {}
        # A file that two patterns find is there once.
        for group in {group.key: group for group in groups}.values():
            former = before.pop(group.key, None)
            if former is not None and former.work.is_of(group, defaults, around):
                former.work.move(group)
                self._running[group.key] = former
                continue
            restore = not self._applied if former is None else former.restore
            work = open_group(
                group,
                defaults,
                self._parts.writer,
                templates=self._parts.templates,
                around=around,
                restored=not restore,
            )
            running = self._running[group.key] = _Running(work, former, restore=restore)
            self._metrics.open_group(group.key, interval_ms=work.interval_ms, rules=len(group.rules))
            if former is not None:
                former.stop()
            self._start(running)
        for key, gone in before.items():
            gone.stop()
            self._metrics.close_group(key)
            if self._tasks is not None:
                self._tasks.create_task(self._end(gone))
        self._applied = True

    async def run(self) -> None:
        """Evaluate until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for running in self._running.values():
                self._start(running)
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def _start(self, running: _Running) -> None:
        if self._tasks is not None and running.task is None:
            running.task = self._tasks.create_task(self._run_group(running), name=running.work.group.key)
            # Not in the task itself: one that is cancelled before it began runs no line of it.
            running.task.add_done_callback(lambda _: running.ended.set())

    async def _run_group(self, running: _Running) -> None:
        await self._inherit(running)
        work = running.work
        offset_ms = offset_of(work.group.key, work.interval_ms)
        last_ms: int | None = None
        rounds = 0
        while not running.stopping:
            now_ms = self._clock.now_ms()
            due = next_round(last_ms, now_ms=now_ms, interval_ms=work.interval_ms, offset_ms=offset_ms)
            if due.missed:
                self._metrics.missed.labels(work.group.key).inc(due.missed)
                self._metrics.scheduled.labels(work.group.key).inc(due.missed)
            if due.at_ms > now_ms:
                await self._clock.sleep((due.at_ms - now_ms) / 1000)
            running.busy = True
            await self.evaluate(work, due.at_ms)
            last_ms = due.at_ms
            rounds += 1
            if running.restore and rounds >= 2:
                await self._restore(work)
                running.restore = False
            running.busy = False

    async def _inherit(self, running: _Running) -> None:
        former = running.former
        if former is not None:
            await former.ended.wait()
            await self._inherit(former)  # it may have been stopped before it could
            running.work.take_over(former.work, self._parts.templates)
            running.former = None

    async def evaluate(self, work: GroupAtWork, at_ms: int) -> None:
        """One round of a group: its rules, one after the other."""
        metrics, key = self._metrics, work.group.key
        metrics.scheduled.labels(key).inc()
        work.evaluated_ms = self._clock.now_ms()
        started_s = self._clock.monotonic_s()
        samples = 0
        for rule in work.rules:
            began_s = self._clock.monotonic_s()
            began_ms = self._clock.now_ms()
            metrics.evaluations.labels(key).inc()
            try:
                samples += await self._evaluate_rule(work, rule, at_ms)
            except VedetteError as exc:
                self._fail(work, rule, str(exc))
            except Exception as exc:  # a rule is a unit of failure
                log.exception("evaluating a rule failed unexpectedly", group=key, rule=rule.rule.name)
                self._fail(work, rule, f"{type(exc).__name__}: {exc}")
            rule.evaluated_ms, rule.duration_s = began_ms, self._clock.monotonic_s() - began_s
            metrics.rule_duration.observe(rule.duration_s)
        work.finish(at_ms=at_ms)
        work.duration_s = self._clock.monotonic_s() - started_s
        metrics.group_duration.observe(work.duration_s)
        metrics.last_duration.labels(key).set(work.duration_s)
        metrics.last_evaluation.labels(key).set(work.evaluated_ms / 1000)
        metrics.samples.labels(key).set(samples)

    async def _evaluate_rule(self, work: GroupAtWork, rule: RuleAtWork, at_ms: int) -> int:
        result = await self._parts.queries.instant(rule.rule.expr, at_ms - work.offset_ms)
        value = result.value
        machine = rule.machine

        def apply() -> Evaluated:
            return work.apply(rule, value, at_ms=at_ms)

        # Templates may ask the store, and that takes its time.
        alerts = isinstance(machine, Alerting)
        live = alerts and machine.is_live
        large = isinstance(value, Vector) and value.labels.size > (_ALERTS_ON_THE_SPOT if alerts else _ON_THE_SPOT)
        evaluated = await asyncio.to_thread(apply) if live or large else apply()
        if evaluated.due:
            self._parts.notify(evaluated.due)
        problem = work.store(rule, evaluated, at_ms=at_ms)
        if problem:
            self._fail(work, rule, problem)
        else:
            rule.health, rule.error = Health.OK, ""
        return len(evaluated.samples.series)

    def _fail(self, work: GroupAtWork, rule: RuleAtWork, error: str) -> None:
        again = rule.error == error
        rule.fail(error)
        self._metrics.failures.labels(work.group.key).inc()
        if not again:
            log.warning(
                "evaluating a rule failed",
                file=work.group.file,
                group=work.group.name,
                rule=rule.rule.name,
                at=str(rule.rule.at),
                error=error,
                retry_in_s=work.interval_ms / 1000,
            )

    async def _restore(self, work: GroupAtWork) -> None:
        """Take up the alerts of before the start."""
        started_s = self._clock.monotonic_s()
        options = self._parts.restore
        now_ms = self._clock.now_ms()
        start_ms = now_ms - options.outage_tolerance_ms
        for machine in work.alerting():
            name = machine.rule.name
            past: Sequence[LastForState] = ()
            fired: Sequence[LastFiring] = ()
            sources: dict[LabelSet, tuple[LabelSet, float]] = {}
            try:
                if machine.rule.hold_ms >= options.grace_ms:
                    past = await self._parts.past.for_states(name, start_ms, now_ms)
                fired = machine.ended(await self._parts.past.firing(name, start_ms, now_ms), at_ms=now_ms)
                sources = await self._sources(machine, fired)
            except VedetteError as exc:
                # There is no second chance: from now on the series are written anew.
                log.error("the state of alerts is lost", rule=name, error=str(exc))  # noqa: TRY400 - expected
            machine.restore(past, at_ms=now_ms, grace_ms=options.grace_ms)
            machine.take_up_ended(fired, sources, at_ms=now_ms)
        self._metrics.last_restore.labels(work.group.key).set(self._clock.monotonic_s() - started_s)

    async def _sources(self, machine: Alerting, fired: Sequence[LastFiring]) -> dict[LabelSet, tuple[LabelSet, float]]:
        """What alerts were found by when they fired last."""
        found: dict[LabelSet, tuple[LabelSet, float]] = {}
        for at_ms in sorted({last.last_ms for last in fired})[-_TIMES_LOOKED_BACK:]:
            result = await self._parts.queries.instant(machine.rule.expr, at_ms)
            found |= machine.sources(result.value, at_ms)
        return found

    async def _end(self, gone: _Running) -> None:
        """End the series of a group that is gone, unless another rule has taken them up."""
        await gone.ended.wait()
        await self._inherit(gone)
        now_ms = self._clock.now_ms()
        await self._clock.sleep(2 * gone.work.interval_ms / 1000)
        alive: set[LabelSet] = {labels for work in self.groups() for labels in work.alive()}
        try:
            left = [labels for labels in gone.work.alive() if labels not in alive]
            end_series(self._parts.writer, left, now_ms - gone.work.offset_ms)
        except OverloadedError as exc:
            log.warning("series of a former rule group not ended", group=gone.work.group.key, error=str(exc))
