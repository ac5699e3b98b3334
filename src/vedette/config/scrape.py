"""Scraping: `global` and `scrape_configs`, Prometheus' own sections.

A job's options that are absent or zero follow the global section; `vedette.config.resolve` fills them in,
so that what leaves this package says everything about a job by itself.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator

from vedette.config.discovery import Discovering
from vedette.config.fields import (
    Count,
    DurationOption,
    FileGlob,
    FileName,
    Flag,
    Labels,
    NotEmpty,
    Number,
    SizeOption,
    TextLists,
    choice,
)
from vedette.config.relabel import NameScheme, RelabelRule, is_label_name
from vedette.config.settings import Problem, Settings, wrong
from vedette.model.durations import Duration, Size


class ScrapeProtocol(StrEnum):
    """Formats of an exposition, by Prometheus' names."""

    PROMETHEUS_PROTO = "PrometheusProto"
    OPENMETRICS_1_0_0 = "OpenMetricsText1.0.0"
    OPENMETRICS_0_0_1 = "OpenMetricsText0.0.1"
    PROMETHEUS_TEXT_1_0_0 = "PrometheusText1.0.0"
    PROMETHEUS_TEXT_0_0_4 = "PrometheusText0.0.4"


DEFAULT_PROTOCOLS: Final = (
    ScrapeProtocol.OPENMETRICS_1_0_0,
    ScrapeProtocol.OPENMETRICS_0_0_1,
    ScrapeProtocol.PROMETHEUS_TEXT_1_0_0,
    ScrapeProtocol.PROMETHEUS_TEXT_0_0_4,
)
"""What a target is asked for, most wanted first."""


class EscapingScheme(StrEnum):
    """What a target is asked to do with names outside of the legacy character set."""

    UNSET = ""
    ALLOW_UTF8 = "allow-utf-8"
    UNDERSCORES = "underscores"
    DOTS = "dots"
    VALUES = "values"


class Scheme(StrEnum):
    """How a target is reached."""

    HTTP = "http"
    HTTPS = "https"


def _distinct(found: tuple[ScrapeProtocol, ...]) -> tuple[ScrapeProtocol, ...]:
    if len(set(found)) != len(found):
        raise wrong(f"duplicated protocol in scrape_protocols, got {', '.join(found)}", "Name each once.")
    return found


