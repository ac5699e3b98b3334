"""A table that does not take its rows any more: they are set aside, and the others go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vedette.model.labels import label_set
from vedette.store.commit import RowsRefusedError, open_group_commit
from vedette.store.engine import ChdbEngine
from vedette.store.flush import CommitLimits
from vedette.store.metrics import MetricBatches
from vedette.store.schema import migrate
from vedette.store.set_aside import SetAsideFolder

LIMITS = CommitLimits(flush_ms=0, first_retry_s=0.001, last_retry_s=0.002, tries=2)
NOW_MS = 1_795_230_706_767


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ChdbEngine]:
    engine = ChdbEngine(tmp_path / "engine")
    migrate(engine)
    yield engine
    engine.close()


def samples() -> pa.RecordBatch:
    ids = np.array([7], np.uint64)
    return MetricBatches().samples_batch(np.zeros(1, np.int32), ["up"], ids, np.array([NOW_MS]), np.ones(1))


def series(identity: int) -> pa.RecordBatch:
    return MetricBatches().series_batch([NOW_MS // 86_400_000], [identity], [label_set({"__name__": "up"})])


async def test_rows_of_a_broken_table_are_set_aside_and_other_tables_are_written(
    engine: ChdbEngine, tmp_path: Path
) -> None:
    for column in ("value", "digits"):
        engine.execute(f"ALTER TABLE samples DROP COLUMN {column} SETTINGS mutations_sync = 2")
    folder = tmp_path / "refused"

    reached = threading.Event()

    def insert(table: str, rows: pa.Table, token: str) -> None:
        reached.set()
        engine.insert(table, rows, token=token)

    with ThreadPoolExecutor(1) as pool:
        keep = SetAsideFolder(folder, now_ms=lambda: NOW_MS)
        async with open_group_commit(
            insert, ["series", "samples"], pool, token_prefix="t", limits=LIMITS, set_aside=keep
        ) as commit:
            refused = commit.append("samples", samples())
            assert await asyncio.to_thread(reached.wait, 20)

            for identity in range(3):
                await commit.committed(commit.append("series", series(identity)))

            with pytest.raises(RowsRefusedError, match="digits"):
                await commit.committed(refused)

    assert engine.query("SELECT count() AS held FROM series").to_pylist() == [{"held": 3}]
    (file,) = folder.iterdir()
    with pa.ipc.open_stream(file.read_bytes()) as reader:
        assert reader.read_all().column("series_id").to_pylist() == [7]
