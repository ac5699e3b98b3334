from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation import DIGEST, FLAPPING, HOUR, MINUTE, NOON_MS, SECOND, SIMPLE, World, alert, plan_of

from vedette.alerting import Pipeline, Recurrence, Row, Silence, Table
from vedette.alerting.intervals import TimeInterval
from vedette.alerting.matchers import label_matcher
from vedette.alerting.state import decode
from vedette.model.matchers import MatchOp


def _stored(rows: list[Row]) -> list[Row]:
    """Rows as they come back from a store that keeps JSON."""
    return [Row(Table(table), tuple(key), content) for table, key, content in json.loads(json.dumps(rows))]


def _restarted(world: World, text: str = SIMPLE, *, after_ms: int = 0) -> World:
    numbers = itertools.count(100)
    again = World(Pipeline(plan_of(text), new_id=lambda: f"silence-{next(numbers)}"), now_ms=world.now_ms + after_ms)
    again.take(again.pipeline.restore(_stored(world.pipeline.holdings.all_rows()), again.now_ms))
    return again


def test_after_a_restart_nothing_is_told_twice() -> None:
    world = World.of()
    world.fire()
    world.pass_time(MINUTE)

    again = _restarted(world)
    again.pass_time(HOUR)

    assert again.messages() == []


def test_an_end_that_was_due_is_told_after_a_restart() -> None:
    world = World.of()
    world.fire()
    world.pass_time(MINUTE)
    world.resolve()

    again = _restarted(world, after_ms=HOUR)
    again.pass_time(MINUTE)

    assert [one[1:] for one in again.messages()] == [("all alerts resolved", ["-Down"])]
    assert not again.pipeline.holdings.alerts


def test_a_message_that_was_decided_and_not_reported_is_made_again() -> None:
    world = World.of()
    world.deliver = lambda _: None
    world.fire()
    world.pass_time(MINUTE)

    again = _restarted(world)
    again.pass_time(5 * MINUTE)

    assert [one[1] for one in again.messages()] == ["first notification"]
    assert again.sent[0].id > world.sent[0].id


def test_an_alert_whose_end_passed_while_nobody_listened_is_given_time_to_be_reported_again() -> None:
    world = World.of()
    world.post(alert(ends_ms=NOON_MS + 10 * MINUTE))
    world.pass_time(MINUTE)

    again = _restarted(world, after_ms=HOUR)
    again.pass_time(4 * MINUTE)
    assert again.messages() == []
    again.pass_time(10 * MINUTE)

    assert [one[1] for one in again.messages()] == ["all alerts resolved"]


def test_a_group_that_was_waiting_for_company_goes_on_waiting() -> None:
    world = World.of()
    world.fire()
    world.pass_time(10 * SECOND)

    again = _restarted(world)
    again.pass_time(HOUR)

    assert again.messages() == [(30, "first notification", ["Down"])]


def test_silences_hold_after_a_restart() -> None:
    world = World.of()
    matcher = label_matcher("alertname", MatchOp.REGEX, "D.*")
    recurrence = Recurrence(
        (TimeInterval(weekdays=((5, 5),), location="UTC"),), "0 2 * * 0", 7_200_000, "Europe/Berlin"
    )
    silence = Silence((matcher,), NOON_MS, NOON_MS + HOUR, "ann", "why", ticket_url="http://t/1", recurrence=recurrence)
    world.pipeline.put_silence(silence, NOON_MS)

    again = _restarted(world)
    again.fire()
    again.pass_time(30 * MINUTE)

    assert again.messages() == []
    assert again.pipeline.holdings.silences.get("silence-1") == world.pipeline.holdings.silences.get("silence-1")


def test_what_was_collected_for_a_digest_is_sent_after_a_restart() -> None:
    world = World.of(DIGEST)
    world.fire("A")
    world.pass_time(10 * MINUTE)

    again = _restarted(world, DIGEST)
    again.pass_time(2 * HOUR)

    assert again.messages() == [(3600, "digest", ["A"])]


def test_what_was_collected_for_a_digest_that_is_gone_is_told_at_once() -> None:
    world = World.of(DIGEST)
    world.fire("A")
    world.pass_time(10 * MINUTE)

    again = _restarted(world, DIGEST.replace(", digest: hourly", ""))
    again.pass_time(10 * MINUTE)

    assert [one[1:] for one in again.messages()] == [("first notification", ["A"])]


def test_a_flapping_alert_is_flapping_after_a_restart() -> None:
    world = World.of(FLAPPING)
    for _ in range(3):
        world.fire()
        world.pass_time(MINUTE)
        world.resolve()
        world.pass_time(MINUTE)
    world.fire()

    again = _restarted(world, FLAPPING)

    (held,) = again.pipeline.holdings.alerts.values()
    assert again.pipeline.is_flapping(held, again.now_ms)


@given(st.lists(st.tuples(st.sampled_from(["fire", "resolve", "fail", "wait"]), st.integers(0, 3)), max_size=25))
def test_the_changed_rows_add_up_to_all_rows(steps: list[tuple[str, int]]) -> None:
    world = World.of(
        DIGEST.replace(
            "[{url: 'http://example.org/', digest: hourly}]",
            """
    [{url: 'http://example.org/', digest: hourly}, {url: 'http://example.org/'}]""",
        )
    )
    store: dict[str, Row] = {}
    for action, number in steps:
        match action:
            case "fire":
                world.fire(f"A{number}")
            case "resolve":
                world.resolve(f"A{number}")
            case "fail":
                world.deliver = lambda _, number=number: "503" if number % 2 else ""
            case _:
                world.pass_time(number * 7 * MINUTE)
        for row in world.pipeline.holdings.changed_rows():
            key = json.dumps(row[:2])
            if row.content is None:
                store.pop(key, None)
            else:
                store[key] = row

    wanted = {json.dumps(row[:2]): row for row in world.pipeline.holdings.all_rows()}
    assert store == wanted


@pytest.mark.parametrize(
    "row", [Row(Table.ALERT, ("x",), {}), Row(Table.LOG, ("x",), {"at_ms": 1}), Row(Table.GROUP, (), {})]
)
def test_a_row_that_is_not_what_was_stored_is_refused(row: Row) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        decode(row)
