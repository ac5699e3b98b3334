from __future__ import annotations

import math

import numpy as np
import pytest

from vedette.lang.promql.series_notation import HistogramLiteral, parse_series, parse_values
from vedette.model.errors import QueryError
from vedette.model.samples import STALE_BITS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1 _ 2.5", (1.0, None, 2.5), id="numbers and gaps"),
        pytest.param("1x2 _x2", (1.0, 1.0, 1.0, None, None), id="repetition"),
        pytest.param("0+10x3 8-2x1", (0.0, 10.0, 20.0, 30.0, 8.0, 6.0), id="steps"),
        pytest.param("-1e3 +.5 Inf -inf", (-1000.0, 0.5, math.inf, -math.inf), id="signs and words"),
        pytest.param("0.1+0.1x3", (0.1, 0.2, 0.1 + 0.1 + 0.1, 0.1 + 0.1 + 0.1 + 0.1), id="steps are added one by one"),
        pytest.param("0x3 _x0", (0.0, 0.0, 0.0, 0.0), id="there is no hex"),
        pytest.param("", (), id="nothing"),
        pytest.param("  1  2  ", (1.0, 2.0), id="any number of spaces"),
    ],
)
def test_a_sequence_expands_to_its_samples(text: str, expected: tuple[float | None, ...]) -> None:
    assert parse_values(text) == expected


def test_stale_is_the_marker_to_the_bit() -> None:
    (value,) = parse_values("stale")

    assert isinstance(value, float)
    assert np.array([value]).view(np.uint64)[0] == STALE_BITS


def test_histograms_are_kept_as_text() -> None:
    values = parse_values("{{schema:1 buckets:[1 2]}} {{}}x1 {{sum:1}}+{{sum:2}}x1")

    assert values == (
        HistogramLiteral("{{schema:1 buckets:[1 2]}}"),
        HistogramLiteral("{{}}"),
        HistogramLiteral("{{}}"),
        HistogramLiteral("{{sum:1}}", "+{{sum:2}}", 0),
        HistogramLiteral("{{sum:1}}", "+{{sum:2}}", 1),
    )


@pytest.mark.parametrize(
    "text",
    [
        "1,2",
        "1 x",
        "1x",
        "1+1",
        "abc",
        "1 -",
        "1 +",
        "+_",
        "1x-1",
        "-stale",
        "{{sum:1",
        "{{}}+{{}}",
        "1 @",
        "1__0",
        "0x1F",
    ],
)
def test_what_does_not_follow_the_notation_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_values(text)

    assert caught.value.span is not None


@pytest.mark.parametrize("text", ["1x99999999999999999999999", "_x1001", "1x500 1x500", "1+1x1000", "{{}}x1000"])
def test_a_sequence_is_not_expanded_beyond_its_limit(text: str) -> None:
    with pytest.raises(QueryError, match="longer than 1,000 samples"):
        parse_values(text, max_samples=1000)


def test_a_series_is_its_labels_and_its_samples() -> None:
    series = parse_series("  up{job=\"a b}\", path='{'} 1 2")

    assert series.labels == (("__name__", "up"), ("job", "a b}"), ("path", "{"))
    assert series.values == (1.0, 2.0)


@pytest.mark.parametrize("text", ['up{job="a"}1', 'up{job="a" 1', "up{job} 1", 'up{job=~"a"} 1', "5 1", 'a{b="\\q"} 1'])
def test_a_series_with_wrong_labels_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_series(text)
