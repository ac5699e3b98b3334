"""Discord: an embed per message, by a webhook.

Source: Alertmanager's `notify/discord`; https://discord.com/developers/docs/resources/webhook#execute-webhook.
"""

from __future__ import annotations

from typing import Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body, without_empty
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.discord import DiscordSettings
from vedette.alerting.settings.fields import http_url_problem

_TITLE_CHARS: Final = 256
_TEXT_CHARS: Final = 4096
_CONTENT_CHARS: Final = 2000
_FIRING: Final = 0x992D22
_RESOLVED: Final = 0x2ECC71


class DiscordSender:
    """Posts to a channel."""

    def __init__(self, settings: DiscordSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One message."""
        settings, text = self._settings, message.text
        avatar = text(settings.avatar_url)
        body = {
            "content": truncate(text(settings.content), _CONTENT_CHARS),
            "embeds": [
                {
                    "title": truncate(text(settings.title), _TITLE_CHARS),
                    "description": truncate(text(settings.message), _TEXT_CHARS),
                    "color": _FIRING if message.firing else _RESOLVED,
                }
            ],
            **without_empty(username=text(settings.username), avatar_url="" if http_url_problem(avatar) else avatar),
        }
        request = Request(self._tools.secrets.read("webhook_url"), to_body(body))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send
