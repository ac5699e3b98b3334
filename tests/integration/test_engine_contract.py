"""What both engines promise, and the store's reads and writes over each of them."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from vedette.model.errors import (
    LimitExceededError,
    OverloadedError,
    QueryTimeoutError,
    StorageError,
)
from vedette.model.frames import LabelFrame, SymbolTable
from vedette.model.samples import STALE, Metadata, MetricType, SampleRuns
from vedette.store.engine import ChdbEngine, ClickHouseEngine, ClickHouseServer, Engine, EngineSettings
from vedette.store.metrics import (
    MetricBatches,
    MetricsStore,
    Retention,
    SeriesKeys,
    frame_columns,
    metadata_batch,
    series_keys,
)
from vedette.store.schema import SCHEMA_VERSION, migrate
from vedette.store.schema.tables import SPAN_MS

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS + 3_600_000
SERVER = Path(__file__).parent / "clickhouse_http.py"

Opener = Callable[[], Engine]


@pytest.fixture(scope="module")
def server_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    command = [sys.executable, str(SERVER), str(tmp_path_factory.mktemp("server"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


@pytest.fixture(params=["embedded", "served"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens an engine that holds nothing at first, and what it was given after that."""
    settings = EngineSettings(readers=2, wait_s=0.2)
    if request.param == "embedded":
        return lambda: ChdbEngine(tmp_path / "engine", settings)
    port: int = request.getfixturevalue("server_port")
    server = ClickHouseServer("127.0.0.1", port, database=f"test_{uuid.uuid4().hex}")
    return lambda: ClickHouseEngine(server, settings)


@pytest.fixture
def engine(opener: Opener) -> Iterator[Engine]:
    engine = opener()
    yield engine
    engine.close()


@pytest.fixture
def numbers(engine: Engine) -> Engine:
    """An engine with a table of numbers that remembers tokens."""
    engine.execute(
        "CREATE TABLE numbers (n UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY n "
        "SETTINGS fsync_after_insert = 1, non_replicated_deduplication_window = 100"
    )
    return engine


@pytest.fixture
def store(engine: Engine) -> MetricsStore:
    migrate(engine)
    return MetricsStore(engine)


def rows(first: int, count: int, text: str = "x") -> pa.RecordBatch:
    return pa.record_batch(
        {"n": np.arange(first, first + count, dtype=np.uint64), "s": pa.array([text] * count).dictionary_encode()}
    )


def count(engine: Engine, table: str = "numbers") -> int:
    return int(engine.query(f"SELECT count() AS c FROM {table}").column("c")[0].as_py())


