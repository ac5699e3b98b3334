from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.rules.schedule import Round, next_round, offset_of


@pytest.mark.parametrize(
    ("now_ms", "at_ms"),
    [
        pytest.param(70_000, 130_000, id="in between"),
        pytest.param(129_999, 130_000, id="just before"),
        pytest.param(130_000, 190_000, id="just at it: the next"),
    ],
)
def test_the_first_round_is_at_the_next_place_in_the_interval(now_ms: int, at_ms: int) -> None:
    assert next_round(None, now_ms=now_ms, interval_ms=60_000, offset_ms=10_000) == Round(at_ms)


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        pytest.param(130_100, Round(190_000), id="quick"),
        pytest.param(189_999, Round(190_000), id="just in time"),
        pytest.param(200_000, Round(190_000), id="a little late: held late"),
        pytest.param(249_999, Round(190_000), id="late"),
        pytest.param(250_000, Round(250_000, missed=1), id="a whole round was missed"),
        pytest.param(440_000, Round(430_000, missed=4), id="several were"),
    ],
)
def test_rounds_that_took_too_long_are_counted_and_not_made_up_for(now_ms: int, expected: Round) -> None:
    assert next_round(130_000, now_ms=now_ms, interval_ms=60_000, offset_ms=10_000) == expected


def test_a_clock_that_was_set_back_starts_anew() -> None:
    found = next_round(10_000_000, now_ms=70_000, interval_ms=60_000, offset_ms=10_000)

    assert found == Round(130_000)


@given(st.integers(0, 10**13), st.integers(1, 10**7), st.integers(0, 10**7))
def test_a_round_is_always_at_the_groups_place(now_ms: int, interval_ms: int, passed_ms: int) -> None:
    offset_ms = offset_of("file;group", interval_ms)

    first = next_round(None, now_ms=now_ms, interval_ms=interval_ms, offset_ms=offset_ms)
    second = next_round(first.at_ms, now_ms=first.at_ms + passed_ms, interval_ms=interval_ms, offset_ms=offset_ms)

    assert now_ms < first.at_ms <= now_ms + interval_ms
    assert second.at_ms > first.at_ms
    assert second.at_ms == first.at_ms + (1 + second.missed) * interval_ms
    assert (first.at_ms - offset_ms) % interval_ms == (second.at_ms - offset_ms) % interval_ms == 0


def test_groups_are_spread_over_the_interval() -> None:
    offsets = {offset_of(f"rules.yml;group{i}", 60_000) // 6000 for i in range(200)}

    assert offsets == set(range(10))
