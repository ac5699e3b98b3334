"""Mattermost: a post by a webhook, with attachments like Slack's.

Source: Alertmanager's `notify/mattermost`, which sends the attachments of `attachments` only. Here one is made of the
options of the integration itself where these are set and `attachments` is not.
"""

from __future__ import annotations

from typing import Any, Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError
from vedette.alerting.delivery.http import Request, to_body, without_empty
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.mattermost import MattermostAttachment, MattermostPriority, MattermostSettings

_TEXT_CHARS: Final = 16_383
_PARTS: Final = (
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "thumb_url",
    "footer",
    "footer_icon",
    "image_url",
)
_PRIORITIES: Final = ("urgent", "important", "standard")
_DEFAULTS: Final = MattermostSettings()


class MattermostSender:
    """Posts to a channel."""

    def __init__(self, settings: MattermostSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One post."""
        request = Request(self._tools.secrets.read("webhook_url"), to_body(post(self._settings, message)))
        channel = message.text(self._settings.channel)

        async def send(exchange: Exchange) -> None:
            try:
                await self._tools.http.send(request, exchange)
            except DeliveryError as exc:
                where = f'channel "{channel}": ' if channel else ""
                problem, after = where + exc.problem, exc.retry_after_s
                raise DeliveryError(problem, permanent=exc.permanent, reason=exc.reason, retry_after_s=after) from exc

        return send


def post(settings: MattermostSettings, message: Message) -> dict[str, Any]:
    """What is posted.

    Raises:
        DeliveryError: a template fails.
    """
    text = message.text
    attachments = [_attachment(one, message) for one in settings.attachments]
    if not attachments and _has_parts(settings):
        attachments = [_attachment(settings, message)]
    return {
        "text": truncate(text(settings.text), _TEXT_CHARS),
        **without_empty(
            channel=text(settings.channel),
            username=text(settings.username),
            icon_url=text(settings.icon_url),
            icon_emoji=text(settings.icon_emoji),
            attachments=attachments,
            type=text(settings.type),
            props={"card": text(settings.props.card)} if settings.props and settings.props.card else None,
            priority=_priority(settings.priority, message),
        ),
    }


def _attachment(part: MattermostAttachment | MattermostSettings, message: Message) -> dict[str, Any]:
    found = without_empty(**{name: message.text(getattr(part, name, "")) for name in _PARTS})
    if isinstance(part, MattermostAttachment) and part.text:
        found["text"] = message.text(part.text)
    fields = [
        {
            "title": message.text(field.title),
            "value": message.text(field.value),
            **({} if field.short is None else {"short": field.short}),
        }
        for field in part.fields
    ]
    return found | without_empty(fields=fields)


def _has_parts(settings: MattermostSettings) -> bool:
    return bool(settings.fields) or any(getattr(settings, name, "") != getattr(_DEFAULTS, name, "") for name in _PARTS)


def _priority(priority: MattermostPriority | None, message: Message) -> dict[str, Any] | None:
    if priority is None or not priority.priority:
        return None
    name = message.text(priority.priority).lower()
    name = name if name in _PRIORITIES else "standard"
    return without_empty(
        priority=name,
        requested_ack=priority.requested_ack and name != "standard",
        persistent_notifications=priority.persistent_notifications and name == "urgent",
    )
