"""Metrics on the disk: what is read back and what is dropped. Rows get there through `GroupCommit`.

All calls block and are made from executor threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from vedette.model.errors import LimitExceededError
from vedette.model.samples import Metadata, MetricType, SampleRuns
from vedette.store.engine.protocol import Engine, Parameter
from vedette.store.metrics import backup, retention
from vedette.store.metrics.decimals import UInt64s
from vedette.store.metrics.keys import SeriesKeys, plan_reads
from vedette.store.metrics.retention import PartitionUsage, Retention
from vedette.store.metrics.rows import DAY_MS, FIRST_MS, LAST_MS, encode_labels
from vedette.store.metrics.runs import RunAssembler, join
from vedette.store.metrics.slices import plan_slices
from vedette.store.schema.tables import SPAN_MS, TABLES
from vedette.store.schema.topology import SingleServer, Topology

_Made = TypeVar("_Made")

_LISTED: Final = 4_000
"""So many ids in one query about exemplars: bounds its text (80 kB)."""

_STREAMED: Final = "SETTINGS max_memory_usage = 0, max_block_size = 131072, preferred_block_size_bytes = 4194304"
"""The engine counts what it has handed out against the query's memory until the query ends, though it is long
freed, so a long stream would exceed any limit. These queries sort and aggregate nothing: they hold a few
blocks at a time, and the limit for all queries together still applies. Blocks of 3 MB take a fifth less time than
those of a megabyte, which are usual."""

_SAMPLES_PER_SLICE: Final = 1_000_000

_MOST_SPANS: Final = 24
"""So many spans are scanned one by one; what is later, perhaps by decades, comes with the last of them."""

_TIME_RANGE: Final = (
    "time BETWEEN fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)

_METRICS: Final = "metric IN {metrics:Array(String)}"
_IDS: Final = "series_id IN {ids:Array(UInt64)}"

_COUNT_BY_METRIC: Final = f"SELECT metric, count() AS samples FROM samples WHERE {_TIME_RANGE} GROUP BY metric"  # noqa: S608 - constants
_TIMES: Final = (
    "SELECT count() AS samples, toUnixTimestamp64Milli(min(time)) AS first_ms, "
    "toUnixTimestamp64Milli(max(time)) AS last_ms FROM samples"
)

_NEWEST_EXEMPLARS: Final = (
    "SELECT DISTINCT series_id, time, value, labels FROM exemplars "  # noqa: S608 - constants
    f"WHERE {_TIME_RANGE} ORDER BY time DESC LIMIT {{limit:Int64}}"
)

_EXEMPLARS: Final = (
    "SELECT * FROM (SELECT DISTINCT series_id, time, value, labels FROM exemplars "  # noqa: S608 - constants
    f"WHERE {_METRICS} AND {_IDS} AND {_TIME_RANGE} ORDER BY time DESC LIMIT {{limit:Int64}}) ORDER BY series_id, time"
)


class MetricsStore:
    """Reads and prunes the tables of metrics."""

    def __init__(self, engine: Engine, topology: Topology | None = None) -> None:
        self._engine = engine
        self._topology = topology or SingleServer()

    def load_series(self, since_ms: int) -> pa.Table:
        """The series with samples on or after the UTC day of `since_ms`.

        Returns:
            A row for each: `metric` (dictionary), `series_id` (uint64), `labels` (map of dictionaries,
            without `__name__`), `first_day` and `last_day` (date32) of those days on which it has samples.
            `rows.frame_columns` makes a label frame's columns of it.
        """
        table = self._engine.query(
            "SELECT metric, series_id, any(labels) AS labels, min(day) AS first_day, max(day) AS last_day "
            "FROM series WHERE day >= toDate({since:Int32}) GROUP BY metric, series_id ORDER BY metric, series_id",
            {"since": _clamp(since_ms) // DAY_MS if since_ms > 0 else 0},
        )
        return encode_labels(table.unify_dictionaries())

    def read_samples(
        self, keys: SeriesKeys, start_ms: int, end_ms: int, *, max_samples: int | None = None
    ) -> SampleRuns:
        """The samples of some series with start_ms <= time <= end_ms.

        Args:
            keys: which series, of `series_keys`.
            start_ms: first time.
            end_ms: last time.
            max_samples: no more than this.

        Returns:
            One run for each series, in the order of the keys; stale markers included.

        Raises:
            LimitExceededError: there are more than `max_samples`.
        """
        bounds: dict[str, Parameter] = {"start": _clamp(start_ms), "end": _clamp(end_ms)}
        parts: list[SampleRuns] = []
        taken = 0
        for read in plan_reads(keys):
            assembler = RunAssembler(keys.ids[read.first : read.after])
            for batch in self._engine.stream(_samples_where(read.condition), {**bounds, **read.parameters}):
                assembler.add(batch)
                if max_samples is not None and taken + assembler.samples > max_samples:
                    raise LimitExceededError(
                        limit="query.max_samples", allowed=max_samples, found=None, what="samples to read for one query"
                    )
            taken += assembler.samples
            parts.append(assembler.finish()[1])
        if not parts:
            return SampleRuns(np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
        return join(parts)

    def scan_recent(
        self, since_ms: int, *, max_samples: int = _SAMPLES_PER_SLICE
    ) -> Iterator[tuple[UInt64s, SampleRuns]]:
        """All samples from a time on, in pieces of whole series within two hours, the oldest hours first.

        While the caller uses a piece the next one is read.

        Args:
            since_ms: first time.
            max_samples: about how many samples a piece may have.

        Yields:
            uint64[series], rising, and their runs. No series is in two pieces of the same hours.
        """
        found: dict[str, int] = self._engine.query(_TIMES).to_pylist()[0]
        if not found["samples"]:
            return
        since_ms, last_ms = _clamp(max(since_ms, found["first_ms"])), found["last_ms"]
        counted = self._engine.query(_COUNT_BY_METRIC, {"start": since_ms, "end": LAST_MS})
        first_span = since_ms // SPAN_MS
        spans = range(first_span, min(last_ms // SPAN_MS, first_span + _MOST_SPANS - 1) + 1)
        # Samples are taken to come at a steady rate; where they do not, a piece becomes larger.
        each = {row["metric"]: -(-row["samples"] // len(spans)) for row in counted.to_pylist() if spans}
        pieces = [(span, part) for span in spans for part in plan_slices(each, max_samples=max_samples)]

        def read(number: int) -> tuple[UInt64s, SampleRuns]:
            span, part = pieces[number]
            rows = self._engine.stream(
                _samples_where(
                    "metric IN {metrics:Array(String)} AND series_id BETWEEN {first:UInt64} AND {last:UInt64}"
                ),
                {
                    "start": max(since_ms, span * SPAN_MS),
                    "end": span * SPAN_MS + SPAN_MS - 1 if span < spans[-1] else LAST_MS,
                    "metrics": part.metrics,
                    "first": part.first_id,
                    "last": part.last_id,
                },
            )
            assembler = RunAssembler()
            for batch in rows:
                assembler.add(batch)
            return assembler.finish()

        for ids, runs in _one_ahead(read, len(pieces)):
            if len(runs.times):
                yield ids, runs

    def read_exemplars(
        self, metrics: Sequence[str], ids: UInt64s, start_ms: int, end_ms: int, *, limit: int = 100_000
    ) -> pa.Table:
        """Exemplars of some series: `series_id`, `time`, `value`, `labels`, by series and time.

        Of more than `limit`, for each some thousands of series, the newest ones.
        """
        tables = [
            self._engine.query(
                _EXEMPLARS,
                {
                    "metrics": metrics,
                    "ids": part.tolist(),
                    "start": _clamp(start_ms),
                    "end": _clamp(end_ms),
                    "limit": limit,
                },
            )
            for part in np.array_split(np.sort(ids), -(-max(len(ids), 1) // _LISTED))
        ]
        return pa.concat_tables([encode_labels(table.unify_dictionaries()) for table in tables])

    def newest_exemplars(self, since_ms: int, *, limit: int) -> pa.Table:
        """The newest exemplars of all series, as `read_exemplars`, the newest one first."""
        bounds = {"start": _clamp(since_ms), "end": LAST_MS, "limit": limit}
        return encode_labels(self._engine.query(_NEWEST_EXEMPLARS, bounds).unify_dictionaries())

    def read_metadata(self) -> list[Metadata]:
        """What is known of all metric families."""
        table = self._engine.query("SELECT family, type, unit, help FROM metadata FINAL ORDER BY family")
        return [
            Metadata(family=row["family"], type=MetricType(row["type"]), unit=row["unit"], help=row["help"])
            for row in table.to_pylist()
        ]

    def disk_usage(self) -> list[PartitionUsage]:
        """What each partition of each table takes, by table and partition."""
        names = {self._topology.stored_as(table): table.name for table in TABLES}
        found = self._engine.query(
            "SELECT table, partition_id, sum(rows) AS held, sum(bytes_on_disk) AS disk_bytes "  # noqa: S608 - no input
            f"FROM {self._topology.parts} WHERE active AND database = currentDatabase() "
            "AND table IN {tables:Array(String)} GROUP BY table, partition_id ORDER BY table, partition_id",
            {"tables": list(names)},
        )
        return [
            PartitionUsage(names[row["table"]], row["partition_id"], int(row["held"]), int(row["disk_bytes"]))
            for row in found.to_pylist()
        ]

    def apply_retention(self, rule: Retention, *, now_ms: int) -> list[PartitionUsage]:
        """Drop what may go, and say what that was. Cheap when nothing is due; call it once an hour."""
        due = retention.plan(self.disk_usage(), rule, now_ms=now_ms)
        tables = {table.name: table for table in TABLES}
        for part in due:
            self._engine.execute(self._topology.drop_partition(tables[part.table], part.partition))
        return due

    def backup(self, directory: Path) -> None:
        """As `backup.backup`."""
        backup.backup(self._engine, directory)

    def restore(self, directory: Path) -> None:
        """As `backup.restore`."""
        backup.restore(self._engine, directory)


def _one_ahead(make: Callable[[int], _Made], count: int) -> Iterator[_Made]:
    """What `make` makes of 0, 1 and so on; the next one is made while the caller uses the last."""
    with ThreadPoolExecutor(1, thread_name_prefix="scan") as executor:
        coming: deque[Future[_Made]] = deque()
        for number in range(count):
            coming.append(executor.submit(make, number))
            if number:
                yield coming.popleft().result()
        if coming:
            yield coming.popleft().result()


def _samples_where(condition: str) -> str:
    return f"SELECT series_id, time, mantissa, digits FROM samples WHERE {_TIME_RANGE} AND {condition} {_STREAMED}"  # noqa: S608 - the condition has parameters for all that came from outside


def _clamp(time_ms: int) -> int:
    return min(max(time_ms, FIRST_MS), LAST_MS)
