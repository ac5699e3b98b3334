from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from vedette.client import MissingPackageError, SampleTable, UnexpectedAnswerError
from vedette.client.results import empty_table, plain_labels, read_table, series_of, table_of_json
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.samples import SampleRuns
from vedette.wire.arrow_answer import Remarks, encode_matrix, encode_runs

A = (("__name__", "up"), ("instance", "a"))
B = (("__name__", "up"), ("instance", "b"), ("time", "odd"))


def frame(*label_sets: tuple[tuple[str, str], ...]) -> LabelFrame:
    return LabelFrame.of(SymbolTable().overlay(), label_sets)


@pytest.fixture
def matrix() -> SampleTable:
    times = np.array([0, 60_000], np.int64)
    present = np.array([[True, True], [False, True]])
    values = np.array([[1.0, 2.0], [0.0, 4.0]])
    stream = b"".join(encode_matrix(frame(A, B), times, values, present, Remarks(("careful",), ("fyi",))))
    return read_table(pa.ipc.open_stream(stream).read_all())


def test_what_the_server_encodes_is_read_with_its_remarks(matrix: SampleTable) -> None:
    assert (matrix.result_type, matrix.warnings, matrix.infos, len(matrix)) == ("matrix", ("careful",), ("fyi",), 3)


def test_a_flat_table_has_a_column_for_each_label_and_nulls_where_it_is_absent(matrix: SampleTable) -> None:
    flat = matrix.to_arrow(flat=True)

    assert flat.column_names == ["__name__", "instance", "label_time", "time", "value"]
    assert flat.column("instance").to_pylist() == ["a", "a", "b"]
    assert flat.column("label_time").to_pylist() == [None, None, "odd"]


def test_pandas_gets_categories_for_labels_and_times_with_their_zone(matrix: SampleTable) -> None:
    pd: Any = pytest.importorskip("pandas")

    data: Any = matrix.to_pandas()

    assert isinstance(data["instance"].dtype, pd.CategoricalDtype)
    assert data["time"].tolist() == [pd.Timestamp(t, unit="s", tz="UTC") for t in (0, 60, 60)]
    assert data["value"].tolist() == [1.0, 2.0, 4.0]


def test_wide_pandas_has_a_column_for_each_series_named_by_what_differs(matrix: SampleTable) -> None:
    pytest.importorskip("pandas")

    data: Any = matrix.to_pandas(wide=True)

    assert data.columns.tolist() == [("a", ""), ("b", "odd")]
    np.testing.assert_array_equal(data.to_numpy(), [[1.0, np.nan], [2.0, 4.0]])


def test_wide_pandas_of_a_single_series_without_labels_has_one_column() -> None:
    pytest.importorskip("pandas")
    table = table_of_json({"resultType": "scalar", "result": [1.5, "42"]}, (), ())

    data: Any = table.to_pandas(wide=True)

    assert data.columns.tolist() == ["value"]
    assert data["value"].tolist() == [42.0]


def test_polars_gets_the_same_rows(matrix: SampleTable) -> None:
    pytest.importorskip("polars")

    data: Any = matrix.to_polars()

    assert data["instance"].to_list() == ["a", "a", "b"]
    assert data["value"].to_list() == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_package_that_is_not_installed_is_named_with_its_remedy(
    matrix: SampleTable, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(MissingPackageError, match=f"pip install 'vedette\\[{package}\\]'"):
        getattr(matrix, f"to_{package}")()


def test_parts_with_dictionaries_of_their_own_become_one_list_of_series() -> None:
    run = SampleRuns(np.array([0, 1], np.int64), np.array([7], np.int64), np.array([1.0]))
    stream = b"".join(encode_runs([(frame(A), run), (frame(B), run), (frame(A), run)]))

    label_sets, series = series_of(pa.ipc.open_stream(stream).read_all())

    assert label_sets == [A, B]
    assert series.tolist() == [0, 1, 0]


def test_a_table_with_plain_maps_is_read_too() -> None:
    run = SampleRuns(np.array([0, 2], np.int64), np.array([7, 8], np.int64), np.array([1.0, 2.0]))
    reader = pa.ipc.open_stream(b"".join(encode_runs([(frame(A), run)])))
    table = pa.Table.from_batches([plain_labels(batch) for batch in reader])

    assert table.schema.types[0] == pa.map_(pa.string(), pa.string())
    assert series_of(table)[0] == [A]


def test_an_empty_answer_becomes_empty_frames() -> None:
    pytest.importorskip("pandas")
    table = SampleTable(empty_table())

    assert table.to_arrow(flat=True).num_rows == 0
    assert len(table.to_pandas()) == 0  # pyright: ignore[reportArgumentType] - pandas' stub is partial
    assert getattr(table.to_pandas(wide=True), "shape") == (0, 0)  # noqa: B009 - as above


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param({"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1.5, "+Inf"]}]},
                     [([("a", "b")], 1500, np.inf)], id="vector"),
        pytest.param({"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "1"], [2, "2"]]}]},
                     [([], 1000, 1.0), ([], 2000, 2.0)], id="matrix"),
        pytest.param({"resultType": "matrix", "result": []}, [], id="nothing"),
    ],
)  # fmt: skip
def test_json_of_any_prometheus_becomes_the_same_table(data: dict[str, Any], expected: list[Any]) -> None:
    table = table_of_json(data, ("w",), ()).table

    rows = zip(*(table.column(i).to_pylist() for i in range(3)), strict=True)
    assert [(labels, round(time.timestamp() * 1000), value) for labels, time, value in rows] == expected


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"resultType": "string", "result": [1, "text"]},
        {"resultType": "vector", "result": [{"metric": {}, "value": [1]}]},
        {"resultType": "vector", "result": [{"value": [1, "x"]}]},
        {"resultType": "matrix", "result": 5},
        {"resultType": "matrix", "result": [{"metric": {}, "values": [[None, "1"]]}]},
        {"resultType": "scalar", "result": None},
    ],
)
def test_json_that_holds_no_samples_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswerError):
        table_of_json(data, (), ())


def test_an_arrow_table_of_another_kind_is_refused() -> None:
    with pytest.raises(UnexpectedAnswerError, match="columns x"):
        read_table(pa.table({"x": pa.array([1])}))
