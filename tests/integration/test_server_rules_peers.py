"""Rules beside Debian's Prometheus: the same files, the same target, the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.exposition_server import ExpositionServer
from harness.peers import promtool, run_prometheus
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

RULES = """
groups:
  - name: second
    interval: 400ms
    rules:
      - {record: 'job:level:sum', expr: 'sum  by(job)(level)', labels: {team: shop}}
      - {record: twice, expr: 'job:level:sum*2'}
      - {alert: Quiet, expr: 'level < 0'}
      - alert: High
        expr: level > 2
        labels: {severity: page, kind_of: 'k-{{ $labels.kind }}'}
        annotations:
          summary: '{{ $labels.kind }} of {{ $externalLabels.region }} is at {{ $value | humanize }}'
          others: '{{ with query "sum(level)" }}{{ . | first | value }}{{ end }}'
          broken: '{{ $labels.kind | toTime }}'
      - {alert: Later, expr: level == 3, for: 1h30m, labels: {severity: info}}
      - {alert: Kept, expr: 'vector(1)', keep_firing_for: 5m}
      - {record: ambiguous, expr: 'label_replace(level, "kind", "", "kind", ".*")'}
  - name: first
    limit: 1
    rules:
      - {record: too_many, expr: level}
"""
CONFIG = """
global: {evaluation_interval: 300ms, external_labels: {region: eu}}
rule_files: ['%s/*.yml']
scrape_configs:
  - job_name: shop
    scrape_interval: 300ms
    scrape_timeout: 300ms
    static_configs: [{targets: ['%s']}]
"""
VARYING = {"evaluationTime", "lastEvaluation", "activeAt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "shop.yml").write_text(RULES)
    return folder


def settled(groups: Any) -> bool:
    """Whether all rules were evaluated, and with something to look at."""
    rules = [rule for group in groups for rule in group["rules"]]
    found = {rule["name"]: rule for rule in rules}
    return (
        bool(rules)
        and all(rule["health"] != "unknown" for rule in rules)
        and all(found[name]["alerts"] for name in ("High", "Later", "Kept"))
        and found["ambiguous"]["health"] == found["too_many"]["health"] == "err"
    )


def comparable(value: Any) -> Any:
    """Without times, with alerts in order, and without the empty groups that Prometheus 3 does not list any more."""
    match value:
        case dict():
            return {key: comparable(one) for key, one in value.items() if key not in VARYING}
        case list():
            kept = (one for one in value if one.get("rules") != [])
            return sorted((comparable(one) for one in kept), key=lambda one: str(one.get("labels")) + str(one))
        case _:
            return value


def from_vedette(server: VedetteServer, path: str, parameters: dict[str, Any]) -> tuple[int, Any]:
    response = server.client.get(f"/api/v1/{path}", params=parameters)
    return response.status_code, response.json()


@pytest.mark.slow
def test_rules_and_alerts_are_told_as_prometheus_tells_them(
    servers: Servers, target: ExpositionServer, folder: Path, tmp_path: Path
) -> None:
    target.show('level{kind="a"} 3\nlevel{kind="b"} 1\n')
    config = CONFIG % (folder, target.address)
    with run_prometheus(tmp_path / "prometheus", config) as prometheus:
        server = servers.start(f"{QUIET}\n{config}")
        eventually(lambda: settled(server.data("rules")["groups"]))
        eventually(lambda: settled(httpx.get(f"{prometheus.url}/api/v1/rules").json()["data"]["groups"]))

        for path, parameters in (
            ("rules", {}),
            ("rules", {"type": "alert"}),
            ("rules", {"type": "record"}),
            ("alerts", {}),
        ):
            theirs = httpx.get(f"{prometheus.url}/api/v1/{path}", params=parameters).json()
            status, ours = from_vedette(server, path, parameters)
            assert status == 200
            assert comparable(ours) == comparable(theirs), (path, parameters)
        refused = httpx.get(f"{prometheus.url}/api/v1/rules", params={"type": "x"})
        assert from_vedette(server, "rules", {"type": "x"}) == (refused.status_code, refused.json())
        for query in ("ALERTS", "twice", "job:level:sum", "too_many", "ambiguous"):
            theirs = httpx.get(f"{prometheus.url}/api/v1/query", params={"query": query}).json()["data"]["result"]
            found = server.query(query)
            assert sorted(str(one["metric"]) for one in found) == sorted(str(one["metric"]) for one in theirs)
            assert [one["value"][1] for one in found] == [one["value"][1] for one in theirs]
        server.stop()


def test_promtool_sees_the_rules_of_a_server_as_valid_and_its_alerts_as_series(servers: Servers, folder: Path) -> None:
    checked = promtool("check", "rules", str(folder / "shop.yml"))

    server = servers.start(f"{QUIET}\nglobal: {{evaluation_interval: 200ms}}\nrule_files: ['{folder}/*.yml']\n")
    eventually(lambda: server.query('ALERTS{alertname="Kept"}'))

    assert checked.returncode == 0, checked.stderr
    server.stop()
