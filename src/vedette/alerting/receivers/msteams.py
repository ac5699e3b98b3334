"""Microsoft Teams by its older connectors."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, needed
from vedette.alerting.settings.fields import SecretUrl, Template
from vedette.alerting.settings.shared import either_problems
from vedette.config.fields import FileName
from vedette.config.secrets import Secret
from vedette.config.settings import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class MsteamsSettings(HttpIntegration):
    """A channel of Microsoft Teams."""

    kind: ClassVar[str] = "msteams"

    webhook_url: SecretUrl = Secret()
    """Webhook."""
    webhook_url_file: FileName = ""
    """File with the webhook."""
    title: Template = '{{ template "msteams.default.title" . }}'
    """Title."""
    summary: Template = '{{ template "msteams.default.summary" . }}'
    """Summary, for notifications."""
    text: Template = '{{ template "msteams.default.text" . }}'
    """Text."""

    def problems(self) -> Iterable[Problem]:
        """One webhook."""
        text = "one of webhook_url or webhook_url_file must be configured"
        yield from needed(self, text, "webhook_url", "webhook_url_file")
        yield from either_problems(self, ("webhook_url", "webhook_url_file"))
