"""Microsoft Teams by Workflows: an adaptive card.

Source: Alertmanager's `notify/msteamsv2`. Unlike there, a text that makes the card larger than Teams takes is cut.
"""

from __future__ import annotations

from typing import Any, Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate, truncate_bytes
from vedette.alerting.receivers.msteamsv2 import Msteamsv2Settings

_TEXT_BYTES: Final = 24_000
"""Teams takes 28 KB for all of a message, which the text's escapes make longer."""

_TITLE_CHARS: Final = 1024


class Msteamsv2Sender:
    """Posts cards to a channel."""

    def __init__(self, settings: Msteamsv2Settings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One card."""
        request = Request(self._tools.secrets.read("webhook_url"), to_body(card(self._settings, message)))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send


def card(settings: Msteamsv2Settings, message: Message) -> dict[str, Any]:
    """What is posted.

    Raises:
        DeliveryError: a template fails.
    """
    title = {
        "type": "TextBlock",
        "text": truncate(message.text(settings.title), _TITLE_CHARS),
        "weight": "Bolder",
        "size": "Medium",
        "wrap": True,
        "style": "heading",
        "color": "Attention" if message.firing else "Good",
    }
    text = {"type": "TextBlock", "text": truncate_bytes(message.text(settings.text), _TEXT_BYTES), "wrap": True}
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [title, text],
        "msteams": {"width": "full"},
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return {"type": "message", "attachments": [attachment]}
