"""How quickly remote-write requests become columns: decoding from unpacked bytes, and the cache lookup.

    python benchmarks/remote_write_decode.py

One core. Each series has 10 labels; the target is 1 M samples/s.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from vedette.model.kernels import compile_kernels
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import SampleRuns
from vedette.wire.compression import Encoding, compress, decompress
from vedette.wire.remote_write import (
    LabelCache,
    Version,
    decode_write_request,
    encode_labels_v1,
    encode_v1,
    encode_v2,
)

ROUNDS = 30
NOW_MS = 1_795_230_706_767


def main() -> None:
    list(compile_kernels())
    print(
        f"{'message':<8}{'series':>7}{'samples':>8}{'bytes':>10}{'unpack':>9}{'decode':>9}{'lookup':>9}"
        f"{'MB/s':>8}{'samples/s':>14}{'labels()':>10}{'encode':>9}"
    )
    for version in Version:
        for series in (500, 2000):
            for per_series in (1, 2, 5):
                print(measure(version, series, per_series))


def measure(version: Version, series: int, per_series: int) -> str:
    labels = [series_labels(number) for number in range(series)]
    runs = sample_runs(series, per_series)
    encoded = [encode_labels_v1(each) for each in labels]

    def encode() -> bytes:
        return encode_v1(encoded, runs) if version is Version.V1 else encode_v2(labels, runs)

    body = encode()
    packed = compress(body, Encoding.SNAPPY)
    cache = LabelCache()
    request = decode_write_request(body, version, key=cache.key)
    cache.insert(request.hashes, np.arange(series))
    unpack_s = median_s(lambda: decompress(packed, Encoding.SNAPPY, max_bytes=1 << 25))
    decode_s = median_s(lambda: decode_write_request(body, version, key=cache.key))
    lookup_s = median_s(lambda: cache.lookup(request.hashes))
    labels_s = median_s(lambda: [request.labels(row) for row in range(series)])
    encode_s = median_s(encode)
    total_s = decode_s + lookup_s
    samples = series * per_series
    return (
        f"{version.name:<8}{series:>7}{samples:>8}{len(body):>10}{micros(unpack_s):>9}{micros(decode_s):>9}"
        f"{micros(lookup_s):>9}{len(body) / total_s / 1e6:>8.0f}{samples / total_s:>14,.0f}"
        f"{micros(labels_s):>10}{micros(encode_s):>9}"
    )


def series_labels(number: int) -> LabelSet:
    return label_set(
        {
            "__name__": f"http_request_duration_seconds_{number % 40}",
            "cluster": "production-eu1",
            "container": "helpdesk-web",
            "env": "prod",
            "instance": f"10.0.{number % 7}.{number % 250}:9090",
            "job": "helpdesk",
            "namespace": "support",
            "pod": f"helpdesk-web-{number:05d}-x7k2p",
            "route": f"/api/v1/tickets/{number % 60}",
            "status": str(200 + number % 5),
        }
    )


def sample_runs(series: int, per_series: int) -> SampleRuns:
    generator = np.random.default_rng(7)
    return SampleRuns(
        offsets=np.arange(series + 1, dtype=np.int64) * per_series,
        times=np.tile(NOW_MS + 15_000 * np.arange(per_series, dtype=np.int64), series),
        values=generator.random(series * per_series) * 1000,
    )


def median_s(work: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def micros(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} us"


if __name__ == "__main__":
    main()
