from __future__ import annotations

import asyncio
import dataclasses

import pytest

from harness.delivering import LIBRARY, config_of, delivering, notify
from harness.receivers import Reply, serve_receiver
from vedette.alerting.delivery import DeliverySettings, UnknownReceiverError
from vedette.config.http_client import HttpClient
from vedette.model.durations import Duration


async def test_a_test_tells_an_alert_and_its_end() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}'")) as it:
        attempts = await it.outbox.send_test("team")

    assert [sent.json["status"] for sent in server.sent] == ["firing", "resolved"]
    assert [(one.ok, one.message, one.reason) for one in attempts] == [(True, 0, "test"), (True, 0, "test")]
    assert list(it.tried()) == attempts
    assert it.reported == []


async def test_a_test_is_not_tried_again() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", f"url: '{server.url}'")) as it:
        server.answer(Reply(500))

        attempts = await it.outbox.send_test("team")

    assert [one.error for one in attempts] == ["unexpected status code 500"]
    assert len(server.sent) == 1


async def test_a_test_of_an_unknown_receiver_is_refused() -> None:
    async with delivering(config_of("webhook", "url: 'http://example.org'")) as it:
        with pytest.raises(UnknownReceiverError, match="nobody"):
            await it.outbox.send_test("nobody")


async def test_what_waits_is_sent_with_the_settings_of_a_reload() -> None:
    limits = DeliverySettings(at_once=1)
    async with (
        serve_receiver() as server,
        delivering(config_of("webhook", f"url: '{server.url}/old'"), limits=limits) as it,
    ):
        server.stall("/old")
        it.outbox.send(notify(id=1))
        it.outbox.send(notify(id=2))
        await server.wait_for(1)

        await it.outbox.reconfigure(config_of("webhook", f"url: '{server.url}/new'"), LIBRARY)
        server.released.set()
        await it.wait_for_reports(2)

    assert [sent.path for sent in server.sent] == ["/old", "/new"]
    assert it.reported == [(1, ""), (2, "")]


async def test_what_waits_for_an_integration_that_is_removed_is_given_back() -> None:
    limits = DeliverySettings(at_once=1)
    async with (
        serve_receiver() as server,
        delivering(config_of("webhook", f"url: '{server.url}/old'"), limits=limits) as it,
    ):
        server.stall("/old")
        it.outbox.send(notify(id=1))
        it.outbox.send(notify(id=2))
        await server.wait_for(1)

        await it.outbox.reconfigure(config_of("discord", f"webhook_url: '{server.url}'"), LIBRARY)
        server.released.set()
        await it.wait_for_reports(2)

    assert it.reported == [(1, ""), (2, "the integration is no longer in the configuration")]


async def test_a_reload_without_changes_keeps_what_a_receiver_asked_for() -> None:
    config = config_of("webhook", "url: 'http://example.org'")
    async with delivering(config) as it:
        before = [courier.line for courier in it.outbox._couriers.values()]
        await it.outbox.reconfigure(config, LIBRARY, external_url="http://vedette.example.org")

        assert [courier.line for courier in it.outbox._couriers.values()] == before


async def test_attempts_that_are_being_made_may_end_when_vedette_stops() -> None:
    async with (
        serve_receiver() as server,
        delivering(config_of("webhook", f"url: '{server.url}'")) as it,
    ):
        server.stall()
        it.outbox.send(notify())
        await server.wait_for(1)
        asyncio.get_running_loop().call_soon(server.released.set)

    assert it.reported == [(1, "")]


async def test_a_message_that_is_not_out_when_vedette_stops_is_not_reported() -> None:
    limits = DeliverySettings(drain_timeout=Duration(20))
    async with (
        serve_receiver() as server,
        delivering(config_of("webhook", f"url: '{server.url}'"), limits=limits) as it,
    ):
        server.stall()
        it.outbox.send(notify())
        await server.wait_for(1)

    assert it.reported == []


async def test_metrics_of_a_removed_integration_are_gone() -> None:
    async with delivering(config_of("webhook", "url: 'http://example.org'")) as it:
        assert it.value("alertmanager_notifications_total", integration="webhook") == 0
        await it.outbox.reconfigure(config_of("discord", "webhook_url: 'http://example.org'"), LIBRARY)

        assert it.value("alertmanager_notifications_total", integration="webhook") is None


async def test_http_options_that_cannot_be_used_change_nothing() -> None:
    config = config_of("webhook", "url: 'http://example.org'")
    (receiver,) = config.receivers
    (hook,) = receiver.webhook_configs  # type: ignore[attr-defined]
    broken = dataclasses.replace(hook, http_config=HttpClient(proxy_url="gopher://proxy"))
    # The loader refuses such options.
    bad = dataclasses.replace(config, receivers=(dataclasses.replace(receiver, webhook_configs=(broken,)),))
    async with delivering(config) as it:
        before = [courier.line for courier in it.outbox._couriers.values()]
        with pytest.raises(ValueError, match="proxy"):
            await it.outbox.reconfigure(bad, LIBRARY)

        assert [courier.line for courier in it.outbox._couriers.values()] == before
