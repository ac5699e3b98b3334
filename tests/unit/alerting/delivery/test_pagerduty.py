from __future__ import annotations

import pytest

from harness.delivering import config_of, delivering, message, notify, told
from harness.receivers import Reply, json_reply, serve_receiver
from vedette.alerting.delivery.pagerduty import PagerdutySender, event_v1, event_v2
from vedette.alerting.receivers.pagerduty import PagerdutySettings
from vedette.alerting.settings.file import AlertingConfig

KEY = "0123456789abcdef0123456789abcdef"


def v2(url: str, options: str = "") -> AlertingConfig:
    return config_of("pagerduty", f"routing_key: {KEY}, url: '{url}/v2/enqueue', {options}")


def settings_of(config: AlertingConfig) -> PagerdutySettings:
    settings = next(iter(config.receivers[0].entries())).settings
    assert isinstance(settings, PagerdutySettings)
    return settings


async def test_trigger_and_resolve_have_the_same_key() -> None:
    async with serve_receiver() as server, delivering(v2(server.url)) as it:
        await it.deliver(notify(kind="pagerduty", id=1))
        await it.deliver(notify(told(firing=False), kind="pagerduty", id=2))

    first, second = (sent.json for sent in server.sent)
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"]
    assert len(first["dedup_key"]) == 64


def test_an_event_has_links_images_and_details() -> None:
    options = (
        "severity: '{{ .CommonLabels.severity }}', class: c, component: p, group: g, source: s, "
        "links: [{href: 'http://example.org/{{ .Status }}', text: more}, {text: nowhere}], "
        "images: [{src: 'http://example.org/i.png', alt: a}, {alt: none}], details: {runbook: r, count: '{{ 1 }}'}"
    )

    event = event_v2(settings_of(v2("http://x", options)), message(told(severity="warning")), KEY)

    assert event["payload"]["severity"] == "warning"
    assert [event["payload"][name] for name in ("class", "component", "group", "source")] == ["c", "p", "g", "s"]
    assert event["links"] == [{"href": "http://example.org/firing", "text": "more"}]
    assert event["images"] == [{"src": "http://example.org/i.png", "alt": "a", "href": ""}]
    details = event["payload"]["custom_details"]
    assert (details["runbook"], details["count"], details["num_firing"]) == ("r", 1, 1)
    assert details["firing"][0]["labels"] == {"alertname": "Down", "severity": "warning"}
    assert details["resolved"] == []


def test_an_event_of_version_one_names_the_client_only_while_it_fires() -> None:
    settings = settings_of(config_of("pagerduty", f"service_key: {KEY}"))

    firing, resolved = event_v1(settings, message(), KEY), event_v1(settings, message(told(firing=False)), KEY)

    assert (firing["event_type"], firing["service_key"], firing["incident_key"]) == ("trigger", KEY, message().key)
    assert firing["client"] == "Alertmanager"
    assert resolved["event_type"] == "resolve"
    assert "client" not in resolved


async def test_details_that_are_too_large_are_left_out() -> None:
    async with serve_receiver() as server, delivering(v2(server.url)) as it:
        await it.deliver(notify(*(told(host=f"h{number}", long="x" * 1000) for number in range(600)), kind="pagerduty"))

    (sent,) = server.sent
    assert len(sent.body) < 512_000
    assert "error" in sent.json["payload"]["custom_details"]


async def test_what_pagerduty_says_is_wrong_is_told() -> None:
    async with serve_receiver() as server, delivering(v2(server.url)) as it:
        server.answer(json_reply({"status": "invalid", "message": "Event object", "errors": ["too long", "bad"]}, 400))

        errors = await it.deliver(notify(kind="pagerduty"))

    assert errors == ["unexpected status code 400: Event object: too long,bad"]


async def test_the_key_is_in_no_record() -> None:
    async with serve_receiver() as server, delivering(v2(server.url)) as it:
        await it.deliver(notify(kind="pagerduty"))

    assert server.sent[0].json["routing_key"] == KEY
    assert KEY not in it.tried()[0].body
    assert "<secret>" in it.tried()[0].body


async def test_a_key_that_becomes_empty_is_refused() -> None:
    config = config_of("pagerduty", "routing_key: '{{ .CommonLabels.nothing }}'")
    async with delivering(config) as it:
        assert await it.deliver(notify(kind="pagerduty")) == ["routing key cannot be empty"]


@pytest.mark.parametrize(("status", "times"), [(403, 2), (401, 1)])
async def test_version_one_limits_the_rate_by_403(status: int, times: int) -> None:
    config = config_of("pagerduty", f"service_key: {KEY}")
    async with serve_receiver() as server, delivering(config) as it:
        line = next(iter(it.outbox._couriers.values())).line
        assert line is not None
        tools = line.sender._tools  # type: ignore[attr-defined]
        line.sender = PagerdutySender(settings_of(config), tools, events_v1=f"{server.url}/v1")
        server.script(Reply(status))
        await it.deliver(notify(kind="pagerduty"))

    assert len(server.sent) == times
