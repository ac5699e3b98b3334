"""The generated SQL, compared with what was reviewed.

To accept a change: UPDATE_SNAPSHOTS=1 pytest tests/unit/store/schema, and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vedette.store.schema import METRICS_VIEW, SAMPLES, TABLES, Cluster, SingleServer, Topology

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize(
    ("name", "topology"),
    [
        pytest.param("single_server", SingleServer(), id="one server"),
        pytest.param("cluster", Cluster("main"), id="a cluster"),
    ],
)
def test_the_schema_is_the_one_that_was_reviewed(name: str, topology: Topology) -> None:
    statements = [statement for table in TABLES for statement in topology.create_table(table)]
    statements += topology.create_view(METRICS_VIEW)
    found = ";\n\n".join(statements) + ";\n"

    snapshot = SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(found, "utf-8")

    assert found == snapshot.read_text("utf-8")


def test_on_a_cluster_partitions_are_dropped_where_the_rows_are() -> None:
    statement = Cluster("main").drop_partition(SAMPLES, "20260131")

    assert statement == "ALTER TABLE `samples_shard` ON CLUSTER `main` DROP PARTITION ID '20260131'"


@pytest.mark.parametrize("topology", [SingleServer(), Cluster("main")], ids=["one server", "a cluster"])
def test_every_statement_of_the_schema_may_be_run_again(topology: Topology) -> None:
    statements = [statement for table in TABLES for statement in topology.create_table(table)]
    statements += topology.create_view(METRICS_VIEW)

    assert all("IF NOT EXISTS" in statement or "OR REPLACE" in statement for statement in statements)
