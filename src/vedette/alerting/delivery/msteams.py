"""Microsoft Teams by its older connectors: a message card.

Source: Alertmanager's `notify/msteams`. Unlike there, a text that makes the card larger than Teams takes is cut.
"""

from __future__ import annotations

from typing import Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate, truncate_bytes
from vedette.alerting.receivers.msteams import MsteamsSettings

_TEXT_BYTES: Final = 24_000
"""Teams takes 28 KB for all of a message, which the text's escapes make longer."""

_TITLE_CHARS: Final = 1024
_FIRING: Final = "8C1A1A"
_RESOLVED: Final = "2DC72D"


class MsteamsSender:
    """Posts cards to a channel."""

    def __init__(self, settings: MsteamsSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One card."""
        settings = self._settings
        body = {
            "@context": "http://schema.org/extensions",
            "type": "MessageCard",
            "title": truncate(message.text(settings.title), _TITLE_CHARS),
            "summary": truncate(message.text(settings.summary), _TITLE_CHARS),
            "text": truncate_bytes(message.text(settings.text), _TEXT_BYTES),
            "themeColor": _FIRING if message.firing else _RESOLVED,
        }
        request = Request(self._tools.secrets.read("webhook_url"), to_body(body))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send
