"""Pushover.

Source: Alertmanager's `notify/pushover`; https://pushover.net/api. Unlike there, the keys travel in the body of the
request and not in its URL, which proxies write to their logs.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.pushover import PushoverSettings

MESSAGES: Final = "https://api.pushover.net/1/messages.json"
_TITLE_CHARS: Final = 250
_MESSAGE_CHARS: Final = 1024
_URL_CHARS: Final = 512


class PushoverSender:
    """Notifies a user or a group."""

    def __init__(self, settings: PushoverSettings, tools: Tools, *, url: str = MESSAGES) -> None:
        self._settings = settings
        self._tools = tools
        self._url = url

    def compose(self, message: Message) -> Send:
        """One message."""
        settings, text = self._settings, message.text
        content = message.html(settings.message) if settings.html else text(settings.message)
        fields = {
            "token": text(self._tools.secrets.read("token")),
            "user": text(self._tools.secrets.read("user_key")),
            "title": truncate(text(settings.title), _TITLE_CHARS),
            **({"html": "1"} if settings.html else {}),
            **({"monospace": "1"} if settings.monospace else {}),
            # Pushover refuses empty messages.
            "message": truncate(content, _MESSAGE_CHARS).strip() or "(no details)",
            "url": truncate(text(settings.url), _URL_CHARS),
            "url_title": text(settings.url_title),
            "priority": text(settings.priority),
            "retry": str(settings.retry.ms // 1000),
            "expire": str(settings.expire.ms // 1000),
            "device": text(settings.device),
            "sound": text(settings.sound),
            **({"ttl": str(settings.ttl.ms // 1000)} if settings.ttl.ms >= 1000 else {}),
        }
        form = "application/x-www-form-urlencoded"
        request = Request(self._url, urlencode(fields, errors="replace").encode(), content_type=form)

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send
