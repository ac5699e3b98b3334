"""PagerDuty: an incident for each group of alerts, by its Events API v2, or v1 for older integrations.

Trigger and resolve have the same key, which follows from the group alone. An event that is too large loses its
details rather than being refused.

Source: Alertmanager's `notify/pagerduty`; https://developer.pagerduty.com/docs/events-api-v2/overview/.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import Verdicts, refused
from vedette.alerting.delivery.http import Request, to_body, without_empty
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.pagerduty import PagerdutySettings

EVENTS_V1: Final = "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
_EVENT_BYTES: Final = 512_000
_SUMMARY_CHARS: Final = 1024
_TOO_LARGE: Final = {
    "error": "Custom details have been removed because the original event exceeds the maximum size of 512KB"
}


class PagerdutySender:
    """Triggers and resolves incidents."""

    def __init__(self, settings: PagerdutySettings, tools: Tools, *, events_v1: str = EVENTS_V1) -> None:
        self._settings = settings
        self._tools = tools
        self._events_v1 = events_v1
        self._is_v1 = bool(settings.service_key or settings.service_key_file)
        # Version 1 limits the rate by 403.
        self._verdicts = Verdicts(again=frozenset({403} if self._is_v1 else ()), explain=_explain)

    def compose(self, message: Message) -> Send:
        """One event."""
        name = "service_key" if self._is_v1 else "routing_key"
        key = message.text(self._tools.secrets.read(name)).strip()
        if not key:
            raise refused(f"{name.replace('_', ' ')} cannot be empty")
        build = event_v1 if self._is_v1 else event_v2
        event = build(self._settings, message, key)
        request = Request(self._events_v1 if self._is_v1 else self._settings.url, _encoded(event))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange, verdicts=self._verdicts)

        return send


def event_v2(settings: PagerdutySettings, message: Message, key: str) -> dict[str, Any]:
    """An event of version 2.

    Raises:
        DeliveryError: a template fails.
    """
    text = message.text
    images = ({"src": text(one.src), "alt": text(one.alt), "href": text(one.href)} for one in settings.images)
    links = ({"href": text(one.href), "text": text(one.text)} for one in settings.links)
    payload = {
        "summary": truncate(text(settings.description), _SUMMARY_CHARS),
        "source": text(settings.source or settings.client),
        "severity": text(settings.severity or "error"),
        **without_empty(
            **{"class": text(settings.class_)},
            component=text(settings.component),
            group=text(settings.group),
            custom_details=message.structure(settings.details),
        ),
    }
    return {
        "routing_key": key,
        "dedup_key": message.key,
        "event_action": "trigger" if message.firing else "resolve",
        "payload": payload,
        **without_empty(
            client=text(settings.client),
            client_url=text(settings.client_url),
            images=[one for one in images if one["src"]],
            links=[one for one in links if one["href"]],
        ),
    }


def event_v1(settings: PagerdutySettings, message: Message, key: str) -> dict[str, Any]:
    """An event of version 1.

    Raises:
        DeliveryError: a template fails.
    """
    text = message.text
    event = without_empty(
        service_key=key,
        incident_key=message.key,
        event_type="trigger" if message.firing else "resolve",
        description=truncate(text(settings.description), _SUMMARY_CHARS),
        details=message.structure(settings.details),
    )
    if message.firing:
        event |= without_empty(client=text(settings.client), client_url=text(settings.client_url))
    return {"event_action": "", "payload": None, **event}


def _encoded(event: dict[str, Any]) -> bytes:
    body = to_body(event)
    if len(body) <= _EVENT_BYTES:
        return body
    if event["payload"] is None:
        return to_body({**event, "details": _TOO_LARGE})
    return to_body({**event, "payload": {**event["payload"], "custom_details": _TOO_LARGE}})


def _explain(status: int, text: str) -> str:
    """What PagerDuty says is wrong with an event."""
    if status != 400:
        return text
    try:
        said = orjson.loads(text)
        return f"{said['message']}: {','.join(map(str, said.get('errors', ())))}"
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        return text
