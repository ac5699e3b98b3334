"""How long PromQL's evaluator takes in process: no server, no JSON.

    .venv/bin/python benchmarks/promql_kernels.py [--head] [--series 10000] [--hours 6] [--workers 2] [FILTER]

By default over synthetic series held as plain columns and handed out without any decoding: the evaluator alone. With
`--head` the expressions and the data of `make bench`, unpacked from memory as the server does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vedette.lang.promql import parse
from vedette.lang.promql.ast import Expr
from vedette.model.frames import LabelFrame, QuerySymbols, SymbolTable
from vedette.model.kernels import compile_kernels
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import SampleRuns
from vedette.query.promql import EvalOptions, evaluate_instant, evaluate_range
from vedette.query.source import SampleSource, Selection
from vedette.query.stored import StoredSource
from vedette.store.head import SampleMemory, SeriesIndex

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.expressions import INSTANT, RANGE
from benchmarks.fleet import Fleet

SCRAPE_MS = 15_000
START_MS = 1_700_000_000_000 // 60_000 * 60_000

EXPRESSIONS = (
    "sum by (job) (rate(requests_total[5m]))",
    "sum(rate(requests_total[5m]))",
    "sum by (instance) (increase(requests_total[1h]))",
    "sum by (instance, series) (rate(requests_total[5m]))",
    "topk(5, rate(requests_total[5m]))",
    "topk by (instance) (5, temperature)",
    "topk(100000, temperature)",
    "avg by (job) (temperature)",
    "max by (job) (max_over_time(temperature[5m]))",
    "min(min_over_time(temperature[1h]))",
    "sum by (job) (avg_over_time(temperature[5m]))",
    "sum by (job) (sum_over_time(temperature[5m]))",
    "sum by (job) (count_over_time(temperature[5m]))",
    "sum by (job) (irate(requests_total[5m]))",
    "sum by (job) (delta(temperature[5m]))",
    "sum by (job) (deriv(temperature[5m]))",
    "sum by (job) (predict_linear(temperature[1h], 3600))",
    "sum by (job) (stddev_over_time(temperature[5m]))",
    "sum by (job) (quantile_over_time(0.9, temperature[5m]))",
    "sum by (job) (changes(temperature[5m]))",
    "sum by (job) (last_over_time(temperature[5m]))",
    "quantile by (job) (0.95, temperature)",
    "stddev by (job) (temperature)",
    "count by (job) (temperature > 50)",
    "temperature > 99.9",
    "requests_total",
    "rate(requests_total[5m])",
    "sum by (job) (rate(requests_total[5m])) / on (job) sum by (job) (rate(errors_total[5m]))",
    "rate(errors_total[5m]) / on (job, instance, series) rate(requests_total[5m])",
    "temperature unless on (job, instance, series) (errors_total > 100)",
    "histogram_quantile(0.95, sum by (le) (rate(latency_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le, instance) (rate(latency_bucket[5m])))",
    'sum by (copy) (label_replace(temperature, "copy", "$1", "instance", "host-(.*)"))',
    "absent(temperature)",
    "sum by (job) (max_over_time(rate(requests_total[5m])[30m:1m]))",
    "sum by (job) (abs(temperature - 50) * 2)",
    'temperature{series="17"}',
)


class Columns:
    """Series of four metrics with one sample every 15 seconds, all in two arrays."""

    def __init__(self, series: int, hours: float) -> None:
        rng = np.random.default_rng(7)
        self.samples = int(hours * 3600_000) // SCRAPE_MS + 260
        self.first_ms = START_MS - 259 * SCRAPE_MS
        self.table = SymbolTable()
        self.labels: dict[str, NDArray[np.int32]] = {}
        self.names = ("requests_total", "errors_total", "temperature", "latency_bucket")
        each = np.arange(series)
        bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "10", "+Inf"]
        texts: dict[str, list[str]] = {"__name__": [], "job": [], "instance": [], "series": [], "le": []}
        for name in self.names:
            bucket = name == "latency_bucket"
            owner = each // len(bounds) if bucket else each
            texts["__name__"] += [name] * series
            texts["job"] += [f"job-{n % 10}" for n in owner]
            texts["instance"] += [f"host-{n % 100}" for n in owner]
            texts["series"] += [str(n) for n in owner]
            texts["le"] += [bounds[n % len(bounds)] if bucket else "" for n in each]
        for name, values in texts.items():
            self.labels[name] = np.array([self.table.intern(text) for text in values], np.int32)
        # Series of one instance are scraped at the same times; instances at different ones.
        shift = (each % 100 * 137 % SCRAPE_MS).astype(np.int64)
        line = self.first_ms + np.arange(self.samples, dtype=np.int64) * SCRAPE_MS
        order = np.argsort(shift, kind="stable")
        self.times = np.tile((line[np.newaxis, :] + shift[order][:, np.newaxis]), (len(self.names), 1))
        steps = rng.integers(0, 100, (series, self.samples)).astype(np.float64)
        counters = np.cumsum(steps, axis=1)
        self.values = np.concatenate([counters, counters // 50, steps, counters])
        rows = np.concatenate([order + i * series for i in range(len(self.names))])
        self.labels = {name: column[rows] for name, column in self.labels.items()}
        self.offsets = np.arange(len(rows) + 1, dtype=np.int64) * self.samples

    def symbols(self) -> QuerySymbols:
        """An overlay for one query."""
        return self.table.overlay()

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, symbols: QuerySymbols, *, max_series: int
    ) -> Selection:
        """Series by equality of labels."""
        del start_ms, end_ms, max_series
        passing = np.ones(len(self.offsets) - 1, np.bool_)
        for matcher in matchers:
            if matcher.op is not MatchOp.EQUAL:
                raise NotImplementedError("the benchmark selects by equality")
            passing &= self.labels[matcher.name] == (self.table.find(matcher.value) or 0)
        rows = np.flatnonzero(passing)
        columns = {name: column[rows] for name, column in self.labels.items()}
        return Selection(LabelFrame(symbols, columns, len(rows)), rows.astype(np.int64))

    def read(self, handles: NDArray[np.int64], start_ms: int, end_ms: int) -> SampleRuns:
        """Columns of neighbouring series."""
        low = max(0, (start_ms - self.first_ms) // SCRAPE_MS - 1)
        high = min(self.samples, (end_ms - self.first_ms) // SCRAPE_MS + 2)
        first, count = int(handles[0]), len(handles)
        if count > 1 and handles[-1] - first != count - 1:
            raise NotImplementedError("the benchmark reads neighbours")
        offsets = np.arange(count + 1, dtype=np.int64) * (high - low)
        times = self.times[first : first + count, low:high].reshape(-1)
        return SampleRuns(offsets, times, self.values[first : first + count, low:high].reshape(-1))


def fill_head(series: int, hours: float) -> StoredSource:
    """The data of `make bench` in memory."""
    steps = int(hours * 3600_000) // SCRAPE_MS + 260
    fleet = Fleet(series, START_MS - 259 * SCRAPE_MS, steps)
    index, memory = SeriesIndex(), SampleMemory(max_bytes=192 << 20)
    slots = np.array([index.resolve(labels, max_series=10**7)[0] for labels in fleet.labels], np.int64)
    # In the order of time, as they come: the chunks of a series lie far apart.
    for piece in fleet.runs(steps_each=20, series_each=2500):
        runs = piece.runs
        own = np.repeat(slots[piece.first : piece.after], np.diff(runs.offsets))
        memory.append(own, runs.times, runs.values, window_ms=600_000)
        index.touch(own, runs.times, runs.times)
    return StoredSource(index, memory, None)


def best_of(run: Callable[[], object], seconds: float) -> float:
    """The shortest of several runs, in milliseconds."""
    best, spent, runs = float("inf"), 0.0, 0
    while runs < 3 or (spent < seconds and runs < 50):
        began = time.perf_counter()
        run()
        took = time.perf_counter() - began
        best, spent, runs = min(best, took), spent + took, runs + 1
    return best * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--head", action="store_true", help="the data and expressions of `make bench`")
    parser.add_argument("filter", nargs="?", default="")
    args = parser.parse_args()
    began = time.perf_counter()
    for _ in compile_kernels():
        pass
    print(f"kernels ready after {time.perf_counter() - began:.1f} s")
    source: SampleSource
    expressions: Sequence[str] = EXPRESSIONS
    end_ms = START_MS + int(args.hours * 3600_000)
    if args.head:
        source = fill_head(args.series, args.hours)
        expressions = [expression.text for expression in dict.fromkeys((*RANGE, *INSTANT))]
    else:
        source = Columns(args.series, args.hours)
    with ThreadPoolExecutor(args.workers - 1 or 1) as executor:
        options = EvalOptions(
            workers=args.workers,
            executor=executor if args.workers > 1 else None,
            max_samples=10**9,
            max_points=10**6,
        )
        print(
            f"{args.series:,} series, {args.hours:g} h at 15 s, {args.workers} workers; milliseconds, best of several"
        )
        print(f"{'step 60 s':>10} {'step 15 s':>10} {'last hour':>10} {'instant':>10}  expression")
        for text in expressions:
            if args.filter not in text:
                continue
            expr = parse(text)

            def ranged(start_ms: int, step_ms: int, expr: Expr = expr) -> Callable[[], object]:
                return lambda: evaluate_range(
                    expr, start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, source=source, options=options
                )

            figures = (
                best_of(ranged(START_MS, 60_000), 0.4),
                best_of(ranged(START_MS, 15_000), 0.4),
                best_of(ranged(end_ms - 3_600_000, 15_000), 0.2),
                best_of(lambda expr=expr: evaluate_instant(expr, at_ms=end_ms, source=source, options=options), 0.1),
            )
            print(" ".join(f"{figure:10.2f}" for figure in figures), f" {text}")


if __name__ == "__main__":
    main()
