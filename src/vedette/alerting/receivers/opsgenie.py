"""Opsgenie."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vedette.alerting.receivers.kind import HttpIntegration, first, needed, pair, with_slash
from vedette.alerting.settings.fields import AlertingUrl, Template, Templates
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, SecretOption
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings

_TYPES: Final = ("team", "teams", "user", "escalation", "schedule")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsgenieResponder(Settings):
    """Who is to respond."""

    id: Template = ""
    """Their id; or name, or user name."""
    name: Template = ""
    """Their name."""
    username: Template = ""
    """Their user name."""
    type: Template = ""
    """team, teams, user, escalation or schedule."""

    def problems(self) -> Iterable[Problem]:
        """Somebody, of a known type."""
        if not (self.id or self.name or self.username):
            text = "opsGenieConfig responder has to have at least one of id, username or name specified"
            yield Problem((), text, "Add `name`.")
        if "{{" not in self.type and self.type.lower() not in _TYPES:
            text = f'opsGenieConfig responder type "{self.type}" does not match valid options {", ".join(_TYPES)}'
            yield Problem(("type",) if self.type else (), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsgenieSettings(HttpIntegration):
    """A team or an integration of Opsgenie."""

    kind: ClassVar[str] = "opsgenie"

    api_key: SecretOption = Secret()
    """Key of the integration."""
    api_key_file: FileName = ""
    """File with the key."""
    api_url: AlertingUrl = ""
    """API."""
    message: Template = '{{ template "opsgenie.default.message" . }}'
    """Short text, up to 130 characters."""
    description: Template = '{{ template "opsgenie.default.description" . }}'
    """Long text."""
    source: Template = '{{ template "opsgenie.default.source" . }}'
    """Link to where it comes from."""
    details: Templates = ()
    """Further facts; the common labels are added."""
    entity: Template = ""
    """What is affected."""
    responders: tuple[OpsgenieResponder, ...] = ()
    """Who is to respond."""
    actions: Template = ""
    """Actions, separated by commas."""
    tags: Template = ""
    """Tags, separated by commas."""
    note: Template = ""
    """Note."""
    priority: Template = ""
    """P1 to P5."""
    update_alerts: Flag = False
    """Update message and description of an alert that is open already."""

    def problems(self) -> Iterable[Problem]:
        """The key from one source."""
        yield from either_problems(self, ("api_key", "api_key_file"))

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Address and key."""
        url = first(self, shared, api_url="opsgenie_api_url")["api_url"]
        return {
            **HttpIntegration.taken(self, shared),
            **pair(self, shared, ("api_key", "api_key_file"), ("opsgenie_api_key", "opsgenie_api_key_file")),
            "api_url": with_slash(url) if url else "",
        }

    def filled_problems(self) -> Iterable[Problem]:
        """Address and key."""
        yield from needed(self, "no global OpsGenie URL set", "api_url")
        remedy = "Add `api_key` here or `opsgenie_api_key` in `global`."
        text = "no global OpsGenie API Key set either inline or in a file"
        yield from needed(self, text, "api_key", "api_key_file", remedy=remedy)
