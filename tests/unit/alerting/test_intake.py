from __future__ import annotations

import dataclasses

import pytest

from vedette.alerting.intake import AlertError, complete, join, merge
from vedette.model.alerts import Alert

NOW_MS = 1_000_000


def _report(starts_ms: int, ends_ms: int, updated_ms: int, *, presumed: bool = False) -> Alert:
    return Alert((("a", "b"),), (), starts_ms, ends_ms, updated_ms, presumed_end=presumed)


def test_an_alert_without_times_starts_now_and_lasts_for_the_resolve_timeout() -> None:
    found = complete({"a": "b", "gone": ""}, {"note": ""}, now_ms=NOW_MS, resolve_timeout_ms=300_000)

    assert found == Alert((("a", "b"),), (("note", ""),), NOW_MS, NOW_MS + 300_000, NOW_MS, "", presumed_end=True)


def test_an_alert_with_an_end_only_starts_at_its_end() -> None:
    found = complete({"a": "b"}, {}, now_ms=NOW_MS, resolve_timeout_ms=1, ends_ms=NOW_MS - 5)

    assert (found.starts_ms, found.ends_ms, found.presumed_end) == (NOW_MS - 5, NOW_MS - 5, False)


@pytest.mark.parametrize(
    ("labels", "ends_ms", "problem"),
    [
        pytest.param({}, None, "at least one label pair required", id="no labels"),
        pytest.param({"a": ""}, None, "at least one label pair required", id="empty labels only"),
        pytest.param({"a": "b"}, NOW_MS - 1, "start time must be before end time", id="an end before the start"),
        pytest.param({"": "b"}, None, "invalid label set", id="no name"),
        pytest.param({"a": "\ud800"}, None, "invalid value", id="half a character"),
    ],
)
def test_what_is_no_alert_is_refused(labels: dict[str, str], ends_ms: int | None, problem: str) -> None:
    with pytest.raises(AlertError, match=problem):
        complete(labels, {}, now_ms=NOW_MS, resolve_timeout_ms=1, starts_ms=NOW_MS, ends_ms=ends_ms)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(_report(100, 500, 200), _report(150, 400, 300), (100, 500), id="a later end holds"),
        pytest.param(_report(100, 500, 200, presumed=True), _report(150, 400, 300), (100, 400), id="unless presumed"),
        pytest.param(_report(100, 500, 200), _report(150, 250, 300), (100, 250), id="an end that has come holds"),
        pytest.param(_report(100, 280, 200), _report(150, 250, 300), (100, 280), id="of two that have come the later"),
        pytest.param(_report(150, 400, 300), _report(100, 500, 200), (100, 500), id="whichever comes first"),
    ],
)
def test_reports_are_merged_as_in_alertmanager(old: Alert, new: Alert, expected: tuple[int, int]) -> None:
    found = merge(old, new)

    assert (found.starts_ms, found.ends_ms, found.updated_ms) == (*expected, 300)


def test_a_report_of_another_time_is_another_alert() -> None:
    old, new = _report(100, 200, 150), _report(300, 400, 350)

    assert join(old, new) is new


def test_the_annotations_of_the_younger_report_count() -> None:
    old = dataclasses.replace(_report(100, 500, 200), annotations=(("x", "old"),))
    new = dataclasses.replace(_report(150, 400, 300), annotations=(("x", "new"),))

    assert join(old, new).annotations == (("x", "new"),)
