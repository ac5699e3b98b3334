from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.delivering import EXTERNAL_URL, config_of, delivering, message, notify, told
from harness.receivers import Reply, json_reply, serve_receiver
from vedette.alerting.delivery.webhook import webhook_body
from vedette.alerting.receivers.webhook import WebhookSettings
from vedette.model.labels import label_set


async def test_a_webhook_gets_the_alerts_in_version_four() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}/hook'")) as it:
        errors = await it.deliver(notify(told(service="web", annotations={"summary": "a <b> & c"})))

    (sent,) = server.sent
    assert errors == [""]
    assert (sent.method, sent.path, sent.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert sent.json == {
        "receiver": "team",
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Down", "service": "web"},
                "annotations": {"summary": "a <b> & c"},
                "startsAt": "2027-01-15T11:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus.example.org/graph",
                "fingerprint": sent.json["alerts"][0]["fingerprint"],
            }
        ],
        "notification_reason": "first notification",
        "groupLabels": {"alertname": "Down"},
        "commonLabels": {"alertname": "Down", "service": "web"},
        "commonAnnotations": {"summary": "a <b> & c"},
        "routeLabels": {},
        "externalURL": EXTERNAL_URL,
        "version": "4",
        "groupKey": '{}:{alertname="Down"}',
        "truncatedAlerts": 0,
    }


async def test_an_alert_that_has_ended_is_told_with_its_end() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}'")) as it:
        await it.deliver(notify(told(firing=False)))

    (sent,) = server.sent
    assert sent.json["status"] == "resolved"
    assert sent.json["alerts"][0]["endsAt"] == "2027-01-15T11:59:00Z"


async def test_no_more_alerts_are_sent_than_wanted_and_the_rest_is_counted() -> None:
    config = "url: '{}', max_alerts: 2"
    async with serve_receiver() as server, delivering(config_of("webhook", config.format(server.url))) as it:
        await it.deliver(notify(*(told(host=f"h{number}") for number in range(5))))

    (sent,) = server.sent
    assert [one["labels"]["host"] for one in sent.json["alerts"]] == ["h0", "h1"]
    assert sent.json["truncatedAlerts"] == 3


async def test_a_payload_of_ones_own_replaces_the_usual_one() -> None:
    payload = (
        "payload: {name: '{{ .CommonLabels.alertname }}', count: '{{ len .Alerts }}', fixed: 7, all: ['{{ .Status }}']}"
    )
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}', {payload}")) as it:
        await it.deliver(notify())

    assert server.sent[0].json == {"name": "Down", "count": 1, "fixed": 7, "all": ["firing"]}


async def test_the_url_may_depend_on_the_alerts() -> None:
    url = "{}/{{{{ .CommonLabels.team }}}}"
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{url.format(server.url)}'")) as it:
        await it.deliver(notify(told(team="blue")))

    assert server.sent[0].path == "/blue"


async def test_a_url_that_becomes_none_is_refused_without_a_request() -> None:
    async with delivering(config_of("webhook", "url: '{{ .CommonLabels.nothing }}'")) as it:
        errors = await it.deliver(notify())

    assert errors == ["the URL that the configuration gives is not one of HTTP"]


async def test_the_url_is_in_no_error_and_no_record() -> None:
    config = config_of("webhook", "url: 'http://127.0.0.1:9/hooks/secret-part?key=abcd'")
    async with delivering(config) as it:
        errors = await it.deliver(notify())

    assert "secret-part" not in str(errors)
    assert "secret-part" not in str(it.tried())


@pytest.mark.parametrize(
    ("options", "header"),
    [
        pytest.param("basic_auth: {username: joe, password: letmein}", "Basic am9lOmxldG1laW4=", id="basic"),
        pytest.param("authorization: {credentials: thetoken}", "Bearer thetoken", id="bearer"),
    ],
)
async def test_credentials_of_the_http_options_are_sent(options: str, header: str) -> None:
    config = "url: '{}', http_config: {{{}}}"
    async with serve_receiver() as server, delivering(config_of("webhook", config.format(server.url, options))) as it:
        await it.deliver(notify())

    assert server.sent[0].headers["authorization"] == header


async def test_http_options_of_all_receivers_hold_where_a_receiver_has_none() -> None:
    shared = "global: {http_config: {authorization: {credentials: thetoken}}}"
    async with (
        serve_receiver() as server,
        delivering(config_of("webhook", f"url: '{server.url}'", more=shared)) as it,
    ):
        await it.deliver(notify())

    assert server.sent[0].headers["authorization"] == "Bearer thetoken"


async def test_a_token_is_asked_for_by_oauth_2() -> None:
    async with serve_receiver() as server:
        server.answer(json_reply({"access_token": "fresh", "token_type": "Bearer"}), "/token")
        oauth = f"oauth2: {{client_id: c, client_secret: s3cret, token_url: '{server.url}/token'}}"
        config = config_of("webhook", f"url: '{server.url}/hook', http_config: {{{oauth}}}")
        async with delivering(config) as it:
            assert await it.deliver(notify()) == [""]

    assert [sent.path for sent in server.sent] == ["/token", "/hook"]
    assert server.sent[1].headers["authorization"] == "Bearer fresh"


async def test_what_the_receiver_says_is_quoted() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}'")) as it:
        server.answer(Reply(400, b"no such\nroom"))

        errors = await it.deliver(notify())

    assert errors == ["unexpected status code 400: no such room"]


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
def test_whatever_an_alert_says_becomes_json(labels: dict[str, str]) -> None:
    settings = next(iter(config_of("webhook", "url: http://x").receivers[0].entries())).settings
    assert isinstance(settings, WebhookSettings)
    alert = told()
    alert = dataclasses.replace(alert, alert=dataclasses.replace(alert.alert, labels=label_set(labels)))

    body = json.loads(webhook_body(settings, message(alert)))

    cleaned = {name: value for name, value in labels.items() if value and (name + value).isprintable()}
    assert cleaned.items() <= body["alerts"][0]["labels"].items()
