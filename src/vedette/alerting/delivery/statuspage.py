"""Statuspage: components that show how things are, and an incident that tells of it.

The incident of a group is found again by its metadata, so nothing has to be remembered. Vedette's own kind.
https://developer.statuspage.io/
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import Verdicts, refused
from vedette.alerting.delivery.http import Request, mappings_in, to_body
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.statuspage import StatuspageSettings

_NAME_CHARS: Final = 250
_TEXT_CHARS: Final = 25_000
_TOO_MANY: Final = Verdicts(again=frozenset({420}))


class StatuspageSender:
    """Updates a status page."""

    def __init__(self, settings: StatuspageSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One request for each component; up to two for the incident."""
        settings = self._settings
        page = f"{settings.api_url}v1/pages/{quote(settings.page_id, safe='')}"
        headers = {"Authorization": f"OAuth {self._tools.secrets.read('api_key')}"}
        components = component_ids(settings, message)
        if not components and not settings.incident:
            raise refused("component_ids give no component for these alerts")
        status = str(settings.firing_status if message.firing else settings.resolved_status)
        incident = incident_of(settings, message, components, status)
        name, firing = message.key, message.firing

        async def ask(exchange: Exchange, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
            raw = b"" if body is None else to_body(body)
            request = Request(f"{page}/{path}", raw, method=method, headers=headers)
            answer = await self._tools.http.send(request, exchange, verdicts=_TOO_MANY, answered=True)
            return answer.json() if answer.body.strip() else None

        async def send(exchange: Exchange) -> None:
            if not settings.incident:
                for component in components:
                    body = {"component": {"status": status}}
                    await ask(exchange, "PATCH", f"components/{quote(component, safe='')}", body)
                return
            known = _named(await ask(exchange, "GET", "incidents/unresolved"), name)
            if known:
                changed = {key: value for key, value in incident.items() if key not in ("name", "metadata")}
                if firing:
                    del changed["status"]  # people may have moved it on
                await ask(exchange, "PATCH", f"incidents/{quote(known, safe='')}", {"incident": changed})
            elif firing:
                await ask(exchange, "POST", "incidents", {"incident": incident})

        return send


def component_ids(settings: StatuspageSettings, message: Message) -> list[str]:
    """The components that the alerts are about: what templates give, several of them separated by commas.

    Raises:
        DeliveryError: a template fails.
    """
    found = (part.strip() for one in settings.component_ids for part in message.text(one).split(","))
    return list(dict.fromkeys(part for part in found if part))


def incident_of(settings: StatuspageSettings, message: Message, components: list[str], status: str) -> dict[str, Any]:
    """The incident that tells of the alerts.

    Raises:
        DeliveryError: a template fails.
    """
    return {
        "name": truncate(message.text(settings.title), _NAME_CHARS),
        "status": "investigating" if message.firing else "resolved",
        "body": truncate(message.text(settings.message), _TEXT_CHARS),
        "components": dict.fromkeys(components, status),
        "component_ids": components,
        "metadata": {"vedette": {"group": message.key}},
    }


def _named(found: Any, name: str) -> str:
    """The id of a group's incident among those that are open; empty if there is none."""
    for one in mappings_in(found):
        try:
            if one["metadata"]["vedette"]["group"] == name:
                return str(one["id"])
        except (KeyError, TypeError):
            continue
    return ""
