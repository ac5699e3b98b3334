"""At start: all series of retention into the index, and the newest samples into memory.

Blocking; called from an executor thread before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.model.labels import METRIC_NAME
from vedette.store.head import NO_SLOT, SampleMemory, SeriesIndex
from vedette.store.metrics import MetricsStore

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]

DAY_MS: Final = 86_400_000
_ANY_AGE_MS: Final = 1 << 60

Progress = Callable[[str, int], None]
"""Is told what is being loaded and how much of it there is so far."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedSeries:
    """Series that are on disk.

    Attributes:
        slots: int64[series].
        first_day: int32[series], days since the epoch of the first day with samples...
        last_day: ... and of the last one.
    """

    slots: Int64s
    first_day: Int32s
    last_day: Int32s


def load_series(store: MetricsStore, index: SeriesIndex, *, since_ms: int, memory_from_ms: int) -> LoadedSeries:
    """Fill an empty index with the series that have samples on or after the day of `since_ms`.

    Of their times no more is known than the days; from `memory_from_ms` on `load_samples` knows better.
    """
    table = store.load_series(since_ms)
    size = table.num_rows
    if not size:
        nothing = np.zeros(0, np.int32)
        return LoadedSeries(np.zeros(0, np.int64), nothing, nothing)
    metrics = _dictionary(table.column("metric"))
    labels = cast("pa.MapArray", _whole(table.column("labels")))
    keys, items = _encoded(labels.keys), _encoded(labels.items)
    names: list[str] = [METRIC_NAME, *keys.dictionary.to_pylist()]
    metric_texts: list[str] = metrics.dictionary.to_pylist()
    values: list[str] = [*metric_texts, *items.dictionary.to_pylist()]
    bounds: Int32s = labels.offsets.to_numpy()
    pairs = slice(int(bounds[0]), int(bounds[-1]))
    metric_of = _codes(metrics)
    named = np.flatnonzero(np.array([bool(text) for text in metric_texts])[metric_of])
    owners = np.concatenate([named, np.repeat(np.arange(size), np.diff(bounds))])
    name_of = np.concatenate([np.zeros(len(named), np.int32), _codes(keys)[pairs] + np.int32(1)])
    value_of = np.concatenate([metric_of[named], _codes(items)[pairs] + np.int32(len(metric_texts))])
    # A label set is sorted by name; `__name__` comes before most others, but not before capitals.
    rank = np.argsort(np.argsort(np.array(names, dtype=object)))
    order = np.lexsort((rank[name_of], owners))
    counts = np.bincount(owners, minlength=size).astype(np.int64)
    slots = index.add_many(
        np.asarray(table.column("series_id"), np.uint64),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        names,
        name_of[order].astype(np.int32),
        values,
        value_of[order].astype(np.int32),
    )
    first_day, last_day = _days(table.column("first_day")), _days(table.column("last_day"))
    ends_ms = np.minimum((last_day.astype(np.int64) + 1) * DAY_MS - 1, memory_from_ms)
    index.touch(slots, np.minimum(first_day.astype(np.int64) * DAY_MS, ends_ms), ends_ms)
    return LoadedSeries(slots, first_day, last_day)


def load_samples(
    store: MetricsStore, index: SeriesIndex, memory: SampleMemory, *, since_ms: int, progress: Progress
) -> int:
    """Fill an empty memory with the samples from `since_ms` on; returns how many there are."""
    total = 0
    for ids, runs in store.scan_recent(since_ms):
        slots = index.slots_of(ids)
        owners, times, values = np.repeat(slots, np.diff(runs.offsets)), runs.times, runs.values
        if (slots == NO_SLOT).any():
            known = owners != NO_SLOT
            owners, times, values = owners[known], times[known], values[known]
        memory.append(owners, times, values, window_ms=_ANY_AGE_MS)
        filled = (slots != NO_SLOT) & (runs.offsets[1:] > runs.offsets[:-1])
        firsts, lasts = runs.times[runs.offsets[:-1][filled]], runs.times[runs.offsets[1:][filled] - 1]
        index.touch(slots[filled], firsts, lasts)
        total += len(runs.times)
        progress("samples", total)
    return total


def _codes(encoded: pa.DictionaryArray) -> Int32s:
    return np.asarray(encoded.indices, np.int32)


def _days(column: pa.ChunkedArray) -> Int32s:
    return np.asarray(_whole(column).cast(pa.int32()), np.int32)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return _encoded(_whole(column))


def _encoded(column: pa.Array) -> pa.DictionaryArray:
    return column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
