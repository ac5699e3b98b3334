from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from vedette.lang.promql import parse
from vedette.model.errors import LimitExceededError, OverloadedError, QueryError, QueryTimeoutError
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.samples import SampleRuns
from vedette.query.promql import Scalar
from vedette.query.service import QueryLimits, QueryService, open_query_service
from vedette.query.source import SampleSource, Selection

UP = parse("up")


class Gate:
    """A source that says when it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.released = threading.Event()
        self.asked = 0
        self.max_series: list[int] = []
        self._symbols = SymbolTable()

    def symbols(self) -> Any:
        return self._symbols.overlay()

    def select(self, matchers: Any, start_ms: int, end_ms: int, symbols: Any, *, max_series: int) -> Selection:
        del matchers, start_ms, end_ms
        self.asked += 1
        self.max_series.append(max_series)
        self.entered.release()
        self.released.wait(30)
        return Selection(LabelFrame.of(symbols, [(("__name__", "up"),)]), np.zeros(1, np.int64))

    def read(self, handles: Any, start_ms: int, end_ms: int) -> SampleRuns:
        del handles, start_ms
        return SampleRuns(np.array([0, 1]), np.array([end_ms - 1]), np.array([1.0]))


@asynccontextmanager
async def service(gate: Gate, registry: CollectorRegistry, **limits: Any) -> AsyncGenerator[QueryService]:
    async with open_query_service(
        lambda: cast("SampleSource", gate), QueryLimits(workers=1, **limits), registry
    ) as queries:
        yield queries
        gate.released.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def failures(registry: CollectorRegistry, reason: str) -> float:
    return registry.get_sample_value("vedette_query_failures_total", {"reason": reason}) or 0.0


async def entered(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.entered.acquire, timeout=30)


async def until(probe: Callable[[], bool]) -> None:
    """Let other tasks run until something is true."""
    async with asyncio.timeout(30):
        while not probe():  # noqa: ASYNC110 - a metric offers nothing to wait on
            await asyncio.sleep(0)


async def test_an_answer_is_counted_with_what_it_read(gate: Gate, registry: CollectorRegistry) -> None:
    gate.released.set()
    async with service(gate, registry) as queries:
        result = await queries.instant(UP, 1000)
        ranged = await queries.range(UP, start_ms=0, end_ms=2000, step_ms=1000)

    assert result.value.values.tolist() == [1.0]  # type: ignore[union-attr]
    assert ranged.matrix.labels.size == 1
    assert registry.get_sample_value("vedette_query_duration_seconds_count", {"kind": "instant"}) == 1
    assert registry.get_sample_value("vedette_query_duration_seconds_count", {"kind": "range"}) == 1
    assert (registry.get_sample_value("vedette_query_samples_total") or 0) > 0
    assert registry.get_sample_value("vedette_query_running") == 0


async def test_limits_are_handed_on(gate: Gate, registry: CollectorRegistry) -> None:
    gate.released.set()
    async with service(gate, registry, max_series=7, max_points=5) as queries:
        await queries.instant(UP, 1000)
        with pytest.raises((LimitExceededError, QueryError)):
            await queries.range(UP, start_ms=0, end_ms=9000, step_ms=1000)

    assert gate.max_series == [7]
    assert failures(registry, "error") == 1


async def test_a_query_that_runs_too_long_ends_with_its_time(gate: Gate, registry: CollectorRegistry) -> None:
    gate.released.set()
    async with service(gate, registry) as queries:
        with pytest.raises(QueryTimeoutError, match="timed out after 1e-06 s"):
            await queries.instant(UP, 1000, timeout_s=1e-6)

    assert failures(registry, "timeout") == 1


@pytest.mark.parametrize("timeout_s", [None, 0, -1, 1e9])
async def test_no_query_may_take_longer_than_the_service_allows(
    gate: Gate, registry: CollectorRegistry, timeout_s: float | None
) -> None:
    gate.released.set()
    async with service(gate, registry, timeout_s=1e-6) as queries:
        with pytest.raises(QueryTimeoutError):
            await queries.instant(UP, 1000, timeout_s=timeout_s)


async def test_a_cancelled_query_keeps_its_place_until_its_thread_has_ended(
    gate: Gate, registry: CollectorRegistry
) -> None:
    async with service(gate, registry, concurrency=1) as queries, asyncio.TaskGroup() as tasks:
        query = tasks.create_task(queries.instant(UP, 1000))
        await entered(gate)
        query.cancel()
        await asyncio.sleep(0)
        assert not query.done()
        assert registry.get_sample_value("vedette_query_running") == 1

        gate.released.set()
        with pytest.raises(asyncio.CancelledError):
            await query

        assert registry.get_sample_value("vedette_query_running") == 0
        assert failures(registry, "cancelled") == 1
        await queries.instant(UP, 1000)


async def test_queries_wait_for_their_turn_and_too_many_are_sent_away(gate: Gate, registry: CollectorRegistry) -> None:
    async with service(gate, registry, concurrency=1, max_waiting=1) as queries, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(queries.instant(UP, 1000))
        await entered(gate)
        second = tasks.create_task(queries.instant(UP, 1000))
        await until(lambda: registry.get_sample_value("vedette_query_waiting") == 1)

        with pytest.raises(OverloadedError, match="1 queries are waiting"):
            await queries.instant(UP, 1000)
        assert gate.asked == 1

        gate.released.set()
        await first
        await second

    assert gate.asked == 2
    assert failures(registry, "overloaded") == 1
    assert registry.get_sample_value("vedette_query_waiting") == 0


async def test_rules_have_turns_of_their_own_and_are_not_sent_away(gate: Gate, registry: CollectorRegistry) -> None:
    async with (
        service(gate, registry, concurrency=1, max_waiting=0, rule_concurrency=1) as queries,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(queries.instant(UP, 1000))
        await entered(gate)
        rules = [tasks.create_task(queries.instant_for_rule(UP, 1000)) for _ in range(3)]
        await entered(gate)
        await until(lambda: registry.get_sample_value("vedette_query_waiting") == 2)

        with pytest.raises(OverloadedError):
            await queries.instant(UP, 1000)
        gate.released.set()

        for rule in rules:
            await rule
    assert gate.asked == 4


async def test_a_query_that_waits_too_long_for_its_turn_says_so(gate: Gate, registry: CollectorRegistry) -> None:
    async with service(gate, registry, concurrency=1) as queries, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(queries.instant(UP, 1000))
        await entered(gate)

        with pytest.raises(QueryTimeoutError, match=r"for its turn; `query\.concurrency` is 1"):
            await queries.instant(UP, 1000, timeout_s=0.01)

        gate.released.set()
        await first
        await queries.instant(UP, 1000)

    assert registry.get_sample_value("vedette_query_waiting") == 0


async def test_a_cancelled_query_that_waits_gives_its_place_in_the_queue_back(
    gate: Gate, registry: CollectorRegistry
) -> None:
    async with service(gate, registry, concurrency=1) as queries, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(queries.instant(UP, 1000))
        await entered(gate)
        second = tasks.create_task(queries.instant(UP, 1000))
        await until(lambda: registry.get_sample_value("vedette_query_waiting") == 1)

        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second

        assert registry.get_sample_value("vedette_query_waiting") == 0
        assert failures(registry, "cancelled") == 1
        gate.released.set()
        await first
        await queries.instant(UP, 1000)


async def test_a_query_without_samples_is_answered_without_asking_the_source(
    gate: Gate, registry: CollectorRegistry
) -> None:
    gate.released.set()
    async with service(gate, registry) as queries:
        result = await queries.instant(parse("1 + 1"), 5)

    assert result.value == Scalar(5, 2.0)
    assert gate.asked == 0
