"""The embedded engine: ClickHouse as a library in this process (chDB).

One process per data directory and one directory per process, both enforced by the library; the lock file
only makes the refusal readable. Connections of one process to its directory work in parallel. A connection
with an open streaming query takes nothing else, so writing has one of its own and reading a pool.

The library is imported when an engine is opened: it takes half a second and 200 MB of (mostly file-backed)
memory, and `vedette check` has no use for it.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

import pyarrow as pa

from vedette.model.errors import OverloadedError, StorageError, VedetteError
from vedette.store.engine.arrow import encode_stream, table_of_stream
from vedette.store.engine.failures import BUSY_RETRY_S, DISK_FULL_RETRY_S, translate
from vedette.store.engine.lock import DirectoryLock
from vedette.store.engine.native import batches_of_native
from vedette.store.engine.parameters import format_parameters, quote_identifier, quote_string
from vedette.store.engine.processor import check_processor
from vedette.store.engine.protocol import (
    MIN_FREE_OPTION,
    EngineSettings,
    Parameters,
    insert_settings,
    query_settings,
)

if TYPE_CHECKING:
    from chdb import Connection

_Answer = TypeVar("_Answer")

DATABASE: Final = "vedette"


class ChdbEngine:
    """The `Engine` in this process. Thread-safe.

    Raises (on construction):
        UnavailableError: the processor is too old, or another process uses the directory.
        StorageError: the directory cannot be opened.
    """

    def __init__(self, directory: Path, settings: EngineSettings | None = None, *, database: str = DATABASE) -> None:
        self._settings = settings or EngineSettings()
        self._directory = directory.absolute()
        self._database = quote_identifier(database)
        self._closed = False
        if "?" in str(self._directory):
            raise StorageError(
                f"the data directory {self._directory} has a `?` in its name, which the engine cannot open"
            )
        check_processor()
        self._lock = DirectoryLock(self._directory)
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        import chdb  # noqa: PLC0415 - see the module's docstring

        self._connect_to: Callable[[str], Connection] = chdb.connect
        # The writer is opened first: what is set for the whole process is taken from the first connection.
        self._writer = self._connect(_server_settings(self._settings), create=True)
        self._writing = threading.Lock()
        # None stands for a connection that is opened when it is first needed. Last in, first out, so that
        # a quiet system uses one.
        self._idle: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(self._settings.readers):
            self._idle.put(None)

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        """As `Engine.execute`."""
        with self._reader() as connection:
            self._call(lambda: connection.query(sql, "Null", params=format_parameters(parameters)))

    def query(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        """As `Engine.query`."""
        with self._reader() as connection:
            answer = self._call(lambda: connection.query(sql, "ArrowStream", params=format_parameters(parameters)))
            return table_of_stream(answer.bytes())

    def stream(self, sql: str, parameters: Parameters | None = None) -> Generator[pa.RecordBatch]:
        """As `Engine.stream`."""
        with self._reader() as connection:
            answer = self._call(lambda: connection.send_query(sql, "Native", params=format_parameters(parameters)))
            try:
                while (chunk := self._call(answer.fetch)) is not None:
                    # The view does not keep the memory; the chunk does.
                    yield from batches_of_native(chunk.get_memview().view(), chunk)
            finally:
                self._call(answer.close)

    def insert(self, table: str, rows: pa.Table | pa.RecordBatch, *, token: str) -> None:
        """As `Engine.insert`."""
        self._refuse_if_full()
        columns = ", ".join(quote_identifier(name) for name in rows.schema.names)
        settings = ", ".join(f"{name} = {quote_string(value)}" for name, value in insert_settings(token).items())
        with _readable(encode_stream(rows)) as path, self._writing:
            self._refuse_if_closed()
            # Not `send_insert`: of a part that cannot be written it says that it was (chdb-core 26.9, seen
            # with a full disk). Rows read from a file take the ordinary path, which reports it.
            sql = (
                f"INSERT INTO {quote_identifier(table)} ({columns}) FROM INFILE {quote_string(path)} "
                f"COMPRESSION 'none' SETTINGS {settings} FORMAT ArrowStream"
            )
            try:
                self._call(lambda: self._writer.query(sql), inserting=True)
            except VedetteError:
                self._replace_writer()
                raise

    def close(self) -> None:
        """As `Engine.close`. Waits for the insert that is running, and a while for each of the queries."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
        for _ in range(self._settings.readers):
            with suppress(queue.Empty):
                connection = self._idle.get(timeout=self._settings.wait_s)
                if connection is not None:
                    connection.close()
        self._writer.close()
        self._lock.release()

    def _connect(self, settings: dict[str, str], *, create: bool = False) -> Connection:
        arguments = "&".join(f"{name}={quote(value)}" for name, value in settings.items())

        def connect() -> Connection:
            connection = self._connect_to(f"{self._directory}?{arguments}")
            if create:
                connection.query(f"CREATE DATABASE IF NOT EXISTS {self._database}")
            connection.query(f"USE {self._database}")
            for name, value in query_settings(self._settings).items():
                connection.query(f"SET {name} = {quote_string(value)}")
            return connection

        return self._call(connect)

    def _replace_writer(self) -> None:
        # For the reason given in `_reader`. Opened before the old one is closed: the library shuts the
        # engine down with its last connection.
        broken, self._writer = self._writer, self._connect({})
        broken.close()

    @contextmanager
    def _reader(self) -> Generator[Connection]:
        self._refuse_if_closed()
        try:
            connection = self._idle.get(timeout=self._settings.wait_s)
        except queue.Empty:
            raise OverloadedError(
                f"all {self._settings.readers} of the engine's readers have been busy for {self._settings.wait_s:g} s",
                retry_after_s=BUSY_RETRY_S,
            ) from None
        reusable: Connection | None = None
        try:
            self._refuse_if_closed()
            if connection is None:
                connection = self._connect({})
            yield connection
            reusable = connection
        except GeneratorExit:
            reusable = connection  # a stream that was closed early has been cancelled in good order
            raise
        finally:
            # A query that fails halfway leaves the beginning of its answer in the connection, and the next
            # stream would start with it (chdb-core 26.9): such a connection is not used again.
            if connection is not None and reusable is None:
                connection.close()
            self._idle.put(reusable)

    def _call(self, call: Callable[[], _Answer], *, inserting: bool = False) -> _Answer:
        try:
            return call()
        except VedetteError:
            raise
        except RuntimeError as exc:  # ChdbError is one
            raise translate(str(exc), self._settings, inserting=inserting) from exc

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StorageError("the engine has been closed")

    def _refuse_if_full(self) -> None:
        free = shutil.disk_usage(self._directory).free
        if free < self._settings.min_free_bytes:
            raise OverloadedError(
                f"the disk that holds {self._directory} is full: {free >> 20} MiB are left, and "
                f"`{MIN_FREE_OPTION}` keeps {self._settings.min_free_bytes >> 20} MiB free",
                retry_after_s=DISK_FULL_RETRY_S,
            )


@contextmanager
def _readable(data: bytes) -> Generator[str]:
    """The name of a file in memory that holds some bytes."""
    with open(os.memfd_create("vedette-insert"), "wb", buffering=0) as file:  # noqa: PTH123 - it has no path
        file.write(data)
        yield f"/proc/self/fd/{file.fileno()}"


def _server_settings(settings: EngineSettings) -> dict[str, str]:
    return {
        "max_server_memory_usage": str(settings.memory_bytes),
        "mark_cache_size": str(settings.mark_cache_bytes),
        "index_mark_cache_size": str(settings.mark_cache_bytes // 4),
        "primary_index_cache_size": str(settings.key_cache_bytes),
        # Which granules a condition finds nothing in: hardly ever asked again, as windows move.
        "query_condition_cache_size": str(settings.key_cache_bytes // 4),
        # A backup goes wherever the administrator says: the directory is checked by the command.
        "backups.allowed_path": "/",
    }
