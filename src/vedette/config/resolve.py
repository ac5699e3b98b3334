"""Filling in what a job takes from the global section, and the rules that need both.

Source: Prometheus' config.go, `GlobalConfig.UnmarshalYAML` and `ScrapeConfig.Validate`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Final

from vedette.config.elsewhere import Alerting, TranslationStrategy
from vedette.config.relabel import NameScheme, RelabelRule
from vedette.config.scrape import (
    DEFAULT_PROTOCOLS,
    EscapingScheme,
    GlobalConfig,
    ScrapeConfig,
    ScrapeProtocol,
    escaping_problems,
)
from vedette.config.settings import Problem
from vedette.model.durations import Duration

_INTERVAL: Final = Duration(60_000)
_TIMEOUT: Final = Duration(10_000)

_INHERITED: Final = (
    "scrape_interval",
    "body_size_limit",
    "sample_limit",
    "target_limit",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "keep_dropped_targets",
    "scrape_failure_log_file",
)
"""Options of a job that are as in `global` where they are zero."""
_INHERITED_FLAGS: Final = (
    "scrape_native_histograms",
    "always_scrape_classic_histograms",
    "convert_classic_histograms_to_nhcb",
    "extra_scrape_metrics",
)
"""Options of a job that are as in `global` where they are absent."""


def resolve_global(settings: GlobalConfig) -> GlobalConfig:
    """The global section with its own defaults filled in."""
    interval = settings.scrape_interval or _INTERVAL
    escaping = settings.metric_name_escaping_scheme or _escaping(settings.metric_name_validation_scheme)
    return dataclasses.replace(
        settings,
        scrape_interval=interval,
        scrape_timeout=settings.scrape_timeout or min(_TIMEOUT, interval),
        evaluation_interval=settings.evaluation_interval or _INTERVAL,
        metric_name_validation_scheme=settings.metric_name_validation_scheme or NameScheme.UTF8,
        metric_name_escaping_scheme=escaping,
    )


def resolve_job(job: ScrapeConfig, shared: GlobalConfig) -> ScrapeConfig:
    """A job with everything that it takes from the (resolved) global section."""
    changes: dict[str, Any] = {name: getattr(job, name) or getattr(shared, name) for name in _INHERITED}
    for name in _INHERITED_FLAGS:
        own = getattr(job, name)
        changes[name] = getattr(shared, name) if own is None else own
    changes["scrape_timeout"] = job.scrape_timeout or min(shared.scrape_timeout, changes["scrape_interval"])
    protocols = job.scrape_protocols or shared.scrape_protocols or DEFAULT_PROTOCOLS
    readable = tuple(one for one in protocols if one is not ScrapeProtocol.PROMETHEUS_PROTO)
    changes["scrape_protocols"] = readable or DEFAULT_PROTOCOLS
    if job.fallback_scrape_protocol is ScrapeProtocol.PROMETHEUS_PROTO:
        changes["fallback_scrape_protocol"] = None
    scheme = job.metric_name_validation_scheme
    changes["metric_name_validation_scheme"] = scheme or shared.metric_name_validation_scheme
    if not job.metric_name_escaping_scheme:
        changes["metric_name_escaping_scheme"] = _escaping(scheme) if scheme else shared.metric_name_escaping_scheme
    return dataclasses.replace(job, **changes)


def job_problems(job: ScrapeConfig) -> Iterable[Problem]:
    """What is wrong with a resolved job."""
    if job.scrape_timeout > job.scrape_interval:
        text = (
            f'scrape timeout greater than scrape interval for scrape config with job name "{job.job_name}" '
            f"({job.scrape_timeout} > {job.scrape_interval})"
        )
        yield Problem(("scrape_timeout",), text, "Lower `scrape_timeout` or raise `scrape_interval`.")
    yield from escaping_problems(job.metric_name_validation_scheme, job.metric_name_escaping_scheme)
    for name in ("relabel_configs", "metric_relabel_configs"):
        yield from rule_problems(getattr(job, name), job.metric_name_validation_scheme, name)


def rule_problems(rules: tuple[RelabelRule, ...], scheme: NameScheme, name: str) -> Iterable[Problem]:
    """Label names of relabelling rules that a naming scheme does not allow."""
    for index, rule in enumerate(rules):
        for problem in rule.scheme_problems(scheme):
            yield Problem((name, index, *problem.path), problem.text, problem.remedy)


def alerting_problems(alerting: Alerting, scheme: NameScheme) -> Iterable[Problem]:
    """Label names of alert relabelling that a naming scheme does not allow."""
    yield from rule_problems(alerting.alert_relabel_configs, scheme, "alert_relabel_configs")
    for index, one in enumerate(alerting.alertmanagers):
        for name in ("relabel_configs", "alert_relabel_configs"):
            for problem in rule_problems(getattr(one, name), scheme, name):
                yield Problem(("alertmanagers", index, *problem.path), problem.text, problem.remedy)


def translation_problems(strategy: TranslationStrategy, scheme: NameScheme) -> Iterable[Problem]:
    """UTF-8 names of OTLP where they are not valid."""
    if scheme is NameScheme.LEGACY and strategy in (TranslationStrategy.UTF8, TranslationStrategy.NONE):
        text = f'OTLP translation strategy "{strategy}" is not allowed when UTF8 is disabled'
        yield Problem(("translation_strategy",), text, "Use an UnderscoreEscaping strategy.")


def _escaping(scheme: NameScheme) -> EscapingScheme:
    return EscapingScheme.UNDERSCORES if scheme is NameScheme.LEGACY else EscapingScheme.ALLOW_UTF8
