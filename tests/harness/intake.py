"""The way in for samples with everything behind it but the disk.

Index, memory and books are real; the queue to the disk can be told to fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from vedette.ingest.exemplars import ExemplarStore
from vedette.ingest.ledger import Ledger
from vedette.ingest.limits import IngestLimits
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.writer import MetricsWriter
from vedette.model.errors import OverloadedError
from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import is_stale
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.metrics import MetricBatches

NOW_MS = 1_760_000_000_000


@dataclass
class FakeQueue:
    """Keeps what it is given.

    Attributes:
        full: refuse everything.
        failing: refuse those who can send again.
        appended: tables and rows, in their order.
        patience_ms: of each of these.
        committed_sequence: everything up to this is decided.
    """

    full: bool = False
    failing: bool = False
    appended: list[tuple[str, pa.RecordBatch]] = field(default_factory=list[tuple[str, pa.RecordBatch]])
    patience_ms: list[int | None] = field(default_factory=list["int | None"])
    committed_sequence: int = 0
    awaited: list[int] = field(default_factory=list[int])

    def ensure_room(self, size_bytes: int, *, sender_retries: bool = False) -> None:
        if self.full or (self.failing and sender_retries):
            raise OverloadedError(f"no room for {size_bytes} bytes", retry_after_s=1)

    def append(self, table: str, rows: pa.RecordBatch, *, patience_ms: int | None) -> int:
        self.appended.append((table, rows))
        self.patience_ms.append(patience_ms)
        return len(self.appended)

    async def committed(self, sequence: int) -> None:
        self.awaited.append(sequence)

    def rows(self, table: str) -> int:
        return sum(rows.num_rows for name, rows in self.appended if name == table)


@dataclass
class Intake:
    """A writer and what it writes to. `now_ms` is set by hand."""

    limits: IngestLimits = field(default_factory=IngestLimits)
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        self.index = SeriesIndex()
        self.memory = SampleMemory(max_bytes=1 << 20)
        self.queue = FakeQueue()
        self.ledger = Ledger()
        self.metadata = MetadataStore()
        self.exemplars = ExemplarStore()
        self.writer = MetricsWriter(
            index=self.index,
            memory=self.memory,
            queue=self.queue,
            tables=MetricBatches(),
            ledger=self.ledger,
            limits=self.limits,
            now_ms=lambda: self.now_ms,
        )

    def samples(self, name: str, **labels: str) -> list[tuple[int, float | str]]:
        """All samples of the series with these labels and any others: times behind `NOW_MS`; "stale" for a marker."""
        found: list[tuple[int, float | str]] = []
        for slot in self.slots(name, **labels):
            runs, _ = self.memory.read(np.array([slot], np.int64), 0, 1 << 60)
            for time_ms, value, stale in zip(runs.times, runs.values, is_stale(runs.values), strict=True):
                found.append((int(time_ms) - NOW_MS, "stale" if stale else float(value)))
        return found

    def slots(self, name: str, **labels: str) -> list[int]:
        """Slots of the series with these labels and any others."""
        matchers = [Matcher(key, MatchOp.EQUAL, value) for key, value in {METRIC_NAME: name, **labels}.items()]
        return self.index.select(matchers).tolist()

    def names(self) -> set[str]:
        """Names of all metrics with samples."""
        named = Matcher(METRIC_NAME, MatchOp.NOT_EQUAL, "")
        slots = self.index.select([named], start_ms=0, end_ms=1 << 60).tolist()
        return {dict(self.index.labels(slot))[METRIC_NAME] for slot in slots}

    def forget(self, *slots: int) -> None:
        """Take series back, as retention does."""
        self.index.remove(slots)
        self.memory.forget(np.array(slots, np.int64))
        self.writer.forget(np.array(slots, np.int64))


def series(name: str, **labels: str) -> LabelSet:
    """A label set."""
    return label_set({METRIC_NAME: name, **labels})
