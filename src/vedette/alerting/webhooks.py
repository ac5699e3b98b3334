"""Alerts in the form of other programs: where in their JSON the parts of an alert are.

What a program sends once counts until it says that it is over, or for as long as the configuration allows.

Sources: the webhooks' documentation of Grafana alerting, Sentry (issue and metric alerts), GitHub (workflow runs,
check runs, code scanning), Datadog (the payload template in docs/reference/alerting.md), CloudWatch alarms by SNS,
Uptime Kuma.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from vedette.alerting.intake import complete
from vedette.config import AlertWebhook, WebhookFormat, WebhookMapping
from vedette.model.alerts import Alert

_MOST_ALERTS: Final = 10_000
_MOST_LABELS: Final = 64
_LONGEST_VALUE: Final = 4096
_SPREAD: Final = "*"
"""As a label's name: all entries of the object at the place."""

_ALERTMANAGER: Final = WebhookMapping(
    items="alerts",
    labels=((_SPREAD, "labels"),),
    annotations=((_SPREAD, "annotations"),),
    status="status",
    resolved=("resolved",),
    url="generatorURL",
)

FORMATS: Final[Mapping[WebhookFormat, WebhookMapping]] = {
    WebhookFormat.ALERTMANAGER: _ALERTMANAGER,
    WebhookFormat.GRAFANA: _ALERTMANAGER,
    WebhookFormat.SENTRY: WebhookMapping(
        labels=(
            ("alertname", "data.issue.title | data.event.title | data.metric_alert.title | data.description_title"),
            ("issue", "data.issue.shortId | data.event.issue_id | data.metric_alert.id"),
            ("project", "data.issue.project.slug | data.event.project | data.metric_alert.projects.0"),
            ("severity", "data.issue.level | data.event.level"),
        ),
        annotations=(
            ("summary", "data.issue.culprit | data.event.culprit | data.description_text"),
            ("rule", "data.triggered_rule | data.metric_alert.alert_rule.name"),
        ),
        status="action",
        resolved=("resolved", "archived", "ignored"),
        ignored=("assigned", "unassigned"),
        url="data.issue.web_url | data.issue.permalink | data.event.web_url | data.web_url",
    ),
    WebhookFormat.GITHUB: WebhookMapping(
        labels=(
            ("alertname", "workflow_run.name | check_run.name | alert.rule.id | alert.security_advisory.ghsa_id"),
            ("repository", "repository.full_name"),
            ("branch", "workflow_run.head_branch | check_run.check_suite.head_branch"),
            ("severity", "alert.rule.severity | alert.security_advisory.severity"),
        ),
        annotations=(
            ("summary", "workflow_run.display_title | check_run.output.title | alert.rule.description"),
            ("conclusion", "workflow_run.conclusion | check_run.conclusion"),
            ("actor", "sender.login"),
        ),
        status="workflow_run.conclusion | check_run.conclusion | alert.state | action",
        resolved=("success", "fixed", "dismissed", "closed", "resolved"),
        ignored=("neutral", "skipped", "cancelled", "stale", "requested", "in_progress", "queued", "created"),
        url="workflow_run.html_url | check_run.html_url | alert.html_url",
    ),
    WebhookFormat.DATADOG: WebhookMapping(
        labels=(
            ("alertname", "alert_title | title"),
            ("monitor", "alert_id | id"),
            ("severity", "priority | alert_type"),
            ("host", "hostname | host"),
            ("scope", "alert_scope"),
        ),
        annotations=(("summary", "title"), ("description", "body | event_msg"), ("tags", "tags")),
        status="alert_transition | transition | alert_status",
        resolved=("recovered", "ok", "resolved"),
        url="link | url",
    ),
    WebhookFormat.CLOUDWATCH: WebhookMapping(
        labels=(
            ("alertname", "AlarmName"),
            ("account", "AWSAccountId"),
            ("region", "Region"),
            ("namespace", "Trigger.Namespace"),
            ("metric", "Trigger.MetricName"),
        ),
        annotations=(("summary", "AlarmDescription"), ("description", "NewStateReason")),
        status="NewStateValue",
        resolved=("ok",),
        ignored=("insufficient_data",),
    ),
    WebhookFormat.UPTIME_KUMA: WebhookMapping(
        labels=(("alertname", "'Monitor down'"), ("monitor", "monitor.name"), ("url", "monitor.url")),
        annotations=(("summary", "msg"), ("description", "heartbeat.msg")),
        status="heartbeat.status",
        resolved=("1",),
        ignored=("2", "3"),
        url="monitor.url",
    ),
}
"""What is known of each format; `ignored` holds states between fine and broken."""


