"""Queries as a service: so many at a time, each with a deadline, and each given up when nobody waits for it.

Evaluation is plain code in worker threads; this is the shell around it. Queries that are small (`smallness`) can be
answered on the spot: a thread would take longer to wake up.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Counter

from vedette.lang.promql.ast import Expr
from vedette.model.errors import LimitExceededError, OverloadedError, QueryCancelledError, QueryTimeoutError
from vedette.model.timings import Timings
from vedette.query import smallness
from vedette.query.newest import newest_samples
from vedette.query.promql import EvalOptions, InstantResult, RangeResult, Stats, evaluate_instant, evaluate_range
from vedette.query.source import SampleSource
from vedette.query.stored import EngineNeededError
from vedette.query.turns import TurnMetrics, Turns, Watch

_Result = TypeVar("_Result")
_Answer = TypeVar("_Answer", InstantResult, RangeResult)

_OPTIONS_KEPT: Final = 256
_BOUNDS_S: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60)


def _itself(answer: _Answer) -> _Answer:
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """What queries may use.

    Attributes:
        max_samples: samples that one query may hold in memory at one time.
        max_series: series that one selector may find.
        max_points: steps of a range query.
        timeout_s: the longest a query may take, waiting for its turn included.
        concurrency: queries evaluated at one time; others wait.
        max_waiting: queries that may wait; more are sent away.
        rule_concurrency: rules' queries evaluated at one time, besides; others wait.
        lookback_ms: how old a sample may be and still count as the present one.
        default_step_ms: the step of a subquery that names none.
        workers: threads that one query may use.
    """

    max_samples: int = 50_000_000
    max_series: int = 1_000_000
    max_points: int = 11_000
    timeout_s: float = 120.0
    concurrency: int = 20
    max_waiting: int = 200
    rule_concurrency: int = 10
    lookback_ms: int = 300_000
    default_step_ms: int = 60_000
    workers: int = field(default_factory=lambda: max(1, min(8, os.cpu_count() or 1)))


class _Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        durations = Timings(
            "vedette_query_duration_seconds",
            "Time to evaluate a query, without waiting.",
            ["kind"],
            _BOUNDS_S,
            registry,
        )
        self.failed = Counter(
            "vedette_query_failures", "Queries not answered, by reason.", ["reason"], registry=registry
        )
        self.samples = Counter("vedette_query_samples", "Samples that queries have read.", registry=registry)
        self._durations = {kind: durations.of(kind) for kind in ("instant", "range")}

    def note(self, kind: str, took_s: float, stats: Stats) -> None:
        """A query was answered. For the event loop's thread."""
        self._durations[kind].note(took_s)
        self.samples.inc(stats.samples_read)


class SourceMaker(Protocol):
    """Makes the sample source of one query.

    One that holds recent samples in memory has a method `from_memory`, which gives a source that raises
    `EngineNeededError` for all others.
    """

    def __call__(self) -> SampleSource:
        """A fresh source."""
        ...


