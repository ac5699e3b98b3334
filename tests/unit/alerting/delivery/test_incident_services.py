"""Opsgenie, Statuspage, SNS and Apprise."""

from __future__ import annotations

import importlib
import json
import warnings
from typing import Any
from urllib.parse import unquote

import pytest

from harness.delivering import config_of, delivering, message, notify, told
from harness.receivers import Reply, Sent, json_reply, serve_receiver
from vedette.alerting.delivery.aws_key import find_identity
from vedette.alerting.delivery.faults import DeliveryError
from vedette.alerting.delivery.sigv4 import AwsKey, signed_headers
from vedette.alerting.delivery.sns import publish_fields
from vedette.alerting.receivers.sns import SnsSettings
from vedette.config.remote import SigV4
from vedette.config.secrets import Secret

KEY = message().key

# Opsgenie


async def test_opsgenie_creates_and_closes_by_the_same_alias() -> None:
    config = "api_url: '{}', api_key: thekey, tags: 'a,b,', priority: P1, details: {{more: '{{{{ .Status }}}}'}}"
    async with serve_receiver() as server, delivering(config_of("opsgenie", config.format(server.url))) as it:
        server.answer(Reply(202))
        await it.deliver(notify(told(team="web", long="x" * 200), kind="opsgenie", id=1))
        await it.deliver(notify(told(firing=False), kind="opsgenie", id=2))

    created, closed = server.sent
    assert created.headers["authorization"] == "GenieKey thekey"
    assert created.json["alias"] == KEY
    assert created.json["tags"] == ["a", "b"]
    assert created.json["priority"] == "P1"
    assert created.json["details"]["team"] == "web"
    assert created.json["details"]["more"] == "firing"
    assert len(created.json["message"]) == 130
    assert closed.path == f"/v2/alerts/{KEY}/close?identifierType=alias"
    assert closed.json == {"source": "http://vedette.example.org/#/alerts?receiver=team"}


async def test_opsgenie_updates_an_alert_where_that_is_wanted() -> None:
    config = "api_url: '{}', api_key: thekey, update_alerts: true, message: M, description: D"
    async with serve_receiver() as server, delivering(config_of("opsgenie", config.format(server.url))) as it:
        await it.deliver(notify(kind="opsgenie"))

    assert [(sent.method, sent.path) for sent in server.sent] == [
        ("POST", "/v2/alerts"),
        ("PUT", f"/v2/alerts/{KEY}/message?identifierType=alias"),
        ("PUT", f"/v2/alerts/{KEY}/description?identifierType=alias"),
    ]
    assert [server.sent[1].json, server.sent[2].json] == [{"message": "M"}, {"description": "D"}]


async def test_responders_of_opsgenie_may_depend_on_the_alerts() -> None:
    responders = (
        "[{name: '{{ .CommonLabels.teams }}', type: teams}, {username: '{{ .CommonLabels.who }}', type: user}, "
        "{name: '{{ .CommonLabels.nobody }}', type: '{{ .CommonLabels.nobody }}'}]"
    )
    async with (
        serve_receiver() as server,
        delivering(config_of("opsgenie", f"api_url: '{server.url}', api_key: k, responders: {responders}")) as it,
    ):
        await it.deliver(notify(told(teams="a,b", who="joe"), kind="opsgenie"))

    assert server.sent[0].json["responders"] == [
        {"name": "a", "type": "team"},
        {"name": "b", "type": "team"},
        {"username": "joe", "type": "user"},
    ]


# Statuspage


class Page:
    """A status page with at most one incident."""

    def __init__(self) -> None:
        self.incident: dict[str, Any] = {}
        self.did: list[str] = []

    def answer(self, sent: Sent) -> Reply:
        self.did.append(f"{sent.method} {sent.path}")
        if sent.path.endswith("/incidents/unresolved"):
            return json_reply([{"id": "other", "metadata": {}}, *([self.incident] if self.incident else [])])
        if sent.path.endswith("/incidents"):
            self.incident = {"id": "i1", **sent.json["incident"]}
        elif "/incidents/" in sent.path:
            self.incident |= sent.json["incident"]
        return json_reply({}, 200)


async def test_components_show_how_things_are() -> None:
    config = (
        "api_url: '{}', api_key: thekey, page_id: p1, component_ids: ['{{{{ .CommonLabels.component }}}}', 'c2,c3']"
    )
    async with serve_receiver() as server, delivering(config_of("statuspage", config.format(server.url))) as it:
        server.answer(json_reply({}))
        await it.deliver(notify(told(component="c1"), kind="statuspage", id=1))
        await it.deliver(notify(told(component="c1", firing=False), kind="statuspage", id=2))

    assert [(sent.method, sent.path) for sent in server.sent[:3]] == [
        ("PATCH", "/v1/pages/p1/components/c1"),
        ("PATCH", "/v1/pages/p1/components/c2"),
        ("PATCH", "/v1/pages/p1/components/c3"),
    ]
    assert server.sent[0].headers["authorization"] == "OAuth thekey"
    statuses = [sent.json["component"]["status"] for sent in server.sent]
    assert statuses == ["major_outage"] * 3 + ["operational"] * 3


