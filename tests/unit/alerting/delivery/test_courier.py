from __future__ import annotations

import dataclasses

import pytest
import structlog

from harness.delivering import MINUTE, NOON_MS, SleepingClock, config_of, delivering, notify, told
from harness.receivers import ReceiverServer, Reply, Sent, serve_receiver
from vedette.alerting import Address, parse_alerting
from vedette.alerting.delivery import DeliverySettings
from vedette.model.durations import Duration, Size


def hook(server: ReceiverServer, options: str = "") -> str:
    return f"url: '{server.url}/hook'{options}"


async def test_a_message_is_tried_until_it_arrives_with_pauses_that_grow() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.script(Reply(503), Reply(500), Reply(502))

        errors = await it.deliver(notify())

    assert errors == [""]
    assert it.time.slept == [0.5, 0.75, 1.125]
    assert [(one.number, one.status, one.ok) for one in it.tried()] == [
        (1, 503, False),
        (2, 500, False),
        (3, 502, False),
        (4, 200, True),
    ]


@pytest.mark.parametrize("status", [408, 429, 500, 503, 599])
async def test_a_status_that_may_pass_is_tried_again(status: int) -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.script(Reply(status))

        assert await it.deliver(notify()) == [""]

    assert len(server.sent) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 413])
async def test_a_status_that_stays_is_not_tried_again(status: int) -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.answer(Reply(status, headers={"Location": "/elsewhere"}))

        errors = await it.deliver(notify())

    assert errors == [f"unexpected status code {status}"]
    assert len(server.sent) == 1
    assert it.tried()[0].permanent


async def test_no_attempt_is_made_after_the_time_at_which_the_group_is_looked_at_again() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.answer(Reply(500, b"down"))

        errors = await it.deliver(notify(lasts_ms=10_000))

    assert errors == [f"unexpected status code 500: down (gave up after {len(server.sent)} attempts)"]
    assert it.time.now_ms < NOON_MS + 10_000
    assert len(server.sent) == 6


async def test_a_receiver_is_left_alone_for_as_long_as_it_asks() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.script(Reply(429, headers={"Retry-After": "90"}))

        await it.deliver(notify())
        waited_ms = it.time.now_ms - NOON_MS

    assert waited_ms == 90_000
    assert len(server.sent) == 2


async def test_what_a_receiver_asks_for_holds_for_all_messages_to_it() -> None:
    limits = DeliverySettings(at_once=1)
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server)), limits=limits) as it:
        server.script(Reply(503, headers={"Retry-After": "60"}))

        await it.deliver(notify(id=1), notify(id=2))

    begun = sorted((one.message, (one.at_ms - NOON_MS) // 1000) for one in it.tried())
    assert begun == [(1, 0), (1, 60), (2, 60)]


async def test_a_message_that_would_come_too_late_is_given_back_at_once() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.script(Reply(429, headers={"Retry-After": "3600"}))

        (first,) = await it.deliver(notify(id=1))
        (second,) = await it.deliver(notify(id=2))

    assert first == "unexpected status code 429"
    assert second == "the receiver has asked not to be called for longer"
    assert len(server.sent) == 1
    assert it.time.now_ms == NOON_MS


async def test_a_receiver_that_stalls_delays_no_other() -> None:
    text = (
        "route: {{receiver: team}}\nreceivers:\n- name: team\n  webhook_configs:\n"
        "  - {{url: '{0}/stalls'}}\n  - {{url: '{0}/works'}}\n"
    )
    async with serve_receiver() as server:
        server.stall("/stalls")
        async with delivering(parse_alerting(text.format(server.url), file="alerting.yml")) as it:
            it.outbox.send(notify(id=1, number=0))
            await server.wait_for(1)
            first = await it.deliver(notify(id=2, number=1))
            server.released.set()
            await it.wait_for_reports(2)

    assert first == [""]
    assert it.reported == [(2, ""), (1, "")]


async def test_a_time_out_of_an_attempt_is_tried_again() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server, ", timeout: 50ms"))) as it:
        server.stall("/hook")
        it.outbox.send(notify())
        await server.wait_for(1)
        server.answer(Reply(), "/hook")
        await it.wait_for_reports(1)

    assert it.reported == [(1, "")]
    assert it.tried()[0].error == "no answer within 0.05 s"


async def test_nobody_there_is_tried_again() -> None:
    async with delivering(config_of("webhook", "url: 'http://127.0.0.1:9/'")) as it:
        (error,) = await it.deliver(notify(lasts_ms=2_000))

    assert error.startswith("cannot connect to 127.0.0.1:9: ")
    assert error.endswith("(gave up after 3 attempts)")
    assert it.tried()[0].status is None


async def test_a_connection_that_breaks_after_a_good_status_does_not_lead_to_a_second_message() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.answer(Reply(200, b"thank you very much", cut_after=5))

        assert await it.deliver(notify()) == [""]

    assert len(server.sent) == 1


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    limits = DeliverySettings(answer_size=Size(1000))
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server)), limits=limits) as it:
        server.answer(Reply(404, b"x" * 5_000_000))

        (error,) = await it.deliver(notify())

    assert len(error) < 600


