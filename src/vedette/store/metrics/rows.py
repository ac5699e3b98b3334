"""Arrow batches for the tables of metrics, built from columns: no Python object per row.

Labels are written without `__name__`, which has a column of its own; a series without a name has the
metric `""`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.model.errors import DecodeError
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.samples import Metadata
from vedette.store.metrics.decimals import DecimalEncoder, Floats, Int64s, UInt64s

Int32s = NDArray[np.int32]

DAY_MS: Final = 86_400_000

_LAST_DAY: Final = 65_534

FIRST_MS: Final = 0
"""The engine's days begin in 1970..."""

LAST_MS: Final = (_LAST_DAY + 1) * DAY_MS - 1
"""... and end on 2149-06-05."""

_TIME: Final = pa.timestamp("ms", "UTC")
_DAY_TYPE: Final = pa.date32()
_LABELS: Final = pa.map_(pa.string(), pa.string())


class MetricBatches:
    """Makes the batches of `samples`, `series` and `exemplars`. One for each stream of samples; not thread-safe."""

    def __init__(self) -> None:
        self._encoder = DecimalEncoder()

    def samples_batch(
        self, codes: Int32s, names: Sequence[str], ids: UInt64s, times: Int64s, values: Floats
    ) -> pa.RecordBatch:
        """Rows of `samples`.

        Args:
            codes: int32[rows]; sample i is of the metric names[codes[i]].
            names: of metrics; "" for series without one.
            ids: uint64[rows], of series.
            times: int64[rows], milliseconds.
            values: float64[rows].

        Raises:
            DecodeError: a time is before 1970 or after 2149-06-05.
        """
        check_times(times)
        day = int(times.max()) // DAY_MS if len(times) else 0
        mantissas, digits = self._encoder.encode(ids, values, day=day)
        return pa.record_batch(
            {
                "metric": _dictionary(codes, names),
                "series_id": pa.array(ids, pa.uint64()),
                "time": pa.array(times).view(_TIME),
                "mantissa": pa.array(mantissas),
                "digits": pa.array(digits),
            }
        )

    @staticmethod
    def exemplars_batch(
        metrics: Sequence[str], ids: UInt64s, times: Int64s, values: Floats, labels: Sequence[LabelSet]
    ) -> pa.RecordBatch:
        """Rows of `exemplars`, by name and id of the series they belong to. `labels` are the exemplars' own.

        Raises:
            DecodeError: a time is before 1970 or after 2149-06-05.
        """
        check_times(times)
        return pa.record_batch(
            {
                "metric": pa.array(metrics, pa.string()).dictionary_encode(),
                "series_id": pa.array(ids, pa.uint64()),
                "time": pa.array(times).view(_TIME),
                "value": pa.array(values),
                "labels": pa.array(labels, _LABELS),
            }
        )

    def series_batch(
        self, days: Sequence[int] | Int32s, ids: Sequence[int] | UInt64s, label_sets: Sequence[LabelSet]
    ) -> pa.RecordBatch:
        """Rows of `series`: the series that have samples on a day.

        Args:
            days: since the epoch (`time_ms // 86_400_000`), of each row.
            ids: of series.
            label_sets: of series, `__name__` included.
        """
        metrics = [_metric(labels) for labels in label_sets]
        rest = [[pair for pair in labels if pair[0] != METRIC_NAME] for labels in label_sets]
        return pa.record_batch(
            {
                "day": pa.array(np.clip(np.asarray(days, np.int32), 0, _LAST_DAY)).view(_DAY_TYPE),
                "metric": pa.array(metrics, pa.string()).dictionary_encode(),
                "series_id": pa.array(ids, pa.uint64()),
                "labels": pa.array(rest, _LABELS),
            }
        )


