from __future__ import annotations

import pytest

from harness.delivering import LIBRARY, MINUTE, NOON_MS, config_of, delivering, message, told
from harness.mail import serve_mail
from harness.receivers import Reply, Sent, serve_receiver
from vedette.alerting import Address, DigestItem, Form, Notify, Reason, Told
from vedette.alerting.delivery.faults import DeliveryError
from vedette.alerting.delivery.kinds import SENDERS
from vedette.alerting.delivery.message import message_of
from vedette.alerting.receivers import KINDS


def item(name: str, *, firing: bool = True, fired: int = 1, resolved: int = 0) -> DigestItem:
    alert = told(name, firing=firing, annotations={"summary": "s"}).alert
    return DigestItem(alert, firing, fired, resolved, NOON_MS - 60 * MINUTE, NOON_MS - MINUTE, "{}")


def digest(*items: DigestItem, kind: str = "webhook", omitted: int = 0) -> Notify:
    address = Address("team", kind, 0)
    alerts = tuple(Told(one.alert, one.firing) for one in items)
    return Notify(
        id=1,
        form=Form.DIGEST,
        address=address,
        group_key=f"digest:{address}",
        alerts=alerts,
        items=items,
        omitted=omitted,
        at_ms=NOON_MS,
        give_up_ms=NOON_MS + 60 * MINUTE,
    )


def summary(*alerts: Told, kind: str = "webhook", omitted: int = 0) -> Notify:
    address = Address("team", kind, 0)
    return Notify(
        id=1,
        form=Form.SUMMARY,
        address=address,
        group_key=f"summary:{address}",
        alerts=alerts,
        omitted=omitted,
        at_ms=NOON_MS,
        give_up_ms=NOON_MS + MINUTE,
    )


def texts(notify: Notify, *templates: str) -> list[str]:
    found = message_of(notify, LIBRARY, external_url="http://v", now_ms=NOON_MS)
    return [found.text(template) for template in templates]


def test_a_digest_says_since_when_and_how_much() -> None:
    title, reason, happened = texts(
        digest(item("A", fired=3, resolved=2), item("B", firing=False, fired=1, resolved=1), omitted=4),
        '{{ template "slack.default.title" . }}',
        "{{ .NotificationReason }}",
        "{{ range .Alerts }}{{ .Labels.alertname }}: {{ .Annotations.digest }}\n{{ end }}",
    )

    assert title == "[FIRING:1] Digest since 2027-01-15 11:00 UTC: 4 fired, 3 resolved, 4 more not shown "
    assert reason == "digest"
    assert happened == (
        "A: fired 3 times, resolved 2 times, last change 2027-01-15 11:59 UTC\n"
        "B: fired 1 times, resolved 1 times, last change 2027-01-15 11:59 UTC\n"
    )


def test_a_summary_says_how_many_alerts_it_is_about() -> None:
    (title,) = texts(summary(told("A"), told("B"), omitted=1), '{{ template "slack.default.title" . }}')

    assert title == "[FIRING:2] Many notifications at once: 3 alerts in one message, 1 more not shown "


def test_the_annotations_of_a_digest_are_those_of_its_alerts_and_one_more() -> None:
    (found,) = texts(digest(item("A")), "{{ range .Alerts }}{{ .Annotations.Names }}{{ end }}")

    assert found == "[digest summary]"


async def test_a_webhook_gets_a_digest_with_what_happened() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}'")) as it:
        await it.deliver(digest(item("A", fired=2), omitted=3))

    body = server.sent[0].json
    assert body["notification_reason"] == "digest"
    assert body["truncatedAlerts"] == 3
    assert body["alerts"][0]["annotations"]["digest"].startswith("fired 2 times")


