"""Alerts that come in: how many, and what is remembered of them; and Alertmanager's own configuration.

What an alertmanager.yml says is read by `vedette.alerting`; here it is a text and its place.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vedette.config.fields import Interval, Positive
from vedette.config.settings import Settings
from vedette.model.durations import Duration

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts(Settings):
    """Alerts that are known, and what is remembered of them."""

    max_alerts: Positive = 100_000
    """Alerts that are known at a time; further ones are refused with 503 (`vedette_alerts_refused_total`)."""
    retention: Interval = Duration(120 * _HOUR)
    """How long ended silences and the notification log are kept: Alertmanager's `--data.retention`."""
    history: Interval = Duration(90 * 24 * _HOUR)
    """How long decisions are kept: fired, silenced, told, ended."""
    history_records: Positive = 1_000_000
    """Decisions that are kept at most; the oldest ones go first."""
    attempts: Interval = Duration(30 * 24 * _HOUR)
    """How long attempts to deliver are kept."""
    attempts_records: Positive = 200_000
    """Attempts that are kept at most; the oldest ones go first."""


@dataclass(frozen=True, slots=True)
class AlertmanagerText:
    """An alertmanager.yml, not read yet.

    Attributes:
        file: the file that it stands in, for messages; relative paths start at its directory.
        text: the whole file. It may hold secrets.
        section: the key of the file below which it stands; empty where it is the whole file.
        expand: fills in environment variables, where the file it stands in has them.
    """

    file: str
    text: bytes = field(repr=False)
    section: str = ""
    expand: Callable[[str], str] | None = field(default=None, repr=False, compare=False)
