"""The state database: what people and Vedette decided (accounts now; silences, incidents, dashboards later).

SQLite in the data directory by default, in WAL mode and fsynced at every commit; PostgreSQL by URL where
several instances share the work. On SQLite there is one writer at a time, queued here in the process
rather than in SQLite's busy loop, and readers never wait for it.

Both kinds of access translate the driver's errors: a full disk or a broken file is a `StorageError`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from vedette.model.errors import StorageError
from vedette.store.state.errors import ConflictError
from vedette.store.state.migrations import migrate

_POOL_SIZE = 4
_BEGIN = "vedette_begin"

log = structlog.get_logger()


class StateDatabase:
    """Hands out transactions. Made by `open_state`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._single_writer = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that sees one state of the database throughout.

        Raises:
            StorageError: the database cannot be read.
        """
        try:
            async with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise _translated(exc) from exc

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that is on disk when the block has ended, and has not happened if the block raises.

        Raises:
            StorageError: the database cannot be written.
            ConflictError: the change does not fit what another one has just stored.
        """
        if self._single_writer is None:
            async with self._transaction() as connection:
                yield connection
            return
        async with self._single_writer, self._transaction() as connection:
            yield connection

    async def backup(self, path: Path) -> None:
        """Write a consistent copy to a new file while the database is in use (SQLite).

        Raises:
            StorageError: the file exists or cannot be written, or the database is PostgreSQL.
        """
        if self._engine.dialect.name != "sqlite":
            raise StorageError("the state is in PostgreSQL: back it up with pg_dump")
        try:
            # Made first, so that the copy is never readable by others, not even while it is written.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            async with self._engine.connect() as connection:
                outside = await connection.execution_options(**{_BEGIN: ""})
                await outside.execute(text("VACUUM INTO :path"), {"path": str(path)})
        except OSError as exc:
            raise StorageError(f"cannot write the copy of the state database: {exc}") from exc
        except SQLAlchemyError as exc:
            raise _translated(exc) from exc

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                writing = await connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
                async with writing.begin():
                    yield writing
        except IntegrityError as exc:
            raise ConflictError("another change came first: what this one needs is taken or gone") from exc
        except SQLAlchemyError as exc:
            raise _translated(exc) from exc


@asynccontextmanager
async def open_state(location: Path | str) -> AsyncGenerator[StateDatabase]:
    """Open the state database, creating or upgrading it, and close it at the end.

    Args:
        location: a file for SQLite, or a database URL (`postgresql+psycopg://…`, `sqlite+aiosqlite:///…`).

    Raises:
        StorageError: it cannot be opened, is not a state database, or was written by a newer Vedette.
    """
    engine = _engine(location)
    try:
        database = StateDatabase(engine)
        async with database.write() as connection:
            applied = await connection.run_sync(lambda sync: migrate(sync, now_ms=time.time_ns() // 1_000_000))
        for migration in applied:
            log.info("state database upgraded", version=migration.version, migration=migration.name)
        yield database
    finally:
        await engine.dispose()


def _engine(location: Path | str) -> AsyncEngine:
    if isinstance(location, Path):
        _create_private(location)
        url = make_url("sqlite+aiosqlite://").set(database=str(location))
    else:
        try:
            url = make_url(location)
        except SQLAlchemyError as exc:
            # The URL may hold a password: it is not quoted.
            raise StorageError("the state database's URL cannot be read; expected `postgresql+psycopg://…`") from exc
    try:
        engine = create_async_engine(url, pool_size=_POOL_SIZE, max_overflow=0)
    except (SQLAlchemyError, ImportError) as exc:
        raise StorageError(f"the state database's driver `{url.drivername}` is not available: {exc}") from exc
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _create_private(path: Path) -> None:
    # SQLite gives the WAL the permissions of the database file.
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise StorageError(f"cannot open the state database: {exc}") from exc


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's sqlite3 begins transactions late and by guessing; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 5000",
        "trusted_schema = OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer says IMMEDIATE: what it has read must not change under it before it writes.
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


def _translated(exc: SQLAlchemyError) -> StorageError:
    cause = getattr(exc, "orig", None) or exc
    return StorageError(f"the state database failed: {cause}")
