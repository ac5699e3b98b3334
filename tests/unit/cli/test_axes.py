from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.cli.axes import time_ticks, value_axis
from vedette.cli.units import COUNT, SECONDS, Unit

BERLIN = ZoneInfo("Europe/Berlin")


def local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, BERLIN)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("low", "high", "unit", "ticks"),
    [
        pytest.param(0.1, 1.93, COUNT, [0, 0.5, 1, 1.5, 2], id="from zero"),
        pytest.param(97, 99, COUNT, [97, 97.5, 98, 98.5, 99], id="far from zero it begins where the values do"),
        pytest.param(1, 1, COUNT, [0, 0.25, 0.5, 0.75, 1], id="a constant"),
        pytest.param(0, 0, COUNT, [0, 0.25, 0.5, 0.75, 1], id="nothing but zero"),
        pytest.param(-4, -1, COUNT, [-4, -3, -2, -1, 0], id="negative"),
        pytest.param(0, 900 * 2**20, Unit("bytes"), [0, 2**28, 2**29, 3 * 2**28, 2**30], id="bytes in powers of two"),
        pytest.param(0, 7000, SECONDS, [0, 1800, 3600, 5400, 7200], id="long times in hours and minutes"),
    ],
)
def test_ticks_are_round(low: float, high: float, unit: Unit, ticks: list[float]) -> None:
    assert list(value_axis(low, high, unit, 5).ticks) == pytest.approx(ticks)


@given(
    st.floats(-1e300, 1e300),
    st.floats(-1e300, 1e300),
    st.sampled_from([None, COUNT, SECONDS, Unit("bytes"), Unit("ratio")]),
    st.integers(2, 8),
)
def test_every_axis_holds_its_values_and_has_few_ticks(a: float, b: float, unit: Unit | None, most: int) -> None:
    low, high = min(a, b), max(a, b)

    axis = value_axis(low, high, unit, most)

    assert axis.low < axis.high
    # Less than any plot can show.
    unseen = (axis.high - axis.low) * 1e-6
    assert axis.low <= low + unseen
    assert axis.high >= high - unseen
    assert 2 <= len(axis.ticks) <= most + 2
    assert all(math.isfinite(tick) for tick in axis.ticks)
    assert all(axis.scale.show(tick) for tick in axis.ticks)


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        pytest.param("2026-05-01 12:03", "2026-05-01 13:03", ["12:15", "12:30", "12:45", "13:00"], id="an hour"),
        pytest.param("2026-05-01 12:00", "2026-05-01 12:01", ["12:00:00", "12:00:15", "12:00:30", "12:00:45",
                     "12:01:00"], id="a minute"),
        pytest.param("2026-05-01 13:00", "2026-05-02 13:00", ["18:00", "2 May", "06:00", "12:00"],
                     id="midnight is told by its day"),
        pytest.param("2026-03-27 10:00", "2026-03-31 10:00", ["28 Mar", "29 Mar", "30 Mar", "31 Mar"],
                     id="midnights when clocks change"),
        pytest.param("2026-01-10 00:00", "2026-04-20 00:00", ["Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"],
                     id="months"),
    ],
)  # fmt: skip
def test_times_are_round_in_the_local_zone(start: str, end: str, labels: list[str]) -> None:
    ticks = time_ticks(at(start), at(end), 5, local)

    assert [label for _, label in ticks] == labels


@given(st.floats(0, 4e9), st.floats(1, 1e9), st.integers(1, 20))
def test_ticks_of_time_lie_within_and_are_few(start_s: float, span_s: float, most: int) -> None:
    ticks = time_ticks(start_s, start_s + span_s, most, local)

    assert all(start_s <= moment <= start_s + span_s for moment, _ in ticks)
    assert len(ticks) <= most + 1 or span_s > most * 365 * 86_400
