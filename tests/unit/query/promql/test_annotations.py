from __future__ import annotations

import math

from vedette.model.errors import Span
from vedette.query.promql.annotations import (
    Annotations,
    Forced,
    Severity,
    forced_monotonicity,
    incompatible_types,
    invalid_quantile,
    possible_non_counter,
)


def test_a_place_is_shown_as_line_and_column_in_bytes() -> None:
    annotation = invalid_quantile(2.0, Span(9, 10))

    assert annotation.render('"é" or\n(x)').endswith("got 2 (2:3)")


def test_the_same_text_is_noted_once_with_its_last_place() -> None:
    annotations = Annotations()
    annotations.add(possible_non_counter("up", Span(0, 1)))
    annotations.add(possible_non_counter("up", Span(4, 5)))

    warnings, infos = annotations.render("a + b")

    assert warnings == []
    assert len(infos) == 1
    assert infos[0].endswith('_bucket: "up" (1:5)')


def test_lists_are_capped_and_say_how_much_is_left_out() -> None:
    annotations = Annotations()
    for number in range(13):
        annotations.add(possible_non_counter(f"metric_{number}", Span(0, 1)))

    _, infos = annotations.render("x")

    assert len(infos) == 11
    assert infos[-1] == "3 more info annotations omitted"
    assert len(annotations.render("x", limit=0)[1]) == 13


def test_corrections_of_one_histogram_are_added_up() -> None:
    annotations = Annotations()
    annotations.add(forced_monotonicity("x", Span(0, 1), Forced(0, 0, 0.5, 1.0, 2.0, 1)))
    annotations.add(forced_monotonicity("x", Span(0, 1), Forced(60_000, 60_000, 0.1, 0.5, 3.25, 2)))

    (info,) = annotations.render("x")[1]

    assert info.endswith(
        'for metric name "x", from buckets 0.1 to 1, with a max diff of 3.2, over 3 samples '
        "from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z (1:1)"
    )


def test_kinds_are_kept_apart() -> None:
    annotations = Annotations()
    annotations.add(invalid_quantile(math.nan, Span(0, 1)))
    annotations.add(incompatible_types("float", "</", "float", Span(0, 1)))

    assert [a.text for a in annotations.of(Severity.WARNING)] == [
        "PromQL warning: quantile value should be between 0 and 1, got NaN"
    ]
    assert len(annotations.of(Severity.INFO)) == 1