class WebhookError(ValueError):
    """What was posted is not what the webhook sends; the message says what is missing."""


def read_webhook(webhook: AlertWebhook, body: bytes, now_ms: int) -> list[Alert]:
    """The alerts that a request holds; none where it says nothing about any.

    Raises:
        WebhookError: it is no JSON, or not what this webhook sends.
        AlertError: an alert has a label that cannot be one.
    """
    mapping = webhook.mapping or FORMATS[webhook.format]
    document = _document(webhook, body)
    if document is None:
        return []
    alerts: list[Alert] = []
    for item in _items(mapping, document):
        alert = _alert(webhook, mapping, item, now_ms)
        if alert is not None:
            alerts.append(alert)
    return alerts


def _document(webhook: AlertWebhook, body: bytes) -> Any:
    found = _json(body, "the body")
    if webhook.format is not WebhookFormat.CLOUDWATCH or not isinstance(found, dict):
        return found
    envelope = cast("dict[str, Any]", found)
    if "Type" not in envelope:
        return envelope  # an alarm that came without SNS around it
    if envelope["Type"] != "Notification":
        return None  # SNS asks whether somebody is here, or says goodbye
    return _json(str(envelope.get("Message", "")).encode(), "`Message`")


def _json(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError as exc:
        raise WebhookError(f"{what} is no JSON: {exc}") from exc


def _items(mapping: WebhookMapping, document: Any) -> list[Any]:
    if not mapping.items:
        return [document]
    found = _find(document, mapping.items)
    if not isinstance(found, list):
        raise WebhookError(f"there is no list at `{mapping.items}`")
    items = cast("list[Any]", found)
    if len(items) > _MOST_ALERTS:
        raise WebhookError(f"at most {_MOST_ALERTS} alerts in one request, found {len(items)}")
    return items


def _alert(webhook: AlertWebhook, mapping: WebhookMapping, item: Any, now_ms: int) -> Alert | None:
    status = _text(_find(item, mapping.status)) if mapping.status else "firing"
    if status is None or status.lower() in mapping.ignored:
        return None
    over = status.lower() in {one.lower() for one in mapping.resolved}
    labels = {"alertname": webhook.name, **dict(webhook.labels), **_texts(mapping.labels, item)}
    return complete(
        labels,
        _texts(mapping.annotations, item),
        now_ms=now_ms,
        resolve_timeout_ms=webhook.lasts.ms,
        starts_ms=None if over else now_ms,
        ends_ms=now_ms if over else now_ms + webhook.lasts.ms,
        generator_url=(_text(_find(item, mapping.url)) or "") if mapping.url else "",
    )


def _texts(places: tuple[tuple[str, str], ...], item: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, place in places:
        value = _find(item, place)
        if name == _SPREAD and isinstance(value, dict):
            found |= {key: text for key, one in cast("dict[str, Any]", value).items() if (text := _text(one))}
        elif name != _SPREAD and (text := _text(value)):
            found[name] = text
    return dict(list(found.items())[:_MOST_LABELS])


def _find(item: Any, places: str) -> Any:
    """What is at the first of some places that is there."""
    for place in places.split("|"):
        path = place.strip()
        if len(path) > 1 and path[0] == path[-1] == "'":
            return path[1:-1]
        value = item
        for step in path.split("."):
            if isinstance(value, dict):
                value = cast("dict[str, Any]", value).get(step)
            elif isinstance(value, list) and step.isdigit():
                listed, index = cast("list[Any]", value), int(step[:9])
                value = listed[index] if index < len(listed) else None
            else:
                value = None
        if value is not None:
            return value
    return None


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case str():
            return value[:_LONGEST_VALUE]
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return orjson.dumps(value).decode()[:_LONGEST_VALUE]