async def test_an_incident_is_opened_updated_and_resolved() -> None:
    page = Page()
    config = "api_url: '{}', api_key: k, page_id: p1, incident: true, component_ids: [c1]"
    async with serve_receiver() as server, delivering(config_of("statuspage", config.format(server.url))) as it:
        server.answer(page.answer)
        await it.deliver(notify(kind="statuspage", id=1))
        opened = dict(page.incident)
        page.incident["status"] = "identified"
        await it.deliver(notify(kind="statuspage", id=2))
        kept = page.incident["status"]
        await it.deliver(notify(told(firing=False), kind="statuspage", id=3))

    assert opened["status"] == "investigating"
    assert opened["components"] == {"c1": "major_outage"}
    assert kept == "identified"  # what people have set stays
    assert page.incident["status"] == "resolved"
    assert page.incident["components"] == {"c1": "operational"}
    assert page.did.count("POST /v1/pages/p1/incidents") == 1


async def test_a_page_that_is_asked_too_often_is_asked_again() -> None:
    config = "api_url: '{}', api_key: k, page_id: p1, component_ids: [c1]"
    async with serve_receiver() as server, delivering(config_of("statuspage", config.format(server.url))) as it:
        server.script(Reply(420))
        server.answer(json_reply({}))
        assert await it.deliver(notify(kind="statuspage")) == [""]

    assert len(server.sent) == 2


# SNS


async def test_sns_gets_a_signed_form() -> None:
    aws = "sigv4: {region: eu-central-1, access_key: AKID, secret_key: thesecret}"
    config = (
        f"topic_arn: 'arn:aws:sns:eu-central-1:1:t.fifo', subject: S, attributes: {{a: '{{{{ .Status }}}}'}}, {aws}"
    )
    async with serve_receiver() as server, delivering(config_of("sns", f"api_url: '{server.url}', {config}")) as it:
        assert await it.deliver(notify(kind="sns")) == [""]

    (sent,) = server.sent
    form = sent.form
    assert (form["Action"], form["TopicArn"], form["Subject"]) == ("Publish", "arn:aws:sns:eu-central-1:1:t.fifo", "S")
    assert (form["MessageGroupId"], form["MessageDeduplicationId"]) == (KEY, KEY)
    assert form["MessageAttributes.entry.1.Value.StringValue"] == "firing"
    authorization = sent.headers["authorization"]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKID/20270115/eu-central-1/sns/aws4_request")
    assert sent.headers["x-amz-date"] == "20270115T120000Z"


