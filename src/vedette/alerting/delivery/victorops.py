"""VictorOps, now Splunk On-Call: an incident for each group of alerts.

Source: Alertmanager's `notify/victorops`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.victorops import VictoropsSettings

_STATE_CHARS: Final = 20_480
_FIRING: Final = ("INFO", "WARNING", "CRITICAL")


class VictoropsSender:
    """Opens and closes incidents."""

    def __init__(self, settings: VictoropsSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One event."""
        settings, text = self._settings, message.text
        kind = text(settings.message_type)
        if not message.firing:
            kind = "RECOVERY"
        elif kind not in _FIRING:
            kind = "CRITICAL"
        body = {
            "message_type": kind,
            "entity_id": message.key,
            "entity_display_name": text(settings.entity_display_name),
            "state_message": truncate(text(settings.state_message), _STATE_CHARS),
            "monitoring_tool": text(settings.monitoring_tool),
            **{name: text(value) for name, value in settings.custom_fields},
        }
        key, route = self._tools.secrets.read("api_key"), quote(text(settings.routing_key), safe="")
        request = Request(f"{settings.api_url}{key}/{route}", to_body(body))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send
