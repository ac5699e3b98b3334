"""`time.Time` and `time.Duration` in templates."""

from __future__ import annotations

from typing import Any

import pytest

from vedette.lang.gotemplate import TemplateExecutionError, duration, parse, time
from vedette.lang.gotemplate.times import duration_text

_DATA = {
    "At": time(1_709_647_327_012_345_678),
    "Then": time(1_709_640_000_000_000_000),
    "For": duration(5_400_000_000_000),
}


def _run(text: str, data: Any = _DATA) -> str:
    return parse("t", text, {}).execute(data)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (245_000_000_000, "4m5s"),
        (18_366_000_000_000, "5h6m6s"),
        (-(1 << 63), "-2562047h47m16.854775808s"),
    ],
)
def test_a_duration_is_shown_as_go_shows_it(ns: int, text: str) -> None:
    assert duration_text(ns) == text


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("{{.At}}", "2024-03-05 14:02:07.012345678 +0000 UTC", id="a time"),
        pytest.param(
            '{{.At.Format "15:04"}} {{.At.Year}} {{.At.Month}} {{.At.Weekday}}', "14:02 2024 March Tuesday", id="parts"
        ),
        pytest.param("{{.At.Unix}} {{.At.UnixMilli}}", "1709647327 1709647327012", id="since 1970"),
        pytest.param(
            "{{.At.Sub .Then}} {{.Then.Add .For}}", "2h2m7.012345678s 2024-03-05 13:30:00 +0000 UTC", id="sums"
        ),
        pytest.param("{{.At.After .Then}} {{.At.Before .Then}} {{.At.Equal .At}}", "true false true", id="order"),
        pytest.param(
            "{{.For}} {{.For.Hours}} {{.For.Minutes}} {{.For.Seconds}}", "1h30m0s 1.5 90 5400", id="a duration"
        ),
        pytest.param("{{.At.Truncate .For}}", "2024-03-05 13:30:00 +0000 UTC", id="truncated"),
        pytest.param("{{.At.AddDate 0 -1 0}}", "2024-02-05 14:02:07.012345678 +0000 UTC", id="a month before"),
        pytest.param("{{.At.IsZero}} {{if .At}}yes{{end}}", "false yes", id="a struct is true"),
        pytest.param("{{gt .For 5}}", "true", id="a duration is a number"),
    ],
)
def test_times_have_their_methods(text: str, output: str) -> None:
    assert _run(text) == output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{{.At.Nope}}", "can't evaluate field Nope in type interface {}", id="an unknown method"),
        pytest.param(
            '{{.At.Add "1h"}}', 'can\'t handle "1h" for arg of type time.Duration', id="a text for a duration"
        ),
        pytest.param("{{.At.Clock}}", "function Clock has 3 return values; should be 1 or 2", id="three results"),
    ],
)
def test_a_wrong_use_of_a_time_is_refused(text: str, problem: str) -> None:
    with pytest.raises(TemplateExecutionError) as refused:
        _run(text)

    assert problem in str(refused.value) or "expected integer" in str(refused.value)