def test_the_signature_is_that_of_the_documentation() -> None:
    # The example of a POST in AWS' test suite of version 4 (post-vanilla).
    key = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

    headers = signed_headers(
        "https://example.amazonaws.com/", b"", {}, key, region="us-east-1", service="service", now_ms=1_440_938_160_000
    )

    assert headers["Authorization"].endswith(
        "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )


async def test_what_sns_says_is_wrong_is_told() -> None:
    aws = "sigv4: {region: eu-central-1, access_key: AKID, secret_key: thesecret}"
    config = f"phone_number: '+1', {aws}"
    xml = b"<ErrorResponse><Error><Code>InvalidParameter</Code><Message>PhoneNumber</Message></Error></ErrorResponse>"
    async with serve_receiver() as server, delivering(config_of("sns", f"api_url: '{server.url}', {config}")) as it:
        server.answer(Reply(400, xml, "text/xml"))

        errors = await it.deliver(notify(kind="sns"))

    assert errors == ["unexpected status code 400: InvalidParameter: PhoneNumber"]


async def test_sns_limits_the_rate_by_400() -> None:
    config = "phone_number: '+1', sigv4: {region: eu-central-1, access_key: AKID, secret_key: thesecret}"
    xml = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    async with serve_receiver() as server, delivering(config_of("sns", f"api_url: '{server.url}', {config}")) as it:
        server.script(Reply(400, xml, "text/xml"))

        assert await it.deliver(notify(kind="sns")) == [""]


def test_a_text_message_is_cut_and_says_so() -> None:
    config = config_of("sns", "phone_number: '+1', message: '{{ .CommonLabels.l }}', sigv4: {region: r}")
    settings = next(iter(config.receivers[0].entries())).settings
    assert isinstance(settings, SnsSettings)

    fields = dict(publish_fields(settings, message(told(l="ä" * 2000))))

    assert len(fields["Message"].encode()) <= 1600
    assert fields["Message"].endswith("…")
    assert fields["MessageAttributes.entry.1.Name"] == "truncated"


def test_the_key_may_come_from_the_environment() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_REGION": "r", "HOME": "/nowhere"}

    identity = find_identity(SigV4(), environment)

    assert (identity.key.access_key, identity.key.secret_key, identity.region) == ("A", "S", "r")


def test_the_key_may_come_from_a_profile(tmp_path: Any) -> None:
    file = tmp_path / "credentials"
    file.write_text("[ops]\naws_access_key_id = A\naws_secret_access_key = S\nregion = r\n")

    identity = find_identity(SigV4(profile="ops"), {"AWS_SHARED_CREDENTIALS_FILE": str(file), "HOME": "/nowhere"})

    assert (identity.key.access_key, identity.region) == ("A", "r")


def test_without_a_key_it_says_where_one_may_be() -> None:
    with pytest.raises(DeliveryError, match=r"sigv4\.access_key"):
        find_identity(SigV4(region="r", secret_key=Secret("")), {"HOME": "/nowhere"})


# Apprise


@pytest.fixture(autouse=True, scope="module")
def _apprise() -> None:
    """Load the library before warnings are errors: it looks for a module that Python is about to drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("apprise").Apprise().add("json://localhost")


async def test_apprise_reaches_a_service_by_its_url() -> None:
    async with serve_receiver() as server:
        url = server.url.replace("http://", "json://")
        config = f"url: '{url}/hook', title: T, message: '<b>{{{{ .CommonLabels.alertname }}}}</b>', body_format: html"
        async with delivering(config_of("apprise", config)) as it:
            assert await it.deliver(notify(told("<x>"), kind="apprise")) == [""]

    body = json.loads(server.sent[0].body)
    assert (body["title"], body["message"], body["type"]) == ("T", "<b>&lt;x&gt;</b>", "failure")
    assert unquote(server.sent[0].path) == "/hook"


async def test_a_service_that_does_not_take_it_is_tried_again() -> None:
    async with serve_receiver() as server:
        server.script(Reply(500))
        config = f"url: '{server.url.replace('http://', 'json://')}/hook'"
        async with delivering(config_of("apprise", config)) as it:
            assert await it.deliver(notify(kind="apprise")) == [""]

    assert it.tried()[0].error.startswith("the service did not take it")


async def test_a_url_that_apprise_does_not_know_is_refused_and_not_shown() -> None:
    async with delivering(config_of("apprise", "url: 'nosuchthing://user:password@host'")) as it:
        errors = await it.deliver(notify(kind="apprise"))

    assert errors == ["url: Apprise does not know such a URL"]
    assert "password" not in str(it.tried())


# VictorOps, incident.io


async def test_victorops_opens_and_closes_by_the_same_id() -> None:
    config = "api_url: '{}', api_key: thekey, routing_key: 'a/b', message_type: nonsense, custom_fields: {{x: y}}"
    async with serve_receiver() as server, delivering(config_of("victorops", config.format(server.url))) as it:
        await it.deliver(notify(kind="victorops", id=1))
        await it.deliver(notify(told(firing=False), kind="victorops", id=2))

    first, second = server.sent
    assert first.path == "/thekey/a%2Fb"
    assert (first.json["message_type"], second.json["message_type"]) == ("CRITICAL", "RECOVERY")
    assert first.json["entity_id"] == second.json["entity_id"] == KEY
    assert first.json["x"] == "y"


async def test_incident_io_gets_the_alerts_in_version_one() -> None:
    config = "url: '{}/v2', alert_source_token: thetoken"
    async with serve_receiver() as server, delivering(config_of("incidentio", config.format(server.url))) as it:
        server.script(json_reply({"message": "bad", "errors": ["a", "b"]}, 500))
        await it.deliver(notify(kind="incidentio"))

    assert server.sent[0].headers["authorization"] == "Bearer thetoken"
    assert server.sent[0].json["version"] == "1"
    assert it.tried()[0].error == "unexpected status code 500: bad: a, b"


async def test_incident_io_gets_one_alert_of_too_many() -> None:
    config = "url: '{}/v2', alert_source_token: thetoken"
    async with serve_receiver() as server, delivering(config_of("incidentio", config.format(server.url))) as it:
        await it.deliver(notify(*(told(n=str(number), long="x" * 1000) for number in range(600)), kind="incidentio"))

    assert len(server.sent[0].json["alerts"]) == 1
    assert server.sent[0].json["truncatedAlerts"] == 599
