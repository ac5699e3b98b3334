"""Statuspage: the status of components, and incidents, on Atlassian's Statuspage or one that speaks its API.

Vedette's own; Alertmanager has no such receiver.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, first, needed, pair, with_slash
from vedette.alerting.settings.fields import AlertingUrl, Template
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, SecretOption, choice
from vedette.config.secrets import Secret
from vedette.config.settings import Problem


class ComponentStatus(StrEnum):
    """How a component is."""

    OPERATIONAL = "operational"
    MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatuspageSettings(HttpIntegration):
    """Components of a status page."""

    kind: ClassVar[str] = "statuspage"

    api_url: AlertingUrl = ""
    """API."""
    api_key: SecretOption = Secret()
    """Key."""
    api_key_file: FileName = ""
    """File with the key."""
    page_id: str = ""
    """Page. Required."""
    component_ids: tuple[Template, ...] = ()
    """Components whose status the alerts change. These or `incident` are required."""
    firing_status: Annotated[ComponentStatus, choice(ComponentStatus)] = ComponentStatus.MAJOR_OUTAGE
    """Status while an alert is firing."""
    resolved_status: Annotated[ComponentStatus, choice(ComponentStatus)] = ComponentStatus.OPERATIONAL
    """Status once all have ended."""
    incident: Flag = False
    """Open an incident, update it and resolve it."""
    title: Template = '{{ template "slack.default.title" . }}'
    """Title of the incident."""
    message: Template = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}"
    """Text of the incident."""

    def problems(self) -> Iterable[Problem]:
        """A page, and something to do on it; the key from one source."""
        yield from needed(self, "missing page_id in statuspage config", "page_id")
        text = "one of component_ids or incident must be configured"
        yield from needed(self, text, "component_ids", "incident")
        yield from either_problems(self, ("api_key", "api_key_file"))

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Address and key."""
        return {
            **HttpIntegration.taken(self, shared),
            **pair(self, shared, ("api_key", "api_key_file"), ("statuspage_api_key", "statuspage_api_key_file")),
            "api_url": with_slash(first(self, shared, api_url="statuspage_api_url")["api_url"]),
        }

    def filled_problems(self) -> Iterable[Problem]:
        """A key."""
        remedy = "Add `api_key` here or `statuspage_api_key` in `global`."
        text = "missing api_key or api_key_file in statuspage config"
        yield from needed(self, text, "api_key", "api_key_file", remedy=remedy)
