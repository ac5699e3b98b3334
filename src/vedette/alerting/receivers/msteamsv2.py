"""Microsoft Teams by Workflows, as an adaptive card."""

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
class Msteamsv2Settings(HttpIntegration):
    """A channel of Microsoft Teams."""

    kind: ClassVar[str] = "msteamsv2"

    webhook_url: SecretUrl = Secret()
    """Webhook."""
    webhook_url_file: FileName = ""
    """File with the webhook."""
    title: Template = '{{ template "msteamsv2.default.title" . }}'
    """Title."""

    text: Template = '{{ template "msteamsv2.default.text" . }}'
    """Text."""

    def problems(self) -> Iterable[Problem]:
        """One webhook."""
        text = "one of webhook_url or webhook_url_file must be configured"
        yield from needed(self, text, "webhook_url", "webhook_url_file")
        yield from either_problems(self, ("webhook_url", "webhook_url_file"))
