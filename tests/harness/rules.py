"""Rules without a server: a store with series written by hand, a small template language, a clock that is driven."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from vedette.lang.promql import format_expr, parse
from vedette.lang.promql.ast import Expr
from vedette.lang.promql.series_notation import parse_series
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.errors import OverloadedError, QueryError, QueryExecutionError
from vedette.model.labels import LabelSet, label_set
from vedette.query.promql import EvalOptions, InstantResult, InstantValue, evaluate_instant
from vedette.rules import (
    LastFiring,
    LastForState,
    RestoreOptions,
    RuleGroup,
    RuleRunner,
    RunnerParts,
    last_firing,
    last_for_states,
    parse_rules,
)
from vedette.rules.expansion import AlertData
from vedette.rules.unit_tests.store import UnitTestStore

MINUTE = 60_000

_ACTION = re.compile(r"\{\{\s*(.*?)\s*\}\}")


class LabelTemplates:
    """Knows `$labels.x`, `$value`, `now` and `query "..."`, which counts; anything else is wrong."""

    def __init__(self) -> None:
        self.expanded = 0

    def check(self, text: str, alert: str) -> str:
        for action in _ACTION.findall(text):
            if not re.fullmatch(r'\$labels\.\w+|\$value|now|query ".*"', action):
                return f"template: __alert_{alert}: unknown {action}"
        return ""

    def expand(self, text: str, alert: str, data: AlertData) -> str:
        del alert
        self.expanded += 1

        def value(found: re.Match[str]) -> str:
            action = found[1]
            if action == "$value":
                return f"{data.value:g}"
            if action == "now":
                return str(data.at_ms)
            if action.startswith("query "):
                assert data.around.query is not None
                return str(len(data.around.query(action[7:-1], data.at_ms)))
            return dict(data.labels).get(action.removeprefix("$labels."), "")

        return _ACTION.sub(value, text)


def store_of(*series: str, interval_ms: int = MINUTE, now_ms: int = 0) -> UnitTestStore:
    """A store with series in the notation of unit tests, one sample a minute from 0 on."""
    store = UnitTestStore()
    for text in series:
        described = parse_series(text)
        store.put(described.labels, described.values, start_ms=0, interval_ms=interval_ms)
    store.now_ms = now_ms
    return store


def answer(store: UnitTestStore, query: str, at_ms: int) -> InstantValue:
    store.now_ms = max(store.now_ms, at_ms)
    return evaluate_instant(parse(query), at_ms=at_ms, source=store, options=EvalOptions()).value


def groups_of(text: str, file: str = "rules.yml") -> tuple[RuleGroup, ...]:
    return parse_rules(text, file).groups


def labels_of(**labels: str) -> LabelSet:
    return label_set({("__name__" if name == "name" else name): text for name, text in labels.items()})


@dataclass
class HandClock:
    """Time that goes on when it is told to."""

    now_ms: int = 0
    sleepers: list[tuple[int, int, asyncio.Event]] = field(default_factory=list[tuple[int, int, asyncio.Event]])
    asleep: int = 0

    def clock(self) -> Clock:
        return Clock(now_ms=lambda: self.now_ms, monotonic_s=lambda: self.now_ms / 1000, sleep=self.sleep)

    async def sleep(self, delay_s: float) -> None:
        woken = asyncio.Event()
        self.asleep += 1
        heapq.heappush(self.sleepers, (self.now_ms + round(delay_s * 1000), self.asleep, woken))
        await woken.wait()

    async def run_until(self, until_ms: int) -> None:
        """Let time pass; whoever sleeps wakes in time, and all that follows from it happens."""
        await self.settle()
        while self.sleepers and self.sleepers[0][0] <= until_ms:
            due_ms, _, woken = heapq.heappop(self.sleepers)
            self.now_ms = max(self.now_ms, due_ms)
            woken.set()
            await self.settle()
        self.now_ms = max(self.now_ms, until_ms)

    async def settle(self) -> None:
        """Let everything happen that can without time passing."""
        for _ in range(50):
            await asyncio.sleep(0)


@dataclass
class RunningRules:
    """A rule runner over a store that is written by hand.

    Attributes:
        sent: alerts, with the times at which they were handed over.
        failing: expressions whose evaluation fails, with the reason.
        full: whether the store takes nothing.
    """

    store: UnitTestStore = field(default_factory=UnitTestStore)
    hand: HandClock = field(default_factory=HandClock)
    templates: LabelTemplates = field(default_factory=LabelTemplates)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    restore: RestoreOptions = field(default_factory=RestoreOptions)
    sent: list[tuple[int, Alert]] = field(default_factory=list[tuple[int, Alert]])
    asked: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    failing: dict[str, str] = field(default_factory=dict[str, str])
    full: bool = False
    takes_ms: int = 0

    def runner(self) -> RuleRunner:
        return RuleRunner(
            RunnerParts(
                queries=self,
                writer=self,
                notify=self.notify,
                past=self,
                templates=self.templates,
                clock=self.hand.clock(),
                registry=self.registry,
                restore=self.restore,
            )
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    # Queries

    async def instant(self, expr: Expr, at_ms: int) -> InstantResult:
        query = format_expr(expr)
        self.asked.append((at_ms, query))
        await asyncio.sleep(0)
        self.hand.now_ms += self.takes_ms
        if query in self.failing:
            raise QueryExecutionError(self.failing[query])
        self.store.now_ms = max(self.store.now_ms, self.hand.now_ms)
        return evaluate_instant(expr, at_ms=at_ms, source=self.store)

    # A writer

    generation = 0

    def resolve(self, label_sets: Sequence[LabelSet]) -> tuple[NDArray[np.int64], str]:
        return self.store.resolve(label_sets)

    def write(self, slots: NDArray[np.int64], time_ms: int, values: NDArray[np.float64]) -> str:
        if self.full:
            raise OverloadedError("the queue is full", retry_after_s=1)
        return self.store.write(slots, time_ms, values)

    def end(self, slots: NDArray[np.int64], time_ms: int) -> None:
        if self.full:
            raise OverloadedError("the queue is full", retry_after_s=1)
        self.store.end(slots, time_ms)

    # The others

    def notify(self, alerts: Sequence[Alert]) -> None:
        self.sent.extend((self.hand.now_ms, alert) for alert in alerts)

    async def for_states(self, alert: str, start_ms: int, end_ms: int) -> Sequence[LastForState]:
        if alert in self.failing:
            raise QueryError(self.failing[alert])
        return last_for_states(self.store, alert, start_ms=start_ms, end_ms=end_ms)

    async def firing(self, alert: str, start_ms: int, end_ms: int) -> Sequence[LastFiring]:
        return last_firing(self.store, alert, start_ms=start_ms, end_ms=end_ms)
