"""Samples as a table, for notebooks: one row each, with `labels`, `time` and `value`.

Made from the Arrow stream that Vedette answers with (`vedette.wire.arrow_answer` writes it), or from the JSON of
any server that speaks Prometheus' API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.client.errors import MissingPackageError, UnexpectedAnswerError
from vedette.model.labels import LabelSet, label_set
from vedette.wire.arrow_answer import INFOS_KEY, MAP_TYPE, RESULT_TYPE_KEY, TIME_TYPE, WARNINGS_KEY

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Int32s = NDArray[np.int32]

_TIME: Final = "time"
_VALUE: Final = "value"


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """The answer to a query, or an export.

    Attributes:
        table: `labels` (map of string to string, usually dictionary-encoded), `time` (timestamp[ms, UTC]), `value`.
        result_type: `matrix`, `vector` or `scalar`.
        warnings: what the server warns of.
        infos: what it remarks.
    """

    table: pa.Table
    result_type: str = "matrix"
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        return f"SampleTable({self.result_type}, {len(self):,} samples)"

    def to_arrow(self, *, flat: bool = False) -> pa.Table:
        """As an Arrow table: as it came, or with one column for each label.

        The column of a label called `time` or `value` is `label_time` or `label_value`. A series that has not got a
        label is null there.
        """
        return flatten(self.table) if flat else self.table

    def to_pandas(self, *, wide: bool = False) -> pd.DataFrame:
        """As a pandas data frame: a row for each sample, or (wide) a row for each time and a column for each series.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - optional
        except ImportError as exc:
            raise MissingPackageError("pandas") from exc
        if not wide:
            return flatten(self.table).to_pandas()
        label_sets, series = series_of(self.table)
        times, rows = np.unique(_millis(self.table), return_inverse=True)
        values = np.full((len(times), len(label_sets)), np.nan)
        values[rows, series] = self.table.column(_VALUE).to_numpy()
        names = sorted({name for labels in label_sets for name, _ in labels})
        differing = [n for n in names if len({dict(labels).get(n) for labels in label_sets}) > 1] or names[:1]
        keys = [tuple(dict(labels).get(name, "") for name in differing) for labels in label_sets]
        columns = (
            pd.MultiIndex.from_tuples(keys, names=differing)
            if len(differing) > 1
            else pd.Index([key[0] if key else _VALUE for key in keys], name=differing[0] if differing else None)
        )
        index = pd.DatetimeIndex(times.astype("datetime64[ms]"), tz="UTC", name=_TIME)
        return pd.DataFrame(values, index=index, columns=columns)

    def to_polars(self) -> pl.DataFrame:
        """As a polars data frame: a row for each sample, a column for each label.

        Raises:
            MissingPackageError: polars is not installed.
        """
        try:
            import polars as pl  # noqa: PLC0415 - optional
        except ImportError as exc:
            raise MissingPackageError("polars") from exc
        return cast("pl.DataFrame", pl.from_arrow(flatten(self.table)))


def read_table(table: pa.Table) -> SampleTable:
    """What an Arrow stream holds.

    Raises:
        UnexpectedAnswerError: it has other columns.
    """
    if table.schema.names != ["labels", _TIME, _VALUE]:
        raise UnexpectedAnswerError(f"the server's Arrow answer has the columns {', '.join(table.schema.names)}")
    said = table.schema.metadata or {}
    return SampleTable(
        table,
        said.get(RESULT_TYPE_KEY, b"matrix").decode(),
        tuple(json.loads(said.get(WARNINGS_KEY, b"[]"))),
        tuple(json.loads(said.get(INFOS_KEY, b"[]"))),
    )


