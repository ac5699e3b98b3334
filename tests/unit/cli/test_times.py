from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from vedette.cli.failures import CommandError
from vedette.cli.times import choose_step, parse_moment, parse_step, show_ago


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("now", "2026-05-01T12:00:00Z", id="now"),
        pytest.param("-1h30m", "2026-05-01T10:30:00Z", id="before now"),
        pytest.param("now-1d", "2026-04-30T12:00:00Z", id="as Grafana writes it"),
        pytest.param("13:59", "2026-05-01T11:59:00Z", id="a clock time that has been today, local"),
        pytest.param("14:30", "2026-04-30T12:30:00Z", id="a clock time that has not been yet was yesterday's"),
        pytest.param("2026-05-01", "2026-04-30T22:00:00Z", id="a local day"),
        pytest.param("2026-01-01 10:00", "2026-01-01T09:00:00Z", id="by the clock of that season"),
        pytest.param("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z", id="RFC 3339"),
        pytest.param("1777636800", "2026-05-01T12:00:00Z", id="seconds since the epoch"),
        pytest.param("1777636800.25", "2026-05-01T12:00:00.25Z", id="and a fraction"),
    ],
)
def test_a_time_is_understood_as_people_type_it(text: str, expected: str) -> None:
    assert parse_moment("--time", text, NOW.astimezone()) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "soon", "-1", "-1x", "25:00", "2026-13-01", "99999999999999999999", "-9999999y"])
def test_what_is_no_time_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(CommandError, match="--start: ") as caught:
        parse_moment("--start", text, NOW.astimezone())

    assert "RFC 3339" in caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("1m30s", 90.0), ("15", 15.0), ("0.5", 0.5)])
def test_a_step_is_a_duration_or_seconds(text: str, seconds: float) -> None:
    assert parse_step(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5s", "five", "inf", "nan"])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="--step"):
        parse_step(text)


@pytest.mark.parametrize(
    ("span_s", "step_s"), [(3600, 15), (6 * 3600, 120), (300, 2), (10, 1), (30 * 86_400, 14_400), (10**9, 4_233_600)]
)
def test_a_step_that_is_chosen_is_round_and_makes_enough_points(span_s: float, step_s: float) -> None:
    assert choose_step(span_s, 240) == step_s


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.21, "3.2 s"), (90, "2 min"), (7300, "2 h"), (200_000, "2 d"), (-2.0, "-2.0 s")]
)
def test_how_long_ago_is_said_shortly(seconds: float, text: str) -> None:
    assert show_ago(seconds) == text