OPTIONS = {
    "webhook": "url: '{}'",
    "slack": "api_url: '{}'",
    "pagerduty": "routing_key: abcdef, url: '{}/v2'",
    "opsgenie": "api_key: abcdef, api_url: '{}'",
    "msteams": "webhook_url: '{}'",
    "msteamsv2": "webhook_url: '{}'",
    "discord": "webhook_url: '{}'",
    "mattermost": "webhook_url: '{}'",
    "telegram": "api_url: '{}', bot_token: abcdef, chat_id: 1",
    "jira": "api_url: '{}/rest/api/2', project: P, issue_type: Bug",
    "statuspage": "api_url: '{}', api_key: abcdef, page_id: p, component_ids: [c]",
    "victorops": "api_url: '{}', api_key: abcdef, routing_key: r",
    "webex": "api_url: '{}', room_id: r, http_config: {{authorization: {{credentials: abcdef}}}}",
    "rocketchat": "api_url: '{}', token: abcdef, token_id: abcdef",
    "incidentio": "url: '{}', alert_source_token: abcdef",
    "sns": "api_url: '{}', phone_number: '1', sigv4: {{region: r, access_key: abcdef, secret_key: abcdef}}",
}


def agreeable(sent: Sent) -> Reply:
    if "search" in sent.path:
        return Reply(200, b'{"issues": []}', "application/json")
    return Reply(200, b'{"ok": true, "success": true}', "application/json")


@pytest.mark.parametrize("form", [Form.DIGEST, Form.SUMMARY])
@pytest.mark.parametrize("kind", sorted(OPTIONS))
async def test_every_kind_tells_digests_and_summaries(kind: str, form: Form) -> None:
    notify = digest(item("Alpha"), kind=kind) if form is Form.DIGEST else summary(told("Alpha"), kind=kind)
    async with serve_receiver() as server, delivering(config_of(kind, OPTIONS[kind].format(server.url))) as it:
        server.answer(agreeable)
        assert await it.deliver(notify) == [""]

    assert kind == "statuspage" or any(b"Alpha" in sent.body for sent in server.sent)


async def test_slack_lists_what_a_digest_is_about() -> None:
    async with serve_receiver() as server, delivering(config_of("slack", f"api_url: '{server.url}'")) as it:
        server.answer(Reply(200, b"ok"))
        await it.deliver(digest(item("Alpha", fired=2), item("Beta", firing=False), kind="slack"))

    assert server.sent[0].json["attachments"][0]["text"] == (
        "FIRING *Alpha*: s; fired 2 times, resolved 0 times, last change 2027-01-15 11:59 UTC\n"
        "RESOLVED *Beta*: s; fired 1 times, resolved 0 times, last change 2027-01-15 11:59 UTC\n"
    )


async def test_a_mail_tells_a_digest() -> None:
    async with serve_mail() as mail:
        options = f"to: a@example.org, from: v@example.org, smarthost: '{mail.address}', require_tls: false"
        async with delivering(config_of("email", options)) as it:
            assert await it.deliver(digest(item("Alpha", fired=2), kind="email")) == [""]

    assert mail.messages[0].parsed["Subject"].startswith("[FIRING:1] Digest since 2027-01-15 11:00 UTC: 2 fired")


@pytest.mark.parametrize(
    ("reason", "told_as"),
    [
        (Reason.FIRST, "first notification"),
        (Reason.NEW_ALERTS, "new alerts added"),
        (Reason.NEW_RESOLVED, "some alerts resolved"),
        (Reason.ALL_RESOLVED, "all alerts resolved"),
        (Reason.REPEAT, "repeat interval elapsed"),
    ],
)
def test_the_reason_is_told_in_alertmanagers_words(reason: Reason, told_as: str) -> None:
    assert message(told(), reason=reason).text("{{ .NotificationReason }}") == told_as


def test_every_kind_that_is_delivered_has_a_sender() -> None:
    assert SENDERS.keys() == {kind.kind for kind in KINDS if kind.delivered}


def test_bytes_that_are_no_text_do_not_reach_receivers() -> None:
    found = message(told(broken="a\udcffb"))

    assert found.text("{{ .CommonLabels.broken }}") == "a\ufffdb"


def test_a_template_that_runs_away_is_ended() -> None:
    endless = '{{ define "a" }}{{ template "a" . }}{{ template "a" . }}{{ end }}{{ template "a" . }}'

    with pytest.raises(DeliveryError, match="a template fails"):
        message().text(endless)
