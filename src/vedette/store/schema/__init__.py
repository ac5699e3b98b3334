"""What is stored and how: tables, their form on one server or a cluster, and the way from one version to the next."""

from vedette.store.schema.migrations import SCHEMA_VERSION, migrate
from vedette.store.schema.tables import EXEMPLARS, METADATA, METRICS_VIEW, SAMPLES, SERIES, SPAN_MS, TABLES
from vedette.store.schema.topology import Cluster, Column, SingleServer, Table, Topology, View

__all__ = [
    "EXEMPLARS",
    "METADATA",
    "METRICS_VIEW",
    "SAMPLES",
    "SCHEMA_VERSION",
    "SERIES",
    "SPAN_MS",
    "TABLES",
    "Cluster",
    "Column",
    "SingleServer",
    "Table",
    "Topology",
    "View",
    "migrate",
]
