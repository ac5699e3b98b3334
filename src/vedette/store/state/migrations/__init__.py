"""Bring the state database to the shape that this version of Vedette needs.

A migration is one file here, with a number, a name and its statements, and one line in `MIGRATIONS`.
Its text is never edited once released: it has run on somebody's disk. Migrations only go forward; each
runs in one transaction together with the row that records it, so that an interrupted one has not
happened. Statements are plain SQL that SQLite and PostgreSQL both read; `{serial}` stands for a number
that the database hands out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, inspect, select, text

from vedette.model.errors import StorageError
from vedette.store.state.migrations import m0001_accounts, m0002_alerting
from vedette.store.state.schema import SCHEMA_VERSION

_SERIAL = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}
# Any number will do, as long as nobody else locks it; these are the letters "vedette" in base 36.
_POSTGRESQL_LOCK = 68_306_470_370


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema.

    Attributes:
        version: from 1, without gaps.
        name: a few words for the log.
        statements: run in this order.
    """

    version: int
    name: str
    statements: Sequence[str]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "accounts", m0001_accounts.STATEMENTS),
    Migration(2, "alerting", m0002_alerting.STATEMENTS),
)


def migrate(
    connection: Connection, *, now_ms: int, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[Migration, ...]:
    """Apply what is missing, within the connection's transaction, and return it.

    Raises:
        StorageError: the database was written by a newer Vedette.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
    done = _applied_version(connection)
    newest = migrations[-1].version if migrations else 0
    if done > newest:
        raise StorageError(
            f"the state database has schema version {done}, and this Vedette knows versions up to {newest}: "
            "it was written by a newer Vedette; install that version or a later one, or restore a backup"
        )
    missing = tuple(migration for migration in migrations if migration.version > done)
    for migration in missing:
        for statement in migration.statements:
            connection.exec_driver_sql(statement.replace("{serial}", _SERIAL[connection.dialect.name]))
        connection.execute(
            insert(SCHEMA_VERSION).values(version=migration.version, name=migration.name, applied_ms=now_ms)
        )
    return missing


def _applied_version(connection: Connection) -> int:
    if not inspect(connection).has_table(SCHEMA_VERSION.name):
        connection.exec_driver_sql(
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL)"
        )
    newest = connection.scalar(select(SCHEMA_VERSION.c.version).order_by(SCHEMA_VERSION.c.version.desc()).limit(1))
    return newest or 0
