"""A disk that really fills up: refused while it is full, stored when there is room again, once."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vedette.model.errors import OverloadedError
from vedette.store.commit import open_group_commit
from vedette.store.engine import ChdbEngine, EngineSettings
from vedette.store.flush import CommitLimits
from vedette.store.schema import migrate

DISK_MIB = 48


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(disk)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def rows(number: int) -> pa.RecordBatch:
    generator = np.random.default_rng(number)
    size = 10_000
    return pa.record_batch(
        {
            "metric": pa.array(["up"] * size).dictionary_encode(),
            "series_id": np.full(size, number, np.uint64),
            "time": pa.array(np.arange(size)).view(pa.timestamp("ms", "UTC")),
            "mantissa": generator.integers(-(2**63), 2**63, size),
            "digits": np.zeros(size, np.int8),
        }
    )


def held(engine: ChdbEngine) -> dict[int, int]:
    found = engine.query("SELECT series_id, count() AS held FROM samples GROUP BY series_id").to_pylist()
    return {row["series_id"]: row["held"] for row in found}


def fill(ballast: Path) -> None:
    """Write until there is no room left."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(1 << 16)):
            pass
    assert shutil.disk_usage(ballast).free == 0


async def test_a_full_disk_refuses_rows_answers_queries_and_recovers_by_itself(small_disk: Path) -> None:
    engine = ChdbEngine(small_disk / "engine", EngineSettings(min_free_bytes=0))
    migrate(engine)
    limits = CommitLimits(flush_ms=0, wait_s=1.0, first_retry_s=0.02, last_retry_s=0.1)

    def insert(table: str, batch: pa.Table, token: str) -> None:
        engine.insert(table, batch, token=token)

    ballast = small_disk / "ballast"
    with ThreadPoolExecutor(1) as pool:
        async with open_group_commit(insert, ["samples"], pool, token_prefix="t", limits=limits) as commit:
            await commit.committed(commit.append("samples", rows(0)))
            fill(ballast)

            with pytest.raises(OverloadedError):
                await commit.committed(commit.append("samples", rows(1)))
            with pytest.raises(OverloadedError, match="cannot be stored now"):
                commit.ensure_room(1, sender_retries=True)
            assert held(engine) == {0: 10_000}
            assert commit.failing

            ballast.unlink()
            last = commit.append("samples", rows(2))
            await commit.committed(last)

            assert not commit.failing
    assert held(engine) == {0: 10_000, 1: 10_000, 2: 10_000}
    engine.close()

    engine = ChdbEngine(small_disk / "engine")
    assert held(engine) == {0: 10_000, 1: 10_000, 2: 10_000}
    engine.close()
