"""One description of a table, and its SQL on a single server or on a cluster.

On a cluster a table is two: `samples_shard` holds a shard's rows, replicated; `samples` is Distributed over
all of them and is what queries and inserts name. So every other statement reads the same on both.

All statements may be run again: an interrupted migration is repeated from its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: its name.
        type: ClickHouse's type.
        codec: compression codecs, outermost last; empty for the server's default.
        alias: an expression that is computed on reading instead of being stored; empty for none.
        settings: of the column's storage, where they differ from the table's.
    """

    name: str
    type: str
    codec: str = ""
    alias: str = ""
    settings: Mapping[str, int | str] = field(default_factory=dict[str, "int | str"])

    @property
    def sql(self) -> str:
        """As in CREATE TABLE."""
        alias = f" ALIAS {self.alias}" if self.alias else ""
        codec = f" CODEC({self.codec})" if self.codec else ""
        values = ", ".join(f"{key} = {value!r}" for key, value in self.settings.items())
        settings = f" SETTINGS ({values})" if values else ""
        return f"`{self.name}` {self.type}{alias}{codec}{settings}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the MergeTree family.

    Attributes:
        name: what queries call it.
        columns: in order.
        order_by: sorting key.
        primary_key: what of it is kept in memory to find rows by; empty for all of it.
        partition_by: what is dropped at once when it is too old; empty for no partitions.
        replacing: rows with equal keys are one row; the text is the column that tells the newer one
            (may be empty), None keeps all rows.
        shard_by: how rows are spread over a cluster's shards.
        settings: of the storage.
    """

    name: str
    columns: Sequence[Column]
    order_by: str
    partition_by: str = ""
    replacing: str | None = ""
    shard_by: str = "rand()"
    settings: Mapping[str, int | str] = field(default_factory=dict[str, "int | str"])
    primary_key: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A query under a name."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class SingleServer:
    """The embedded engine, or one ClickHouse server."""

    def create_table(self, table: Table) -> list[str]:
        """Statements that make a table where there is none."""
        return [_create(table, table.name, "", _engine(table, ""))]

    def create_view(self, view: View) -> list[str]:
        """Statements that make or renew a view."""
        return [f"CREATE OR REPLACE VIEW `{view.name}` AS\n{view.query}"]

    def drop_partition(self, table: Table, partition: str) -> str:
        """The statement that removes one partition."""
        return f"ALTER TABLE `{table.name}` DROP PARTITION ID '{partition}'"

    def stored_as(self, table: Table) -> str:
        """The table that holds the rows, for questions about its parts."""
        return table.name

    @property
    def parts(self) -> str:
        """The system table that lists the parts."""
        return "system.parts"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A ClickHouse cluster.

    Attributes:
        name: as in the servers' `remote_servers`.
        path: where replicas meet in Keeper; `{shard}` and `{replica}` are macros of the servers.
    """

    name: str
    path: str = "/clickhouse/tables/{uuid}/{shard}"

    def create_table(self, table: Table) -> list[str]:
        """Statements that make a table where there is none."""
        on_cluster = f" ON CLUSTER `{self.name}`"
        stored = self.stored_as(table)
        replication = f"'{self.path}', '{{replica}}'"
        distributed = (
            f"CREATE TABLE IF NOT EXISTS `{table.name}`{on_cluster} AS `{stored}`\n"
            f"ENGINE = Distributed(`{self.name}`, currentDatabase(), `{stored}`, {table.shard_by})"
        )
        return [_create(table, stored, on_cluster, _engine(table, replication)), distributed]

    def create_view(self, view: View) -> list[str]:
        """Statements that make or renew a view."""
        return [f"CREATE OR REPLACE VIEW `{view.name}` ON CLUSTER `{self.name}` AS\n{view.query}"]

    def drop_partition(self, table: Table, partition: str) -> str:
        """The statement that removes one partition."""
        return f"ALTER TABLE `{self.stored_as(table)}` ON CLUSTER `{self.name}` DROP PARTITION ID '{partition}'"

    def stored_as(self, table: Table) -> str:
        """The table that holds the rows, for questions about its parts."""
        return f"{table.name}_shard"

    @property
    def parts(self) -> str:
        """The system table that lists the parts, of one replica of each shard."""
        return f"cluster(`{self.name}`, system.parts)"


Topology = SingleServer | Cluster


def _engine(table: Table, replication: str) -> str:
    kind = "MergeTree" if table.replacing is None else "ReplacingMergeTree"
    arguments = ", ".join(part for part in (replication, table.replacing) if part)
    return f"{'Replicated' if replication else ''}{kind}({arguments})"


def _create(table: Table, name: str, on_cluster: str, engine: str) -> str:
    columns = ",\n".join(f"    {column.sql}" for column in table.columns)
    partition = f"PARTITION BY {table.partition_by}\n" if table.partition_by else ""
    primary = f"PRIMARY KEY {table.primary_key}\n" if table.primary_key else ""
    settings = ",\n".join(f"    {key} = {value!r}" for key, value in table.settings.items())
    return (
        f"CREATE TABLE IF NOT EXISTS `{name}`{on_cluster}\n(\n{columns}\n)\n"
        f"ENGINE = {engine}\n{partition}{primary}ORDER BY {table.order_by}\nSETTINGS\n{settings}"
    )
