from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.intake import series
from vedette.collect.scrape.labelling import report_labels, series_labels
from vedette.config import NameScheme, RelabelRule, ScrapeConfig
from vedette.config.relabel import Action
from vedette.ingest.rows import Violation
from vedette.model.labels import LabelSet, label_set

TARGET = label_set({"job": "shop", "instance": "a:1"})


def transform(labels: LabelSet, *, target: LabelSet = TARGET, **options: Any) -> LabelSet | Violation | None:
    return series_labels(ScrapeConfig(job_name="shop", **options), target)(labels)


def test_a_series_gets_its_targets_labels() -> None:
    assert transform(series("up", code="200")) == series("up", code="200", job="shop", instance="a:1")


def test_a_label_that_the_target_has_too_is_renamed() -> None:
    found = transform(series("up", job="inner"))

    assert found == series("up", job="shop", instance="a:1", exported_job="inner")


def test_a_renamed_label_is_renamed_again_where_the_name_is_taken() -> None:
    target = label_set({"job": "shop", "exported_job": "x"})

    found = transform(series("up", job="inner", exported_job="page"), target=target)

    assert isinstance(found, tuple)
    labels = dict(found)
    assert labels["job"] == "shop"
    assert labels["exported_job"] == "x"
    assert {labels["exported_exported_job"], labels["exported_exported_exported_job"]} == {"inner", "page"}


def test_honored_labels_win_over_the_targets() -> None:
    assert transform(series("up", job="inner"), honor_labels=True) == series("up", job="inner", instance="a:1")


def test_relabelling_may_drop_a_series() -> None:
    rule = RelabelRule(source_labels=("code",), regex="5..", action=Action.DROP)

    assert transform(series("up", code="500"), metric_relabel_configs=(rule,)) is None
    assert transform(series("up", code="200"), metric_relabel_configs=(rule,)) is not None


@pytest.mark.parametrize(
    ("labels", "options", "problem"),
    [
        pytest.param(series("up", a="1"), {"label_limit": 4}, "", id="as many labels as allowed"),
        pytest.param(series("up", a="1", b="2"), {"label_limit": 4}, "label_limit", id="too many labels"),
        pytest.param(series("up"), {"label_name_length_limit": 8}, "", id="names as long as allowed"),
        pytest.param(
            series("up", äöüßx="1"), {"label_name_length_limit": 8}, "label_name_length_limit", id="long name"
        ),
        pytest.param(series("up", a="äöüßx"), {"label_value_length_limit": 9}, "", id="values as long as allowed"),
        pytest.param(
            series("up", a="äöüßxy"), {"label_value_length_limit": 9}, "label_value_length_limit", id="long value"
        ),
        pytest.param(
            series("äö"), {"metric_name_validation_scheme": NameScheme.LEGACY}, "invalid metric name", id="new name"
        ),
        pytest.param(
            series("up", ä="1"), {"metric_name_validation_scheme": NameScheme.LEGACY}, "invalid", id="new label name"
        ),
    ],
)
def test_a_series_beyond_the_jobs_limits_says_which_one(
    labels: LabelSet, options: dict[str, Any], problem: str
) -> None:
    found = transform(labels, **options)

    assert isinstance(found, Violation) == bool(problem)
    assert not isinstance(found, Violation) or problem in found.problem


def test_a_series_whose_name_relabelling_takes_away_is_a_violation() -> None:
    rule = RelabelRule(target_label="__name__", replacement="")

    assert isinstance(transform(series("up"), metric_relabel_configs=(rule,)), Violation)


def test_a_violation_quotes_no_more_than_the_beginning_of_hostile_names() -> None:
    found = transform(series("x" * 10_000, a="y" * 10_000), label_value_length_limit=10)

    assert isinstance(found, Violation)
    assert len(found.problem) < 300


def test_reports_have_the_targets_labels() -> None:
    assert report_labels(TARGET, "up") == series("up", job="shop", instance="a:1")


names = st.sampled_from(["job", "exported_job", "exported_exported_job", "instance", "a"])
label_sets = st.dictionaries(names, st.sampled_from("xyz"), max_size=5)


@given(label_sets, label_sets, st.booleans())
def test_no_value_of_the_page_and_none_of_the_target_is_lost(
    page: dict[str, str],
    own: dict[str, str],
    honor: bool,  # noqa: FBT001 - Hypothesis' argument
) -> None:
    found = transform(series("up", **page), target=label_set(own), honor_labels=honor)

    assert isinstance(found, tuple)
    labels = dict(found)
    if honor:
        assert labels == {**own, "__name__": "up", **page}
    else:
        assert own.items() <= labels.items()
        assert sorted(labels.values()) == sorted(["up", *page.values(), *own.values()])