class QueryService:
    """Evaluates PromQL over what Vedette stores. Open it with `open_query_service`.

    Attributes:
        helper: the threads that help a query's own, for what renders its result; None on one core.
    """

    def __init__(
        self,
        make_source: SourceMaker,
        limits: QueryLimits,
        registry: CollectorRegistry,
        *,
        callers: Executor,
        rules: Executor,
        workers: Executor | None,
    ) -> None:
        self._limits = limits
        self._make_source = make_source
        self.helper = workers
        turns = TurnMetrics(registry)
        self._turns = Turns(
            callers, turns, count=limits.concurrency, option="query.concurrency", max_waiting=limits.max_waiting
        )
        self._rule_turns = Turns(rules, turns, count=limits.rule_concurrency, option="rules.concurrency")
        self._metrics = _Metrics(registry)
        self._judgements = smallness.Judgements()
        self._options: dict[tuple[int, int | None], EvalOptions] = {}

    @property
    def limits(self) -> QueryLimits:
        """What queries may use."""
        return self._limits

    @limits.setter
    def limits(self, limits: QueryLimits) -> None:
        self._limits = limits
        self._options.clear()

    async def instant(
        self, expr: Expr, at_ms: int, *, timeout_s: float | None = None, lookback_ms: int | None = None
    ) -> InstantResult:
        """Evaluate at one time.

        Raises:
            QueryError, QueryExecutionError, LimitExceededError, QueryTimeoutError, QueryCancelledError: see there.
            OverloadedError: too many queries wait already.
        """
        return await self.instant_as(_itself, expr, at_ms, timeout_s=timeout_s, lookback_ms=lookback_ms)

    async def instant_as(
        self,
        render: Callable[[InstantResult], _Result],
        expr: Expr,
        at_ms: int,
        *,
        timeout_s: float | None = None,
        lookback_ms: int | None = None,
    ) -> _Result:
        """As `instant`, with the result put into another form: in the same thread, and as a part of the query."""

        def evaluate(options: EvalOptions) -> InstantResult:
            return evaluate_instant(expr, at_ms=at_ms, source=self._make_source(), options=options)

        return await self._run("instant", evaluate, render, timeout_s, lookback_ms)

    async def instant_for_rule(self, expr: Expr, at_ms: int) -> InstantResult:
        """As `instant`, however many people ask: at once if it is small, or else when a rule's turn comes."""

        def evaluate(options: EvalOptions) -> InstantResult:
            return evaluate_instant(expr, at_ms=at_ms, source=self._make_source(), options=options)

        result = self.instant_at_once(expr, at_ms)
        return result or await self._run("instant", evaluate, _itself, turns=self._rule_turns)

    def instant_in_thread(self, expr: Expr, at_ms: int) -> InstantResult:
        """Evaluate here, in a thread that has its turn already: what a template of a rule asks. Errors as there."""
        watch = Watch(self.limits.timeout_s)
        return evaluate_instant(expr, at_ms=at_ms, source=self._make_source(), options=self._options_of(watch, None))

    async def range(
        self,
        expr: Expr,
        *,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        timeout_s: float | None = None,
        lookback_ms: int | None = None,
    ) -> RangeResult:
        """Evaluate at start, start + step and so on up to end; errors as in `instant`."""
        return await self.range_as(
            _itself,
            expr,
            start_ms=start_ms,
            end_ms=end_ms,
            step_ms=step_ms,
            timeout_s=timeout_s,
            lookback_ms=lookback_ms,
        )

    async def range_as(
        self,
        render: Callable[[RangeResult], _Result],
        expr: Expr,
        *,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        timeout_s: float | None = None,
        lookback_ms: int | None = None,
    ) -> _Result:
        """As `range`, with the result put into another form: in the same thread, and as a part of the query."""

        def evaluate(options: EvalOptions) -> RangeResult:
            return evaluate_range(
                expr, start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, source=self._make_source(), options=options
            )

        return await self._run("range", evaluate, render, timeout_s, lookback_ms)

    def instant_at_once(self, expr: Expr, at_ms: int, *, lookback_ms: int | None = None) -> InstantResult | None:
        """Evaluate a small query here and now; None if it is not small. Errors as in `instant`."""

        def evaluate(source: SampleSource, options: EvalOptions) -> InstantResult:
            newest = newest_samples(expr, at_ms, source, options)
            return newest or evaluate_instant(expr, at_ms=at_ms, source=source, options=options)

        return self._at_once("instant", evaluate, expr, 1, lookback_ms)

    def range_at_once(
        self, expr: Expr, *, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int | None = None
    ) -> RangeResult | None:
        """As `instant_at_once`, for a range."""

        def evaluate(source: SampleSource, options: EvalOptions) -> RangeResult:
            return evaluate_range(
                expr, start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, source=source, options=options
            )

        steps = (end_ms - start_ms) // step_ms + 1
        return self._at_once("range", evaluate, expr, steps, lookback_ms)

    def _at_once(
        self,
        kind: str,
        evaluate: Callable[[SampleSource, EvalOptions], _Answer],
        expr: Expr,
        steps: int,
        lookback_ms: int | None,
    ) -> _Answer | None:
        if steps > self._judgements.most_steps(expr):
            return None
        source = self._make_source()
        from_memory: Callable[[], SampleSource] | None = getattr(source, "from_memory", None)
        if from_memory is None:
            return None
        options = self._small_options(steps, lookback_ms)
        started_s = time.perf_counter()
        try:
            result = evaluate(from_memory(), options)
        except (EngineNeededError, LimitExceededError):
            # Not small after all: the other way will say whether it is too large.
            return None
        except Exception as exc:
            self._metrics.failed.labels(reason=_reason(exc)).inc()
            raise
        self._metrics.note(kind, time.perf_counter() - started_s, result.stats)
        return result

    def _small_options(self, steps: int, lookback_ms: int | None) -> EvalOptions:
        limits = self.limits
        key = (steps, lookback_ms)
        options = self._options.get(key)
        if options is None:
            options = EvalOptions(
                lookback_ms=lookback_ms if lookback_ms is not None else limits.lookback_ms,
                default_step_ms=limits.default_step_ms,
                max_samples=min(smallness.MAX_SAMPLES, limits.max_samples),
                max_series=min(smallness.max_series(steps), limits.max_series),
                max_points=limits.max_points,
            )
            if len(self._options) < _OPTIONS_KEPT:
                self._options[key] = options
        return options

    async def _run(
        self,
        kind: str,
        evaluate: Callable[[EvalOptions], _Answer],
        render: Callable[[_Answer], _Result],
        timeout_s: float | None = None,
        lookback_ms: int | None = None,
        *,
        turns: Turns | None = None,
    ) -> _Result:
        limit_s = self.limits.timeout_s
        watch = Watch(min(timeout_s, limit_s) if timeout_s is not None and timeout_s > 0 else limit_s)
        options = self._options_of(watch, lookback_ms)

        def work() -> tuple[Stats, float, _Result]:
            started_s = time.perf_counter()
            result = evaluate(options)
            took_s = time.perf_counter() - started_s
            watch.check()
            return result.stats, took_s, render(result)

        try:
            stats, took_s, rendered = await (turns or self._turns).run(work, watch)
        except (Exception, asyncio.CancelledError) as exc:
            self._metrics.failed.labels(reason=_reason(exc)).inc()
            raise
        self._metrics.note(kind, took_s, stats)
        return rendered

    def _options_of(self, watch: Watch, lookback_ms: int | None) -> EvalOptions:
        return EvalOptions(
            lookback_ms=lookback_ms if lookback_ms is not None else self.limits.lookback_ms,
            default_step_ms=self.limits.default_step_ms,
            max_samples=self.limits.max_samples,
            max_series=self.limits.max_series,
            max_points=self.limits.max_points,
            executor=self.helper,
            workers=self.limits.workers,
            check=watch.check,
        )


def _reason(exc: BaseException) -> str:
    names: Sequence[tuple[type[BaseException], str]] = (
        (QueryTimeoutError, "timeout"),
        (QueryCancelledError, "cancelled"),
        (asyncio.CancelledError, "cancelled"),
        (OverloadedError, "overloaded"),
    )
    return next((reason for kind, reason in names if isinstance(exc, kind)), "error")


@asynccontextmanager
async def open_query_service(
    make_source: SourceMaker, limits: QueryLimits, registry: CollectorRegistry
) -> AsyncGenerator[QueryService]:
    """The query service with its threads."""
    helpers = max(0, limits.workers - 1)
    callers = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="query")
    rules = ThreadPoolExecutor(limits.rule_concurrency, thread_name_prefix="rule")
    workers = ThreadPoolExecutor(helpers, thread_name_prefix="query-worker") if helpers else None
    try:
        yield QueryService(make_source, limits, registry, callers=callers, rules=rules, workers=workers)
    finally:
        callers.shutdown(wait=True, cancel_futures=True)
        rules.shutdown(wait=True, cancel_futures=True)
        if workers is not None:
            workers.shutdown(wait=True, cancel_futures=True)
