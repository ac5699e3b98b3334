"""A whole ingest path in memory, for tests: real index, memory, ledger and writer; a commit queue that can fail."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry

from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.ledger import Ledger
from vedette.ingest.limits import IngestLimits
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.remote_write import RemoteWriteReceiver
from vedette.ingest.writer import MetricsWriter
from vedette.model.errors import OverloadedError
from vedette.model.labels import LabelSet
from vedette.query.stored import StoredSource
from vedette.store.commit import RowsRefusedError
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.metrics.rows import MetricBatches

ALL_OF_TIME = (0, 1 << 52)


@dataclass(slots=True)
class Commits:
    """A commit queue.

    Attributes:
        full: has no room.
        failing: has room, but commits fail.
        refusing: has room, but the engine refuses all rows for good.
        open: cleared, commits stall.
        decided: everything up to this number is stored or refused.
        rows: committed or not, by table.
    """

    full: bool = False
    failing: bool = False
    refusing: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)
    rows: dict[str, int] = field(default_factory=dict[str, int])
    sequence: int = 0
    decided: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    def ensure_room(self, size_bytes: int, *, sender_retries: bool = False) -> None:
        del size_bytes, sender_retries
        if self.full:
            raise OverloadedError("the queue is full", retry_after_s=3)

    @property
    def committed_sequence(self) -> int:
        return self.decided

    def append(self, table: str, rows: pa.RecordBatch, *, patience_ms: int | None) -> int:
        del patience_ms
        self.rows[table] = self.rows.get(table, 0) + rows.num_rows
        self.sequence += 1
        return self.sequence

    async def committed(self, sequence: int) -> None:
        assert sequence <= self.sequence
        await self.open.wait()
        if self.refusing:
            raise RowsRefusedError("there is no such column")
        if self.failing:
            raise OverloadedError("the rows could not be stored within 10 s", retry_after_s=2.2)


class InMemory:
    """What a running server has, without its engine."""

    def __init__(self, *, limits: IngestLimits | None = None, now_ms: int | None = None) -> None:
        self.fixed_now_ms = now_ms
        self.registry = CollectorRegistry()
        self.index = SeriesIndex()
        self.memory = SampleMemory(max_bytes=8 << 20)
        self.commits = Commits()
        self.ledger = Ledger()
        self.exemplars = ExemplarStore()
        self.metadata = MetadataStore()
        self.writer = MetricsWriter(
            index=self.index,
            memory=self.memory,
            queue=self.commits,
            tables=MetricBatches(),
            ledger=self.ledger,
            limits=limits or IngestLimits(),
            now_ms=self.now_ms,
        )
        self.receiver = RemoteWriteReceiver(
            writer=self.writer, exemplars=self.exemplars, metadata=self.metadata, now_ms=self.now_ms
        )

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 if self.fixed_now_ms is None else self.fixed_now_ms

    def source(self) -> StoredSource:
        return StoredSource(self.index, self.memory, None)

    def put(self, labels: LabelSet, *samples: tuple[int, float]) -> None:
        """Store samples of one series."""
        slots, refused = self.writer.resolve("test", [labels])
        assert not refused
        times = np.array([time_ms for time_ms, _ in samples], np.int64)
        values = np.array([value for _, value in samples])
        taken = self.writer.take("test", np.repeat(slots, len(samples)), times, values, patience_ms=1000)
        assert taken.stored == len(samples), taken

    def samples(self, labels: LabelSet) -> list[tuple[int, float]]:
        """What is stored of one series."""
        slot, new = self.index.resolve(labels, max_series=1 << 30)
        if new:
            self.index.remove([slot])
            return []
        runs, _ = self.memory.read(np.array([slot], np.int64), *ALL_OF_TIME)
        return list(zip(runs.times.tolist(), runs.values.tolist(), strict=True))

    def everything(self) -> dict[LabelSet, list[tuple[int, float]]]:
        """All that is stored."""
        slots = self.index.select([])
        return {self.index.labels(slot): self.samples(self.index.labels(slot)) for slot in slots.tolist()}
