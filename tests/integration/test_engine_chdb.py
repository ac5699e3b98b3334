"""What only the embedded engine has: a directory of its own, a disk that fills up, backups."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vedette.model.errors import OverloadedError, StorageError, UnavailableError
from vedette.store.engine import ChdbEngine, EngineSettings
from vedette.store.metrics import MetricBatches, MetricsStore
from vedette.store.schema import migrate

NOW_MS = 20_000 * 86_400_000


def samples(first: int, count: int) -> pa.RecordBatch:
    ids = np.arange(first, first + count, dtype=np.uint64)
    return MetricBatches().samples_batch(
        np.zeros(count, np.int32), ["up"], ids, np.full(count, NOW_MS), np.arange(count, dtype=np.float64)
    )


def held(engine: ChdbEngine) -> int:
    return int(engine.query("SELECT count() AS c FROM samples").column("c")[0].as_py())


def test_a_second_process_is_told_who_uses_the_directory(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path)
    program = f"""
from pathlib import Path
from vedette.model.errors import UnavailableError
from vedette.store.engine import ChdbEngine
try:
    ChdbEngine(Path({str(tmp_path)!r}))
except UnavailableError as exc:
    print(exc)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    engine.close()

    assert "is in use by process" in said.stdout
    assert said.stderr == ""


def test_a_second_directory_in_one_process_is_refused(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path / "one")

    with pytest.raises(StorageError, match="already initialized"):
        ChdbEngine(tmp_path / "two")

    engine.close()
    ChdbEngine(tmp_path / "two").close()


@pytest.mark.parametrize("name", ["plain", "with a space & an = and é", "50%"])
def test_the_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    ChdbEngine(tmp_path / name).close()

    assert (tmp_path / name / "LOCK").exists()


def test_a_directory_that_the_engine_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"`\?` in its name"):
        ChdbEngine(tmp_path / "what?")


def test_a_closed_engine_says_that_it_is_closed(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path)
    engine.close()

    with pytest.raises(StorageError, match="closed"):
        engine.query("SELECT 1")
    with pytest.raises(StorageError, match="closed"):
        engine.insert("samples", samples(0, 1), token="a")


def test_what_was_inserted_is_there_after_closing(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path)
    migrate(engine)
    engine.insert("samples", samples(0, 100), token="a")
    engine.close()

    engine = ChdbEngine(tmp_path)

    assert held(engine) == 100
    engine.insert("samples", samples(0, 100), token="a")
    assert held(engine) == 100
    engine.close()


def test_queries_and_inserts_go_on_side_by_side(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path, EngineSettings(readers=3))
    migrate(engine)

    def write(number: int) -> None:
        engine.insert("samples", samples(100 * number, 100), token=str(number))

    def read(_: int) -> int:
        return sum(batch.num_rows for batch in engine.stream("SELECT series_id FROM samples"))

    with ThreadPoolExecutor(6) as pool:
        writes = [pool.submit(write, number) for number in range(20)]
        reads = [pool.submit(read, number) for number in range(40)]
        assert all(reading.result() % 100 == 0 for reading in reads)
        for writing in writes:
            writing.result()

    assert held(engine) == 2_000
    engine.close()


def test_closing_waits_for_the_query_that_is_running(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path)
    stream = engine.stream("SELECT number FROM numbers(1000000)")
    next(stream)
    closing = threading.Thread(target=engine.close)
    closing.start()

    left = sum(batch.num_rows for batch in stream)

    closing.join(60)
    assert not closing.is_alive()
    assert left > 0


def test_rows_are_refused_before_the_disk_is_full_and_taken_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ChdbEngine(tmp_path, EngineSettings(min_free_bytes=1 << 62))
    migrate(engine)

    with pytest.raises(OverloadedError, match=r"is full: .* `storage.disk_reserve`") as refusal:
        engine.insert("samples", samples(0, 1), token="a")
    assert refusal.value.retry_after_s > 0
    assert held(engine) == 0

    monkeypatch.setattr(engine, "_settings", EngineSettings())
    engine.insert("samples", samples(0, 1), token="a")
    assert held(engine) == 1
    engine.close()


def test_parts_do_not_pile_up(tmp_path: Path) -> None:
    engine = ChdbEngine(tmp_path)
    migrate(engine)
    for number in range(200):
        engine.insert("samples", samples(100 * number, 100), token=str(number))

    parts = engine.query("SELECT count() AS c FROM system.parts WHERE active AND table = 'samples'")

    assert parts.column("c")[0].as_py() < 50
    engine.close()


class TestBackup:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        return tmp_path / "data"

    @pytest.fixture
    def target(self, tmp_path: Path) -> Path:
        return tmp_path / "it's a backup"

    def test_a_backup_taken_while_writing_comes_back_whole(self, data: Path, target: Path) -> None:
        engine = ChdbEngine(data)
        migrate(engine)
        stop = threading.Event()
        written = [0]

        def write() -> None:
            while not stop.is_set():
                engine.insert("samples", samples(100 * written[0], 100), token=str(written[0]))
                written[0] += 1

        engine.insert("samples", samples(10**6, 50), token="before")
        writer = threading.Thread(target=write)
        writer.start()
        MetricsStore(engine).backup(target)
        stop.set()
        writer.join()
        engine.close()

        restored = ChdbEngine(data.with_name("restored"))
        migrate(restored)
        MetricsStore(restored).restore(target)

        assert migrate(restored) == 0
        assert held(restored) >= 50
        assert (held(restored) - 50) % 100 == 0
        restored.insert("samples", samples(10**7, 1), token="goes on")
        restored.close()

    def test_a_backup_needs_an_empty_directory(self, data: Path, target: Path) -> None:
        engine = ChdbEngine(data)
        migrate(engine)
        target.mkdir()
        (target / "holiday.jpg").touch()

        with pytest.raises(StorageError, match="not empty"):
            MetricsStore(engine).backup(target)

        engine.close()

    def test_nothing_is_restored_over_data(self, data: Path, target: Path) -> None:
        engine = ChdbEngine(data)
        migrate(engine)
        engine.insert("samples", samples(0, 1), token="a")
        MetricsStore(engine).backup(target)

        with pytest.raises(StorageError, match="empty data directory"):
            MetricsStore(engine).restore(target)

        assert held(engine) == 1
        engine.close()

    def test_half_a_backup_is_not_restored(self, data: Path, target: Path) -> None:
        engine = ChdbEngine(data)
        migrate(engine)
        MetricsStore(engine).backup(target)
        (target / "COMPLETE").unlink()

        with pytest.raises(StorageError, match="not a complete backup"):
            MetricsStore(engine).restore(target)

        engine.close()

    def test_a_restore_that_was_cut_short_can_be_repeated(self, data: Path, target: Path) -> None:
        engine = ChdbEngine(data)
        migrate(engine)
        engine.insert("samples", samples(0, 10), token="a")
        MetricsStore(engine).backup(target)
        engine.close()
        engine = ChdbEngine(data.with_name("restored"))
        restored = engine.execute
        failing = ["series"]

        def execute(sql: str, parameters: None = None) -> None:
            if failing and sql.startswith(f"RESTORE TABLE `{failing[0]}`"):
                raise UnavailableError("the power went off")
            restored(sql, parameters)

        engine.execute = execute  # type: ignore[method-assign]
        with pytest.raises(UnavailableError):
            MetricsStore(engine).restore(target)
        failing.clear()

        MetricsStore(engine).restore(target)

        assert held(engine) == 10
        engine.close()