Protocol = Annotated[ScrapeProtocol, choice(ScrapeProtocol)]
Protocols = Annotated[tuple[Protocol, ...], AfterValidator(_distinct), NotEmpty]


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalConfig(Settings):
    """Defaults for all jobs of the same file, and what is said of this server to others."""

    scrape_interval: DurationOption = Duration(60_000)
    """How often targets are fetched."""
    scrape_timeout: DurationOption = Duration(0)
    """How long a fetch may take; 0 means 10s, or the interval where that is shorter."""
    scrape_protocols: Protocols | None = None
    """Formats to ask targets for, most wanted first."""
    evaluation_interval: DurationOption = Duration(60_000)
    """How often rules are evaluated."""
    rule_query_offset: DurationOption = Duration(0)
    """How far in the past rules are evaluated."""
    external_labels: Labels = ()
    """Labels for everything that leaves this server; `$NAME` and `${NAME}` stand for environment variables."""
    query_log_file: FileName = ""
    """File for a log of queries."""
    scrape_failure_log_file: FileName = ""
    """File for a log of failed scrapes."""
    body_size_limit: SizeOption = Size(0)
    """Largest exposition, uncompressed; 0: as large as `limits.body_size` allows."""
    sample_limit: Count = 0
    """Most samples of a scrape after relabelling; 0: any number. A scrape with more fails."""
    label_limit: Count = 0
    """Most labels of a sample after relabelling; 0: any number. A scrape with more fails."""
    label_name_length_limit: Count = 0
    """Longest label name in bytes; 0: any length. A scrape with a longer one fails."""
    label_value_length_limit: Count = 0
    """Longest label value in bytes; 0: any length. A scrape with a longer one fails."""
    target_limit: Count = 0
    """Most targets of a job; 0: any number. A job with more scrapes none."""
    keep_dropped_targets: Count = 0
    """How many targets dropped by relabelling are remembered for each job; 0: all."""
    metric_name_validation_scheme: Annotated[NameScheme, choice(NameScheme)] = NameScheme.UTF8
    """Which metric and label names are valid."""
    metric_name_escaping_scheme: Annotated[EscapingScheme, choice(EscapingScheme)] = EscapingScheme.UNSET
    """What targets do with other names; follows the validation scheme where it is not set."""
    scrape_native_histograms: Flag = False
    """Take native histograms."""
    convert_classic_histograms_to_nhcb: Flag = False
    """Convert classic histograms to native ones with custom buckets."""
    always_scrape_classic_histograms: Flag = False
    """Take the classic part of a histogram that is also exposed as a native one."""
    extra_scrape_metrics: Flag = False
    """Store scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes for each target."""

    def problems(self) -> Iterable[Problem]:
        """Times that fit, labels that are valid."""
        interval = self.scrape_interval or Duration(60_000)
        if self.scrape_timeout > interval:
            text = f"global scrape timeout greater than scrape interval ({self.scrape_timeout} > {interval})"
            yield Problem(("scrape_timeout",), text, "Lower `scrape_timeout` or raise `scrape_interval`.")
        for name, _ in self.external_labels:
            if not is_label_name(name, self.metric_name_validation_scheme):
                yield Problem(("external_labels", name), f'"{name}" is not a valid label name')
        yield from escaping_problems(self.metric_name_validation_scheme, self.metric_name_escaping_scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeConfig(Discovering):
    """A job: like targets that are scraped in the same way."""

    job_name: str = ""
    """Name of the job, unique; becomes the label `job`. Required."""
    honor_labels: Flag = False
    """Where an exposition has labels that the target has too: keep them, and do not rename them to `exported_...`."""
    honor_timestamps: Flag = True
    """Keep the times that an exposition states."""
    track_timestamps_staleness: Flag = False
    """Mark series stale that had stated times and disappear."""
    params: TextLists = ()
    """URL parameters."""
    scrape_interval: DurationOption = Duration(0)
    """How often targets are fetched; 0: as in `global`."""
    scrape_timeout: DurationOption = Duration(0)
    """How long a fetch may take; 0: as in `global`, or the interval where that is shorter."""
    scrape_protocols: Protocols | None = None
    """Formats to ask targets for, most wanted first; as in `global` where it is not set."""
    fallback_scrape_protocol: Annotated[ScrapeProtocol | None, choice(ScrapeProtocol)] = None
    """Format to assume where a target's Content-Type says nothing useful. Without it such a scrape fails."""
    scrape_native_histograms: Flag | None = None
    """Take native histograms."""
    always_scrape_classic_histograms: Flag | None = None
    """Take the classic part of a histogram that is also exposed as a native one."""
    convert_classic_histograms_to_nhcb: Flag | None = None
    """Convert classic histograms to native ones with custom buckets."""
    native_histogram_bucket_limit: Count = 0
    """Most buckets of a native histogram."""
    native_histogram_min_bucket_factor: Number = 0.0
    """Smallest factor between buckets of a native histogram."""
    extra_scrape_metrics: Flag | None = None
    """Store scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes for each target."""
    scrape_failure_log_file: FileName = ""
    """File for a log of failed scrapes."""
    metrics_path: str = "/metrics"
    """Path of the exposition."""
    scheme: Annotated[Scheme, choice(Scheme)] = Scheme.HTTP
    """http or https."""
    enable_compression: Flag = True
    """Ask for compressed expositions."""
    body_size_limit: SizeOption = Size(0)
    """Largest exposition, uncompressed; 0: as in `global`."""
    sample_limit: Count = 0
    """Most samples of a scrape after relabelling; 0: as in `global`. A scrape with more fails."""
    label_limit: Count = 0
    """Most labels of a sample after relabelling; 0: as in `global`. A scrape with more fails."""
    label_name_length_limit: Count = 0
    """Longest label name in bytes; 0: as in `global`. A scrape with a longer one fails."""
    label_value_length_limit: Count = 0
    """Longest label value in bytes; 0: as in `global`. A scrape with a longer one fails."""
    target_limit: Count = 0
    """Most targets; 0: as in `global`. A job with more scrapes none."""
    keep_dropped_targets: Count = 0
    """How many targets dropped by relabelling are remembered; 0: as in `global`."""
    metric_name_validation_scheme: Annotated[NameScheme, choice(NameScheme)] = NameScheme.UNSET
    """Which metric and label names are valid; as in `global` where it is not set."""
    metric_name_escaping_scheme: Annotated[EscapingScheme, choice(EscapingScheme)] = EscapingScheme.UNSET
    """What targets do with other names; follows the validation scheme where it is not set."""
    relabel_configs: tuple[RelabelRule, ...] = ()
    """Rules for targets: which to scrape, and under which labels."""
    metric_relabel_configs: tuple[RelabelRule, ...] = ()
    """Rules for samples: which to keep, and under which labels."""

    def problems(self) -> Iterable[Problem]:
        """A name, and targets that are addresses."""
        if not self.job_name:
            yield Problem((), "job_name is empty", "Add `job_name`.")
        yield from self.client_problems()
        if not self.relabel_configs:
            yield from self.address_problems()

    def address_problems(self) -> Iterable[Problem]:
        """Static targets that are URLs although nothing turns them into addresses."""
        for index, group in enumerate(self.static_targets()):
            for number, target in enumerate(group.targets):
                if "/" in target:
                    remedy = "Write host:port; `scheme` and `metrics_path` are options of the job."
                    path = ("static_configs", index, "targets", number)
                    yield Problem(path, f'"{target}" is not a valid hostname', remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeFile(Settings):
    """The content of a file named by `scrape_config_files`."""

    scrape_configs: tuple[ScrapeConfig, ...] = ()
    """Jobs."""


ScrapeFiles = tuple[FileGlob, ...]


def escaping_problems(validation: NameScheme, escaping: EscapingScheme) -> Iterable[Problem]:
    """UTF-8 names asked for where they are not valid."""
    if validation is NameScheme.LEGACY and escaping is EscapingScheme.ALLOW_UTF8:
        text = "utf8 metric names requested but validation scheme is not set to UTF8"
        yield Problem(("metric_name_escaping_scheme",), text, "Use underscores, dots or values.")
