from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Metadata, MetricType
from vedette.store.metrics import MetricBatches, frame_columns, metadata_batch
from vedette.store.metrics.rows import LAST_MS, encode_labels

NAMES = st.sampled_from(["__name__", "job", "instance", "Upper", "é"])
LABEL_SETS = st.dictionaries(NAMES, st.text(min_size=1, max_size=5)).map(label_set)


def test_samples_carry_their_metric_series_and_time() -> None:
    batch = MetricBatches().samples_batch(
        np.array([1, 0], np.int32), ["up", "load"], np.array([7, 8], np.uint64), np.array([0, 1500]), np.array([1, 2.5])
    )

    rows = [
        (row["metric"], row["series_id"], row["time"].timestamp(), row["mantissa"], row["digits"])
        for row in batch.to_pylist()
    ]
    assert rows == [("load", 7, 0.0, 1, 0), ("up", 8, 1.5, 25, 1)]


def test_only_the_names_that_occur_travel_with_a_small_batch() -> None:
    names = [f"metric_{number}" for number in range(1000)]

    batch = MetricBatches().samples_batch(
        np.array([999], np.int32), names, np.array([7], np.uint64), np.array([0]), np.array([1.0])
    )

    column = batch.column("metric")
    assert isinstance(column, pa.DictionaryArray)
    assert column.dictionary.to_pylist() == ["metric_999"]


@pytest.mark.parametrize("time_ms", [-(2**63), 2**63 - 1, LAST_MS + 1])
def test_a_time_that_the_engine_cannot_hold_is_refused(time_ms: int) -> None:
    with pytest.raises(DecodeError, match=str(time_ms)):
        MetricBatches().samples_batch(
            np.array([0, 0], np.int32),
            ["up"],
            np.array([7, 7], np.uint64),
            np.array([0, time_ms]),
            np.array([1.0, 2.0]),
        )


def test_series_are_written_with_the_name_apart_from_the_labels() -> None:
    labels = (("__name__", "up"), ("job", "node"))

    batch = MetricBatches().series_batch([20_000], [7], [labels])

    assert batch.to_pylist() == [
        {"day": date(2024, 10, 4), "metric": "up", "series_id": 7, "labels": [("job", "node")]}
    ]


@given(st.lists(LABEL_SETS, max_size=6))
def test_labels_come_back_as_they_were_written(label_sets: list[LabelSet]) -> None:
    batch = MetricBatches().series_batch([1] * len(label_sets), list(range(len(label_sets))), label_sets)

    symbols = SymbolTable()
    columns = frame_columns(encode_labels(pa.Table.from_batches([batch])), symbols.intern)

    frame = LabelFrame(symbols.overlay(), columns, len(label_sets))
    assert frame.label_sets() == label_sets


def test_exemplars_and_metadata_are_rows_too() -> None:
    exemplars = MetricBatches.exemplars_batch(
        ["up"], np.array([7], np.uint64), np.array([1000]), np.array([0.5]), [(("trace_id", "abc"),)]
    )
    metadata = metadata_batch([Metadata("up", MetricType.GAUGE, "", "Is it up?")], now_ms=1000)

    assert exemplars.to_pylist()[0]["labels"] == [("trace_id", "abc")]
    assert metadata.to_pylist()[0]["type"] == "gauge"
