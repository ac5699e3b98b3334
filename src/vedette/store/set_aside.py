"""Rows that the engine refuses for good, kept as files for a person to look at.

Each file is an Arrow stream with the columns of its table; its metadata say which table, why and when. To give
such rows to the engine again, once it would take them, or to read them elsewhere:

    pyarrow.ipc.open_stream(path).read_all()

The folder has a bound: what does not fit is lost, and the log says so. What cannot be written (the disk is full)
is not lost: whoever has it keeps it and comes back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from vedette.model.errors import OverloadedError
from vedette.store.engine.arrow import encode_stream
from vedette.store.engine.failures import DISK_FULL_RETRY_S

MAX_BYTES: Final = 256 << 20

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class SetAsideFolder:
    """A folder for refused rows; a `SetAside` of group commit. Blocking; used from one thread."""

    def __init__(self, folder: Path, *, now_ms: Callable[[], int], max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._now_ms = now_ms
        self._max_bytes = max_bytes

    @property
    def used_bytes(self) -> int:
        """What all files take."""
        try:
            return sum(entry.stat().st_size for entry in os.scandir(self._folder) if entry.is_file())
        except OSError:
            return 0

    def __call__(self, table: str, rows: pa.Table, token: str, problem: str) -> str:
        """Keep rows; returns where they are, or why they are lost.

        Raises:
            OverloadedError: they could not be written now.
        """
        now_ms = self._now_ms()
        path = self._folder / _UNSAFE.sub("_", f"{now_ms}-{table}-{token}.arrow")
        facts = {"table": table, "problem": problem, "token": token, "time_ms": str(now_ms)}
        data = encode_stream(rows.replace_schema_metadata(facts))
        used = self.used_bytes
        if used + len(data) > self._max_bytes:
            lost = f"{self._folder} has {used >> 20} MiB of such rows already, so they are lost"
            log.error("rows lost", table=table, rows=rows.num_rows, reason=lost, error=problem)
            return lost
        try:
            _write(path, data)
        except OSError as exc:
            raise OverloadedError(
                f"rows that the engine refuses could not be written to {path}: {exc.strerror}",
                retry_after_s=DISK_FULL_RETRY_S,
            ) from exc
        log.error("rows set aside", table=table, rows=rows.num_rows, file=str(path), error=problem)
        return f"they are kept in {path}"


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, and stays there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
