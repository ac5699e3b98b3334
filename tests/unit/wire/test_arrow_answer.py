from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.labels import LabelSet
from vedette.model.samples import SampleRuns
from vedette.wire import arrow_answer
from vedette.wire.arrow_answer import Remarks, encode_matrix, encode_runs, encode_scalar, encode_vector, label_maps

UP_A: LabelSet = (("__name__", "up"), ("instance", "a:9100"))
UP_B: LabelSet = (("__name__", "up"), ("job", "Zürich"))
BARE: LabelSet = ()


def frame(*label_sets: LabelSet) -> LabelFrame:
    return LabelFrame.of(SymbolTable().overlay(), label_sets)


def rows(stream: bytes) -> list[tuple[dict[str, str], int, float]]:
    table = pa.ipc.open_stream(stream).read_all()
    return [
        (dict(labels), round(time.timestamp() * 1000), value)
        for labels, time, value in zip(*(table.column(i).to_pylist() for i in range(3)), strict=True)
    ]


def test_a_matrix_has_one_row_for_each_sample_that_is_present() -> None:
    times = np.array([0, 15_000, 30_000], np.int64)
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    present = np.array([[True, False, True], [False, True, False]])

    stream = b"".join(encode_matrix(frame(UP_A, UP_B), times, values, present))

    assert rows(stream) == [(dict(UP_A), 0, 1.0), (dict(UP_A), 30_000, 3.0), (dict(UP_B), 15_000, 5.0)]


def test_the_columns_are_a_map_that_is_encoded_by_dictionary_a_time_in_utc_and_a_double() -> None:
    schema = pa.ipc.open_stream(b"".join(encode_scalar(0, 1.0))).schema

    assert schema.names == ["labels", "time", "value"]
    assert schema.types == [
        pa.dictionary(pa.int32(), pa.map_(pa.string(), pa.string())),
        pa.timestamp("ms", "UTC"),
        pa.float64(),
    ]


def test_a_large_matrix_comes_in_pieces_and_its_label_sets_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_answer, "BATCH_ROWS", 1000)
    size, steps = 50, 100
    labels = frame(*((("instance", f"{'host' * 50}-{i}"),) for i in range(size)))
    values = np.arange(size * steps, dtype=np.float64).reshape(size, steps)
    times = np.arange(steps, dtype=np.int64) * 1000

    pieces = list(encode_matrix(labels, times, values, np.ones((size, steps), np.bool_)))

    assert len(pieces) == 6  # five batches of 1000 rows, and the end of the stream
    assert b"".join(pieces[1:]).count(b"hosthost") == 0
    assert [value for _, _, value in rows(b"".join(pieces))] == values.ravel().tolist()


def test_a_series_that_is_longer_than_a_piece_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_answer, "BATCH_ROWS", 4)
    offsets = np.array([0, 0, 6, 6, 10], np.int64)
    runs = SampleRuns(offsets, np.arange(10, dtype=np.int64), np.arange(10.0))
    labels = frame(*((("i", str(i)),) for i in range(4)))

    found = rows(b"".join(encode_runs([(labels, runs)])))

    assert [labels["i"] for labels, _, _ in found] == ["1"] * 6 + ["3"] * 4
    assert [value for _, _, value in found] == list(range(10))


def test_the_parts_of_an_export_bring_their_own_label_sets() -> None:
    one = SampleRuns(np.array([0, 1], np.int64), np.array([5], np.int64), np.array([0.5]))

    found = rows(b"".join(encode_runs([(frame(UP_A), one), (frame(UP_B), one)])))

    assert found == [(dict(UP_A), 5, 0.5), (dict(UP_B), 5, 0.5)]


def test_a_vector_has_one_row_for_each_element() -> None:
    found = rows(b"".join(encode_vector(frame(UP_B, BARE), 1500, np.array([1.0, np.inf]))))

    assert found == [(dict(UP_B), 1500, 1.0), ({}, 1500, np.inf)]


def test_a_scalar_is_one_row_without_labels() -> None:
    assert rows(b"".join(encode_scalar(1500, 42.0))) == [({}, 1500, 42.0)]


def test_an_empty_answer_is_a_stream_without_rows() -> None:
    nothing = np.zeros((0, 2))

    stream = b"".join(encode_matrix(frame(), np.array([0, 1], np.int64), nothing, nothing.astype(np.bool_)))

    assert rows(stream) == []


def test_the_kind_of_result_and_the_remarks_are_in_the_metadata() -> None:
    stream = b"".join(encode_vector(frame(BARE), 0, np.zeros(1), Remarks(("rate of a gauge",), ("é",))))

    metadata = pa.ipc.open_stream(stream).schema.metadata

    assert metadata == {
        b"vedette.result_type": b"vector",
        b"vedette.warnings": b'["rate of a gauge"]',
        b"vedette.infos": b'["\\u00e9"]',
    }


def test_a_label_that_is_no_valid_text_does_not_spoil_the_answer() -> None:
    maps = label_maps(frame((("a", "x\udc80"), ("b", "fine"))))

    assert maps.to_pylist() == [[("a", "x?"), ("b", "fine")]]