class TestEngine:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("UInt64", 2**64 - 1),
            ("Int64", -(2**63)),
            ("Float64", 0.1),
            ("String", "it's \\ a\ttab, a\nline, a \0 and é"),
            ("String", ""),
            ("Array(UInt64)", [1, 2**64 - 1]),
            ("Array(String)", ["it's", "a\\b\n", "", "é"]),
            ("Array(String)", []),
        ],
    )
    def test_a_parameter_arrives_as_it_was_sent(self, engine: Engine, kind: str, value: int | list[str]) -> None:
        answer = engine.query(f"SELECT {{value:{kind}}} AS value", {"value": value})

        assert answer.column("value")[0].as_py() == value

    def test_rows_come_back_as_they_were_inserted(self, numbers: Engine) -> None:
        numbers.insert("numbers", rows(0, 3), token="a")

        answer = numbers.query("SELECT n, s FROM numbers ORDER BY n")

        assert answer.to_pylist() == [{"n": 0, "s": "x"}, {"n": 1, "s": "x"}, {"n": 2, "s": "x"}]

    def test_batches_with_dictionaries_of_their_own_can_be_inserted_together(self, numbers: Engine) -> None:
        table = pa.Table.from_batches([rows(0, 2, "a"), rows(2, 2, "b"), rows(4, 2, "a")])

        numbers.insert("numbers", table, token="a")

        answer = numbers.query("SELECT s FROM numbers ORDER BY n")
        assert answer.column("s").to_pylist() == ["a", "a", "b", "b", "a", "a"]

    def test_the_same_batch_under_the_same_token_is_stored_once(self, numbers: Engine) -> None:
        for _ in range(3):
            numbers.insert("numbers", rows(0, 10), token="it's a token")

        assert count(numbers) == 10

    def test_equal_batches_under_different_tokens_are_both_stored(self, numbers: Engine) -> None:
        numbers.insert("numbers", rows(0, 10), token="a")
        numbers.insert("numbers", rows(0, 10), token="b")

        assert count(numbers) == 20

    def test_a_stream_brings_everything_in_pieces(self, engine: Engine) -> None:
        batches = list(engine.stream("SELECT number AS n FROM numbers(200000)"))

        assert len(batches) > 1
        assert sum(batch.num_rows for batch in batches) == 200_000

    def test_a_stream_may_be_left_and_its_place_is_free_again(self, engine: Engine) -> None:
        for _ in range(5):
            stream = engine.stream("SELECT number AS n FROM numbers(3000000)")
            next(stream)
            stream.close()

        assert engine.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]

    def test_no_result_is_no_rows(self, numbers: Engine) -> None:
        assert numbers.query("SELECT n FROM numbers").num_rows == 0
        assert sum(batch.num_rows for batch in numbers.stream("SELECT n FROM numbers")) == 0

    @pytest.mark.parametrize(
        ("sql", "error"),
        [
            pytest.param("SELEC 1", StorageError, id="what is not SQL"),
            pytest.param("SELECT * FROM nowhere", StorageError, id="what does not exist"),
            pytest.param(
                "SELECT sum(sleepEachRow(0.1)) FROM numbers(99) SETTINGS max_execution_time = 0.2, max_block_size = 1",
                QueryTimeoutError,
                id="what takes too long",
            ),
            pytest.param(
                "SELECT groupArray(number) FROM numbers(1000000000) SETTINGS max_memory_usage = 50000000",
                LimitExceededError,
                id="what takes too much memory",
            ),
        ],
    )
    def test_a_query_that_fails_says_how_and_disturbs_none_after_it(
        self, engine: Engine, sql: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            engine.query(sql)
        with pytest.raises(error):
            list(engine.stream(sql))

        assert sum(batch.num_rows for batch in engine.stream("SELECT number FROM numbers(100000)")) == 100_000

    def test_an_insert_that_fails_disturbs_none_after_it(self, numbers: Engine) -> None:
        with pytest.raises(StorageError, match="nowhere"):
            numbers.insert("nowhere", rows(0, 1), token="a")

        numbers.insert("numbers", rows(0, 1), token="b")

        assert count(numbers) == 1

    def test_more_queries_than_readers_are_refused_after_a_while(self, engine: Engine) -> None:
        streams = [engine.stream("SELECT number AS n FROM numbers(3000000)") for _ in range(2)]
        for stream in streams:
            next(stream)

        with pytest.raises(OverloadedError):
            engine.query("SELECT 1")

        for stream in streams:
            stream.close()


class TestSchema:
    def test_the_schema_is_made_once_and_kept(self, opener: Opener) -> None:
        engine = opener()
        applied = [migrate(engine), migrate(engine)]
        engine.close()

        engine = opener()
        applied.append(migrate(engine))
        engine.close()

        assert applied == [SCHEMA_VERSION, 0, 0]

    def test_the_schema_of_a_newer_version_is_refused(self, engine: Engine) -> None:
        migrate(engine)
        engine.execute("INSERT INTO schema_migrations SELECT 1000, 'from the future', now64(3, 'UTC')")

        with pytest.raises(StorageError, match="newer Vedette"):
            migrate(engine)

    def test_people_see_values_times_and_labels(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine)

        answer = engine.query(
            "SELECT metric, labels['job'] AS job, toUnixTimestamp64Milli(time) AS ms, value FROM metrics "
            "WHERE metric = 'up' AND labels['job'] = 'b' ORDER BY time LIMIT 2"
        )

        assert answer.to_pylist() == [
            {"metric": "up", "job": "b", "ms": START_MS, "value": 100.25},
            {"metric": "up", "job": "b", "ms": START_MS + 15_000, "value": 101.25},
        ]
        assert store.read_metadata() == []


IDS = np.array([2**63 + 1, 5, 2**64 - 1], np.uint64)


def fill(engine: Engine, samples: int = 100) -> None:
    """Three series: `up` of jobs a and b, `load` of job a; the second runs on over midnight."""
    batches = MetricBatches()
    label_sets = [
        (("__name__", "up"), ("job", "a")),
        (("__name__", "up"), ("job", "b")),
        (("__name__", "load"), ("job", "a")),
    ]
    engine.insert("series", batches.series_batch([20_000] * 3, IDS, label_sets), token="series")
    times = START_MS + 15_000 * np.arange(samples)
    for row, codes in enumerate((0, 0, 1)):
        values = np.arange(samples) + 100.0 * row + 0.25
        batch = batches.samples_batch(
            np.full(samples, codes, np.int32), ["up", "load"], np.full(samples, IDS[row]), times, values
        )
        engine.insert("samples", batch, token=f"samples {row}")


NAMES = {int(IDS[0]): "up", int(IDS[1]): "up", int(IDS[2]): "load"}


def keys_of(ids: NDArray[np.uint64]) -> SeriesKeys:
    """The keys of some series of `fill`; of `up` where they are none of those."""
    names = ["load", "up"]
    codes = np.array([names.index(NAMES.get(int(key), "up")) for key in ids.tolist()], np.int64)
    return series_keys(codes, names, ids)[0]


def values_of(runs: SampleRuns, row: int) -> list[float]:
    return runs.values[runs.offsets[row] : runs.offsets[row + 1]].tolist()


class TestMetrics:
    def test_samples_are_read_in_the_order_of_the_keys(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine, samples=4)
        keys = keys_of(np.array([IDS[2], 77, IDS[1]], np.uint64))

        runs = store.read_samples(keys, START_MS, START_MS + DAY_MS)

        assert keys.ids.tolist() == [int(IDS[2]), int(IDS[1]), 77]
        assert [values_of(runs, row) for row in range(3)] == [
            [200.25, 201.25, 202.25, 203.25],
            [100.25, 101.25, 102.25, 103.25],
            [],
        ]
        assert runs.times[:2].tolist() == [START_MS, START_MS + 15_000]

    @pytest.mark.parametrize("total", [0, 1, 2, 1_000_000])
    def test_it_does_not_matter_how_many_series_a_metric_is_thought_to_have(
        self, engine: Engine, store: MetricsStore, total: int
    ) -> None:
        fill(engine, samples=2)
        keys = keys_of(IDS)

        runs = store.read_samples(
            SeriesKeys(keys.metrics, keys.codes, keys.ids, np.full(2, total)), START_MS, START_MS + DAY_MS
        )

        assert np.diff(runs.offsets).tolist() == [2, 2, 2]

    @pytest.mark.usefixtures("store")
    def test_two_hours_are_found_without_reading_the_others(self, engine: Engine) -> None:
        fill(engine, samples=5_000)
        engine.execute("OPTIMIZE TABLE samples FINAL")

        plan = engine.query(
            "EXPLAIN indexes = 1 SELECT series_id FROM samples WHERE time BETWEEN "
            "fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND fromUnixTimestamp64Milli({end:Int64}, 'UTC')",
            {"start": START_MS, "end": START_MS + 1000},
        )

        lines = [line.strip() for line in plan.column("explain").to_pylist()]
        found = [line.removeprefix("Granules: ").split("/") for line in lines if line.startswith("Granules: ")]
        assert int(found[-1][0]) < int(found[-1][1])

    def test_both_ends_of_a_time_range_belong_to_it(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine)

        runs = store.read_samples(keys_of(IDS[:1]), START_MS + 15_000, START_MS + 30_000)

        assert values_of(runs, 0) == [1.25, 2.25]

    @pytest.mark.parametrize("bounds", [(-(2**63), 2**63 - 1), (0, 2**63 - 1)])
    def test_any_range_of_times_can_be_asked_for(
        self, engine: Engine, store: MetricsStore, bounds: tuple[int, int]
    ) -> None:
        fill(engine, samples=2)

        assert len(store.read_samples(keys_of(IDS[:1]), *bounds).times) == 2

    def test_samples_sent_twice_are_read_once(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine)
        batch = MetricBatches().samples_batch(
            np.zeros(100, np.int32),
            ["up"],
            np.full(100, IDS[0]),
            START_MS + 15_000 * np.arange(100),
            np.arange(100) + 0.25,
        )
        engine.insert("samples", batch, token="again")

        runs = store.read_samples(keys_of(IDS[:1]), START_MS, START_MS + DAY_MS)

        assert values_of(runs, 0) == [number + 0.25 for number in range(100)]
        assert (np.diff(runs.times) == 15_000).all()

    def test_every_kind_of_float_survives(self, engine: Engine, store: MetricsStore) -> None:
        values = np.array([float(STALE), np.nan, np.inf, -np.inf, -0.0, 0.0, 0.1 + 0.2, 1e300, 5e-324, 2.0**53, 12.75])
        times = START_MS + np.arange(len(values))
        batch = MetricBatches().samples_batch(
            np.zeros(len(values), np.int32), ["up"], np.full(len(values), IDS[0]), times, values
        )
        engine.insert("samples", batch, token="a")

        runs = store.read_samples(keys_of(IDS[:1]), START_MS, START_MS + DAY_MS)
        sql = engine.query("SELECT reinterpretAsUInt64(value) AS bits FROM samples ORDER BY time")

        assert runs.values.view(np.uint64).tolist() == values.view(np.uint64).tolist()
        assert sql.column("bits").to_pylist() == values.view(np.uint64).tolist()

    def test_more_series_than_fit_into_one_query_are_read_by_several(self, engine: Engine, store: MetricsStore) -> None:
        ids = np.random.default_rng(1).permutation(9_000).astype(np.uint64) * np.uint64(2**50)
        batch = MetricBatches().samples_batch(
            np.zeros(len(ids), np.int32),
            ["up"],
            ids,
            np.full(len(ids), START_MS),
            np.arange(len(ids), dtype=np.float64),
        )
        engine.insert("samples", batch, token="a")

        keys, order = series_keys(np.zeros(9_000, np.int64), ["up"], ids)
        runs = store.read_samples(keys, START_MS, START_MS)

        assert runs.values[np.argsort(order)].tolist() == list(range(9_000))

    def test_a_read_larger_than_it_may_be_is_refused(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine)

        with pytest.raises(LimitExceededError, match="samples to read"):
            store.read_samples(keys_of(IDS), START_MS, START_MS + DAY_MS, max_samples=150)

    @pytest.mark.parametrize("max_samples", [1_000_000, 100, 20])
    def test_a_scan_brings_each_series_once_and_whole(
        self, engine: Engine, store: MetricsStore, max_samples: int
    ) -> None:
        fill(engine)
        since_ms = START_MS + 50 * 15_000

        found = [
            (int(series), values_of(runs, row))
            for ids, runs in store.scan_recent(since_ms, max_samples=max_samples)
            for row, series in enumerate(ids.tolist())
        ]

        assert dict(found) == {
            int(series): [100.0 * row + number + 0.25 for number in range(50, 100)] for row, series in enumerate(IDS)
        }
        assert len(found) == 3

    @pytest.mark.parametrize("max_samples", [1_000_000, 300])
    def test_a_scan_goes_from_the_oldest_hours_to_the_newest(
        self, engine: Engine, store: MetricsStore, max_samples: int
    ) -> None:
        fill(engine, samples=1_000)
        far_ms = START_MS + 40_000 * DAY_MS
        late = MetricBatches().samples_batch(
            np.zeros(1, np.int32), ["up"], IDS[:1], np.array([far_ms]), np.array([7.5])
        )
        engine.insert("samples", late, token="late")

        pieces = list(store.scan_recent(START_MS, max_samples=max_samples))

        hours = [int(runs.times.min()) // SPAN_MS for _, runs in pieces]
        assert hours == sorted(hours)
        assert len(set(hours)) == 4
        found: dict[int, list[float]] = {}
        for ids, runs in pieces:
            for row, series in enumerate(ids.tolist()):
                found.setdefault(series, []).extend(values_of(runs, row))
        expected = {int(key): [100.0 * row + n + 0.25 for n in range(1_000)] for row, key in enumerate(IDS)}
        expected[int(IDS[0])].append(7.5)
        assert found == expected

    def test_series_are_loaded_with_their_labels_and_days(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine)
        batches = MetricBatches()
        engine.insert(
            "series", batches.series_batch([20_002], IDS[:1], [(("__name__", "up"), ("job", "a"))]), token="later"
        )

        table = store.load_series(START_MS)
        newer = store.load_series(START_MS + DAY_MS)

        symbols = SymbolTable()
        frame = LabelFrame(symbols.overlay(), frame_columns(table, symbols.intern), table.num_rows)
        found = dict(zip(table.column("series_id").to_pylist(), frame.label_sets(), strict=True))
        assert found == {
            int(IDS[0]): (("__name__", "up"), ("job", "a")),
            int(IDS[1]): (("__name__", "up"), ("job", "b")),
            int(IDS[2]): (("__name__", "load"), ("job", "a")),
        }
        assert newer.column("series_id").to_pylist() == [int(IDS[0])]
        days = {
            row["series_id"]: (row["first_day"].toordinal(), row["last_day"].toordinal()) for row in table.to_pylist()
        }
        assert days[int(IDS[0])][1] - days[int(IDS[0])][0] == 2

    def test_an_empty_store_has_nothing_and_says_so(self, store: MetricsStore) -> None:
        assert store.load_series(0).num_rows == 0
        assert list(store.scan_recent(0)) == []
        assert store.read_samples(keys_of(IDS), 0, START_MS).offsets.tolist() == [0, 0, 0, 0]
        assert store.read_samples(keys_of(IDS[:0]), 0, START_MS).offsets.tolist() == [0]
        assert store.read_exemplars(["up"], IDS, 0, START_MS).num_rows == 0
        assert store.disk_usage() == []

    def test_exemplars_are_read_by_series_and_time(self, engine: Engine, store: MetricsStore) -> None:
        batch = MetricBatches.exemplars_batch(
            ["up"] * 3,
            np.array([5, 5, 6], np.uint64),
            np.array([START_MS + 10, START_MS, START_MS]),
            np.array([0.5, 0.25, 1.0]),
            [(("trace_id", "b"),), (("trace_id", "a"),), (("trace_id", "c"),)],
        )
        engine.insert("exemplars", batch, token="a")

        found = store.read_exemplars(["up"], np.array([5], np.uint64), START_MS, START_MS + 10)

        assert [(row["value"], row["labels"]) for row in found.to_pylist()] == [
            (0.25, [("trace_id", "a")]),
            (0.5, [("trace_id", "b")]),
        ]

    def test_the_latest_metadata_count(self, engine: Engine, store: MetricsStore) -> None:
        first = Metadata("up", MetricType.UNKNOWN, "", "")
        second = Metadata("up", MetricType.GAUGE, "", "Is it up? 'é'")
        engine.insert("metadata", metadata_batch([second], now_ms=2000), token="b")
        engine.insert("metadata", metadata_batch([first], now_ms=1000), token="a")

        assert store.read_metadata() == [second]

    def test_retention_drops_old_days_of_all_tables(self, engine: Engine, store: MetricsStore) -> None:
        fill(engine, samples=10_000)
        before = {(part.table, part.partition) for part in store.disk_usage()}

        dropped = store.apply_retention(Retention(DAY_MS), now_ms=START_MS + 2 * DAY_MS)

        left = store.disk_usage()
        assert before == {("samples", "20241004"), ("samples", "20241005"), ("series", "20241004")}
        assert {(part.table, part.partition) for part in dropped} == {("samples", "20241004"), ("series", "20241004")}
        assert [(part.table, part.partition) for part in left] == [("samples", "20241005")]
        assert left[0].rows > 0
        assert left[0].disk_bytes > 0
        assert store.apply_retention(Retention(DAY_MS), now_ms=START_MS + 2 * DAY_MS) == []
