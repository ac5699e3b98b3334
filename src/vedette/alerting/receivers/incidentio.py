"""incident.io."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, needed
from vedette.alerting.settings.fields import AlertingUrl, GoDuration
from vedette.alerting.settings.shared import either_problems
from vedette.config.fields import Count, FileName, SecretOption
from vedette.config.secrets import Secret
from vedette.config.settings import Problem
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentioSettings(HttpIntegration):
    """An alert source of incident.io."""

    kind: ClassVar[str] = "incidentio"

    url: AlertingUrl = ""
    """Where to."""
    url_file: FileName = ""
    """File with the URL."""
    alert_source_token: SecretOption = Secret()
    """Token."""
    alert_source_token_file: FileName = ""
    """File with the token."""
    max_alerts: Count = 0
    """Send at most so many alerts in a message; 0 for all."""
    timeout: GoDuration = Duration(0)
    """How long a request may take; 0 for as long as the notification may."""

    def problems(self) -> Iterable[Problem]:
        """One URL, one token."""
        yield from needed(self, "one of url or url_file must be configured", "url", "url_file")
        yield from either_problems(self, ("url", "url_file"), ("alert_source_token", "alert_source_token_file"))
        token = bool(self.alert_source_token or self.alert_source_token_file)
        if self.http_config is not None and self.http_config.authorization is not None and token:
            text = "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization"
            yield Problem(("http_config",), text, "Remove one of the two.")
        if self.http_config is not None and self.http_config.authorization is None and not token:
            text = (
                "at least one of alert_source_token, alert_source_token_file "
                "or http_config.authorization must be configured"
            )
            yield Problem((), text, "Add `alert_source_token`.")
