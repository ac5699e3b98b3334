from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from vedette.collect.canary import Canary
from vedette.collect.http_client import FetchError
from vedette.model.clock import Clock


class World:
    """What a canary flies through."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int]] = []
        self.found: float | None = None
        self.arrives = True
        self.failure: Exception | None = None
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None
        self.registry = CollectorRegistry()
        self.now_s = 1_000.0
        self.canary = Canary(
            self.send,
            self.ask,
            interval_s=60,
            timeout_s=0.2,
            clock=Clock(now_ms=lambda: int(self.now_s * 1000), monotonic_s=lambda: self.now_s, sleep=self.sleep),
            registry=self.registry,
        )

    async def send(self, value: float, time_ms: int) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((value, time_ms))
        self.now_s += 0.25
        if self.arrives:
            self.found = value

    async def ask(self) -> float | None:
        return self.found

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.on_sleep()
        await asyncio.sleep(0)

    def value(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)


async def test_a_canary_that_comes_back_is_healthy_and_says_how_long_it_took() -> None:
    world = World()

    await world.canary.round()

    assert world.sent == [(1000.0, 1_000_000)]
    assert world.canary.healthy is True
    assert world.value("vedette_canary_healthy") == 1
    assert world.value("vedette_canary_sent_total") == 1
    assert world.value("vedette_canary_lost_total") == 0
    assert world.value("vedette_canary_round_trip_seconds") == 0.25


async def test_a_canary_is_not_mistaken_for_an_earlier_one(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    await world.canary.round()

    world.arrives = False
    world.now_s += 60
    await world.canary.round()

    assert world.canary.healthy is False
    assert "not found by a query within 0.2 s" in world.canary.problem
    assert world.value("vedette_canary_healthy") == 0
    assert world.value("vedette_canary_lost_total") == 1
    assert "canary lost" in capsys.readouterr().out


async def test_a_canary_that_is_late_but_in_time_is_waited_for() -> None:
    world = World()
    world.arrives = False

    def arrive() -> None:
        world.found = 1000.0

    world.on_sleep = arrive
    await world.canary.round()

    assert world.canary.healthy is True
    assert world.sleeps == [pytest.approx(0.02)]


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        pytest.param(FetchError("refused"), "refused", id="a push that is refused"),
        pytest.param(RuntimeError("a bug"), "RuntimeError: a bug", id="a bug"),
    ],
)
async def test_a_canary_that_cannot_be_sent_is_lost_and_a_later_one_heals_it(
    failure: Exception, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.failure = failure
    await world.canary.round()
    assert (world.canary.healthy, world.canary.problem) == (False, problem)

    world.failure = None
    await world.canary.round()

    assert (world.canary.healthy, world.canary.problem) == (True, "")
    assert "canary is back" in capsys.readouterr().out


async def test_canaries_go_on_at_their_interval_whatever_becomes_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.failure = FetchError("refused")

    def stop_after_three() -> None:
        if len(world.sleeps) == 3:
            raise asyncio.CancelledError

    world.on_sleep = stop_after_three
    with pytest.raises(asyncio.CancelledError):
        await world.canary.run()

    assert world.sleeps == [60, 60, 60]
    assert world.value("vedette_canary_lost_total") == 3
    assert capsys.readouterr().out.count("canary lost") == 3
