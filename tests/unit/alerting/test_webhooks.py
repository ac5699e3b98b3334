from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting import AlertError
from vedette.alerting.webhooks import FORMATS, WebhookError, read_webhook
from vedette.config import AlertWebhook, WebhookFormat, WebhookMapping
from vedette.model.durations import Duration

NOW_MS = 1_800_000_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=20,
)


def webhook(kind: WebhookFormat, **more: Any) -> AlertWebhook:
    return AlertWebhook(name="hook", format=kind, **more)


def read(kind: WebhookFormat, body: Any, **more: Any) -> list[tuple[dict[str, str], bool]]:
    found = read_webhook(webhook(kind, **more), json.dumps(body).encode(), NOW_MS)
    return [(dict(one.labels), not one.resolved_at(NOW_MS)) for one in found]


GRAFANA = {"alerts": [{"status": "firing", "labels": {"alertname": "A", "x": "1"}, "annotations": {"summary": "s"}}]}
SENTRY = {
    "action": "created",
    "data": {"issue": {"title": "KeyError", "shortId": "WEB-1", "level": "error", "project": {"slug": "web"}}},
}
GITHUB = {
    "action": "completed",
    "workflow_run": {"name": "CI", "conclusion": "failure", "head_branch": "main", "html_url": "https://github.test/1"},
    "repository": {"full_name": "a/b"},
}
DATADOG = {"alert_title": "CPU", "alert_id": 7, "alert_transition": "Triggered", "alert_type": "error"}
ALARM = {"AlarmName": "CPU", "NewStateValue": "ALARM", "Region": "EU", "Trigger": {"MetricName": "Load"}}
SNS = {"Type": "Notification", "Message": json.dumps(ALARM)}
KUMA = {"heartbeat": {"status": 0, "msg": "timeout"}, "monitor": {"name": "shop", "url": "https://shop.test"}}


@pytest.mark.parametrize(
    ("kind", "body", "labels"),
    [
        pytest.param(WebhookFormat.GRAFANA, GRAFANA, {"alertname": "A", "x": "1"}, id="Grafana"),
        pytest.param(
            WebhookFormat.SENTRY,
            SENTRY,
            {"alertname": "KeyError", "issue": "WEB-1", "project": "web", "severity": "error"},
            id="Sentry",
        ),
        pytest.param(
            WebhookFormat.GITHUB, GITHUB, {"alertname": "CI", "branch": "main", "repository": "a/b"}, id="GitHub"
        ),
        pytest.param(
            WebhookFormat.DATADOG, DATADOG, {"alertname": "CPU", "monitor": "7", "severity": "error"}, id="Datadog"
        ),
        pytest.param(WebhookFormat.CLOUDWATCH, SNS, {"alertname": "CPU", "region": "EU", "metric": "Load"}, id="SNS"),
        pytest.param(
            WebhookFormat.CLOUDWATCH, ALARM, {"alertname": "CPU", "region": "EU", "metric": "Load"}, id="alarm"
        ),
        pytest.param(
            WebhookFormat.UPTIME_KUMA,
            KUMA,
            {"alertname": "Monitor down", "monitor": "shop", "url": "https://shop.test"},
            id="Uptime Kuma",
        ),
    ],
)
def test_what_a_program_sends_is_an_alert_with_its_labels(
    kind: WebhookFormat, body: Any, labels: dict[str, str]
) -> None:
    assert read(kind, body) == [(labels, True)]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(WebhookFormat.GRAFANA, {"alerts": [{**GRAFANA["alerts"][0], "status": "resolved"}]}, id="Grafana"),
        pytest.param(WebhookFormat.SENTRY, {**SENTRY, "action": "resolved"}, id="Sentry"),
        pytest.param(
            WebhookFormat.GITHUB, {**GITHUB, "workflow_run": {"name": "CI", "conclusion": "success"}}, id="GitHub"
        ),
        pytest.param(WebhookFormat.DATADOG, {**DATADOG, "alert_transition": "Recovered"}, id="Datadog"),
        pytest.param(WebhookFormat.CLOUDWATCH, {**ALARM, "NewStateValue": "OK"}, id="CloudWatch"),
        pytest.param(WebhookFormat.UPTIME_KUMA, {**KUMA, "heartbeat": {"status": 1}}, id="Uptime Kuma"),
    ],
)
def test_an_end_has_the_labels_of_its_beginning(kind: WebhookFormat, body: Any) -> None:
    ((_, firing),) = read(kind, body)

    assert not firing


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(
            WebhookFormat.CLOUDWATCH, {"Type": "SubscriptionConfirmation", "SubscribeURL": "x"}, id="SNS asks"
        ),
        pytest.param(WebhookFormat.GITHUB, {"workflow_run": {"conclusion": None, "name": "CI"}}, id="a run goes on"),
        pytest.param(WebhookFormat.UPTIME_KUMA, {"heartbeat": None, "msg": "a test"}, id="Uptime Kuma tests"),
        pytest.param(WebhookFormat.SENTRY, {**SENTRY, "action": "assigned"}, id="an issue is assigned"),
    ],
)
def test_what_says_nothing_about_an_alert_is_taken_and_makes_none(kind: WebhookFormat, body: Any) -> None:
    assert read(kind, body) == []


def test_a_mapping_says_where_the_parts_of_any_json_are() -> None:
    mapping = WebhookMapping(
        items="events",
        labels=(
            ("alertname", "check.name | name"),
            ("severity", "'warning'"),
            ("first", "tags.0"),
            ("gone", "no.where"),
        ),
        annotations=(("summary", "text"),),
        status="state",
        resolved=("up",),
        url="link",
    )
    body = {"events": [{"name": "ping", "tags": ["a", "b"], "state": "down", "text": 5, "link": "https://x.test"}]}

    (alert,) = read_webhook(webhook(WebhookFormat.JSON, mapping=mapping), json.dumps(body).encode(), NOW_MS)

    assert dict(alert.labels) == {"alertname": "ping", "severity": "warning", "first": "a"}
    assert dict(alert.annotations) == {"summary": "5"}
    assert alert.generator_url == "https://x.test"


def test_an_alert_counts_for_as_long_as_the_webhook_says_and_gets_its_labels() -> None:
    hook = webhook(WebhookFormat.DATADOG, lasts=Duration(60_000), labels=(("source", "datadog"),))

    (alert,) = read_webhook(hook, json.dumps(DATADOG).encode(), NOW_MS)

    assert alert.ends_ms == NOW_MS + 60_000
    assert dict(alert.labels)["source"] == "datadog"


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        pytest.param(WebhookFormat.GRAFANA, b"{", "no JSON", id="no JSON"),
        pytest.param(WebhookFormat.GRAFANA, b"{}", "no list at `alerts`", id="no list"),
        pytest.param(
            WebhookFormat.CLOUDWATCH, b'{"Type":"Notification","Message":"{"}', "`Message`", id="bad envelope"
        ),
    ],
)
def test_what_is_not_what_the_webhook_sends_is_refused_with_the_reason(
    kind: WebhookFormat, body: bytes, said: str
) -> None:
    with pytest.raises(WebhookError, match=said):
        read_webhook(webhook(kind), body, NOW_MS)


@given(kind=st.sampled_from(sorted(FORMATS)), body=JSON)
def test_no_json_makes_it_fail_in_another_way(kind: WebhookFormat, body: Any) -> None:
    with contextlib.suppress(WebhookError, AlertError):
        read_webhook(webhook(kind), json.dumps(body).encode(), NOW_MS)
