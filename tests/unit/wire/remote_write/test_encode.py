from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Exemplar, Metadata, MetricType, SampleRuns
from vedette.wire.remote_write import (
    HashKey,
    Version,
    decode_write_request,
    encode_exemplars_v1,
    encode_labels_v1,
    encode_metadata_v1,
    encode_v1,
    encode_v2,
)

KEY = HashKey(1, 2)
INT64S = st.one_of(st.integers(0, 5), st.integers(-(1 << 63), (1 << 63) - 1))
LABEL_SETS = st.dictionaries(st.text(min_size=1, max_size=5), st.text(min_size=1, max_size=200), max_size=3).map(
    lambda labels: label_set({**labels, "__name__": "up"})
)
SAMPLES = st.lists(st.tuples(INT64S, st.one_of(st.floats(), st.just(-0.0))), max_size=5)
SERIES = st.lists(st.tuples(LABEL_SETS, SAMPLES), max_size=4)
Series = list[tuple[LabelSet, list[tuple[int, float]]]]


def runs_of(series: Series) -> SampleRuns:
    samples = [sample for _, found in series for sample in found]
    return SampleRuns(
        offsets=np.cumsum([0, *(len(found) for _, found in series)]).astype(np.int64),
        times=np.array([time for time, _ in samples], np.int64),
        values=np.array([value for _, value in samples], np.float64),
    )


@given(SERIES)
def test_a_version_1_request_holds_what_was_put_in(prompb: ModuleType, series: Series) -> None:
    runs = runs_of(series)

    body = encode_v1([encode_labels_v1(labels) for labels, _ in series], runs)

    request = decode_write_request(body, Version.V1, key=KEY)
    assert [request.labels(row) for row in range(len(series))] == [labels for labels, _ in series]
    assert request.sample_offsets.tolist() == runs.offsets.tolist()
    assert request.times.tolist() == runs.times.tolist()
    assert request.values.tobytes() == runs.values.tobytes()
    assert len(prompb.v1.WriteRequest.FromString(body).timeseries) == len(series)


@given(SERIES)
def test_a_version_2_request_holds_what_was_put_in(prompb: ModuleType, series: Series) -> None:
    runs = runs_of(series)

    body = encode_v2([labels for labels, _ in series], runs)

    request = decode_write_request(body, Version.V2, key=KEY)
    assert [request.labels(row) for row in range(len(series))] == [labels for labels, _ in series]
    assert request.sample_offsets.tolist() == runs.offsets.tolist()
    assert request.times.tolist() == runs.times.tolist()
    assert request.values.tobytes() == runs.values.tobytes()
    assert request.starts is None
    symbols = list(prompb.v2.Request.FromString(body).symbols)
    assert symbols[0] == b""
    assert len(symbols) == len(set(symbols))


def test_only_version_2_tells_when_counters_began() -> None:
    labels = label_set({"__name__": "rpc_total"})
    starts = np.array([0, 3], np.int64)
    runs = SampleRuns(np.array([0, 2], np.int64), np.array([5, 6], np.int64), np.array([1.0, 2.0]), starts)

    first = decode_write_request(encode_v1([encode_labels_v1(labels)], runs), Version.V1, key=KEY)
    second = decode_write_request(encode_v2([labels], runs), Version.V2, key=KEY)

    assert first.starts is None
    assert second.starts is not None
    assert second.starts.tolist() == [0, 3]


def test_runs_may_be_part_of_longer_columns() -> None:
    runs = SampleRuns(np.array([1, 2], np.int64), np.array([7, 8, 9], np.int64), np.array([1.0, 2.0, 3.0]))

    request = decode_write_request(encode_v1([b""], runs), Version.V1, key=KEY)

    assert (request.times.tolist(), request.values.tolist()) == ([8], [2.0])


@pytest.mark.parametrize(
    "offsets", [[0, 1], [0, 1, 9], [-1, 0, 2], [0, 2, 1]], ids=["too few", "too far", "too early", "falling"]
)
def test_offsets_that_do_not_fit_are_a_bug_of_the_caller(offsets: list[int]) -> None:
    runs = SampleRuns(np.array(offsets, np.int64), np.zeros(2, np.int64), np.zeros(2))

    with pytest.raises(ValueError, match="samples"):
        encode_v1([b"", b""], runs)


def test_requests_of_version_1_put_together_are_one_request() -> None:
    labels = encode_labels_v1(label_set({"__name__": "rpc_total"}))
    runs = SampleRuns(np.array([0, 1], np.int64), np.array([5], np.int64), np.array([1.0]))
    exemplar = Exemplar(label_set({"trace_id": "abc"}), 0.5, 6)
    metadata = Metadata("rpc_total", MetricType.COUNTER, "", "Calls.")

    body = encode_v1([labels], runs) + encode_exemplars_v1(labels, [exemplar]) + encode_metadata_v1([metadata])

    request = decode_write_request(body, Version.V1, key=KEY)
    assert (request.hashes[0] == request.hashes[1]).all()
    assert request.sample_series.tolist() == [0]
    assert request.exemplar_series.tolist() == [1]
    assert request.exemplar(0) == exemplar
    assert request.family_metadata() == [metadata]


def test_a_version_2_request_holds_exemplars_and_metadata_of_its_series() -> None:
    labels = [label_set({"__name__": "rpc_total", "code": code}) for code in ("200", "500")]
    runs = SampleRuns(np.array([0, 1, 2], np.int64), np.array([5, 5], np.int64), np.array([1.0, 2.0]))
    exemplar = Exemplar(label_set({"trace_id": "abc"}), 0.5, None)
    metadata = Metadata("rpc_total", MetricType.COUNTER, "calls", "Calls.")

    body = encode_v2(labels, runs, metadata=[None, metadata], exemplars=[[], [exemplar]])

    request = decode_write_request(body, Version.V2, key=KEY)
    assert request.exemplar_series.tolist() == [1]
    assert request.exemplar(0) == exemplar
    assert [request.series_metadata(row, labels[row]) for row in range(2)] == [None, metadata]
