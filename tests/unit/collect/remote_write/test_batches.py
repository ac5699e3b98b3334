from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.collect.remote_write.batches import encode_exemplars, encode_lanes, encoder_v1, encoder_v2, share_out
from vedette.collect.remote_write.reader import Reading
from vedette.collect.remote_write.spool import Place
from vedette.config import WriteMessage
from vedette.model.labels import label_set
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.compression import Encoding, decompress
from vedette.wire.remote_write import HashKey, Version, WriteRequest, decode_write_request

LABELS = [label_set({"__name__": "m_total", "n": str(n)}) for n in range(4)]


def reading(*rows: tuple[int, int, float]) -> Reading:
    return Reading(
        labels=LABELS,
        series=np.array([n for n, _, _ in rows], np.int64),
        times=np.array([t for _, t, _ in rows], np.int64),
        values=np.array([v for _, _, v in rows]),
        exemplars=[],
        end=Place(1, 1),
        written_ms=0,
        expired=0,
        damaged=0,
    )


def decode(body: bytes, version: Version) -> WriteRequest:
    return decode_write_request(decompress(body, Encoding.SNAPPY, max_bytes=1 << 20), version, key=HashKey(1, 2))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), max_size=200), st.integers(1, 9), st.integers(1, 30))
def test_every_sample_is_sent_once_and_each_series_in_one_lane_by_time(
    rows: list[tuple[int, int]], lanes: int, most: int
) -> None:
    series = np.array([number for number, _ in rows], np.int64)
    times = np.array([time_ms for _, time_ms in rows], np.int64)

    shared = share_out(series, times, lanes=lanes, most=most)

    sent = [row for lane in shared for request in lane for row in request.tolist()]
    assert sorted(sent) == list(range(len(rows)))
    assert len(shared) <= lanes
    assert all(0 < len(request) <= most for lane in shared for request in lane)
    owners = [{int(series[row]) for request in lane for row in request} for lane in shared]
    assert sum(map(len, owners)) == len(set().union(*owners)) if owners else not rows
    for lane in shared:
        in_order = [(int(series[row]), int(times[row])) for request in lane for row in request]
        assert in_order == sorted(in_order)


def test_few_samples_make_one_request() -> None:
    shared = share_out(np.arange(5), np.zeros(5, np.int64), lanes=8, most=2000)

    assert [[len(request) for request in lane] for lane in shared] == [[5]]


def test_a_request_holds_its_samples_by_series() -> None:
    lanes, left_out = encode_lanes(
        reading((1, 20, 2.0), (0, 10, 1.0), (1, 10, 3.0)),
        lanes=1,
        most=100,
        not_before_ms=None,
        encode=encoder_v1(),
    )

    [[batch]] = lanes
    found = decode(batch.body, Version.V1)
    assert (batch.samples, batch.newest_ms, left_out) == (3, 20, 0)
    assert [found.labels(row) for row in range(2)] == LABELS[:2]
    assert (found.times.tolist(), found.values.tolist()) == ([10, 10, 20], [1.0, 3.0, 2.0])


def test_samples_beyond_the_age_limit_are_left_out_and_counted() -> None:
    lanes, left_out = encode_lanes(
        reading((0, 10, 1.0), (0, 20, 2.0)),
        lanes=1,
        most=100,
        not_before_ms=11,
        encode=encoder_v1(),
    )

    assert left_out == 1
    assert decode(lanes[0][0].body, Version.V1).times.tolist() == [20]


def test_version_2_carries_metadata_and_exemplars() -> None:
    described = Metadata("m", MetricType.COUNTER, "", "How many.")
    exemplar = Exemplar(label_set({"trace_id": "1"}), 0.5, 10)

    [[batch]], _ = encode_lanes(
        reading((0, 10, 1.0)),
        lanes=1,
        most=100,
        not_before_ms=None,
        encode=encoder_v2(lambda name: described if name == "m_total" else None),
    )
    [linked] = encode_exemplars([(LABELS[0], exemplar)], message=WriteMessage.V2, most=100)

    found, with_exemplar = decode(batch.body, Version.V2), decode(linked.body, Version.V2)
    told = found.series_metadata(0, LABELS[0])
    assert told is not None
    assert (told.type, told.help) == (MetricType.COUNTER, "How many.")
    assert (with_exemplar.labels(0), with_exemplar.exemplar(0)) == (LABELS[0], exemplar)


def test_version_1_sends_exemplars_behind_the_samples() -> None:
    exemplars = [(LABELS[n % 2], Exemplar((("trace_id", str(n)),), 0.5, n + 1)) for n in range(5)]

    batches = encode_exemplars(exemplars, message=WriteMessage.V1, most=3)

    assert [(batch.samples, batch.exemplars, batch.newest_ms) for batch in batches] == [(0, 3, 3), (0, 2, 5)]
    found = decode(batches[0].body, Version.V1)
    owners = [found.labels(row) for row in found.exemplar_series.tolist()]
    assert owners == [LABELS[0], LABELS[0], LABELS[1]]
