"""VictorOps, now Splunk On-Call."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vedette.alerting.receivers.kind import HttpIntegration, first, needed, pair, with_slash
from vedette.alerting.settings.fields import AlertingUrl, Template, Templates
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, SecretOption
from vedette.config.secrets import Secret
from vedette.config.settings import Problem

_FIXED: Final = frozenset(
    {
        "routing_key",
        "message_type",
        "state_message",
        "entity_display_name",
        "monitoring_tool",
        "entity_id",
        "entity_state",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VictoropsSettings(HttpIntegration):
    """A routing key of VictorOps."""

    kind: ClassVar[str] = "victorops"

    api_key: SecretOption = Secret()
    """Key."""
    api_key_file: FileName = ""
    """File with the key."""
    api_url: AlertingUrl = ""
    """API."""
    routing_key: Template = ""
    """Routing key. Required."""
    message_type: Template = "CRITICAL"
    """CRITICAL, WARNING or INFO."""
    state_message: Template = '{{ template "victorops.default.state_message" . }}'
    """Text."""
    entity_display_name: Template = '{{ template "victorops.default.entity_display_name" . }}'
    """Title."""
    monitoring_tool: Template = '{{ template "victorops.default.monitoring_tool" . }}'
    """Name of this monitoring system."""
    custom_fields: Templates = ()
    """Further facts."""

    def problems(self) -> Iterable[Problem]:
        """A routing key; the key from one source; own names for further facts."""
        yield from needed(self, "missing Routing key in VictorOps config", "routing_key")
        yield from either_problems(self, ("api_key", "api_key_file"))
        for name, _ in self.custom_fields:
            if name in _FIXED:
                text = (
                    f"victorOps config contains custom field {name} "
                    "which cannot be used as it conflicts with the fixed/static fields"
                )
                yield Problem(("custom_fields", name), text, "Rename it.")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Address and key."""
        url = first(self, shared, api_url="victorops_api_url")["api_url"]
        return {
            **HttpIntegration.taken(self, shared),
            **pair(self, shared, ("api_key", "api_key_file"), ("victorops_api_key", "victorops_api_key_file")),
            "api_url": with_slash(url) if url else "",
        }

    def filled_problems(self) -> Iterable[Problem]:
        """Address and key."""
        yield from needed(self, "no global VictorOps URL set", "api_url")
        remedy = "Add `api_key` here or `victorops_api_key` in `global`."
        yield from needed(self, "no global VictorOps API Key set", "api_key", "api_key_file", remedy=remedy)
