"""What a sample costs on disk, by kind of series and by codec, and how fast samples are read back.

    python benchmarks/store_codecs.py [--series 10000] [--hours 6]

Prints three tables: bytes per value for floats, for decimals with as many digits as each value needs, and
for decimals with as many as its series needs; bytes per time; and the store's own table, written as it
would be in use and read back whole.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.model.kernels import compile_kernels
from vedette.store.engine import ChdbEngine, EngineSettings
from vedette.store.metrics import MetricBatches, MetricsStore, series_keys
from vedette.store.metrics.decimals import DecimalEncoder
from vedette.store.schema import SPAN_MS, migrate

Floats = NDArray[np.float64]

START_MS = 20_000 * 86_400_000
STEP_MS = 15_000
FLOAT_CODECS = ("ZSTD(1)", "Gorilla, ZSTD(1)", "FPC, ZSTD(1)", "Delta, ZSTD(1)", "DoubleDelta, ZSTD(1)")
INTEGER_CODECS = (
    "ZSTD(1)",
    "Delta, ZSTD(1)",
    "Delta, ZSTD(3)",
    "DoubleDelta, ZSTD(1)",
    "T64('bit'), ZSTD(1)",
    "Delta, T64, ZSTD(1)",
    "Delta, T64('bit'), ZSTD(1)",
    "Delta, T64('bit'), ZSTD(6)",
    "GCD, Delta, T64('bit'), ZSTD(6)",
)
TIME_CODECS = ("Delta, ZSTD(1)", "Delta, ZSTD(1, 20)", "DoubleDelta, ZSTD(1)", "Delta, T64('bit'), ZSTD(1)")
SHARE = {
    "counter": 14, "bytes counter": 5, "cpu seconds": 6, "seconds": 5, "slow counter": 12, "float counter": 2,
    "2 decimals": 3, "6 decimals": 3, "bytes": 6, "small integer": 6, "ratio": 3, "constant": 15, "bucket": 20,
}  # fmt: skip
"""Of each hundred series of a typical installation."""


def kinds(series: int, samples: int) -> dict[str, Floats]:
    """By kind, float64[series, samples]."""
    g = np.random.default_rng(1)
    shape = (series, samples)
    rates = np.exp(g.uniform(np.log(0.05), np.log(5000), series))[:, None]
    load = np.clip(1 + 0.4 * np.sin(np.linspace(0, 6.28, samples)) + 0.1 * g.standard_normal(shape), 0, None)
    events = g.poisson(rates * 15 * load)
    histograms = -(-series // 12)
    spread = g.dirichlet(np.ones(12), histograms) * np.exp(g.uniform(-2, 5, histograms))[:, None]
    per_bucket = g.poisson(spread[:, :, None], (histograms, 12, samples))

    def rising(steps: NDArray[np.generic]) -> Floats:
        return np.cumsum(steps, axis=1).astype(np.float64)

    return {
        "counter": rising(events) + g.integers(0, 10**7, series)[:, None],
        "bytes counter": rising(events * g.integers(200, 1500, shape)),
        "cpu seconds": np.round(rising(np.clip(g.normal(0.1, 0.05, shape) * rates * 0.15, 0, None)), 2),
        "seconds": np.round(rising(np.clip(g.normal(0.1, 0.05, shape), 0, None)), 6),
        "slow counter": rising(g.random(shape) < 0.01),
        "float counter": rising(g.exponential(0.01, shape)),
        "2 decimals": np.round(50 + rising(g.normal(0, 0.2, shape)), 2),
        "6 decimals": np.round(0.5 + 0.01 * g.standard_normal(shape), 6),
        "bytes": np.abs(np.round((2e9 + rising(g.normal(0, 2e5, shape))) / 4096) * 4096),
        "small integer": g.poisson(8, shape).astype(np.float64),
        "ratio": 0.3 + 0.01 * g.standard_normal(shape),
        "constant": np.repeat(g.integers(0, 2, series)[:, None], samples, axis=1).astype(np.float64),
        "bucket": rising(np.cumsum(per_bucket, axis=1).reshape(histograms * 12, samples)[:series]),
    }


def mixture(series: int, samples: int) -> Floats:
    """float64[series, samples] of all kinds, shuffled."""
    per_kind = {name: max(1, round(series * share / sum(SHARE.values()))) for name, share in SHARE.items()}
    made = kinds(min(360, max(per_kind.values())), samples)
    rows = np.concatenate([made[name][np.arange(count) % len(made[name])] for name, count in per_kind.items()])
    return rows[np.random.default_rng(2).permutation(len(rows))[:series]]


def column_bytes(engine: ChdbEngine, kind: str, codec: str, column: NDArray[np.generic], block: int = 1 << 20) -> float:
    """Bytes per row of one column under one codec."""
    engine.execute("DROP TABLE IF EXISTS trial SYNC")
    engine.execute(
        f"CREATE TABLE trial (row UInt32, value {kind} CODEC({codec})) ENGINE = MergeTree ORDER BY row SETTINGS "
        f"min_bytes_for_wide_part = 0, min_compress_block_size = {block}, max_compress_block_size = {block}"
    )
    engine.insert(
        "trial",
        pa.record_batch({"row": np.arange(len(column), dtype=np.uint32), "value": pa.array(column)}),
        token=codec,
    )
    found = engine.query(
        "SELECT sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns "
        "WHERE active AND table = 'trial' AND column = 'value' AND database = currentDatabase()"
    )
    return found.column("bytes")[0].as_py() / len(column)


def decimals(values: Floats, *, shared: bool) -> NDArray[np.int64]:
    """Mantissas with the digits that each value (or each series, with hindsight) needs."""
    encoder = DecimalEncoder()
    ids = np.repeat(np.arange(len(values), dtype=np.uint64), values.shape[1])
    if shared:
        encoder.encode(ids, values.ravel(), day=0)  # the first pass finds the digits
        return encoder.encode(ids, values.ravel(), day=0)[0]
    # Every sample a series of its own: nothing is remembered.
    own = np.arange(values.size, dtype=np.uint64) << np.uint64(20)
    return np.concatenate([DecimalEncoder().encode(ids, part, day=0)[0] for ids, part in chunks(own, values.ravel())])


def chunks(ids: NDArray[np.uint64], values: Floats) -> Iterator[tuple[NDArray[np.uint64], Floats]]:
    for first in range(0, len(ids), 10_000):
        yield ids[first : first + 10_000], values[first : first + 10_000]


def table(title: str, codecs: tuple[str, ...], rows: dict[str, list[float]]) -> None:
    print(f"\n{title}\n{'':16}" + "".join(f"{codec:>29}" for codec in codecs))
    for name, numbers in rows.items():
        print(f"{name:16}" + "".join(f"{number:29.3f}" for number in numbers))


def compare_codecs(engine: ChdbEngine, samples: int) -> None:
    made = kinds(120, samples)
    for title, kind, codecs, encode in (
        ("Bytes per value, as floats", "Float64", FLOAT_CODECS, lambda v: v.ravel()),
        ("Bytes per value, digits by value", "Int64", INTEGER_CODECS, lambda v: decimals(v, shared=False)),
        ("Bytes per value, digits by series", "Int64", INTEGER_CODECS, lambda v: decimals(v, shared=True)),
    ):
        rows = {
            name: [column_bytes(engine, kind, codec, encode(values)) for codec in codecs]
            for name, values in made.items()
        }
        rows["typical mixture"] = [
            sum(rows[name][i] * share for name, share in SHARE.items()) / sum(SHARE.values())
            for i in range(len(codecs))
        ]
        table(title, codecs, rows)

    # A span's worth of samples of each series, as the table has them one behind the other.
    generator = np.random.default_rng(3)
    samples = min(samples, SPAN_MS // STEP_MS)
    grid = START_MS + np.arange(samples) * STEP_MS + generator.integers(0, STEP_MS, 10)[:, None]
    jitter = generator.integers(-3, 4, (10, samples))
    targets = generator.integers(0, 10, 2_000)
    rows = {}
    for name, times in (("regular", grid), ("jitter of 3 ms", grid + jitter)):
        for block in (1 << 18, 1 << 20):
            column = times[targets].ravel()
            rows[f"{name}, {block >> 10}k"] = [
                column_bytes(engine, "Int64", codec, column, block) for codec in TIME_CODECS
            ]
    table("Bytes per time, 10 targets in random order, by size of block", TIME_CODECS, rows)


def whole_store(engine: ChdbEngine, series: int, samples: int) -> None:
    migrate(engine)
    store = MetricsStore(engine)
    values = mixture(series, samples)
    ids = np.sort(np.random.default_rng(5).integers(0, 2**64, series, dtype=np.uint64, endpoint=False))
    batches = MetricBatches()
    spent_s = 0.0
    for first in range(0, samples, 6):
        piece = values[:, first : first + 6]
        times = START_MS + STEP_MS * np.arange(first, first + piece.shape[1])
        batch = batches.samples_batch(
            np.zeros(piece.size, np.int32),
            ["metric"],
            np.tile(ids, piece.shape[1]),
            np.repeat(times, series),
            piece.T.ravel(),
        )
        started = time.perf_counter()
        engine.insert("samples", batch, token=str(first))
        spent_s += time.perf_counter() - started
    print(f"\n{values.size:,} samples of one metric, inserted {6 * series:,} at a time: {spent_s:.2f} s")
    parts = read_back(engine, store, ids, values)
    print(f" from {parts} parts")
    engine.execute("OPTIMIZE TABLE samples FINAL")
    read_back(engine, store, ids, values)
    print(" from one part")


def read_back(engine: ChdbEngine, store: MetricsStore, ids: NDArray[np.uint64], values: Floats) -> int:
    every, _ = series_keys(np.zeros(len(ids), np.int64), ["metric"], ids, np.array([len(ids)]))
    assert (store.read_samples(every, START_MS, START_MS + 86_400_000).values == values.ravel()).all()
    used = store.disk_usage()[0]
    print(f"{used.disk_bytes / used.rows:.3f} bytes/sample; CPU to read", end="")
    for what, keys, hours in (
        ("all", every, 24.0),
        ("the first hour", every, 1.0),
        ("a hundred series", series_keys(np.zeros(100, np.int64), ["metric"], ids[:: len(ids) // 100][:100])[0], 24.0),
        ("one series", every.part(7, 8), 24.0),
    ):
        took_s: list[float] = []
        for _ in range(5):
            started = time.process_time()
            store.read_samples(keys, START_MS, START_MS + int(hours * 3_600_000) - 1)
            took_s.append(time.process_time() - started)
        print(f" {what} {1000 * min(took_s):.1f} ms,", end="")
    found = engine.query("SELECT count() AS c FROM system.parts WHERE active AND table = 'samples'")
    return found.column("c")[0].as_py()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=6.0)
    arguments = parser.parse_args()
    samples = int(arguments.hours * 3_600_000 / STEP_MS)
    list(compile_kernels())
    settings = EngineSettings(memory_bytes=2 << 30, query_memory_bytes=1 << 30)
    with tempfile.TemporaryDirectory(prefix="vedette-codecs-") as directory:
        engine = ChdbEngine(Path(directory), settings)
        compare_codecs(engine, samples)
        whole_store(engine, arguments.series, samples)
        engine.close()


if __name__ == "__main__":
    main()
