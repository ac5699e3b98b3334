from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from harness.rules import RunningRules, groups_of, store_of
from vedette.http.prometheus.rules import RulesApi
from vedette.model.errors import QueryError
from vedette.rules import GroupAtWork, GroupDefaults, RestoreOptions
from vedette.rules.notifier import Addresses

MINUTE = 60_000
FIRST = """
groups:
  - name: b
    interval: 30s
    limit: 3
    rules:
      - record: job:up:sum
        expr: sum  by(job)(up)
        labels: {team: dba}
      - record: plain
        expr: "1"
      - alert: Down
        expr: up == 0
        for: 1m30s
        keep_firing_for: 500ms
        labels: {severity: page, team: shop}
        annotations: {summary: "{{ $labels.instance }} gives {{ $value }}"}
  - name: a
    rules: [{alert: Never, expr: vector(0) > 1}]
"""
SECOND = "groups: [{name: a, rules: [{record: x, expr: nothing}]}]"


async def rules(*, until_ms: int = 10 * MINUTE) -> Sequence[GroupAtWork]:
    """Some rules after some minutes."""
    parts = RunningRules(
        store_of("up{instance='a'} 0x99", "up{instance='b'} 1x99"),
        restore=RestoreOptions(grace_ms=0),
        registry=CollectorRegistry(),
    )
    runner = parts.runner()
    runner.apply([*groups_of(FIRST, "first.yml"), *groups_of(SECOND, "second.yml")], GroupDefaults(interval_ms=MINUTE))
    for at_ms in range(0, until_ms, MINUTE):
        parts.hand.now_ms = at_ms + 7
        for group in runner.groups():
            await runner.evaluate(group, at_ms)
    return runner.groups()


async def ask(groups: Sequence[GroupAtWork], path: str = "rules", **parameters: Any) -> Any:
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/api/v1/{path}",
        "query_string": urlencode(parameters, doseq=True).encode(),
        "headers": [],
    }
    api = RulesApi(lambda: groups, Addresses)
    response = await (api.list_alerts if path == "alerts" else api.list_rules)(Request(scope))
    return json.loads(bytes(response.body))["data"]


async def test_groups_and_rules_are_shown_as_prometheus_does() -> None:
    found = await ask(await rules())

    (second, first) = found["groups"][:2]
    assert [second["name"], first["name"]] == ["a", "b"]
    assert {key: first[key] for key in ("file", "interval", "limit", "lastEvaluation")} == {
        "file": "first.yml",
        "interval": 30,
        "limit": 3,
        "lastEvaluation": "1970-01-01T00:09:00.007Z",
    }
    recording, plain, alerting = first["rules"]
    assert recording == {
        "name": "job:up:sum",
        "query": "sum by (job) (up)",
        "labels": {"team": "dba"},
        "health": "ok",
        "evaluationTime": 0.0,
        "lastEvaluation": "1970-01-01T00:09:00.007Z",
        "type": "recording",
    }
    assert "labels" not in plain
    assert {key: value for key, value in alerting.items() if key != "alerts"} == {
        "name": "Down",
        "query": "up == 0",
        "state": "firing",
        "duration": 90,
        "keepFiringFor": 0.5,
        "labels": {"severity": "page", "team": "shop"},
        "annotations": {"summary": "{{ $labels.instance }} gives {{ $value }}"},
        "health": "ok",
        "evaluationTime": 0.0,
        "lastEvaluation": "1970-01-01T00:09:00.007Z",
        "type": "alerting",
    }
    assert alerting["alerts"] == [
        {
            "labels": {"alertname": "Down", "instance": "a", "severity": "page", "team": "shop"},
            "annotations": {"summary": "a gives 0"},
            "state": "firing",
            "activeAt": "1970-01-01T00:00:00.000Z",
            "value": "0e+00",
        }
    ]


