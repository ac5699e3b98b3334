"""What a reload changes, so that only that is restarted. Pure.

Settings are compared by what they say: two readings of the same text are equal. A fingerprint is the same
between processes and versions of Python.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from vedette.config.config import Config
from vedette.config.render import as_mapping
from vedette.config.scrape import ScrapeConfig


@dataclass(frozen=True, slots=True)
class JobChanges:
    """What a reload does to jobs, by name, sorted.

    Attributes:
        added: to be started.
        removed: to be stopped, their series marked stale.
        changed: to be started anew with other settings.
        unchanged: to be left alone: their targets keep their schedule.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


def changed_sections(old: Config, new: Config) -> frozenset[str]:
    """Names of the fields of `Config` that differ."""
    names = (field.name for field in dataclasses.fields(Config))
    return frozenset(name for name in names if getattr(old, name) != getattr(new, name))


def changed_jobs(old: Config, new: Config) -> JobChanges:
    """Which jobs differ. A job that only moved within its file is unchanged."""
    before = {job.job_name: job for job in old.jobs}
    after = {job.job_name: job for job in new.jobs}
    both = sorted(before.keys() & after.keys())
    return JobChanges(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(name for name in both if before[name] != after[name]),
        unchanged=tuple(name for name in both if before[name] == after[name]),
    )


def targets_changed(old: ScrapeConfig, new: ScrapeConfig) -> bool:
    """Whether two versions of a job may find different targets, and not only scrape them differently."""
    names = ("discovery", "relabel_configs", "params", "scheme", "metrics_path", "scrape_interval", "scrape_timeout")
    return any(getattr(old, name) != getattr(new, name) for name in names)


def fingerprint(settings: Any) -> str:
    """32 hexadecimal digits that are the same for equal settings, secrets included."""
    content = as_mapping(settings, redact=False, defaults=True)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
