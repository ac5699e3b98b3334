"""Webex."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, first, needed
from vedette.alerting.settings.fields import AlertingUrl, Template
from vedette.alerting.settings.shared import GlobalSettings
from vedette.config.settings import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class WebexSettings(HttpIntegration):
    """A room of Webex."""

    kind: ClassVar[str] = "webex"

    api_url: AlertingUrl = ""
    """API."""
    message: Template = '{{ template "webex.default.message" . }}'
    """Text."""
    room_id: Template = ""
    """Room. Required."""

    def problems(self) -> Iterable[Problem]:
        """A room and a token."""
        yield from needed(self, "missing room_id on webex_config", "room_id")
        if self.http_config is None or self.http_config.authorization is None:
            text = "missing webex_configs.http_config.authorization"
            yield Problem((), text, "Add `http_config` with the bot's token under `authorization`.")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """The address."""
        return {**HttpIntegration.taken(self, shared), **first(self, shared, api_url="webex_api_url")}

    def filled_problems(self) -> Iterable[Problem]:
        """An address."""
        yield from needed(self, "no global Webex URL set", "api_url")
