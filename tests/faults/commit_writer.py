"""A process that writes numbered batches until it is killed, and says which are acknowledged.

Usage: commit_writer.py DIRECTORY insert|group FIRST

`insert` writes one batch after the other under a token made of its number, as a retry after a crash would;
`group` has eight senders append through a group commit, each batch acknowledged when it is on the disk.
A line `begun N` or `done N` is on standard output before the next step is taken.
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from vedette.store.commit import open_group_commit
from vedette.store.engine import ChdbEngine
from vedette.store.flush import CommitLimits
from vedette.store.schema import migrate

ROWS = 50


def say(word: str, number: int) -> None:
    os.write(1, f"{word} {number}\n".encode())


def batch(number: int) -> pa.RecordBatch:
    """Fifty samples of the series with this number."""
    times = 1_728_000_000_000 + np.arange(ROWS)
    return pa.record_batch(
        {
            "metric": pa.array(["up"] * ROWS).dictionary_encode(),
            "series_id": np.full(ROWS, number, np.uint64),
            "time": pa.array(times).view(pa.timestamp("ms", "UTC")),
            "mantissa": np.arange(ROWS),
            "digits": np.zeros(ROWS, np.int8),
        }
    )


def insert(engine: ChdbEngine, number: int) -> None:
    while True:
        say("begun", number)
        engine.insert("samples", batch(number), token=f"batch {number}")
        say("done", number)
        number += 1


async def group(engine: ChdbEngine, first: int) -> None:
    def write(table: str, rows: pa.Table, token: str) -> None:
        engine.insert(table, rows, token=token)

    numbers = iter(range(first, sys.maxsize))
    limits = CommitLimits(flush_ms=5)
    with ThreadPoolExecutor(1) as pool:
        async with (
            open_group_commit(write, ["samples"], pool, token_prefix=uuid.uuid4().hex, limits=limits) as commit,
            asyncio.TaskGroup() as senders,
        ):

            async def send() -> None:
                for number in numbers:
                    say("begun", number)
                    await commit.committed(commit.append("samples", batch(number)))
                    say("done", number)

            for _ in range(8):
                senders.create_task(send())


def main() -> None:
    directory, mode, first = sys.argv[1:]
    engine = ChdbEngine(Path(directory))
    migrate(engine)
    say("open", 0)
    if mode == "insert":
        insert(engine, int(first))
    else:
        asyncio.run(group(engine, int(first)))


if __name__ == "__main__":
    main()
