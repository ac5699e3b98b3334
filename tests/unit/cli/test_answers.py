from __future__ import annotations

import math
from typing import Any

import pytest

from vedette.cli.answers import Series, common_labels, distinguishing, series_of, show_labels, statistics
from vedette.client import UnexpectedAnswerError
from vedette.model.labels import LabelSet


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param((("__name__", "up"), ("job", "a")), 'up{job="a"}', id="as in PromQL"),
        pytest.param((("__name__", "up"),), "up", id="a bare name"),
        pytest.param((), "{}", id="no labels"),
        pytest.param((("__name__", "my metric"), ("a b", 'x"y')), '{"my metric","a b"="x\\"y"}', id="odd names"),
        pytest.param((("job", "\x1b[31m\n"),), '{job="\\x1b[31m\\n"}', id="control characters are spelled out"),
    ],
)
def test_a_label_set_can_be_copied_into_a_selector(labels: LabelSet, expected: str) -> None:
    assert show_labels(labels).plain == expected


def test_what_all_series_share_is_said_once() -> None:
    a: LabelSet = (("__name__", "up"), ("i", "1"), ("job", "x"))
    b: LabelSet = (("__name__", "up"), ("i", "2"), ("job", "x"))

    common = common_labels([a, b])

    assert common == (("__name__", "up"), ("job", "x"))
    assert distinguishing(a, common) == (("i", "1"),)
    assert distinguishing(common, common) == common
    assert common_labels([a]) == ()


def test_statistics_are_of_finite_values() -> None:
    series = Series((), (1.0, 2.0, 3.0), ("1", "+Inf", "3"), (1.0, math.inf, 3.0))

    found = statistics(series)

    assert (found.last, found.low, found.mean, found.high) == (3.0, 1.0, 2.0, 3.0)
    assert math.isnan(statistics(Series((), (1.0,), ("NaN",), (math.nan,))).high)
    assert math.isnan(statistics(Series((), (), (), ())).last)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"resultType": "vector"},
        {"resultType": "vector", "result": [{}]},
        {"resultType": "x", "result": []},
        {"resultType": "matrix", "result": [{"metric": {}, "values": [["a", "b"]]}]},
    ],
)
def test_another_form_of_answer_is_refused(data: Any) -> None:
    with pytest.raises(UnexpectedAnswerError):
        series_of(data)
