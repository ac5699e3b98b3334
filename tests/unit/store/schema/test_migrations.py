from __future__ import annotations

from collections.abc import Generator

import pyarrow as pa
import pytest

from vedette.model.errors import StorageError
from vedette.store.engine import Parameters
from vedette.store.schema import SCHEMA_VERSION, Cluster, SingleServer, Topology, migrate
from vedette.store.schema.migrations import MIGRATIONS, Migration


class KilledError(Exception):
    """The process died here."""


class RecordingEngine:
    """Remembers statements and the versions recorded; dies before the statement with a given number."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.versions: list[int] = []
        self.dies_before = -1

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        if len(self.statements) == self.dies_before:
            self.dies_before = -1
            raise KilledError
        self.statements.append(sql)
        if sql.startswith("INSERT INTO schema_migrations"):
            assert parameters is not None
            self.versions.append(int(str(parameters["version"])))

    def query(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        assert "schema_migrations" in sql, parameters
        return pa.table({"version": pa.array([max(self.versions, default=0)])})

    def stream(self, sql: str, parameters: Parameters | None = None) -> Generator[pa.RecordBatch]:
        raise NotImplementedError(sql, parameters)

    def insert(self, table: str, rows: pa.Table | pa.RecordBatch, *, token: str) -> None:
        raise NotImplementedError(table, rows, token)

    def close(self) -> None:
        pass


TWO = (
    Migration(1, "first", lambda _: ["CREATE TABLE IF NOT EXISTS a", "CREATE TABLE IF NOT EXISTS b"]),
    Migration(2, "second", lambda _: ["ALTER TABLE a ADD COLUMN IF NOT EXISTS c Int8"]),
)


def test_versions_rise_by_one() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, SCHEMA_VERSION + 1))


def test_each_migration_is_applied_once() -> None:
    engine = RecordingEngine()

    applied = [migrate(engine, SingleServer(), TWO), migrate(engine, SingleServer(), TWO)]

    assert applied == [2, 0]
    assert engine.versions == [1, 2]


def test_a_later_version_adds_only_what_is_new() -> None:
    engine = RecordingEngine()
    migrate(engine, SingleServer(), TWO[:1])
    before = len(engine.statements)

    migrate(engine, SingleServer(), TWO)

    assert not any("CREATE TABLE IF NOT EXISTS b" in sql for sql in engine.statements[before:])
    assert engine.versions == [1, 2]


@pytest.mark.parametrize("topology", [SingleServer(), Cluster("main")], ids=["one server", "a cluster"])
def test_killed_anywhere_a_migration_is_repeated_whole(topology: Topology) -> None:
    undisturbed = RecordingEngine()
    migrate(undisturbed, topology)

    for step in range(len(undisturbed.statements)):
        engine = RecordingEngine()
        engine.dies_before = step
        with pytest.raises(KilledError):
            migrate(engine, topology)

        migrate(engine, topology)

        assert engine.versions == [1], step
        assert engine.statements[-len(undisturbed.statements) :] == undisturbed.statements, step


def test_a_newer_schema_is_refused_by_both_versions() -> None:
    engine = RecordingEngine()
    engine.versions = [SCHEMA_VERSION + 1]

    with pytest.raises(StorageError, match=rf"version {SCHEMA_VERSION + 1}.* up to {SCHEMA_VERSION}: .*newer Vedette"):
        migrate(engine)
