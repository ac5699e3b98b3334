"""Webhooks: a POST of Alertmanager's JSON, version 4, to any URL."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, needed
from vedette.alerting.settings.fields import Anything, GoDuration, SecretTemplateUrl
from vedette.alerting.settings.shared import either_problems
from vedette.config.fields import Count, FileName
from vedette.config.secrets import Secret
from vedette.config.settings import Problem
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings(HttpIntegration):
    """A URL that gets alerts as JSON."""

    kind: ClassVar[str] = "webhook"
    structures: ClassVar[tuple[str, ...]] = ("payload",)

    url: SecretTemplateUrl = Secret()
    """Where to; may be a template."""
    url_file: FileName = ""
    """File with the URL."""
    max_alerts: Count = 0
    """Send at most so many alerts in a message; 0 for all."""
    timeout: GoDuration = Duration(0)
    """How long a request may take; 0 for as long as the notification may."""
    payload: Anything = None
    """Body to send instead of the usual one: any structure, with templates in its texts."""

    def problems(self) -> Iterable[Problem]:
        """One URL."""
        yield from needed(self, "one of url or url_file must be configured", "url", "url_file")
        yield from either_problems(self, ("url", "url_file"))
