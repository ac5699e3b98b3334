"""Copies of all tables, taken while writing goes on, and their way back.

The engine's BACKUP copies a table's parts as they are at one moment. The tables are taken in the reverse of
the order in which a flush writes them: whatever sample is in the copy, its series is too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vedette.model.errors import StorageError
from vedette.store.engine.parameters import quote_identifier, quote_string
from vedette.store.engine.protocol import Engine
from vedette.store.schema.migrations import stored_version
from vedette.store.schema.tables import METRICS_VIEW, TABLES

_TABLES: Final = (*(table.name for table in reversed(TABLES)), "schema_migrations")
_DONE: Final = "COMPLETE"
_UNDERWAY: Final = "restore_underway"
"""A table that is there while a restore runs: what an interrupted one has left behind may be cleared away."""


def backup(engine: Engine, directory: Path) -> None:
    """Copy everything into a directory, which must be empty or not exist.

    Raises:
        StorageError: it is not empty, or cannot be written.
    """
    directory = directory.absolute()
    _make_empty(directory)
    for table in _TABLES:
        engine.execute(f"BACKUP TABLE {quote_identifier(table)} TO {_target(directory, table)}")
    # Written last: without it the copy is not whole, and `restore` says so.
    (directory / _DONE).write_text(f"{stored_version(engine)}\n", "ascii")


def restore(engine: Engine, directory: Path) -> None:
    """Bring a copy back, into an engine that holds nothing. Follow it by `migrate`.

    Raises:
        StorageError: the copy is not whole, or the engine holds data.
    """
    directory = directory.absolute()
    if not (directory / _DONE).is_file():
        raise StorageError(f"{directory} is not a complete backup: it has no file {_DONE}")
    _refuse_data(engine)
    engine.execute(f"CREATE TABLE IF NOT EXISTS {_UNDERWAY} (begun DateTime) ENGINE = MergeTree ORDER BY begun")
    engine.execute(f"DROP VIEW IF EXISTS {quote_identifier(METRICS_VIEW.name)}")
    for table in _TABLES:
        engine.execute(f"DROP TABLE IF EXISTS {quote_identifier(table)} SYNC")
        engine.execute(f"RESTORE TABLE {quote_identifier(table)} FROM {_target(directory, table)}")
    engine.execute(f"DROP TABLE {_UNDERWAY} SYNC")


def _target(directory: Path, table: str) -> str:
    return f"File({quote_string(str(directory / table))})"


def _make_empty(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        occupied = any(directory.iterdir())
    except OSError as exc:
        raise StorageError(f"the backup cannot be written to {directory}: {exc.strerror}") from exc
    if occupied:
        raise StorageError(f"{directory} is not empty; a backup needs a directory of its own")


def _refuse_data(engine: Engine) -> None:
    tables = [table.name for table in TABLES]
    found = engine.query(
        "SELECT name, total_rows FROM system.tables "
        "WHERE database = currentDatabase() AND (name = {underway:String} OR name IN {tables:Array(String)})",
        {"tables": tables, "underway": _UNDERWAY},
    ).to_pylist()
    if any(row["name"] == _UNDERWAY for row in found):
        return
    if any(row["total_rows"] for row in found):
        raise StorageError("data are restored into an empty data directory only, and this one holds metrics")
