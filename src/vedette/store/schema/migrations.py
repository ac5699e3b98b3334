"""From whatever version of the schema is found to the one this program knows. Forwards only.

A migration is a list of statements that may each be run again, and is recorded after its last one. Killed
anywhere in between, the next start repeats it from its first statement. A released migration never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vedette.model.errors import StorageError
from vedette.store.engine.protocol import Engine
from vedette.store.schema.tables import EXEMPLARS, METADATA, METRICS_VIEW, SAMPLES, SERIES
from vedette.store.schema.topology import Column, SingleServer, Table, Topology


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from one version to the next.

    Attributes:
        version: the version reached, one more than the migration's before.
        name: what it does.
        statements: for a topology, in order; each may be run again.
    """

    version: int
    name: str
    statements: Callable[[Topology], Sequence[str]]


def _metrics(topology: Topology) -> list[str]:
    statements: list[str] = []
    for table in (SERIES, SAMPLES, EXEMPLARS, METADATA):
        statements += topology.create_table(table)
    return statements + topology.create_view(METRICS_VIEW)


MIGRATIONS: Final = (Migration(1, "metrics", _metrics),)

SCHEMA_VERSION: Final = MIGRATIONS[-1].version

_RECORD: Final = Table(
    name="schema_migrations",
    columns=(
        Column("version", "UInt32"),
        Column("name", "String"),
        Column("applied", "DateTime64(3, 'UTC')"),
    ),
    order_by="version",
    settings={"fsync_after_insert": 1, "fsync_part_directory": 1},
)


def migrate(engine: Engine, topology: Topology | None = None, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the schema up to date.

    Args:
        engine: where.
        topology: a single server unless given.
        migrations: all there are, in order.

    Returns:
        How many migrations were applied.

    Raises:
        StorageError: the data were written by a newer version, or a statement failed.
    """
    topology = topology or SingleServer()
    for statement in topology.create_table(_RECORD):
        engine.execute(statement)
    found = stored_version(engine)
    known = migrations[-1].version
    if found > known:
        raise StorageError(
            f"the data have schema version {found}, and this program knows versions up to {known}: "
            "they were written by a newer Vedette. Install that version or a later one; data are never converted back"
        )
    due = [migration for migration in migrations if migration.version > found]
    for migration in due:
        for statement in migration.statements(topology):
            engine.execute(statement)
        engine.execute(
            "INSERT INTO schema_migrations (version, name, applied) "
            "SELECT {version:UInt32}, {name:String}, now64(3, 'UTC')",
            {"version": migration.version, "name": migration.name},
        )
    return len(due)


def stored_version(engine: Engine) -> int:
    """The version of the schema that is there; 0 where nothing is. Needs the record's table."""
    rows = engine.query("SELECT max(version) AS version FROM schema_migrations")
    return int(rows.column("version")[0].as_py())