def metadata_batch(metadata: Sequence[Metadata], *, now_ms: int) -> pa.RecordBatch:
    """Rows of `metadata`; of several rows for one family the latest counts."""
    return pa.record_batch(
        {
            "family": pa.array([row.family for row in metadata], pa.string()),
            "type": pa.array([row.type.value for row in metadata], pa.string()),
            "unit": pa.array([row.unit for row in metadata], pa.string()),
            "help": pa.array([row.help for row in metadata], pa.string()),
            "updated": pa.array(np.full(len(metadata), now_ms, np.int64)).view(_TIME),
        }
    )


def check_times(times: Int64s) -> None:
    """Refuse times that the engine cannot hold.

    Raises:
        DecodeError: with the offending time.
    """
    if len(times) and (times.min() < FIRST_MS or times.max() > LAST_MS):
        worst = int(times.min()) if times.min() < FIRST_MS else int(times.max())
        raise DecodeError(f"the time {worst} ms is before 1970 or after 2149-06-05")


def frame_columns(series: pa.Table, intern: Callable[[str], int]) -> dict[str, Int32s]:
    """The columns of a `LabelFrame` for series as `load_series` gives them.

    Args:
        series: with `metric` and `labels`.
        intern: the number of a text, as `SymbolTable.intern`; called once for each different text.

    Returns:
        By label name, `__name__` included, int32[series].
    """
    size = series.num_rows
    columns: dict[str, Int32s] = {}
    if not size:
        return columns
    columns[METRIC_NAME] = _interned(_whole(series, "metric"), intern)
    labels = cast("pa.MapArray", _whole(series, "labels"))
    offsets: Int32s = labels.offsets.to_numpy()
    pairs = slice(int(offsets[0]), int(offsets[-1]))
    owners = np.repeat(np.arange(size), np.diff(offsets))
    values = _interned(labels.items, intern)[pairs]
    names = _encoded(labels.keys)
    codes: Int32s = names.indices.to_numpy(zero_copy_only=False)[pairs]
    order = np.argsort(codes, kind="stable")
    texts: list[str] = names.dictionary.to_pylist()
    bounds = np.searchsorted(codes[order], np.arange(len(texts) + 1))
    for code, name in enumerate(texts):
        rows = order[bounds[code] : bounds[code + 1]]
        if len(rows):
            column = columns[name] = np.zeros(size, np.int32)
            column[owners[rows]] = values[rows]
    return columns


def encode_labels(table: pa.Table) -> pa.Table:
    """With the labels of a table dictionary-encoded: each different text is held, and later decoded, once."""
    labels = cast("pa.MapArray", _whole(table, "labels"))
    encoded = pa.MapArray.from_arrays(labels.offsets, _encoded(labels.keys), _encoded(labels.items))
    return table.set_column(table.schema.get_field_index("labels"), "labels", encoded)


def _metric(labels: LabelSet) -> str:
    # `__name__` is first unless a label begins with a capital or a digit, as UTF-8 names may.
    return next((value for name, value in labels if name == METRIC_NAME), "")


def _dictionary(codes: Int32s, texts: Sequence[str]) -> pa.DictionaryArray:
    if len(texts) <= len(codes):
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(texts, pa.string()))
    # A few samples out of many metrics: only the names that occur travel with them.
    numbers, dense = np.unique(codes, return_inverse=True)
    occurring = [texts[number] for number in numbers.tolist()]
    return pa.DictionaryArray.from_arrays(pa.array(dense, pa.int32()), pa.array(occurring, pa.string()))


def _encoded(column: pa.Array) -> pa.DictionaryArray:
    return column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()


def _interned(column: pa.Array, intern: Callable[[str], int]) -> Int32s:
    encoded = _encoded(column)
    texts: list[str] = encoded.dictionary.to_pylist()
    numbers = np.fromiter((intern(text) for text in texts), np.int32, len(texts))
    return numbers[encoded.indices.to_numpy(zero_copy_only=False)]


def _whole(table: pa.Table, name: str) -> pa.Array:
    # A table without rows has no chunk to hand out.
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
