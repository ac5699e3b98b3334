"""Jira: an issue for each group of alerts, found again by a label that follows from the group alone.

An issue is created, kept up to date, resolved once all alerts have ended, and opened again if they come back in time.

Source: Alertmanager's `notify/jira`; https://developer.atlassian.com/cloud/jira/platform/rest/v3/. A transition that
is not configured is not made; there it is an error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError, refused
from vedette.alerting.delivery.http import Request, mapping_of, mappings_in, to_body
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.jira import JiraApi, JiraSettings

_SUMMARY_CHARS: Final = 255
_DESCRIPTION_CHARS: Final = 32_767
_HEADERS: Final = {"Accept-Language": "en"}
_DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue that exists.

    Attributes:
        key: its name, e.g. OPS-17.
        done: whether it is resolved.
    """

    key: str
    done: bool


class JiraSender:
    """Creates, updates, resolves and reopens issues."""

    def __init__(self, settings: JiraSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._api = settings.api_url.rstrip("/")
        self._search_url = _search_url(settings)

    def compose(self, message: Message) -> Send:
        """A search, and what follows from it."""
        settings = self._settings
        query = {"jql": jql(settings, message), "maxResults": 2, "fields": ["status"]}
        fields = issue_fields(settings, message)
        reopen, resolve = message.text(settings.reopen_transition), message.text(settings.resolve_transition)
        firing = message.firing

        async def send(exchange: Exchange) -> None:
            issue = _first_issue(await self._ask("POST", self._search_url, exchange, query))
            if issue is None:
                if firing:
                    await self._ask("POST", f"{self._api}/issue", exchange, {"fields": fields})
                return
            url = f"{self._api}/issue/{quote(issue.key, safe='')}"
            await self._ask("PUT", url, exchange, {"fields": _changed(settings, fields)})
            transition = reopen if firing else resolve
            if issue.done is firing and transition:
                await self._move(url, issue, transition, exchange)

        return send

    async def _move(self, url: str, issue: Issue, transition: str, exchange: Exchange) -> None:
        found = await self._ask("GET", f"{url}/transitions", exchange)
        listed = mappings_in(found.get("transitions"))
        chosen = next((one for one in listed if one.get("name") == transition), None)
        if chosen is None:
            names = ", ".join(str(one.get("name")) for one in listed) or "none"
            raise refused(f"can't find transition {transition} for issue {issue.key}; there are: {names}")
        await self._ask("POST", f"{url}/transitions", exchange, {"transition": {"id": chosen.get("id")}})

    async def _ask(
        self, method: str, url: str, exchange: Exchange, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        raw = b"" if body is None else to_body(body)
        answer = await self._tools.http.send(
            Request(url, raw, method=method, headers=_HEADERS), exchange, answered=True
        )
        if not answer.body.strip():
            return {}
        return mapping_of(answer.json())


def jql(settings: JiraSettings, message: Message) -> str:
    """The query that finds the group's issue.

    Raises:
        DeliveryError: a template fails.
    """
    parts: list[str] = []
    if settings.wont_fix_resolution:
        parts.append(f"resolution != {_quoted(message.text(settings.wont_fix_resolution))}")
    minutes = settings.reopen_duration.ms // 60_000
    if message.firing and settings.reopen_transition and minutes > 0:
        parts.append(f"(resolutiondate is EMPTY OR resolutiondate >= -{minutes}m)")
    else:
        parts.append("statusCategory != Done")
    parts.append(f"project={_quoted(message.text(settings.project))}")
    parts.append(f"labels={_quoted(_label(message))}")
    return " and ".join(parts) + " order by status ASC,resolutiondate DESC"


def issue_fields(settings: JiraSettings, message: Message) -> dict[str, Any]:
    """What the issue says.

    Raises:
        DeliveryError: a template fails, or gives no JSON where the API wants it.
    """
    text = message.text
    labels = sorted([*(text(one) for one in settings.labels.values), _label(message)])
    priority = text(settings.priority)
    return {
        "project": {"key": text(settings.project)},
        "issuetype": {"name": text(settings.issue_type)},
        "summary": truncate(text(settings.summary.template), _SUMMARY_CHARS),
        "description": _description(settings, message),
        "labels": labels,
        **({"priority": {"name": priority}} if priority else {}),
        **(message.structure(settings.fields) if settings.fields is not None else {}),
    }


def _description(settings: JiraSettings, message: Message) -> Any:
    text = message.text(settings.description.template)
    if not settings.api_url.rstrip("/").endswith("/3"):
        return truncate(text, _DESCRIPTION_CHARS) or None
    if not text.strip():
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Version 3 of the API wants a document; the default text is none.
        return _document(truncate(text, _DESCRIPTION_CHARS))


def _document(text: str) -> dict[str, Any]:
    """A text as a document of Atlassian's format: a paragraph for each line."""
    lines = [line for line in text.splitlines() if line.strip()]
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"version": 1, "type": "doc", "content": paragraphs}


def _changed(settings: JiraSettings, fields: dict[str, Any]) -> dict[str, Any]:
    """What is changed on an issue that exists."""
    kept = {
        "summary": settings.summary.enable_update,
        "description": settings.description.enable_update,
        "labels": settings.labels.enable_update,
    }
    return {name: value for name, value in fields.items() if kept.get(name, True)}


def _label(message: Message) -> str:
    return f"ALERT{{{message.key}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _search_url(settings: JiraSettings) -> str:
    """Jira's cloud has a new search, which only version 3 of its API knows; its data centers have the old one."""
    api = settings.api_url.rstrip("/")
    host = urlsplit(api).hostname or ""
    is_cloud = settings.api_type is JiraApi.CLOUD or (
        settings.api_type is JiraApi.AUTO and (host == "atlassian.net" or host.endswith(".atlassian.net"))
    )
    if not is_cloud:
        return f"{api}/search"
    return f"{api}/search/jql".replace("/rest/api/2/", "/rest/api/3/", 1)


def _first_issue(found: dict[str, Any]) -> Issue | None:
    listed = mappings_in(found.get("issues"))
    if not listed:
        return None
    try:
        return Issue(str(listed[0]["key"]), listed[0]["fields"]["status"]["statusCategory"]["key"] == _DONE)
    except (KeyError, TypeError) as exc:
        raise DeliveryError("the answer of Jira to a search is not understood", permanent=True) from exc
