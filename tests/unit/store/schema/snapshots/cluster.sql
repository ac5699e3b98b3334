CREATE TABLE IF NOT EXISTS `series_shard` ON CLUSTER `main`
(
    `day` Date CODEC(ZSTD(1)),
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `series_id` UInt64 CODEC(ZSTD(1)),
    `labels` Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY day
ORDER BY (metric, series_id)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    old_parts_lifetime = 10,
    merge_selector_base = 20,
    min_bytes_for_full_part_storage = 10485760,
    auto_statistics_types = '',
    non_replicated_deduplication_window = 10000,
    concurrent_part_removal_threshold = 1000000,
    min_age_to_force_merge_seconds = 7200,
    min_age_to_force_merge_on_partition_only = 1;

CREATE TABLE IF NOT EXISTS `series` ON CLUSTER `main` AS `series_shard`
ENGINE = Distributed(`main`, currentDatabase(), `series_shard`, series_id);

CREATE TABLE IF NOT EXISTS `samples_shard` ON CLUSTER `main`
(
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `series_id` UInt64 CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1, 20)) SETTINGS (min_compress_block_size = 1048576, max_compress_block_size = 1048576),
    `mantissa` Int64 CODEC(GCD, Delta, T64('bit'), ZSTD(6)),
    `digits` Int8 CODEC(ZSTD(1)),
    `value` Float64 ALIAS if(digits = 127, reinterpretAsFloat64(mantissa), mantissa / intExp10(digits))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(time)
PRIMARY KEY (intDiv(toUnixTimestamp64Milli(time), 7200000), metric, series_id)
ORDER BY (intDiv(toUnixTimestamp64Milli(time), 7200000), metric, series_id, time)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    old_parts_lifetime = 10,
    merge_selector_base = 20,
    min_bytes_for_full_part_storage = 10485760,
    auto_statistics_types = '',
    non_replicated_deduplication_window = 10000,
    concurrent_part_removal_threshold = 1000000,
    min_age_to_force_merge_seconds = 7200,
    min_age_to_force_merge_on_partition_only = 1,
    index_granularity = 4096,
    min_compress_block_size = 262144,
    max_compress_block_size = 262144,
    use_primary_key_cache = 1;

CREATE TABLE IF NOT EXISTS `samples` ON CLUSTER `main` AS `samples_shard`
ENGINE = Distributed(`main`, currentDatabase(), `samples_shard`, series_id);

CREATE TABLE IF NOT EXISTS `exemplars_shard` ON CLUSTER `main`
(
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `series_id` UInt64 CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `value` Float64 CODEC(ZSTD(1)),
    `labels` Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(time)
ORDER BY (metric, series_id, time)
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    old_parts_lifetime = 10,
    merge_selector_base = 20,
    min_bytes_for_full_part_storage = 10485760,
    auto_statistics_types = '',
    non_replicated_deduplication_window = 10000,
    concurrent_part_removal_threshold = 1000000,
    min_age_to_force_merge_seconds = 7200,
    min_age_to_force_merge_on_partition_only = 1;

CREATE TABLE IF NOT EXISTS `exemplars` ON CLUSTER `main` AS `exemplars_shard`
ENGINE = Distributed(`main`, currentDatabase(), `exemplars_shard`, series_id);

CREATE TABLE IF NOT EXISTS `metadata_shard` ON CLUSTER `main`
(
    `family` String CODEC(ZSTD(1)),
    `type` LowCardinality(String) CODEC(ZSTD(1)),
    `unit` String CODEC(ZSTD(1)),
    `help` String CODEC(ZSTD(1)),
    `updated` DateTime64(3, 'UTC') CODEC(ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', updated)
ORDER BY family
SETTINGS
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    old_parts_lifetime = 10,
    merge_selector_base = 20,
    min_bytes_for_full_part_storage = 10485760,
    auto_statistics_types = '',
    non_replicated_deduplication_window = 10000,
    concurrent_part_removal_threshold = 1000000;

CREATE TABLE IF NOT EXISTS `metadata` ON CLUSTER `main` AS `metadata_shard`
ENGINE = Distributed(`main`, currentDatabase(), `metadata_shard`, cityHash64(family));

CREATE OR REPLACE VIEW `metrics` ON CLUSTER `main` AS
SELECT s.metric AS metric, l.labels AS labels, s.time AS time, s.value AS value
FROM samples AS s
INNER JOIN (SELECT metric, series_id, any(labels) AS labels FROM series GROUP BY metric, series_id) AS l
ON s.metric = l.metric AND s.series_id = l.series_id;
