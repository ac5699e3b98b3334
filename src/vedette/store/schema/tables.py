"""The tables of metrics.

A sample's value is stored as a decimal, `mantissa * 10^-digits`, where that is exact, and as the bits of
the float where it is not: consecutive decimals differ little, consecutive floats differ everywhere.
`docs/decisions/0001-samples-as-decimals.md` has the measurements behind the codecs; `benchmarks/store_codecs.py`
repeats them.

Everything is partitioned by UTC day, so that retention drops whole partitions and rewrites nothing, and a
series is listed once for each day on which it has samples, so that it goes with them. Within a day samples are
sorted by spans of two hours first (`SPAN_MS`): a query reads the hours that it asks for, and of a series or a
metric one run of rows in each of them (`docs/decisions/0008-samples-by-spans.md`).
"""

from __future__ import annotations

from typing import Final

from vedette.store.schema.topology import Column, Table, View

RAW: Final = 127
"""In the column `digits`: the mantissa holds the bits of a float."""

SPAN_MS: Final = 2 * 3_600_000
"""What `samples` is sorted by first, counted from the epoch: `time // SPAN_MS`."""

_DURABLE: Final[dict[str, int | str]] = {
    # An insert is answered when its rows are on the disk...
    "fsync_after_insert": 1,
    "fsync_part_directory": 1,
    # ... and stays there when it is merged, so that the parts it replaced can go after 10 s and not 8 min.
    "min_compressed_bytes_to_fsync_after_merge": 1,
    "old_parts_lifetime": 10,
    # A sample is merged as few times as can be: many parts at once. One file for each part keeps the inserts small, and
    # nothing here asks the planner for statistics of columns.
    "merge_selector_base": 20,
    "min_bytes_for_full_part_storage": 10_485_760,
    "auto_statistics_types": "",
    # Tokens that are remembered: an hour of flushes, or a back-fill over a few years of days.
    "non_replicated_deduplication_window": 10_000,
    # The engine removes many old parts side by side, and keeps the hundred threads that it took for it.
    "concurrent_part_removal_threshold": 1_000_000,
}

_BY_DAY: Final[dict[str, int | str]] = {
    **_DURABLE,
    # A day that is over becomes one part, which also drops the rows that were sent twice.
    "min_age_to_force_merge_seconds": 7_200,
    "min_age_to_force_merge_on_partition_only": 1,
}

_BLOCKS_OF_1M: Final = {"min_compress_block_size": 1 << 20, "max_compress_block_size": 1 << 20}

SAMPLES: Final = Table(
    name="samples",
    columns=(
        Column("metric", "LowCardinality(String)", "ZSTD(1)"),
        Column("series_id", "UInt64", "ZSTD(1)"),
        # A block holds 270 series' times: those of one target are the same, and the long window finds them again.
        Column("time", "DateTime64(3, 'UTC')", "Delta, ZSTD(1, 20)", settings=_BLOCKS_OF_1M),
        Column("mantissa", "Int64", "GCD, Delta, T64('bit'), ZSTD(6)"),
        Column("digits", "Int8", "ZSTD(1)"),
        Column(
            "value",
            "Float64",
            alias=f"if(digits = {RAW}, reinterpretAsFloat64(mantissa), mantissa / intExp10(digits))",
        ),
    ),
    order_by=f"(intDiv(toUnixTimestamp64Milli(time), {SPAN_MS}), metric, series_id, time)",
    primary_key=f"(intDiv(toUnixTimestamp64Milli(time), {SPAN_MS}), metric, series_id)",
    partition_by="toDate(time)",
    shard_by="series_id",
    settings={
        **_BY_DAY,
        # A few series out of many are found among eight series at a time, and unpacked from blocks of seventy.
        "index_granularity": 4_096,
        "min_compress_block_size": 1 << 18,
        "max_compress_block_size": 1 << 18,
        # The index of a month of a large fleet stays on the disk where nobody asks for it.
        "use_primary_key_cache": 1,
    },
)

SERIES: Final = Table(
    name="series",
    columns=(
        Column("day", "Date", "ZSTD(1)"),
        Column("metric", "LowCardinality(String)", "ZSTD(1)"),
        Column("series_id", "UInt64", "ZSTD(1)"),
        Column("labels", "Map(LowCardinality(String), String)", "ZSTD(1)"),
    ),
    order_by="(metric, series_id)",
    partition_by="day",
    shard_by="series_id",
    settings=_BY_DAY,
)

EXEMPLARS: Final = Table(
    name="exemplars",
    columns=(
        Column("metric", "LowCardinality(String)", "ZSTD(1)"),
        Column("series_id", "UInt64", "ZSTD(1)"),
        Column("time", "DateTime64(3, 'UTC')", "DoubleDelta, ZSTD(1)"),
        Column("value", "Float64", "ZSTD(1)"),
        Column("labels", "Map(LowCardinality(String), String)", "ZSTD(1)"),
    ),
    order_by="(metric, series_id, time)",
    partition_by="toDate(time)",
    shard_by="series_id",
    settings=_BY_DAY,
)

METADATA: Final = Table(
    name="metadata",
    columns=(
        Column("family", "String", "ZSTD(1)"),
        Column("type", "LowCardinality(String)", "ZSTD(1)"),
        Column("unit", "String", "ZSTD(1)"),
        Column("help", "String", "ZSTD(1)"),
        Column("updated", "DateTime64(3, 'UTC')", "ZSTD(1)"),
    ),
    order_by="family",
    replacing="updated",
    shard_by="cityHash64(family)",
    settings=_DURABLE,
)

TABLES: Final = (SERIES, SAMPLES, EXEMPLARS, METADATA)
"""In the order in which a flush writes them: nobody finds a sample whose series is unknown."""

METRICS_VIEW: Final = View(
    name="metrics",
    query=(
        "SELECT s.metric AS metric, l.labels AS labels, s.time AS time, s.value AS value\n"
        "FROM samples AS s\n"
        "INNER JOIN (SELECT metric, series_id, any(labels) AS labels FROM series GROUP BY metric, series_id) AS l\n"
        "ON s.metric = l.metric AND s.series_id = l.series_id"
    ),
)
"""What people write SQL against: `SELECT time, value FROM metrics WHERE metric = 'up' AND labels['job'] = 'node'`."""
