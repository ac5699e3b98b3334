"""Webhooks: alerts as JSON of Alertmanager's version 4, or whatever `payload` says.

Source: Alertmanager's `notify/webhook`.
"""

from __future__ import annotations

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.receivers.webhook import WebhookSettings


class WebhookSender:
    """Posts to a URL."""

    def __init__(self, settings: WebhookSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One request."""
        url = message.text(self._tools.secrets.read("url")).strip()
        request = Request(url, webhook_body(self._settings, message))

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange)

        return send


def webhook_body(settings: WebhookSettings, message: Message) -> bytes:
    """What is posted.

    Raises:
        DeliveryError: a template fails.
    """
    if settings.payload is not None:
        return to_body(message.structure(settings.payload))
    return alerts_body(message, version="4", most_alerts=settings.max_alerts)


def alerts_body(message: Message, *, version: str, most_alerts: int) -> bytes:
    """Alerts and what templates know of them, as JSON.

    Args:
        message: the alerts.
        version: what to call this form.
        most_alerts: how many alerts at most; 0 for all.

    Raises:
        DeliveryError: it becomes too long.
    """
    left_out = max(len(message.alerts) - most_alerts, 0) if most_alerts else 0
    more = {
        "version": version,
        "groupKey": message.notify.group_key,
        "truncatedAlerts": left_out + message.notify.omitted,
    }
    data = message.data_json(most_alerts).removesuffix("}")
    return data.encode("utf-8", "replace") + b"," + to_body(more).removeprefix(b"{")
