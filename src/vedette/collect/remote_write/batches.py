"""Share a reading out over parallel lanes of requests, so that each series' samples stay in their order.

A lane's requests are sent one after the other; a series is in one lane only. Lanes are about equally long.

Pure.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vedette.collect.remote_write.reader import Reading
from vedette.config import WriteMessage
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.samples import Exemplar, Metadata, SampleRuns
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import encode_exemplars_v1, encode_labels_v1, encode_v1, encode_v2

Int64s = NDArray[np.int64]

Encode = Callable[[Sequence[LabelSet], SampleRuns], bytes]
"""Makes a body, not packed yet, of some series and their samples."""

Describe = Callable[[str], Metadata | None]
"""What is known of a metric's family."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One request.

    Attributes:
        body: packed.
        samples: how many it holds.
        exemplars: how many it holds.
        newest_ms: time of its newest sample or exemplar.
    """

    body: bytes
    samples: int
    exemplars: int
    newest_ms: int


def share_out(series: Int64s, times: Int64s, *, lanes: int, most: int) -> list[list[Int64s]]:
    """Share samples out.

    Args:
        series: int64[n], which series each belongs to.
        times: int64[n].
        lanes: how many there may be.
        most: samples of a request.

    Returns:
        For each lane its requests: int64[], which samples, by series and by time. No lane is empty.
    """
    total = len(series)
    if not total:
        return []
    order = np.lexsort((times, series))
    sorted_series = series[order]
    begins = np.flatnonzero(np.concatenate([[True], sorted_series[1:] != sorted_series[:-1]]))
    lanes = min(lanes, -(-total // most))
    wanted = np.arange(1, lanes) * total // lanes
    # At the first series that begins there or behind it.
    places = np.append(begins, total)[np.searchsorted(begins, wanted)]
    cuts = [0, *np.unique(places[places < total]).tolist(), total]
    return [
        [order[start : min(start + most, end)] for start in range(begin, end, most)]
        for begin, end in pairwise(cuts)
        if begin < end
    ]


def encode_lanes(
    reading: Reading, *, lanes: int, most: int, not_before_ms: int | None, encode: Encode
) -> tuple[list[list[Batch]], int]:
    """The requests of a reading, lane by lane.

    Args:
        reading: what to send.
        lanes: how many there may be.
        most: samples of a request.
        not_before_ms: older samples are left out; None for any age.
        encode: `encoder_v1` or `encoder_v2`.

    Returns:
        The lanes, and how many samples were left out.
    """
    series, times, values = reading.series, reading.times, reading.values
    left_out = 0
    if not_before_ms is not None and len(times) and int(times.min()) < not_before_ms:
        young = times >= not_before_ms
        left_out = int(len(young) - young.sum())
        series, times, values = series[young], times[young], values[young]
    found: list[list[Batch]] = []
    for lane in share_out(series, times, lanes=lanes, most=most):
        found.append([])
        for rows in lane:
            present, first = np.unique(series[rows], return_index=True)
            offsets = np.append(first, len(rows)).astype(np.int64)
            runs = SampleRuns(offsets, times[rows], values[rows])
            numbers: list[int] = present.tolist()
            body = encode([reading.labels[number] for number in numbers], runs)
            newest_ms = int(runs.times.max())
            found[-1].append(Batch(compress(body, Encoding.SNAPPY), len(rows), 0, newest_ms))
    return found, left_out


def encode_exemplars(
    exemplars: Sequence[tuple[LabelSet, Exemplar]], *, message: WriteMessage, most: int
) -> list[Batch]:
    """Requests with exemplars, to be sent behind the samples of their series."""
    batches: list[Batch] = []
    for start in range(0, len(exemplars), most):
        part = exemplars[start : start + most]
        by_series: dict[LabelSet, list[Exemplar]] = {}
        for labels, exemplar in part:
            by_series.setdefault(labels, []).append(exemplar)
        if message is WriteMessage.V2:
            none = SampleRuns(np.zeros(len(by_series) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))
            body = encode_v2(list(by_series), none, exemplars=list(by_series.values()))
        else:
            body = b"".join(encode_exemplars_v1(encode_labels_v1(key), each) for key, each in by_series.items())
        newest_ms = max(exemplar.time_ms or 0 for _, exemplar in part)
        batches.append(Batch(compress(body, Encoding.SNAPPY), 0, len(part), newest_ms))
    return batches


def encoder_v1(*, remembered: int = 50_000) -> Encode:
    """Encodes version 1.0; the bytes of so many label sets are remembered."""
    encode_labels = functools.lru_cache(maxsize=remembered)(encode_labels_v1)
    return lambda labels, runs: encode_v1([encode_labels(each) for each in labels], runs)


def encoder_v2(describe: Describe) -> Encode:
    """Encodes version 2.0, with what is known of the series' families."""
    return lambda labels, runs: encode_v2(
        labels, runs, metadata=[describe(dict(each).get(METRIC_NAME, "")) for each in labels]
    )
