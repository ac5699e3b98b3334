"""Exemplars as a query finds them: the newest from memory, older ones from the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.ingest.exemplars import ExemplarStore
from vedette.model.labels import label_set
from vedette.model.samples import Exemplar
from vedette.store.head import NO_SLOT, SeriesIndex

_MOST: Final = 100_000
"""Exemplars of one answer that come from the disk: the newest ones."""


class ColdExemplars(Protocol):
    """What is kept on disk (`vedette.store.metrics`)."""

    def read_exemplars(
        self, metrics: Sequence[str], ids: NDArray[np.uint64], start_ms: int, end_ms: int, *, limit: int
    ) -> pa.Table:
        """The newest exemplars of some series: `series_id`, `time`, `value`, `labels`."""
        ...

    def newest_exemplars(self, since_ms: int, *, limit: int) -> pa.Table:
        """The newest exemplars of all series, the newest one first."""
        ...


class ExemplarReads:
    """Finds exemplars. Used from the event loop's thread; the disk is read in another."""

    def __init__(self, index: SeriesIndex, store: ExemplarStore, cold: ColdExemplars | None) -> None:
        self._index = index
        self._store = store
        self._cold = cold

    async def of(self, slots: Sequence[int], start_ms: int, end_ms: int) -> list[tuple[int, list[Exemplar]]]:
        """The exemplars of series between two times, inclusive; series without any are left out.

        Raises:
            StorageError: the disk cannot be read.
        """
        until_ms = self._store.complete_from_ms
        found = {slot: self._store.of(slot, start_ms, end_ms) for slot in slots}
        if self._cold is not None and start_ms < until_ms and slots:
            wanted = np.array(slots, np.int64)
            _, names = self._index.metrics(wanted)
            ids = self._index.ids(wanted)
            by_id = dict(zip(ids.tolist(), slots, strict=True))
            read = self._cold.read_exemplars
            # Whole, also beyond `until_ms`: memory may let go of more meanwhile.
            table = await asyncio.to_thread(read, names, ids, start_ms, end_ms, limit=_MOST)
            for identity, exemplar in exemplars_of(table):
                found[by_id[identity]].append(exemplar)
        return [(slot, _in_order(each)) for slot, each in found.items() if each]


def load_exemplars(cold: ColdExemplars, index: SeriesIndex, store: ExemplarStore, *, since_ms: int) -> None:
    """At start: put the newest exemplars into memory. Blocking."""
    most = store.max_exemplars
    if not most:
        return
    found = exemplars_of(cold.newest_exemplars(since_ms, limit=most))
    found.reverse()
    slots = index.slots_of(np.array([identity for identity, _ in found], np.uint64)).tolist()
    known = [(slot, exemplar) for slot, (_, exemplar) in zip(slots, found, strict=True) if slot != NO_SLOT]
    # Full: what is older than the oldest of them is on the disk alone.
    store.load(known, complete_from_ms=(found[0][1].time_ms or 0) + 1 if len(found) >= most else 0)


def exemplars_of(table: pa.Table) -> list[tuple[int, Exemplar]]:
    """The rows of a table of exemplars, each with its series' id."""
    times: list[int] = table.column("time").combine_chunks().view(pa.int64()).to_pylist()
    ids: list[int] = table.column("series_id").to_pylist()
    values: list[float] = table.column("value").to_pylist()
    labels: list[list[tuple[str, str]]] = table.column("labels").to_pylist()
    return [
        (identity, Exemplar(label_set(own), value, time_ms))
        for identity, time_ms, value, own in zip(ids, times, values, labels, strict=True)
    ]


def _in_order(exemplars: list[Exemplar]) -> list[Exemplar]:
    """By time, each once."""
    return sorted(set(exemplars), key=lambda exemplar: (exemplar.time_ms or 0, exemplar.labels))