async def test_more_messages_than_may_wait_are_given_back() -> None:
    limits = DeliverySettings(waiting=2, at_once=1)
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server)), limits=limits) as it:
        server.stall("/hook")
        for number in range(1, 4):
            it.outbox.send(notify(id=number))
        assert it.reported == []  # never from within `send`
        await it.wait_for_reports(1)
        server.released.set()
        await it.wait_for_reports(3)

    assert it.reported[0] == (3, "2 messages are waiting already (`waiting`)")
    assert sorted(it.reported[1:]) == [(1, ""), (2, "")]


async def test_no_more_messages_are_sent_at_once_than_allowed() -> None:
    limits = DeliverySettings(at_once=2)
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server)), limits=limits) as it:
        server.stall("/hook")
        for number in range(1, 6):
            it.outbox.send(notify(id=number))
        await server.wait_for(2)
        at_first = len(server.sent)
        server.released.set()
        await it.wait_for_reports(5)

    assert at_first == 2
    assert len(server.sent) == 5


async def test_a_message_whose_time_is_over_is_not_sent() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        errors = await it.deliver(notify(lasts_ms=0))

    assert errors == ["its time was over before it was its turn: too many messages wait"]
    assert server.sent == []


async def test_a_template_that_fails_is_reported_and_not_tried_again() -> None:
    config = config_of("webhook", "url: 'http://example.org/{{ template \"missing\" . }}'")
    async with delivering(config) as it:
        (error,) = await it.deliver(notify())

    assert error.startswith("a template fails: ")
    assert len(it.tried()) == 1


async def test_a_message_to_an_integration_that_is_not_there_is_given_back() -> None:
    async with delivering(config_of("webhook", "url: 'http://example.org'")) as it:
        errors = await it.deliver(notify(number=7))

    assert errors == ["there is no integration team/webhook[7]"]


async def test_a_bug_in_a_sender_ends_neither_the_others_nor_the_message() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        courier = it.outbox._couriers[Address("team", "webhook", 0)]
        assert courier.line is not None
        compose, calls = courier.line.sender.compose, []

        def broken(message: object) -> object:
            calls.append(message)
            if len(calls) == 1:
                raise ZeroDivisionError
            return compose(message)  # type: ignore[arg-type]

        courier.line.sender.compose = broken  # type: ignore[method-assign,assignment]

        with structlog.testing.capture_logs() as logged:
            assert await it.deliver(notify()) == [""]

    assert "notification failed" in [entry["event"] for entry in logged]
    assert it.tried()[0].error == "an error in Vedette itself; its log has the details"


async def test_attempts_say_what_was_sent() -> None:
    limits = DeliverySettings(kept_body_size=Size(12))
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server)), limits=limits) as it:
        await it.deliver(notify(id=77))

    (attempt,) = it.tried()
    assert (attempt.message, attempt.reason, attempt.at_ms) == (77, "first notification", NOON_MS)
    assert attempt.body == server.sent[0].body[:12].decode()
    assert attempt.body_bytes == len(server.sent[0].body)


async def test_deliveries_are_counted_under_alertmanagers_names() -> None:
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server))) as it:
        server.script(Reply(500), Reply(200), Reply(404))
        await it.deliver(notify(id=1))
        await it.deliver(notify(id=2))

        assert it.value("alertmanager_notifications_total", integration="webhook") == 2
        assert it.value("alertmanager_notification_requests_total", integration="webhook") == 3
        assert it.value("alertmanager_notification_requests_failed_total", integration="webhook") == 2
        failed = "alertmanager_notifications_failed_total"
        assert it.value(failed, integration="webhook", reason="clientError") == 1
        assert it.value(failed, integration="webhook", reason="serverError") == 0
        assert it.value("alertmanager_notification_latency_seconds_count", integration="webhook") == 3
        assert it.value("vedette_notifications_waiting", integration="webhook") == 0


async def test_a_clock_that_is_set_forward_does_not_end_a_message() -> None:
    time = SleepingClock()
    ahead_ms = 0
    clock = dataclasses.replace(time.clock(), now_ms=lambda: NOON_MS + ahead_ms)
    async with serve_receiver() as server, delivering(config_of("webhook", hook(server)), clock=clock) as it:

        def set_clock(_sent: Sent) -> Reply:
            nonlocal ahead_ms
            ahead_ms = 24 * 60 * MINUTE
            return Reply(500 if len(server.sent) == 1 else 200)

        server.answer(set_clock)

        assert await it.deliver(notify()) == [""]


def test_the_longest_pause_is_not_shorter_than_the_first() -> None:
    problems = list(DeliverySettings(max_backoff=Duration(100)).problems())

    assert [one.text for one in problems] == ["max_backoff is shorter than min_backoff"]


async def test_what_is_sent_has_its_secrets_taken_out_of_the_record() -> None:
    config = config_of(
        "webhook",
        "url: 'http://127.0.0.1:9/', payload: {key: '{{ .CommonLabels.key }}'}, "
        "http_config: {authorization: {credentials: 'topsecret'}}",
    )
    async with delivering(config) as it:
        await it.deliver(notify(told(key="topsecret"), lasts_ms=1000))

    assert it.tried()[0].body == '{"key":"<secret>"}'
