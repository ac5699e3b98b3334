"""Remote-write requests for tests: bodies made of columns, and a sender that keeps what is not acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import numpy as np
from numpy.typing import NDArray

from vedette.model.labels import METRIC_NAME, label_set
from vedette.model.samples import SampleRuns
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import Version, encode_labels_v1, encode_v1, request_headers


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one request sends: a number of series, each with the same times.

    Attributes:
        metric: name of all series; label `series` tells them apart.
        labels: of all series, beyond that.
        series: their numbers.
        times: int64[samples], milliseconds.
        values: float64[series, samples].
    """

    metric: str
    labels: dict[str, str]
    series: Sequence[int]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def body(self) -> bytes:
        """The request's body."""
        count = len(self.times)
        runs = SampleRuns(
            np.arange(len(self.series) + 1, dtype=np.int64) * count,
            np.tile(self.times, len(self.series)),
            np.ascontiguousarray(self.values, np.float64).reshape(-1),
        )
        heads = [
            encode_labels_v1(label_set({METRIC_NAME: self.metric, "series": str(number), **self.labels}))
            for number in self.series
        ]
        return compress(encode_v1(heads, runs), Encoding.SNAPPY)


def push(client: httpx.Client, body: bytes) -> httpx.Response:
    """Send a body."""
    return client.post("/api/v1/write", content=body, headers=request_headers(Version.V1))


def push_samples(
    client: httpx.Client, metric: str, samples: Sequence[tuple[int, float]], **labels: str
) -> httpx.Response:
    """Send samples of one series: times in milliseconds, and values."""
    times = np.array([time_ms for time_ms, _ in samples], np.int64)
    values = np.array([value for _, value in samples], np.float64)
    heads = [encode_labels_v1(label_set({METRIC_NAME: metric, **labels}))]
    runs = SampleRuns(np.array([0, len(times)], np.int64), times, values)
    return push(client, compress(encode_v1(heads, runs), Encoding.SNAPPY))
