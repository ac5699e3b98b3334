"""The whole configuration: what one file may say, and what all files together say."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from vedette.config.alerts import AlertmanagerText, Alerts
from vedette.config.elsewhere import Alerting, Otlp, Runtime, Tracing
from vedette.config.fields import FileGlob, FileName
from vedette.config.limits import Limits, Query
from vedette.config.observe import Host, Logging, SelfMonitoring
from vedette.config.remote import RemoteRead, RemoteWrite
from vedette.config.rules import Rules
from vedette.config.scrape import GlobalConfig, ScrapeConfig
from vedette.config.server import Auth, Http
from vedette.config.settings import Settings
from vedette.config.storage import Exemplars, Storage, Tsdb
from vedette.model.errors import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusStorage(Settings):
    """Prometheus' settings of its storage."""

    tsdb: Tsdb | None = None
    """The store."""
    exemplars: Exemplars | None = None
    """Exemplars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSections(Settings):
    """The sections of a prometheus.yml, but for its storage."""

    global_: Annotated[GlobalConfig | None, Field(alias="global")] = None
    """Defaults for all jobs of this file, and what is said of this server to others."""
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    """Jobs: targets, how they are found, and how they are scraped."""
    scrape_config_files: tuple[FileGlob, ...] = ()
    """Files with further `scrape_configs`; `*` matches any part of a file name."""
    rule_files: tuple[FileGlob, ...] = ()
    """Files with recording and alerting rules; `*` matches any part of a file name."""
    remote_write: tuple[RemoteWrite, ...] = ()
    """Stores that get a copy of every sample."""
    remote_read: tuple[RemoteRead, ...] = ()
    """Stores that queries could read from."""
    alerting: Alerting = Alerting()
    """Where alerts are sent."""
    otlp: Otlp = Otlp()
    """How OTLP's metrics become series."""
    tracing: Tracing | None = None
    """Where Prometheus would send traces of itself."""
    runtime: Runtime = Runtime()
    """Settings of Prometheus' Go runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusFile(PrometheusSections):
    """A prometheus.yml."""

    storage: PrometheusStorage = PrometheusStorage()
    """Prometheus' settings of its storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VedetteFile(PrometheusSections):
    """A vedette.yml: Vedette's own sections, and any section of a prometheus.yml."""

    include: tuple[FileGlob, ...] = ()
    """prometheus.yml files to use as they are; `*` matches any part of a file name."""
    http: Http = Http()
    """Where Vedette listens."""
    auth: Auth = Auth()
    """Who has to log in."""
    storage: Storage = Storage()
    """Where data are kept, how long, and in how much memory."""
    limits: Limits = Limits()
    """What is taken in."""
    query: Query = Query()
    """What a query may ask for."""
    rules: Rules = Rules()
    """How rules are evaluated."""
    host: Host = Host()
    """Metrics of this host."""
    self_: Annotated[SelfMonitoring, Field(alias="self")] = SelfMonitoring()
    """Vedette's metrics of itself."""
    logging: Logging = Logging()
    """Vedette's log."""
    alerts: Alerts = Alerts()
    """Alerts that are known, and what is remembered of them."""
    alertmanager_file: FileName = ""
    """An alertmanager.yml, used as it is: who is told of which alerts. Without it nobody is told."""
    alertmanager: Annotated[dict[str, Any] | None, WithJsonSchema({"type": "object"})] = None
    """The content of an alertmanager.yml, instead of `alertmanager_file`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What all files together say. Jobs have the defaults of their file filled in, paths are resolved.

    Attributes:
        global_: what is said of this server; the defaults are in the jobs already.
        jobs: of all files, in their order; names are unique.
        rule_files: patterns of paths.
        self_: Vedette's metrics of itself.
        alertmanager: who is told of which alerts, not read yet; None where nothing is said about that.
    """

    http: Http = Http()
    auth: Auth = Auth()
    storage: Storage = Storage()
    limits: Limits = Limits()
    query: Query = Query()
    rules: Rules = Rules()
    host: Host = Host()
    self_: SelfMonitoring = SelfMonitoring()
    logging: Logging = Logging()
    alerts: Alerts = Alerts()
    alertmanager: AlertmanagerText | None = None
    global_: GlobalConfig = GlobalConfig()
    jobs: tuple[ScrapeConfig, ...] = ()
    rule_files: tuple[str, ...] = ()
    remote_write: tuple[RemoteWrite, ...] = ()
    remote_read: tuple[RemoteRead, ...] = ()
    alerting: Alerting = Alerting()
    otlp: Otlp = Otlp()
    tracing: Tracing | None = None
    runtime: Runtime = Runtime()


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """Something that is accepted and has no effect, or probably not the one that was meant.

    Attributes:
        at: where.
        text: what, and what to do about it.
    """

    at: Location
    text: str

    def __str__(self) -> str:
        return f"{self.at}: {self.text}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration as read.

    Attributes:
        config: what it says.
        warnings: what has no effect; in the order of the files.
        files: all files that were read, for watching.
    """

    config: Config
    warnings: tuple[ConfigWarning, ...] = ()
    files: tuple[str, ...] = ()
