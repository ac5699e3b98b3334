"""Rules at work in the server: read from their files, evaluated over the store, their alerts handed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry

from vedette.app.storage import OpenStorage
from vedette.config import Config
from vedette.ingest.relabel import compile_rules
from vedette.lang.promql import parse
from vedette.lang.promql.ast import Expr
from vedette.model.clock import Clock
from vedette.model.labels import LabelSet, label_set
from vedette.query.promql import InstantResult, Scalar, Vector
from vedette.query.service import QueryService
from vedette.query.stored import StoredSource
from vedette.rules import (
    AlertSink,
    GroupDefaults,
    LastFiring,
    LastForState,
    Outgoing,
    RestoreOptions,
    RuleRunner,
    RuleSamples,
    RuleSources,
    RunnerParts,
    Surroundings,
    last_firing,
    last_for_states,
    read_sources,
    template_language,
)
from vedette.rules.outcome import RuleError

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def read_rules(config: Config) -> RuleSources:
    """All rules that a configuration names. Reads files.

    Raises:
        ConfigErrors: with everything that is wrong with any of them.
    """
    scheme = config.global_.metric_name_validation_scheme
    return read_sources(config.rule_files, templates=template_language(), scheme=scheme)


@dataclass(frozen=True, slots=True)
class ServedRules:
    """The rules of a server. `apply` takes rules over that were read, and does not fail."""

    runner: RuleRunner
    outgoing: Outgoing
    _surroundings: Surroundings

    def apply(self, sources: RuleSources, config: Config) -> None:
        """Evaluate these rules from now on, and no others."""
        shared = config.global_
        external = label_set(shared.external_labels)
        self.outgoing.external_labels = external
        self.outgoing.rules = compile_rules(config.alerting.alert_relabel_configs)
        defaults = GroupDefaults(
            interval_ms=shared.evaluation_interval.ms,
            query_offset_ms=shared.rule_query_offset.ms,
            resend_delay_ms=config.rules.resend_delay.ms,
        )
        around = self._surroundings
        self.runner.apply(sources.groups, defaults, Surroundings(external, around.external_url, around.query))
        for pattern in sources.unmatched:
            log.warning("`rule_files` names no file", pattern=pattern)
        for file in sources.files:
            for warning in file.warnings:
                log.warning("rule file", at=str(warning.at), warning=warning.text)


@asynccontextmanager
async def open_rules(
    sources: RuleSources,
    config: Config,
    *,
    storage: OpenStorage,
    queries: QueryService,
    sinks: Sequence[AlertSink],
    external_url: str,
    registry: CollectorRegistry,
    clock: Clock,
) -> AsyncGenerator[ServedRules]:
    """Evaluate rules as long as the block lasts."""
    asked = _Asked(queries, storage)
    outgoing = Outgoing(sinks)
    runner = RuleRunner(
        RunnerParts(
            queries=asked,
            writer=RuleSamples(storage.writer),
            notify=outgoing,
            past=asked,
            templates=template_language(),
            clock=clock,
            registry=registry,
            restore=RestoreOptions(
                outage_tolerance_ms=config.rules.outage_tolerance.ms, grace_ms=config.rules.grace_period.ms
            ),
        )
    )
    served = ServedRules(runner, outgoing, Surroundings(external_url=external_url, query=asked.for_template))
    served.apply(sources, config)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(runner.run())
        try:
            yield served
        finally:
            task.cancel()


class _Asked:
    """What rules ask of the store: `Queries`, `PastAlerts`, and the templates' function `query`."""

    def __init__(self, queries: QueryService, storage: OpenStorage) -> None:
        self._queries = queries
        self._storage = storage

    async def instant(self, expr: Expr, at_ms: int) -> InstantResult:
        return await self._queries.instant_for_rule(expr, at_ms)

    async def for_states(self, alert: str, start_ms: int, end_ms: int) -> Sequence[LastForState]:
        return await asyncio.to_thread(
            last_for_states, self._source(), alert, start_ms=start_ms, end_ms=end_ms, max_series=self._max_series
        )

    async def firing(self, alert: str, start_ms: int, end_ms: int) -> Sequence[LastFiring]:
        return await asyncio.to_thread(
            last_firing, self._source(), alert, start_ms=start_ms, end_ms=end_ms, max_series=self._max_series
        )

    @property
    def _max_series(self) -> int:
        return self._queries.limits.max_series

    def _source(self) -> StoredSource:
        return StoredSource(self._storage.index, self._storage.memory, self._storage.metrics)

    def for_template(self, query: str, at_ms: int) -> Sequence[tuple[LabelSet, float]]:
        match self._queries.instant_in_thread(parse(query), at_ms).value:
            case Vector() as found:
                return list(zip(found.labels.label_sets(), found.values.tolist(), strict=True))
            case Scalar() as found:
                return [((), found.value)]
            case _:
                raise RuleError("query result is not a vector or scalar")
