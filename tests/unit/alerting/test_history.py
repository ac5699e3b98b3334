from __future__ import annotations

import json

from simulation import HOUR, INHIBITING, MINUTE, NOON_MS, World, silence

from vedette.alerting import Verdict, read_record, record_fields, sentence, standing, why_sent
from vedette.model.alerts import fingerprint
from vedette.model.labels import label_set

DOWN = fingerprint(label_set({"alertname": "Down"}))


def _verdicts(world: World, at_ms: int, receiver: str = "") -> list[Verdict]:
    return [one.verdict for one in standing(world.records, DOWN, at_ms, receiver=receiver)]


def test_why_was_nobody_told_is_answered_for_any_time() -> None:
    world = World.of()
    world.pipeline.put_silence(silence("Down", starts_ms=NOON_MS, ends_ms=NOON_MS + HOUR), NOON_MS)
    world.pass_time(MINUTE)
    world.fire()
    world.pass_time(2 * HOUR)

    assert _verdicts(world, NOON_MS) == []
    assert _verdicts(world, NOON_MS + MINUTE) == [Verdict.FIRED, Verdict.WAITING]
    assert _verdicts(world, NOON_MS + 30 * MINUTE) == [Verdict.FIRED, Verdict.SILENCED]
    assert _verdicts(world, NOON_MS + 2 * HOUR) == [Verdict.FIRED, Verdict.NOT_DUE]
    assert _verdicts(world, NOON_MS + 2 * HOUR, "others") == [Verdict.FIRED]


def test_a_decision_for_all_replaces_those_for_each_and_the_other_way_round() -> None:
    world = World.of()
    world.fire()
    world.pass_time(10 * MINUTE)
    world.pipeline.put_silence(silence("Down", starts_ms=world.now_ms, ends_ms=world.now_ms + HOUR), world.now_ms)
    world.pass_time(10 * MINUTE)
    silenced_ms = world.now_ms
    world.pass_time(2 * HOUR)

    assert _verdicts(world, silenced_ms) == [Verdict.FIRED, Verdict.SILENCED]
    assert _verdicts(world, world.now_ms) == [Verdict.FIRED, Verdict.NOT_DUE]


def test_why_was_this_sent_names_the_beginning_the_wait_and_the_reason() -> None:
    world = World.of()
    world.fire()
    world.pass_time(HOUR)

    chain = why_sent(world.records, world.sent[0].id)

    assert [one.verdict for one in chain] == [Verdict.FIRED, Verdict.WAITING, Verdict.SENDING, Verdict.SENT]
    assert sentence(chain[2]) == "2027-01-15 12:00:30Z sending for team/webhook[0] (first notification)"


def test_an_inhibition_names_the_rule_and_the_source() -> None:
    world = World.of(INHIBITING)
    world.fire("Slow", severity="warning", service="web")
    world.fire("Down", severity="critical", service="web")
    world.pass_time(HOUR)

    (record,) = [one for one in world.records if one.verdict is Verdict.INHIBITED]

    source = fingerprint(label_set({"alertname": "Down", "severity": "critical", "service": "web"}))
    assert sentence(record) == f"2027-01-15 12:00:30Z inhibited by {source} for team (worse)"


def test_records_come_back_from_plain_data() -> None:
    world = World.of(INHIBITING)
    world.fire("Slow", severity="warning", service="web")
    world.fire("Down", severity="critical", service="web")
    world.pass_time(HOUR)

    assert [read_record(json.loads(json.dumps(record_fields(one)))) for one in world.records] == world.records
