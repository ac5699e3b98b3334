"""Rocket.Chat: an attachment per message.

Source: Alertmanager's `notify/rocketchat`; https://developer.rocket.chat/apidocs/post-message.
"""

from __future__ import annotations

from typing import Any, Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import refused, shown
from vedette.alerting.delivery.http import Request, mapping_of, to_body, without_empty
from vedette.alerting.delivery.listing import text_or_listing
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.rocketchat import RocketchatSettings

_TITLE_CHARS: Final = 1024


class RocketchatSender:
    """Posts to a channel."""

    def __init__(self, settings: RocketchatSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One post."""
        secrets = self._tools.secrets
        headers = {"X-Auth-Token": secrets.read("token"), "X-User-Id": secrets.read("token_id")}
        url = f"{self._settings.api_url.rstrip('/')}/api/v1/chat.postMessage"
        request = Request(url, to_body(rocketchat_post(self._settings, message)), headers=headers)

        async def send(exchange: Exchange) -> None:
            said = mapping_of((await self._tools.http.send(request, exchange, answered=True)).json())
            if said.get("success") is not True:
                raise refused(f"Rocket.Chat has not taken it: {shown(str(said.get('error')))}")

        return send


def rocketchat_post(settings: RocketchatSettings, message: Message) -> dict[str, Any]:
    """What is posted.

    Raises:
        DeliveryError: a template fails.
    """
    text = message.text
    fields = [
        {
            "title": text(field.title),
            "value": text(field.value),
            "short": settings.short_fields if field.short is None else field.short,
        }
        for field in settings.fields
    ]
    # Rocket.Chat knows buttons only.
    actions = [
        {"type": "button", **without_empty(text=text(one.text), url=text(one.url), msg=text(one.msg))}
        for one in settings.actions
    ]
    attachment = without_empty(
        title=truncate(text(settings.title), _TITLE_CHARS),
        title_link=text(settings.title_link),
        text=text_or_listing(message, settings.text),
        image_url=text(settings.image_url),
        thumb_url=text(settings.thumb_url),
        color=text(settings.color),
        fields=fields,
        actions=actions,
    )
    return {
        **without_empty(channel=text(settings.channel), emoji=text(settings.emoji), avatar=text(settings.icon_url)),
        "attachments": [attachment],
    }
