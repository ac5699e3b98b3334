"""How long a month of history takes in a backtest.

    python benchmarks/backtest.py [--series 1000] [--days 30] [--interval 60]

Stores gauges with a sample every `--interval` seconds in an engine of its own, and tries three rules over all of them,
an evaluation a minute, as a server does that has just started: nothing is in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry

from vedette.model.kernels import compile_kernels
from vedette.model.labels import METRIC_NAME, label_set
from vedette.query.service import QueryLimits, open_query_service
from vedette.query.stored import StoredSource
from vedette.rules import AlertingRule, parse_rules
from vedette.rules.trial import Trial, TrialOptions, try_rule
from vedette.store.engine import ChdbEngine, EngineSettings
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.metrics import MetricBatches, MetricsStore
from vedette.store.schema import migrate

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS
EXPRESSIONS = (
    "level > 0.99",
    "avg_over_time(level[5m]) > 0.95",
    "sum by (job) (level) > 100",
)


def fill(engine: ChdbEngine, index: SeriesIndex, *, series: int, days: int, interval_s: int) -> None:
    """Store the history, a day at a time."""
    batches = MetricBatches()
    label_sets = [
        label_set({METRIC_NAME: "level", "job": f"job-{number % 10}", "instance": f"i-{number:05}"})
        for number in range(series)
    ]
    slots = np.array([index.resolve(labels, max_series=1 << 30)[0] for labels in label_sets], np.int64)
    ids = index.ids(slots)
    random = np.random.default_rng(1)
    steps = DAY_MS // 1000 // interval_s
    for day in range(days):
        first_ms = START_MS + day * DAY_MS
        times = first_ms + 1000 * interval_s * np.arange(steps, dtype=np.int64)
        # Levels that wander for minutes on one side of a threshold, as loads do, and shake a little.
        walk = np.cumsum(random.normal(0, 0.01, (steps, series)), axis=0)
        walk -= np.linspace(0, 1, steps)[:, None] * walk[-1]
        values = np.round(np.clip(0.7 + walk + random.normal(0, 0.002, walk.shape), 0, 1), 3)
        samples = batches.samples_batch(
            np.zeros(values.size, np.int32), ["level"], np.tile(ids, steps), np.repeat(times, series), values.ravel()
        )
        engine.insert("samples", samples, token=f"samples {day}")
        days_of = np.full(series, first_ms // DAY_MS, np.int32)
        engine.insert("series", batches.series_batch(days_of, ids, label_sets), token=f"series {day}")
    last_ms = START_MS + days * DAY_MS
    index.touch(slots, np.full(series, START_MS, np.int64), np.full(series, last_ms, np.int64))


async def measure(engine: ChdbEngine, index: SeriesIndex, days: int) -> None:
    """Try each rule twice: the second time the file system has the data."""
    memory = SampleMemory(max_bytes=8 << 20)
    end_ms = START_MS + days * DAY_MS
    memory.start_from(end_ms)
    store = MetricsStore(engine)
    async with open_query_service(
        lambda: StoredSource(index, memory, store), QueryLimits(), CollectorRegistry()
    ) as queries:
        for expr in EXPRESSIONS:
            (rule,) = parse_rules(f"groups: [{{name: g, rules: [{{alert: A, expr: '{expr}'}}]}}]", "r").groups[0].rules
            assert isinstance(rule, AlertingRule)
            took: list[str] = []
            alerts = 0
            for _ in range(2):
                started_s = time.perf_counter()
                options = TrialOptions(start_ms=START_MS, end_ms=end_ms - 60_000, step_ms=60_000)
                async for told in try_rule(rule, queries, options):
                    if isinstance(told, Trial):
                        alerts = told.summary.alerts
                took.append(f"{time.perf_counter() - started_s:6.2f} s")
            print(f"{expr:40} {'  '.join(took)}   {alerts:,} alerts")


def main() -> None:
    """Store and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--interval", type=int, default=60)
    options = parser.parse_args()
    list(compile_kernels())
    with tempfile.TemporaryDirectory() as directory:
        engine = ChdbEngine(Path(directory), EngineSettings(memory_bytes=2 << 30, query_memory_bytes=1 << 30))
        try:
            migrate(engine)
            index = SeriesIndex()
            started_s = time.perf_counter()
            fill(engine, index, series=options.series, days=options.days, interval_s=options.interval)
            samples = options.series * options.days * 86_400 // options.interval
            print(f"{samples:,} samples stored in {time.perf_counter() - started_s:.0f} s")
            asyncio.run(measure(engine, index, options.days))
        finally:
            engine.close()


if __name__ == "__main__":
    main()
