"""incident.io: alerts as JSON to an alert source.

A body that is larger than incident.io takes has one alert only, which is enough for it to open an incident.

Source: Alertmanager's `notify/incidentio`; https://api-docs.incident.io/.
"""

from __future__ import annotations

from typing import Any, Final, cast

import orjson

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import Verdicts
from vedette.alerting.delivery.http import Request, mapping_of
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.webhook import alerts_body
from vedette.alerting.receivers.incidentio import IncidentioSettings

_BODY_BYTES: Final = 512 * 1024
_VERSION: Final = "1"


class IncidentioSender:
    """Posts to an alert source."""

    def __init__(self, settings: IncidentioSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One request."""
        settings = self._settings
        body = alerts_body(message, version=_VERSION, most_alerts=settings.max_alerts)
        if len(body) > _BODY_BYTES:
            body = alerts_body(message, version=_VERSION, most_alerts=1)
        url = settings.url or self._tools.secrets.read("url")
        token = self._tools.secrets.read("alert_source_token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = Request(url, body, headers=headers)

        async def send(exchange: Exchange) -> None:
            await self._tools.http.send(request, exchange, verdicts=_VERDICTS)

        return send


def _explain(_: int, text: str) -> str:
    try:
        said = mapping_of(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text
    errors: Any = said.get("errors")
    listed = cast("list[Any]", errors) if isinstance(errors, list) else []
    parts = [said.get("message"), said.get("error"), ", ".join(map(str, listed))]
    return ": ".join(str(part) for part in parts if part)


_VERDICTS: Final = Verdicts(explain=_explain)
