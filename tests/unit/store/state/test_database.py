from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from vedette.model.errors import StorageError
from vedette.store.state import ConflictError, Role, Users, open_state
from vedette.store.state.migrations import MIGRATIONS, Migration, migrate
from vedette.store.state.schema import METADATA


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        await Users(database).create("ada", Role.ADMIN, now_ms=1)

    async with open_state(tmp_path / "state.db") as database:
        user = await Users(database).find("ADA")

    assert user is not None
    assert user.role is Role.ADMIN


async def test_the_migrations_make_what_the_schema_describes(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db"):
        pass
    made, described = create_engine(f"sqlite:///{tmp_path / 'state.db'}"), create_engine("sqlite://")
    METADATA.create_all(described)

    shapes = [
        {
            table: (
                {
                    (c["name"], str(c["type"]), c["primary_key"] > 0 or not c["nullable"])
                    for c in view.get_columns(table)
                },
                {index["name"] for index in view.get_indexes(table)},
                {key["referred_table"] for key in view.get_foreign_keys(table)},
            )
            for table in view.get_table_names()
        }
        for view in (inspect(made), inspect(described))
    ]
    made.dispose()
    described.dispose()

    assert shapes[0] == shapes[1]


def test_versions_rise_by_one_without_gaps() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


async def test_a_migration_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = (
        *MIGRATIONS,
        Migration(len(MIGRATIONS) + 1, "broken", ("CREATE TABLE half (a INTEGER)", "THIS IS NOT SQL")),
    )
    async with open_state(tmp_path / "state.db") as database:
        with pytest.raises(StorageError):
            async with database.write() as connection:
                await connection.run_sync(lambda sync: migrate(sync, now_ms=2, migrations=broken))

        async with database.read() as connection:
            tables = set((await connection.execute(text("SELECT name FROM sqlite_master"))).scalars())
            versions = list((await connection.execute(text("SELECT version FROM schema_version"))).scalars())

    assert "half" not in tables
    assert versions == [migration.version for migration in MIGRATIONS]


async def test_a_database_of_a_newer_vedette_is_refused_with_both_versions(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database, database.write() as connection:
        await connection.execute(text("INSERT INTO schema_version VALUES (99, 'later', 1)"))

    with pytest.raises(StorageError, match=r"version 99, .* up to \d+"):
        async with open_state(tmp_path / "state.db"):
            pass


async def test_a_block_that_raises_has_written_nothing(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:

        async def write_and_raise() -> None:
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO audit VALUES (1,1,'a','b','c','d','e','f')"))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await write_and_raise()

        async with database.read() as connection:
            count = await connection.scalar(text("SELECT count(*) FROM audit"))

    assert count == 0


async def test_a_cancelled_writer_leaves_the_database_writable(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        begun = asyncio.Event()

        async def write_forever() -> None:
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO audit VALUES (1,1,'a','b','c','d','e','f')"))
                begun.set()
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as group:
            writer = group.create_task(write_forever())
            await begun.wait()
            writer.cancel()

        user = await Users(database).create("ada", Role.ADMIN, now_ms=1)

    assert user.name == "ada"


async def test_a_reader_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database, database.write() as writing:
        await writing.execute(text("INSERT INTO audit VALUES (1,1,'a','b','c','d','e','f')"))

        async with database.read() as reading:
            seen = await reading.scalar(text("SELECT count(*) FROM audit"))

    assert seen == 0


async def test_many_writers_at_once_all_succeed(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        users = Users(database)

        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(users.create(f"user{number}", Role.VIEWER, now_ms=1))

        assert len(await users.list()) == 40


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    async with open_state(tmp_path / "new" / "state.db") as database:
        await Users(database).create("ada", Role.ADMIN, now_ms=1)

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}

    assert set(modes.values()) == {0o600}
    assert "state.db-wal" in modes


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database at all, but long enough to look at" * 50)

    with pytest.raises(StorageError, match="not a database"):
        async with open_state(tmp_path / "state.db"):
            pass


async def test_an_url_that_cannot_be_read_is_refused_without_being_quoted() -> None:
    with pytest.raises(StorageError) as refused:
        async with open_state("://ada:hunter2"):
            pass

    assert "hunter2" not in str(refused.value)


async def test_a_change_that_does_not_fit_what_is_stored_is_a_conflict(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:

        async def write_twice() -> None:
            async with database.write() as connection:
                for _ in range(2):
                    await connection.execute(text("INSERT INTO schema_version VALUES (5, 'x', 1)"))

        with pytest.raises(ConflictError):
            await write_twice()


async def test_a_backup_is_a_database_with_the_same_rows_and_private(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with open_state(tmp_path / "state.db") as database:
        await Users(database).create("ada", Role.ADMIN, now_ms=1)

        await database.backup(copy)

    connection = sqlite3.connect(copy)
    names = connection.execute("SELECT name FROM users").fetchall()
    connection.close()
    assert names == [("ada",)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_a_backup_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    async with open_state(tmp_path / "state.db") as database:
        with pytest.raises(StorageError, match="exists"):
            await database.backup(tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "precious"
