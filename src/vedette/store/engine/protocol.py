"""What the rest of the store asks of an SQL engine, and how much of the machine an engine may take.

The calls block: they are made from executor threads, any number at once. SQL text is ClickHouse's and the
same for the embedded engine and a server; values travel as named parameters (`{start:Int64}`), rows as
Arrow. An engine's own exceptions never leave it (see `failures`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

Parameter = str | int | float | Sequence[str] | Sequence[int]
"""A value for a named parameter. Dates and times are sent as numbers."""

Parameters = Mapping[str, Parameter]


class Engine(Protocol):
    """An SQL engine: `ChdbEngine` in this process, or `ClickHouseEngine` over HTTP.

    All calls raise `StorageError` for what the engine cannot do, `LimitExceededError` where a query wants
    more memory or rows than it may have, `QueryTimeoutError` where it takes too long, and
    `OverloadedError` where the same call may work later (disk full, engine busy, server away).
    """

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        """Run a statement that has no result, or whose result nobody wants."""
        ...

    def query(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        """Run a query whose result is small enough to be held at once."""
        ...

    def stream(self, sql: str, parameters: Parameters | None = None) -> Generator[pa.RecordBatch]:
        """Run a query and hand out its result as it comes; closing the generator cancels the query.

        Its columns are numbers or times in milliseconds. The arrays may lie at any address (NumPy calls that
        not aligned).
        """
        ...

    def insert(self, table: str, rows: pa.Table | pa.RecordBatch, *, token: str) -> None:
        """Add rows. On return they are on the disk.

        Args:
            table: its name.
            rows: columns by name; those left out get their defaults.
            token: names this batch. The same rows sent again under the same token are stored once, in
                whatever state the first attempt ended.
        """
        ...

    def close(self) -> None:
        """Release everything; the engine is not used afterwards. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How much of the machine the engine may take. The defaults suit a machine with 1 GB and 2 cores.

    Attributes:
        memory_bytes: all queries, merges, inserts and caches of the engine together.
        query_memory_bytes: one query.
        query_threads: threads of one query.
        query_timeout_s: after this a query is stopped.
        readers: queries that run at the same time; more wait.
        wait_s: how long a query waits for its turn before it is refused.
        mark_cache_bytes: index marks of the parts read last.
        key_cache_bytes: their primary keys.
        min_free_bytes: rows are refused while the disk has less than this left, so that merges, the
            state database and the log still find room.
    """

    memory_bytes: int = 400 << 20
    query_memory_bytes: int = 200 << 20
    query_threads: int = 2
    query_timeout_s: float = 120.0
    readers: int = 3
    wait_s: float = 30.0
    mark_cache_bytes: int = 16 << 20
    key_cache_bytes: int = 16 << 20
    min_free_bytes: int = 64 << 20


QUERY_MEMORY_OPTION = "storage.query_memory"
TOTAL_MEMORY_OPTION = "storage.engine_memory"
MIN_FREE_OPTION = "storage.disk_reserve"


def query_settings(settings: EngineSettings) -> dict[str, str]:
    """ClickHouse's settings for every query of a session."""
    return {
        "max_memory_usage": str(settings.query_memory_bytes),
        "max_threads": str(settings.query_threads),
        "max_execution_time": f"{settings.query_timeout_s:g}",
        "output_format_arrow_compression_method": "none",
        "output_format_arrow_low_cardinality_as_dictionary": "1",
        "output_format_arrow_string_as_string": "1",
        "session_timezone": "UTC",
    }


def insert_settings(token: str) -> dict[str, str]:
    """ClickHouse's settings for one insert: at once, on the disk, and once however often it is sent.

    A batch may span any number of days (a back-fill): splitting it by partition is the engine's work.
    """
    return {
        # Asynchronous inserts are batched a second time and deduplicated by other rules.
        "async_insert": "0",
        "insert_deduplicate": "1",
        "insert_deduplication_token": token,
        "max_insert_threads": "1",
        # Rows that were sent twice are merged away later, as those of different inserts have to be anyway.
        "optimize_on_insert": "0",
        "max_partitions_per_insert_block": "0",
        # A Distributed table forwards the rows before it answers.
        "distributed_foreground_insert": "1",
    }
