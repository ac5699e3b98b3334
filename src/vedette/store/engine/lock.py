"""One process per data directory: a lock that says who holds it.

The kernel releases the lock when its holder dies, however it dies, so nobody ever has to remove the file.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vedette.model.errors import StorageError, UnavailableError


class DirectoryLock:
    """The right to use a data directory, held from construction to `release`.

    Raises:
        UnavailableError: another process holds it.
        StorageError: the directory cannot be written to.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "LOCK"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise StorageError(f"the data directory {directory} cannot be used: {exc.strerror}") from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise UnavailableError(
                f"the data directory {directory} is in use by process {holder}; stop that process, "
                "or let the command go through the running server"
            ) from exc
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the directory up. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