async def test_rules_that_were_not_evaluated_yet_say_so() -> None:
    found = await ask(await rules(until_ms=0), **{"rule_name[]": "Down"})

    (rule,) = found["groups"][0]["rules"]
    assert (rule["state"], rule["health"], rule["lastEvaluation"]) == ("unknown", "unknown", "0001-01-01T00:00:00Z")


async def test_alerts_are_those_of_all_groups() -> None:
    found = await ask(await rules(), "alerts")

    assert [alert["labels"]["alertname"] for alert in found["alerts"]] == ["Down"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({}, ["Never", "job:up:sum", "plain", "Down", "x"], id="all, in order of files and groups"),
        pytest.param({"type": "alert"}, ["Never", "Down"], id="alerting"),
        pytest.param({"type": "RECORD"}, ["job:up:sum", "plain", "x"], id="recording"),
        pytest.param({"rule_name[]": ["Down", "x"]}, ["Down", "x"], id="by name"),
        pytest.param({"rule_group[]": "a"}, ["Never", "x"], id="by group"),
        pytest.param({"file[]": "second.yml"}, ["x"], id="by file"),
        pytest.param({"file[]": "first.yml", "rule_group[]": "a"}, ["Never"], id="all of these"),
        pytest.param({"match[]": '{team="dba"}'}, ["job:up:sum"], id="by label"),
        pytest.param({"match[]": ['{team="dba"}', '{severity="page"}']}, ["job:up:sum", "Down"], id="by any selector"),
        pytest.param({"match[]": '{team="dba",severity="page"}'}, [], id="by both labels"),
        pytest.param({"rule_name[]": "none"}, [], id="nothing"),
    ],
)
async def test_rules_are_filtered(parameters: dict[str, Any], expected: list[str]) -> None:
    found = await ask(await rules(), **parameters)

    assert [rule["name"] for group in found["groups"] for rule in group["rules"]] == expected


async def test_alerts_can_be_left_out() -> None:
    found = await ask(await rules(), exclude_alerts="true", **{"rule_name[]": "Down"})

    assert found["groups"][0]["rules"][0]["alerts"] == []


async def test_groups_come_in_pages() -> None:
    groups = await rules()
    first = await ask(groups, group_limit=2)
    second = await ask(groups, group_limit=2, group_next_token=first["groupNextToken"])

    assert [(group["file"], group["name"]) for group in first["groups"]] == [("first.yml", "a"), ("first.yml", "b")]
    assert [(group["file"], group["name"]) for group in second["groups"]] == [("second.yml", "a")]
    assert "groupNextToken" not in second


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"type": "alerts"}, 'invalid parameter "type": not supported value "alerts"'),
        ({"exclude_alerts": "perhaps"}, 'invalid parameter "exclude_alerts": error converting exclude_alerts'),
        ({"group_limit": "0"}, "group_limit needs to be greater than 0"),
        ({"group_limit": "x"}, "group_limit needs to be a valid number"),
        ({"group_next_token": "x"}, "group_limit needs to be present in order to paginate over the groups"),
        ({"group_limit": 1, "group_next_token": "x"}, r"invalid group_next_token 'x'\. were rule groups changed\?"),
        ({"match[]": "{"}, "match"),
        ({"match[]": '{a=~".*"}'}, "must contain at least one non-empty matcher"),
    ],
)
async def test_parameters_that_say_nothing_are_refused(parameters: dict[str, Any], problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        await ask(await rules(), **parameters)


async def test_a_rule_that_fails_shows_its_error() -> None:
    parts = RunningRules(failing={"x": "too many samples"})
    runner = parts.runner()
    runner.apply(groups_of("groups: [{name: g, rules: [{record: a, expr: x}]}]"), GroupDefaults())
    await runner.evaluate(runner.groups()[0], 0)

    found = await ask(runner.groups())

    (rule,) = found["groups"][0]["rules"]
    assert (rule["health"], rule["lastError"]) == ("err", "too many samples")
