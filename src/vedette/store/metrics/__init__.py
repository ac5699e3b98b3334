"""Metrics on the disk: rows for the tables, and what is read back from them."""

from vedette.store.metrics.keys import SeriesKeys, series_keys
from vedette.store.metrics.retention import PartitionUsage, Retention
from vedette.store.metrics.rows import MetricBatches, frame_columns, metadata_batch
from vedette.store.metrics.store import MetricsStore

__all__ = [
    "MetricBatches",
    "MetricsStore",
    "PartitionUsage",
    "Retention",
    "SeriesKeys",
    "frame_columns",
    "metadata_batch",
    "series_keys",
]
