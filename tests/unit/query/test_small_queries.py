"""Small queries are answered on the spot, from memory, and as the long way would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from vedette.lang.promql import parse
from vedette.model.errors import QueryExecutionError
from vedette.model.labels import label_set
from vedette.model.samples import SampleRuns
from vedette.query import smallness
from vedette.query.promql import Vector
from vedette.query.service import QueryLimits, QueryService, open_query_service
from vedette.query.source import SampleSource
from vedette.query.stored import StoredSource
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.metrics import SeriesKeys

BASE_MS = 1_700_000_000_000
SERIES = smallness.max_series(1) + 1


class Disk:
    """The engine, which small queries leave alone."""

    def __init__(self) -> None:
        self.reads = 0

    def read_samples(self, keys: SeriesKeys, start_ms: int, end_ms: int) -> SampleRuns:
        del start_ms, end_ms
        self.reads += 1
        return SampleRuns(np.zeros(len(keys) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))


class Kept:
    """An hour of samples of some series; those before `complete_from_ms` are on the disk alone."""

    def __init__(self) -> None:
        self.index = SeriesIndex()
        self.memory = SampleMemory(max_bytes=4 << 20)
        self.disk = Disk()
        self.registry = CollectorRegistry()
        times = BASE_MS + np.arange(0, 3_600_000, 15_000, dtype=np.int64)
        for number in range(SERIES):
            labels = label_set({"__name__": "up", "instance": str(number), "job": "node"})
            slot, _ = self.index.resolve(labels, max_series=SERIES)
            slots = np.full(len(times), slot, np.int64)
            self.index.touch(slots, times, times)
            self.memory.append(slots, times, np.arange(len(times)) + float(number), window_ms=0)
        self.end_ms = int(times[-1])

    def source(self) -> StoredSource:
        return StoredSource(self.index, self.memory, self.disk)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def queries(kept: Kept) -> AsyncIterator[QueryService]:
    async with open_query_service(kept.source, QueryLimits(workers=1), kept.registry) as service:
        yield service


@pytest.mark.parametrize("query", ['up{instance="3"}', 'rate(up{instance="3"}[5m])', 'sum(up{instance="3"} + 1)', "42"])
async def test_a_small_query_is_answered_as_the_long_way_would(kept: Kept, queries: QueryService, query: str) -> None:
    expr = parse(query)
    times = {"start_ms": BASE_MS, "end_ms": kept.end_ms, "step_ms": 60_000}

    instant, matrix = queries.instant_at_once(expr, kept.end_ms), queries.range_at_once(expr, **times)

    assert instant is not None
    assert matrix is not None
    long_instant, long_matrix = await queries.instant(expr, kept.end_ms), await queries.range(expr, **times)
    if isinstance(instant.value, Vector) and isinstance(long_instant.value, Vector):
        assert instant.value.labels.label_sets() == long_instant.value.labels.label_sets()
        assert instant.value.values.tolist() == long_instant.value.values.tolist()
    else:
        assert instant.value == long_instant.value
    assert matrix.matrix.labels.label_sets() == long_matrix.matrix.labels.label_sets()
    present = matrix.matrix.present
    assert present.tolist() == long_matrix.matrix.present.tolist()
    assert matrix.matrix.values[present].tolist() == long_matrix.matrix.values[present].tolist()
    assert kept.registry.get_sample_value("vedette_query_duration_seconds_count", {"kind": "instant"}) == 2


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("up", id="more series than a small query may find"),
        pytest.param('up{instance=~"3"}', id="a pattern"),
    ],
)
async def test_what_is_not_small_is_left_to_a_thread(kept: Kept, queries: QueryService, query: str) -> None:
    assert queries.instant_at_once(parse(query), kept.end_ms) is None


async def test_a_window_that_is_not_all_in_memory_is_left_to_a_thread(kept: Kept, queries: QueryService) -> None:
    kept.memory.start_from(BASE_MS + 1_800_000)
    expr = parse('up{instance="3"}')

    assert queries.instant_at_once(expr, BASE_MS + 600_000) is None
    assert queries.instant_at_once(expr, kept.end_ms) is not None
    assert kept.disk.reads == 0


async def test_an_error_of_a_small_query_is_the_callers_and_counted(kept: Kept, queries: QueryService) -> None:
    expr = parse('label_replace(up{job="node", instance="3"}, "~bad", "$1", "job", "(")')

    with pytest.raises(QueryExecutionError):
        queries.instant_at_once(expr, kept.end_ms)

    assert kept.registry.get_sample_value("vedette_query_failures_total", {"reason": "error"}) == 1


async def test_a_source_without_memory_has_no_small_queries(kept: Kept) -> None:
    class Bare:
        symbols = StoredSource.symbols

    async with open_query_service(
        lambda: cast("SampleSource", Bare()), QueryLimits(workers=1), CollectorRegistry()
    ) as service:
        assert service.instant_at_once(parse("1"), kept.end_ms) is None
