"""Exemplars from memory and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.ingest.exemplars import ExemplarStore
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Exemplar
from vedette.query.exemplars import ExemplarReads, load_exemplars
from vedette.store.head import SeriesIndex
from vedette.store.metrics import MetricBatches

UP = label_set({"__name__": "up", "job": "a"})
DOWN = label_set({"__name__": "down", "job": "a"})


def exemplar(time_ms: int, trace: str = "t") -> Exemplar:
    return Exemplar(label_set({"trace_id": trace}), 0.5, time_ms)


@dataclass
class Disk:
    """Rows as the engine hands them out; what it was asked for."""

    rows: list[tuple[LabelSet, Exemplar]] = field(default_factory=list)
    asked: list[tuple[list[str], int, int]] = field(default_factory=list)
    index: SeriesIndex = field(default_factory=SeriesIndex)

    def slot(self, labels: LabelSet) -> int:
        return self.index.resolve(labels, max_series=10)[0]

    def read_exemplars(
        self, metrics: Sequence[str], ids: NDArray[np.uint64], start_ms: int, end_ms: int, *, limit: int
    ) -> pa.Table:
        self.asked.append((sorted(metrics), start_ms, end_ms))
        wanted = set(ids.tolist())
        found = [row for row in self._sorted() if start_ms <= (row[1].time_ms or 0) <= end_ms]
        return self._table([row for row in found if self._id(row[0]) in wanted][:limit])

    def newest_exemplars(self, since_ms: int, *, limit: int) -> pa.Table:
        return self._table([row for row in self._sorted() if (row[1].time_ms or 0) >= since_ms][:limit])

    def _sorted(self) -> list[tuple[LabelSet, Exemplar]]:
        return sorted(self.rows, key=lambda row: -(row[1].time_ms or 0))

    def _id(self, labels: LabelSet) -> int:
        return int(self.index.ids(np.array([self.slot(labels)]))[0])

    def _table(self, rows: list[tuple[LabelSet, Exemplar]]) -> pa.Table:
        batch = MetricBatches.exemplars_batch(
            [dict(labels)["__name__"] for labels, _ in rows],
            np.array([self._id(labels) for labels, _ in rows], np.uint64),
            np.array([e.time_ms for _, e in rows], np.int64),
            np.array([e.value for _, e in rows]),
            [e.labels for _, e in rows],
        )
        return pa.Table.from_batches([batch])


async def test_the_disk_is_not_asked_for_what_memory_is_complete_for() -> None:
    disk, store = Disk(), ExemplarStore()
    slot = disk.slot(UP)
    store.add(slot, exemplar(10), sample_time_ms=0)

    found = await ExemplarReads(disk.index, store, disk).of([slot], 0, 100)

    assert found == [(slot, [exemplar(10)])]
    assert disk.asked == []


async def test_what_made_room_comes_from_the_disk_and_what_is_in_both_comes_once() -> None:
    disk, store = Disk(), ExemplarStore(max_exemplars=1)
    up, down = disk.slot(UP), disk.slot(DOWN)
    for time_ms in (10, 20, 30):
        store.add(up, exemplar(time_ms), sample_time_ms=0)
        disk.rows.append((UP, exemplar(time_ms)))

    reads = ExemplarReads(disk.index, store, disk)

    assert await reads.of([up, down], 0, 100) == [(up, [exemplar(10), exemplar(20), exemplar(30)])]
    assert await reads.of([up], 21, 100) == [(up, [exemplar(30)])]
    assert disk.asked == [(["down", "up"], 0, 100)]


def test_loading_takes_the_newest_and_says_where_memory_is_complete() -> None:
    disk = Disk([(UP, exemplar(10)), (DOWN, exemplar(20)), (UP, exemplar(30))])
    up, down = disk.slot(UP), disk.slot(DOWN)
    all_fit, too_many = ExemplarStore(max_exemplars=10), ExemplarStore(max_exemplars=2)

    load_exemplars(disk, disk.index, all_fit, since_ms=0)
    load_exemplars(disk, disk.index, too_many, since_ms=0)

    assert all_fit.of(up, 0, 100) == [exemplar(10), exemplar(30)]
    assert all_fit.complete_from_ms == 0
    assert (too_many.of(up, 0, 100), too_many.of(down, 0, 100)) == ([exemplar(30)], [exemplar(20)])
    assert too_many.complete_from_ms == 21
    assert not too_many.unwritten


def test_exemplars_of_series_that_are_gone_are_not_loaded() -> None:
    disk, others = Disk([(UP, exemplar(10))]), SeriesIndex()
    store = ExemplarStore()

    load_exemplars(disk, others, store, since_ms=0)

    assert len(store) == 0
