"""Alertmanager's cases of routing: which routes an alert takes, with which options and keys; who is told."""

from __future__ import annotations

from typing import Any

import pytest
from alertmanager_data import cases, files, params, read_yaml

from vedette.alerting import build_plan, build_routes, load_alerting, parse_alerting
from vedette.alerting.routing import Route

_DEFAULTS = {"group_by": [], "group_wait_s": 30, "group_interval_s": 300, "repeat_interval_s": 14_400}


def _shown(route: Route) -> dict[str, Any]:
    return {
        "receiver": route.receiver,
        "group_by": ["..."] if route.group_by_all else list(route.group_by),
        "group_wait_s": route.group_wait_ms / 1000,
        "group_interval_s": route.group_interval_ms / 1000,
        "repeat_interval_s": route.repeat_interval_ms / 1000,
    }


def _tree(text: str) -> Route:
    """The tree of a text that is no whole configuration: receivers are added."""
    route = "\n".join(f"  {line}" for line in text.splitlines())
    names = {line.partition("receiver:")[2].strip().strip("'\"") for line in text.splitlines() if "receiver:" in line}
    receivers = "\n".join(f"- name: '{name}'" for name in sorted(names))
    return build_routes(parse_alerting(f"route:\n{route}\nreceivers:\n{receivers}\n", file="routes.yml").route)


@pytest.mark.parametrize("case", cases("routes*.y*ml"))
def test_an_alert_takes_the_routes_that_it_takes_in_alertmanager(case: dict[str, Any]) -> None:
    root = _tree(case["file"]["route"])

    taken = root.match(case["labels"])

    assert [_shown(route) for route in taken] == [{**_DEFAULTS, **expected} for expected in case["routes"]]
    assert [route.key for route in taken] == case["keys"]


def _routings() -> list[Any]:
    found: list[tuple[str, Any]] = []
    for path in files("routing*/expected*.y*ml"):
        for number, case in enumerate(read_yaml(path)["cases"], 1):
            found.append((f"{path.parent.name}:{number}", {**case, "path": path.parent / case["config"]}))
    return params(found)


@pytest.mark.parametrize("case", _routings())
def test_the_receivers_are_those_that_amtool_names(case: dict[str, Any]) -> None:
    plan = build_plan(load_alerting(case["path"]))

    assert [route.receiver for route in plan.root.match(case["labels"])] == case["receivers"]
