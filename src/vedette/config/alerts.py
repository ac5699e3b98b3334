"""Alerts that come in: how many, and what is remembered of them; and Alertmanager's own configuration.

What an alertmanager.yml says is read by `vedette.alerting`; here it is a text and its place.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

from vedette.config.delivery import DeliverySettings
from vedette.config.fields import Interval, Labels, Positive, Texts, choice
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration

_HOUR: Final = 3_600_000
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class WebhookFormat(StrEnum):
    """What a webhook sends."""

    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    SENTRY = "sentry"
    GITHUB = "github"
    DATADOG = "datadog"
    CLOUDWATCH = "cloudwatch"
    UPTIME_KUMA = "uptime_kuma"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMapping(Settings):
    """Where in a JSON document the parts of an alert are.

    A place is keys and list indexes with dots between, as in `data.issue.title`; `a.b | c` is the first of two that is
    there; a text in single quotes stands for itself.
    """

    items: str = ""
    """Place of a list with an alert in each entry; the document is one alert unless it is given."""
    labels: Texts = ()
    """Labels and the places of their values; a label whose place is not there is left out."""
    annotations: Texts = ()
    """Annotations and the places of their texts."""
    status: str = ""
    """Place of what says whether it is over."""
    resolved: tuple[str, ...] = ("resolved", "ok")
    """Texts of `status` that say so, in any case."""
    ignored: tuple[str, ...] = ()
    """Texts of `status` for which nothing is to be done."""
    url: str = ""
    """Place of a link to the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWebhook(Settings):
    """Alerts that another program posts to `/api/vedette/v1/alerts/webhook/NAME`."""

    name: str
    """The last part of the path."""
    format: Annotated[WebhookFormat, choice(WebhookFormat, fold=True)] = WebhookFormat.JSON
    """What is sent."""
    labels: Labels = ()
    """Labels that every alert gets, unless it has them."""
    lasts: Interval = Duration(24 * _HOUR)
    """How long an alert counts whose end nobody reports."""
    mapping: WebhookMapping | None = None
    """Where the parts of an alert are, for the format `json`; for others, instead of what is known of them."""

    def problems(self) -> Iterable[Problem]:
        """A name for a path, and a mapping where nothing is known."""
        if not _NAME.fullmatch(self.name):
            yield Problem(("name",), f'"{self.name}" cannot be part of a path', "Use letters, digits, - and _.")
        if self.format is WebhookFormat.JSON and self.mapping is None:
            yield Problem((), "the format json needs a `mapping`", "Add it, or choose another `format`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHeartbeat(Settings):
    """A job that has to call `/api/vedette/v1/heartbeats/NAME` again and again; it is an alert if it stops."""

    name: str
    """The last part of the path, and the alert's label `heartbeat`."""
    interval: Interval
    """How often it calls."""
    grace: Interval = Duration(60_000)
    """How late it may be."""
    labels: Labels = ()
    """Further labels of the alert `HeartbeatMissed`, such as `severity`."""
    annotations: Texts = ()
    """Its annotations."""

    def problems(self) -> Iterable[Problem]:
        """A name for a path."""
        if not _NAME.fullmatch(self.name):
            yield Problem(("name",), f'"{self.name}" cannot be part of a path', "Use letters, digits, - and _.")


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
    delivery: DeliverySettings = DeliverySettings()
    """How messages are sent to receivers; takes effect with the next start."""
    webhooks: tuple[AlertWebhook, ...] = ()
    """Other programs that post alerts in their own form."""
    heartbeats: tuple[AlertHeartbeat, ...] = ()
    """Jobs that have to call again and again."""

    def problems(self) -> Iterable[Problem]:
        """Each webhook and each heartbeat has a name of its own."""
        for section, names in (
            ("webhooks", [one.name for one in self.webhooks]),
            ("heartbeats", [one.name for one in self.heartbeats]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield Problem((section, index, "name"), f'two {section} are named "{name}"', "Rename one of them.")


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
