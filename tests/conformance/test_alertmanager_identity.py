"""Names by which Alertmanager's API and webhooks know alerts and groups: fingerprints, group keys, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from alertmanager_data import DATA, files, params

from vedette.alerting import AlertError, build_plan, complete, load_alerting
from vedette.model.alerts import fingerprint
from vedette.model.labels import label_set

_NOW_MS = 1_700_000_000_000


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from _objects(child)


def _found(name: str) -> list[Any]:
    found: list[tuple[str, Any]] = []
    for path in files("*.json"):
        named = [one for one in _objects(json.loads(path.read_text(encoding="utf-8"))) if name in one]
        found += [(f"{path.relative_to(DATA)}:{number}", {**one, "path": path}) for number, one in enumerate(named, 1)]
    return params(found)


@pytest.mark.parametrize("case", _found("fingerprint"))
def test_an_alert_has_the_fingerprint_that_alertmanager_gives_it(case: dict[str, Any]) -> None:
    assert fingerprint(label_set(case["labels"])) == case["fingerprint"]


@pytest.mark.parametrize("case", _found("groupKey"))
def test_a_group_has_the_key_that_alertmanager_gives_it(case: dict[str, Any]) -> None:
    plan = build_plan(load_alerting(next(case["path"].parent.glob("*.y*ml"))))
    labels = label_set(case["alerts"][0]["labels"])

    (route,) = plan.root.match(dict(labels))

    assert dict(route.group_labels(labels)) == case["groupLabels"]
    assert route.group_key(route.group_labels(labels)) == case["groupKey"]


@pytest.mark.parametrize("path", params([(path.name, path) for path in files("error_bad_alert*.json")]))
def test_an_alert_without_labels_is_refused_in_alertmanagers_words(path: Any) -> None:
    with pytest.raises(AlertError) as refused:
        complete({}, {}, now_ms=_NOW_MS, resolve_timeout_ms=300_000)

    assert str(refused.value) == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", params([(path.name, path) for path in files("push_from_*.json")]))
def test_what_a_prometheus_posts_is_taken(path: Any) -> None:
    posted = json.loads(path.read_text(encoding="utf-8"))["body"]

    taken = [complete(one["labels"], one["annotations"], now_ms=_NOW_MS, resolve_timeout_ms=300_000) for one in posted]

    assert [one.labels for one in taken] == [label_set(one["labels"]) for one in posted]
