"""Webex: a message to a room.

Source: Alertmanager's `notify/webex`.
"""

from __future__ import annotations

from typing import Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body, without_empty
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate_bytes
from vedette.alerting.receivers.webex import WebexSettings

_MESSAGE_BYTES: Final = 7439


class WebexSender:
    """Writes to a room."""

    def __init__(self, settings: WebexSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One message."""
        settings = self._settings
        body = {
            "markdown": truncate_bytes(message.text(settings.message), _MESSAGE_BYTES),
            **without_empty(roomId=message.text(settings.room_id)),
        }
        request = Request(settings.api_url, to_body(body))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send
