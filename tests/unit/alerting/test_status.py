from __future__ import annotations

from simulation import CALENDAR, HOUR, INHIBITING, MINUTE, NOON_MS, World, silence

from vedette.alerting import AlertState, AlertStatus, alert_status, sorted_groups


def _status(world: World, name: str = "Down") -> AlertStatus:
    (held,) = [one for one in world.pipeline.holdings.alerts.values() if one.alert.name == name]
    return alert_status(world.pipeline, held, world.now_ms)


def test_an_alert_is_unprocessed_until_its_group_was_looked_at() -> None:
    world = World.of()
    world.fire()
    before = _status(world)

    world.pass_time(MINUTE)

    assert before.state is AlertState.UNPROCESSED
    assert _status(world) == AlertStatus(AlertState.ACTIVE, (), (), (), ("team",), flapping=False)


def test_a_silenced_alert_is_suppressed_and_names_thesilence() -> None:
    world = World.of()
    world.fire()
    world.pass_time(MINUTE)

    world.pipeline.put_silence(silence("Down", starts_ms=NOON_MS, ends_ms=NOON_MS + HOUR), world.now_ms)

    assert (_status(world).state, _status(world).silenced_by) == (AlertState.SUPPRESSED, ("silence-1",))


def test_an_inhibited_alert_is_suppressed_and_names_the_source() -> None:
    world = World.of(INHIBITING)
    world.fire("Slow", severity="warning", service="web")
    world.fire("Down", severity="critical", service="web")

    status = _status(world, "Slow")

    assert status.state is AlertState.SUPPRESSED
    assert status.inhibited_by == tuple(
        one.fingerprint for one in world.pipeline.holdings.alerts.values() if one.alert.name == "Down"
    )


def test_a_muted_alert_is_suppressed_and_names_the_interval() -> None:
    world = World.of(CALENDAR)
    world.fire(team="night")
    world.pass_time(MINUTE)

    assert (_status(world).state, _status(world).muted_by) == (AlertState.SUPPRESSED, ("lunch",))


def test_groups_are_sorted_by_their_labels() -> None:
    world = World.of()
    for name in "cab":
        world.fire(name)

    assert [one.key for one in sorted_groups(world.pipeline)] == [f'{{}}:{{alertname="{name}"}}' for name in "abc"]
