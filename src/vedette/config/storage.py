"""Where data are kept, how long, and in how much memory: `storage`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from vedette.config.fields import (
    DurationOption,
    FileName,
    HttpUrl,
    Integer,
    Interval,
    Number,
    Positive,
    PositiveSize,
    SecretOption,
    SizeOption,
    choice,
)
from vedette.config.http_client import TlsConfig
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration, Size

_DAY_MS = 86_400_000
_PERCENT = 100


class EngineKind(StrEnum):
    """What holds the data."""

    CHDB = "chdb"
    """ClickHouse within this process; the data are in the data directory."""
    CLICKHOUSE = "clickhouse"
    """A ClickHouse server or cluster."""


class ChunkEncoding(StrEnum):
    """How Prometheus encodes float samples."""

    XOR = "xor"
    XOR2 = "xor2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention(Settings):
    """How long data are kept, by class."""

    metrics: Interval = Duration(30 * _DAY_MS)
    """Samples, exemplars and metadata."""
    application_logs: Interval = Duration(30 * _DAY_MS)
    """Logs of applications."""
    system_logs: Interval = Duration(90 * _DAY_MS)
    """Logs of hosts and services."""
    audit: Interval = Duration(365 * _DAY_MS)
    """Who did what in Vedette."""
    traces: Interval = Duration(7 * _DAY_MS)
    """Spans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouse(Settings):
    """A ClickHouse server or cluster."""

    url: HttpUrl = ""
    """Its HTTP interface: https://clickhouse:8443. Required."""
    database: str = "vedette"
    """Database for the tables."""
    username: str = "default"
    """User name."""
    password: SecretOption = Secret()
    """Password."""
    password_file: FileName = ""
    """File with the password."""
    cluster: str = ""
    """Name of the cluster, for replicated tables; empty for a single server."""
    timeout: Interval = Duration(60_000)
    """How long a statement may take."""
    tls_config: TlsConfig = TlsConfig()
    """TLS."""

    def problems(self) -> Iterable[Problem]:
        """A URL, and one source for the password."""
        if not self.url:
            yield Problem(("url",), "clickhouse needs the URL of its HTTP interface", "Add `url`.")
        if self.password and self.password_file:
            yield Problem(("password_file",), "at most one of password & password_file must be configured")


@dataclass(frozen=True, slots=True, kw_only=True)
class TsdbRetention(Settings):
    """Prometheus' way to say how long samples are kept."""

    time: DurationOption = Duration(0)
    """How long; counts as `storage.retention.metrics` where that is not set."""
    size: SizeOption = Size(0)
    """How much; has no effect here."""
    percentage: Number = 0.0
    """How much of the disk; has no effect here."""

    def problems(self) -> Iterable[Problem]:
        """Amounts that can be."""
        if self.size.bytes < 0:
            text = "'storage.tsdb.retention.size' must be greater than or equal to 0"
            yield Problem(("size",), text, "Use 0 for no limit.")
        if not 0 <= self.percentage <= _PERCENT:
            text = f"'storage.tsdb.retention.percentage' must be in the range [0, 100], found {self.percentage:g}"
            yield Problem(("percentage",), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TsdbChunkEncoding(Settings):
    """How Prometheus encodes samples."""

    floats: Annotated[ChunkEncoding | None, choice(ChunkEncoding)] = None
    """xor or xor2; has no effect here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tsdb(Settings):
    """Prometheus' settings of its store."""

    out_of_order_time_window: DurationOption = Duration(0)
    """Counts as `storage.out_of_order_window` where that is not set."""
    stale_series_compaction_threshold: Number = 0.0
    """Has no effect here."""
    retention: TsdbRetention = TsdbRetention()
    """How long samples are kept."""
    chunk_encoding: TsdbChunkEncoding = TsdbChunkEncoding()
    """How samples are encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplars(Settings):
    """Prometheus' settings of exemplars."""

    max_exemplars: Integer = 100_000
    """Counts as `limits.exemplars` where that is not set; 0 or less: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage(Settings):
    """Where data are kept, how long, and in how much memory. The defaults suit a machine with 1 GB."""

    engine: Annotated[EngineKind, choice(EngineKind)] = EngineKind.CHDB
    """What holds the data."""
    clickhouse: ClickHouse | None = None
    """The server, where `engine` is clickhouse."""
    retention: Retention = Retention()
    """How long data are kept."""
    head_memory: PositiveSize = Size(192 << 20)
    """Memory for recent samples. When it is full, older ones are read from the engine (`vedette_head_bytes`)."""
    engine_memory: PositiveSize = Size(384 << 20)
    """Memory for the engine, all its queries and inserts together (`vedette_engine_memory_bytes`)."""
    query_memory: PositiveSize = Size(128 << 20)
    """Memory that one query may use in the engine; a query that needs more is refused."""
    commit_interval: Interval = Duration(250)
    """How long a batch waits for company before it is written to the disk. A push is answered after that."""
    commit_rows: Positive = 65_536
    """Rows at which a batch is written at once."""
    out_of_order_window: DurationOption = Duration(600_000)
    """How much older than a series' newest sample a sample may be
    (`vedette_samples_dropped_total{reason="too_old"}`)."""
    disk_reserve: SizeOption = Size(512 << 20)
    """Free disk space below which pushes are refused with 503 until there is more
    (`vedette_storage_disk_free_bytes`)."""
    tsdb: Tsdb | None = None
    """Prometheus' settings of its store, for a prometheus.yml that is used as it is."""
    exemplars: Exemplars | None = None
    """Prometheus' settings of exemplars, for a prometheus.yml that is used as it is."""

    def problems(self) -> Iterable[Problem]:
        """Memory that adds up, and a server where one is asked for."""
        if self.engine is EngineKind.CLICKHOUSE and self.clickhouse is None:
            yield Problem(("engine",), "the engine clickhouse needs its server", "Add `clickhouse:` with `url`.")
        if self.engine is EngineKind.CHDB and self.clickhouse is not None:
            text = "`clickhouse` is configured, but the engine is chdb"
            yield Problem(("clickhouse",), text, "Add `engine: clickhouse` or remove it.")
        if self.query_memory > self.engine_memory:
            text = f"query_memory ({self.query_memory}) is greater than engine_memory ({self.engine_memory})"
            yield Problem(("query_memory",), text, "Lower it or raise `engine_memory`.")