def table_of_json(data: Mapping[str, Any], warnings: Sequence[str], infos: Sequence[str]) -> SampleTable:
    """The same from the `data` of a JSON answer to a query.

    Raises:
        UnexpectedAnswerError: it holds no samples.
    """
    kind, result = str(data.get("resultType", "")), cast("Any", data.get("result"))
    found: list[tuple[dict[str, str], list[Any]]]
    try:
        match kind:
            case "scalar":
                found = [({}, [result])]
            case "vector":
                found = [(one["metric"], [one["value"]]) for one in result]
            case "matrix":
                found = [(one["metric"], one.get("values", [])) for one in result]
            case "string":
                raise UnexpectedAnswerError("the expression gives a string, which has no samples")
            case _:
                raise UnexpectedAnswerError(f"the server answers with an unknown kind of result, {kind!r}")
        maps = pa.array([list(metric.items()) for metric, _ in found], MAP_TYPE)
        series = np.repeat(np.arange(len(found), dtype=np.int32), [len(points) for _, points in found])
        times = np.array([round(float(point[0]) * 1000) for _, points in found for point in points], np.int64)
        values = np.array([float(point[1]) for _, points in found for point in points], np.float64)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
        raise UnexpectedAnswerError("the server's answer holds samples in an unknown form") from exc
    table = pa.table(
        {
            "labels": pa.DictionaryArray.from_arrays(pa.array(series), maps),
            _TIME: pa.array(times).view(TIME_TYPE),
            _VALUE: pa.array(values),
        }
    )
    return SampleTable(table, kind, tuple(warnings), tuple(infos))


def series_of(table: pa.Table) -> tuple[list[LabelSet], Int32s]:
    """The different label sets of a table, and the number of each row's among them."""
    numbers: dict[LabelSet, int] = {}
    parts: list[Int32s] = []
    before: pa.Array | None = None
    ranks = np.zeros(0, np.int32)
    column = table.column("labels")
    for position in range(column.num_chunks):
        chunk = column.chunk(position)
        encoded = isinstance(chunk, pa.DictionaryArray)
        maps = chunk.dictionary if encoded else chunk
        if before is None or not maps.equals(before):
            label_sets = [label_set(pairs) for pairs in maps.to_pylist()]
            ranks = np.array([numbers.setdefault(labels, len(numbers)) for labels in label_sets], np.int32)
            before = maps
        parts.append(ranks[chunk.indices.to_numpy(zero_copy_only=False)] if encoded else ranks)
    series = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    # Label sets of a dictionary that no row uses do not count.
    used, dense = np.unique(series, return_inverse=True)
    label_sets = list(numbers)
    return [label_sets[number] for number in used.tolist()], dense.astype(np.int32)


def flatten(table: pa.Table) -> pa.Table:
    """With one dictionary-encoded column for each label instead of the map."""
    label_sets, series = series_of(table)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for name in sorted({name for labels in label_sets for name, _ in labels}):
        texts: dict[str, int] = {}
        codes = np.full(len(label_sets), -1, np.int32)
        for number, labels in enumerate(label_sets):
            value = dict(labels).get(name)
            if value is not None:
                codes[number] = texts.setdefault(value, len(texts))
        rows = codes[series]
        title = f"label_{name}" if name in (_TIME, _VALUE) else name
        columns[title] = pa.DictionaryArray.from_arrays(pa.array(rows, mask=rows < 0), pa.array(list(texts)))
    return pa.table({**columns, _TIME: table.column(_TIME), _VALUE: table.column(_VALUE)})


def plain_labels(batch: pa.RecordBatch) -> pa.RecordBatch:
    """With the map itself instead of its dictionary: for files, whose readers know maps only."""
    labels = batch.column(0)
    if not isinstance(labels, pa.DictionaryArray):
        return batch
    maps = labels.dictionary.take(labels.indices)
    return pa.RecordBatch.from_arrays([maps, batch.column(1), batch.column(2)], ["labels", _TIME, _VALUE])


def empty_table() -> pa.Table:
    """No samples."""
    labels = pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], MAP_TYPE))
    return pa.table({"labels": labels, _TIME: pa.array([], TIME_TYPE), _VALUE: pa.array([], pa.float64())})


def _millis(table: pa.Table) -> NDArray[np.int64]:
    return np.asarray(table.column(_TIME).to_numpy()).astype("datetime64[ms]").view(np.int64)
