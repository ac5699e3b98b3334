from __future__ import annotations

import asyncio

import pytest

from vedette.collect.remote_write.delivery import Backoff, Fate, judge
from vedette.model.clock import Clock

NOON_S = 1_795_262_400.0


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        pytest.param(200, Fate.SENT, id="200"),
        pytest.param(204, Fate.SENT, id="204"),
        pytest.param(400, Fate.REFUSED, id="400: some of it is refused for good"),
        pytest.param(404, Fate.REFUSED, id="404"),
        pytest.param(308, Fate.REFUSED, id="a redirection"),
        pytest.param(413, Fate.REFUSED, id="413"),
        pytest.param(415, Fate.REFUSED, id="415"),
        pytest.param(429, Fate.TRY_AGAIN, id="429"),
        pytest.param(500, Fate.TRY_AGAIN, id="500"),
        pytest.param(503, Fate.TRY_AGAIN, id="503"),
    ],
)
def test_a_status_says_what_becomes_of_a_request(status: int, fate: Fate) -> None:
    assert judge(status, {}, "", NOON_S).fate is fate


def test_a_refusal_quotes_the_store() -> None:
    assert judge(400, {}, "out of order sample", NOON_S).problem == "the store answered 400: out of order sample"


@pytest.mark.parametrize(("header", "written"), [("17", 17), ("", None), ("many", None)])
def test_the_store_may_say_how_much_it_has_written(header: str, written: int | None) -> None:
    outcome = judge(204, {"X-Prometheus-Remote-Write-Samples-Written": header}, "", NOON_S)

    assert outcome.written == written


class HandClock:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []
        self.clock = Clock(monotonic_s=lambda: self.now_s, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


async def test_pauses_double_up_to_the_longest() -> None:
    hand = HandClock()
    backoff = Backoff(1.0, 5.0, hand.clock, chance=lambda: 1.0)

    for _ in range(5):
        async with backoff.turn():
            backoff.failed()

    assert hand.slept == [1.0, 2.0, 4.0, 5.0]


async def test_a_pause_is_no_shorter_than_the_store_asks() -> None:
    hand = HandClock()
    backoff = Backoff(1.0, 5.0, hand.clock, chance=lambda: 0.0)
    backoff.failed(60.0)

    async with backoff.turn():
        pass

    assert hand.slept == [60.0]


async def test_requests_that_fail_together_are_one_failure() -> None:
    hand = HandClock()
    backoff = Backoff(1.0, 100.0, hand.clock)

    for _ in range(50):
        backoff.failed()

    assert backoff.failures == 1


async def test_one_request_at_a_time_asks_a_failing_store_and_the_others_follow_its_success() -> None:
    hand = HandClock()
    backoff = Backoff(1.0, 5.0, hand.clock, chance=lambda: 1.0)
    backoff.failed()
    trying, most = 0, 0

    async def attempt() -> None:
        nonlocal trying, most
        async with backoff.turn():
            trying += 1
            most = max(most, trying)
            await asyncio.sleep(0)
            backoff.succeeded()
            trying -= 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(attempt())

    assert (most, hand.slept) == (1, [1.0])
