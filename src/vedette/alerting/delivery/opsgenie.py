"""Opsgenie: an alert for each group, created, updated and closed by an alias that follows from the group alone.

Source: Alertmanager's `notify/opsgenie`; https://docs.opsgenie.com/docs/alert-api.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import Request, to_body, without_empty
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.opsgenie import OpsgenieSettings

_MESSAGE_CHARS: Final = 130


class OpsgenieSender:
    """Creates, updates and closes alerts."""

    def __init__(self, settings: OpsgenieSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One request, and two more where alerts are updated."""
        key = message.text(self._tools.secrets.read("api_key")).strip()
        headers = {"Authorization": f"GenieKey {key}"}
        requests = [
            Request(f"{self._settings.api_url}{path}", to_body(body), method=method, headers=headers)
            for method, path, body in _requests(self._settings, message)
        ]

        async def send(exchange: Exchange) -> None:
            for request in requests:
                await self._tools.http.send(request, exchange)

        return send


def _requests(settings: OpsgenieSettings, message: Message) -> Iterator[tuple[str, str, dict[str, Any]]]:
    text = message.text
    alias, by_alias = message.key, "identifierType=alias"
    if not message.firing:
        yield "POST", f"v2/alerts/{alias}/close?{by_alias}", {"source": text(settings.source)}
        return
    summary = truncate(text(settings.message), _MESSAGE_CHARS)
    description = text(settings.description)
    labels = message.common_labels
    yield (
        "POST",
        "v2/alerts",
        {
            "alias": alias,
            "message": summary,
            "details": {**labels, **{name: text(value) for name, value in settings.details}},
            "source": text(settings.source),
            **without_empty(
                description=description,
                responders=list(_responders(settings, message)),
                tags=_split(text(settings.tags)),
                note=text(settings.note),
                priority=text(settings.priority),
                entity=text(settings.entity),
                actions=_split(text(settings.actions)),
            ),
        },
    )
    if settings.update_alerts:
        yield "PUT", f"v2/alerts/{alias}/message?{by_alias}", without_empty(message=summary)
        yield "PUT", f"v2/alerts/{alias}/description?{by_alias}", without_empty(description=description)


def _responders(settings: OpsgenieSettings, message: Message) -> Iterator[dict[str, str]]:
    for one in settings.responders:
        found = without_empty(id=message.text(one.id), name=message.text(one.name), username=message.text(one.username))
        kind = message.text(one.type)
        if not found and not kind:
            continue  # templates may give nobody
        if kind == "teams":
            yield from ({"name": team, "type": "team"} for team in _split(found.get("name", "")))
        else:
            yield {**found, "type": kind}


def _split(text: str) -> list[str]:
    return [part for part in text.strip().split(",") if part]
