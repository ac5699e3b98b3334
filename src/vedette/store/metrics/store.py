"""Metrics on the disk: what is read back and what is dropped. Rows get there through `GroupCommit`.

All calls block and are made from executor threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from vedette.model.errors import LimitExceededError
from vedette.model.samples import Metadata, MetricType, SampleRuns
from vedette.store.engine.protocol import Engine
from vedette.store.metrics import backup, retention
from vedette.store.metrics.decimals import UInt64s
from vedette.store.metrics.retention import PartitionUsage, Retention
from vedette.store.metrics.rows import DAY_MS, FIRST_MS, LAST_MS, encode_labels
from vedette.store.metrics.runs import RunAssembler, join, reorder
from vedette.store.metrics.slices import plan_slices
from vedette.store.schema.tables import TABLES
from vedette.store.schema.topology import SingleServer, Topology

_IDS_PER_QUERY: Final = 4_000
"""Bounds a query's text (80 kB). The table is sorted by what is asked for, so many queries read hardly more
than one would."""

_STREAMED: Final = "SETTINGS max_memory_usage = 0"
"""The engine counts what it has handed out against the query's memory until the query ends, though it is long
freed, so a long stream would exceed any limit. These queries sort and aggregate nothing: they hold a few
blocks at a time, and the limit for all queries together still applies."""

_SAMPLES_PER_SLICE: Final = 2_000_000

_TIME_RANGE: Final = (
    "time BETWEEN fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)

_METRICS: Final = "metric IN {metrics:Array(String)}"
_IDS: Final = "series_id IN {ids:Array(UInt64)}"

_COUNT_BY_METRIC: Final = "SELECT metric, count() AS samples FROM samples WHERE " + _TIME_RANGE + " GROUP BY metric"  # noqa: S608 - constants

_EXEMPLARS: Final = (
    "SELECT DISTINCT series_id, time, value, labels FROM exemplars "  # noqa: S608 - constants
    f"WHERE {_METRICS} AND {_IDS} AND {_TIME_RANGE} ORDER BY series_id, time"
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
        self, metrics: Sequence[str] | None, ids: UInt64s, start_ms: int, end_ms: int, *, max_samples: int | None = None
    ) -> SampleRuns:
        """The samples of some series with start_ms <= time <= end_ms.

        Args:
            metrics: the names of the series' metrics; None reads much more than it needs.
            ids: uint64[series], all different.
            start_ms: first time.
            end_ms: last time.
            max_samples: no more than this.

        Returns:
            One run for each id, in the order given; stale markers included.

        Raises:
            LimitExceededError: there are more than `max_samples`.
        """
        order = np.argsort(ids)
        ordered = np.ascontiguousarray(ids[order])
        # Without the metric, which is what the table is sorted by first, each query reads everything:
        # then it is one query, and what was not asked for is dropped here.
        step = _IDS_PER_QUERY if metrics is not None or len(ids) <= _IDS_PER_QUERY else len(ids)
        parts: list[SampleRuns] = []
        left = max_samples
        for first in range(0, len(ordered), step):
            wanted = ordered[first : first + step]
            runs = self._read(metrics, wanted, start_ms, end_ms, left)
            parts.append(runs)
            left = None if left is None else left - len(runs.times)
        if not parts:
            return SampleRuns(np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
        runs = join(parts)
        if (order[1:] > order[:-1]).all():
            return runs
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return reorder(runs, back)

    def scan_recent(
        self, since_ms: int, *, max_samples: int = _SAMPLES_PER_SLICE
    ) -> Iterator[tuple[UInt64s, SampleRuns]]:
        """All samples from a time on, in pieces of whole series.

        Args:
            since_ms: first time.
            max_samples: about how many samples a piece may have.

        Yields:
            uint64[series], rising, and their runs. No series is in two pieces.
        """
        bounds = {"start": _clamp(since_ms), "end": LAST_MS}
        counted = self._engine.query(_COUNT_BY_METRIC, bounds)
        names: list[str] = counted.column("metric").to_pylist()
        numbers: list[int] = counted.column("samples").to_pylist()
        for part in plan_slices(dict(zip(names, numbers, strict=True)), max_samples=max_samples):
            rows = self._engine.stream(
                _samples_where(_TIME_RANGE, _METRICS, "series_id BETWEEN {first:UInt64} AND {last:UInt64}"),
                {**bounds, "metrics": part.metrics, "first": part.first_id, "last": part.last_id},
            )
            assembler = RunAssembler()
            for batch in rows:
                assembler.add(batch)
            if assembler.samples:
                yield assembler.finish()

    def read_exemplars(self, metrics: Sequence[str], ids: UInt64s, start_ms: int, end_ms: int) -> pa.Table:
        """Exemplars of some series: `series_id`, `time`, `value`, `labels`, by series and time."""
        tables = [
            self._engine.query(
                _EXEMPLARS,
                {
                    "metrics": metrics,
                    "ids": part.tolist(),
                    "start": _clamp(start_ms),
                    "end": _clamp(end_ms),
                },
            )
            for part in np.array_split(np.sort(ids), -(-max(len(ids), 1) // _IDS_PER_QUERY))
        ]
        return pa.concat_tables([encode_labels(table.unify_dictionaries()) for table in tables])

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

    def _read(
        self, metrics: Sequence[str] | None, ids: UInt64s, start_ms: int, end_ms: int, max_samples: int | None
    ) -> SampleRuns:
        conditions = [_TIME_RANGE]
        parameters: dict[str, int | Sequence[str] | Sequence[int]] = {
            "start": _clamp(start_ms),
            "end": _clamp(end_ms),
        }
        if metrics is not None:
            conditions.append(_METRICS)
            parameters["metrics"] = metrics
        if len(ids) <= _IDS_PER_QUERY:
            conditions.append(_IDS)
            parameters["ids"] = ids.tolist()
        rows = self._engine.stream(_samples_where(*conditions), parameters)
        assembler = RunAssembler(ids)
        for batch in rows:
            assembler.add(batch)
            if max_samples is not None and assembler.samples > max_samples:
                raise LimitExceededError(
                    limit="query.max_samples", allowed=max_samples, found=None, what="samples to read for one query"
                )
        return assembler.finish()[1]


def _samples_where(*conditions: str) -> str:
    return f"SELECT series_id, time, mantissa, digits FROM samples WHERE {' AND '.join(conditions)} {_STREAMED}"  # noqa: S608 - conditions are constants


def _clamp(time_ms: int) -> int:
    return min(max(time_ms, FIRST_MS), LAST_MS)
