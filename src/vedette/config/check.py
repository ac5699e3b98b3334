"""The full check of a configuration: beyond what it says, whether what it names is there.

For `vedette check config`. Loading does not do this, because a file may appear later (a token that is
mounted, targets that another program writes).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from vedette.config.config import Config
from vedette.config.paths import named_files
from vedette.config.relabel import RelabelRule
from vedette.config.scrape import ScrapeConfig
from vedette.config.settings import Settings
from vedette.model.labels import LabelSet, label_set

Relabel = Callable[[LabelSet, tuple[RelabelRule, ...]], LabelSet | None]
"""Applies relabelling rules: `vedette.ingest.relabel.apply`."""

_WRITTEN_LATER = frozenset({"query_log_file", "scrape_failure_log_file"})


def check(config: Config, *, relabel: Relabel) -> list[str]:
    """What is missing or cannot work, in sentences that name the option."""
    return [*_missing(config), *(text for job in config.jobs for text in _bad_targets(job, relabel))]


def _missing(config: Config) -> Iterator[str]:
    for pattern in config.rule_files:
        if not glob.glob(pattern) and not glob.has_magic(pattern):  # noqa: PTH207 - patterns may be absolute
            yield f'rule_files: "{pattern}" does not point to an existing file'
    sections: list[tuple[str, Settings]] = [
        *((f"scrape_configs (job {job.job_name})", job) for job in config.jobs),
        *((f"remote_write ({write.name or write.url})", write) for write in config.remote_write),
        *((f"remote_read ({read.name or read.url})", read) for read in config.remote_read),
        ("alerting", config.alerting),
        ("http", config.http),
        ("storage", config.storage),
    ]
    for title, settings in sections:
        for path, file in named_files(settings):
            option = ".".join(str(step) for step in path)
            if str(path[-1]) in _WRITTEN_LATER:
                continue
            problem = _unreadable(file)
            if problem:
                yield f'{title}: {option}: "{file}" {problem}'


def _unreadable(file: str) -> str:
    path = Path(file)
    if not path.exists():
        return "does not point to an existing file"
    return "" if os.access(path, os.R_OK) else "cannot be read"


def _bad_targets(job: ScrapeConfig, relabel: Relabel) -> Iterator[str]:
    """Static targets that are no addresses once relabelling is done."""
    for number, group in enumerate(job.static_targets()):
        for index, target in enumerate(group.targets):
            labels = relabel(_target_labels(job, group.labels, target), job.relabel_configs)
            address = dict(labels or ()).get("__address__", "")
            if labels is not None and "/" in address:
                where = f"scrape_configs (job {job.job_name}): instance {index} in group {number}"
                yield f'{where}: "{address}" is not a valid hostname'


def _target_labels(job: ScrapeConfig, labels: LabelSet, target: str) -> LabelSet:
    return label_set(
        {
            "job": job.job_name,
            "__scheme__": job.scheme,
            "__metrics_path__": job.metrics_path,
            "__scrape_interval__": str(job.scrape_interval),
            "__scrape_timeout__": str(job.scrape_timeout),
            **{f"__param_{name}": values[0] for name, values in job.params if values},
            "__address__": target,
            **dict(labels),
        }
    )
