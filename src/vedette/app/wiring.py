"""From the configuration's sections to what each service takes. Pure."""

from __future__ import annotations

import platform
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from vedette.config import Config, LoginRequired, TlsVersion, split_address
from vedette.http import AuthMode, AuthSettings, HttpSettings, ListenAddress, ThrottleSettings, TlsSettings
from vedette.http.admin.backtest import BacktestLimits
from vedette.ingest.limits import IngestLimits
from vedette.query.raw import RawLimits
from vedette.query.service import QueryLimits
from vedette.store.engine import ClickHouseServer, EngineSettings
from vedette.store.flush import CommitLimits

_ANY_HOST: Final = ("", "0.0.0.0", "::")  # noqa: S104 - compared with
_TLS_VERSIONS: Final = {
    TlsVersion.TLS10: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS11: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3,
}


def http_settings(config: Config, listen: str | None) -> HttpSettings:
    """Where to listen, and the bounds of a request."""
    http = config.http
    host, port = split_address(listen or http.listen)
    tls = None
    if http.tls is not None:
        tls = TlsSettings(
            Path(http.tls.cert_file),
            Path(http.tls.key_file),
            client_ca=Path(http.tls.client_ca_file) if http.tls.client_ca_file else None,
            min_version=_TLS_VERSIONS[http.tls.min_version],
        )
    return HttpSettings(
        listen=(ListenAddress(host or "0.0.0.0", port),),  # noqa: S104 - what an empty host means
        tls=tls,
        external_url=http.external_url,
        trusted_proxies=http.trusted_proxies,
        max_connections=http.max_connections,
        keep_alive_s=http.idle_timeout.s,
        drain_s=http.shutdown_timeout.s,
        access_log=False,
    )


def people_url(settings: HttpSettings) -> str:
    """Where people reach this server: as configured, or by this machine's name."""
    if settings.external_url:
        return settings.external_url.rstrip("/")
    address = settings.listen[0]
    host = platform.node() if address.host in _ANY_HOST else address.host
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if settings.tls is None else 'https'}://{shown}:{address.port}"


def auth_settings(config: Config) -> AuthSettings:
    """Who needs a token, and how long logins last."""
    auth = config.auth
    throttle = auth.login_throttle
    return AuthSettings(
        mode=AuthMode.REQUIRED if auth.required is LoginRequired.ALWAYS else AuthMode.AUTO,
        throttle=ThrottleSettings(
            first_delay_s=throttle.first_delay.s,
            account_free_failures=throttle.account_free_failures,
            account_max_delay_s=throttle.account_max_delay.s,
            address_free_failures=throttle.address_free_failures,
            address_max_delay_s=throttle.address_max_delay.s,
            forget_s=throttle.forget_after.s,
        ),
        session_max_s=auth.session_lifetime.s,
        once_link_s=auth.login_link_lifetime.s,
    )


def ingest_limits(config: Config) -> IngestLimits:
    """What may come in."""
    return IngestLimits(
        max_series=config.limits.series,
        max_labels=config.limits.labels_per_series,
        max_label_name_bytes=config.limits.label_name_length,
        max_label_value_bytes=config.limits.label_value_length,
        out_of_order_window_ms=config.storage.out_of_order_window.ms,
        retention_ms=config.storage.retention.metrics.ms,
    )


def commit_limits(config: Config) -> CommitLimits:
    """When batches go to the disk, and how much may wait."""
    return CommitLimits(
        flush_rows=config.storage.commit_rows,
        flush_ms=config.storage.commit_interval.ms,
        max_pending_bytes=config.limits.ingest_queue.bytes,
    )


def query_limits(config: Config) -> QueryLimits:
    """What a query may use."""
    query = config.query
    return QueryLimits(
        max_samples=query.max_samples,
        max_series=query.max_series,
        max_points=query.max_points,
        rule_concurrency=config.rules.concurrency,
        timeout_s=query.timeout.s,
        concurrency=query.concurrency,
        lookback_ms=query.lookback_delta.ms,
        default_step_ms=query.default_step.ms,
    )


def raw_limits(config: Config) -> RawLimits:
    """What remote-read and federation may use."""
    return RawLimits(max_series=config.query.max_series, timeout_s=config.query.timeout.s)


def backtest_limits(config: Config) -> BacktestLimits:
    """What a backtest may use."""
    rules = config.rules
    return BacktestLimits(
        config.global_.evaluation_interval.ms, steps=rules.backtest_evaluations, runs=rules.backtest_runs
    )


def engine_settings(config: Config) -> EngineSettings:
    """How much of the machine the engine may take."""
    return EngineSettings(
        memory_bytes=config.storage.engine_memory.bytes,
        query_memory_bytes=config.storage.query_memory.bytes,
        query_timeout_s=config.query.timeout.s,
        min_free_bytes=config.storage.disk_reserve.bytes,
    )


def clickhouse_server(config: Config) -> ClickHouseServer | None:
    """The ClickHouse server, where there is one."""
    server = config.storage.clickhouse
    if server is None:
        return None
    url = urlsplit(server.url)
    secure = url.scheme == "https"
    password = server.password.value
    if server.password_file:
        password = Path(server.password_file).read_text(encoding="utf-8").strip()
    return ClickHouseServer(
        host=url.hostname or "",
        port=url.port or (8443 if secure else 8123),
        user=server.username,
        password=password,
        secure=secure,
        database=server.database,
        cluster=server.cluster,
    )
