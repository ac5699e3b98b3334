from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from vedette.collect.targets import DroppedTarget, Health, PoolView, TargetView
from vedette.http.prometheus.targets import TargetsApi, _global_url, format_time
from vedette.model.samples import Metadata, MetricType


def target(pool: str, url: str = "http://127.0.0.1:9100/metrics", **metadata: str) -> TargetView:
    return TargetView(
        pool=pool,
        discovered={"__address__": "127.0.0.1:9100"},
        labels={"job": pool},
        url=url,
        health=Health.UNKNOWN,
        last_error="",
        last_scrape_ms=0,
        last_duration_s=0.0,
        last_samples=0,
        interval_ms=90_000,
        timeout_ms=10_000,
        metadata={name: Metadata(name, MetricType.GAUGE, "", text) for name, text in metadata.items()},
    )


class Targets:
    def active(self) -> Sequence[TargetView]:
        return [target("shop", a="A", b="B"), target("node", b="other B")]

    def dropped(self) -> Sequence[DroppedTarget]:
        return [DroppedTarget("shop", {"__address__": "x:1"})]

    def pools(self) -> Sequence[PoolView]:
        return [PoolView("shop", "", 3), PoolView("node", "", 0), PoolView("gce", "there is no gce_sd_configs", 0)]


async def ask(handler: str, host: str = "", **parameters: str) -> Any:
    request = Request({"type": "http", "method": "GET", "query_string": urlencode(parameters).encode(), "headers": []})
    response = await getattr(TargetsApi(Targets(), host), handler)(request)
    return json.loads(response.body)["data"]


async def test_a_target_that_was_never_scraped_is_shown_as_prometheus_does() -> None:
    found = (await ask("list_targets"))["activeTargets"][0]

    assert found == {
        "discoveredLabels": {"__address__": "127.0.0.1:9100"},
        "labels": {"job": "shop"},
        "scrapePool": "shop",
        "scrapeUrl": "http://127.0.0.1:9100/metrics",
        "globalUrl": "http://127.0.0.1:9100/metrics",
        "lastError": "",
        "lastScrape": "0001-01-01T00:00:00Z",
        "lastScrapeDuration": 0.0,
        "health": "unknown",
        "scrapeInterval": "1m30s",
        "scrapeTimeout": "10s",
    }


@pytest.mark.parametrize(
    ("parameters", "active", "dropped", "counts"),
    [
        pytest.param({}, 2, 1, {"shop": 3, "node": 0, "gce": 0}, id="everything"),
        pytest.param({"state": "any"}, 2, 1, {"shop": 3, "node": 0, "gce": 0}, id="any state"),
        pytest.param({"state": "active"}, 2, 0, {}, id="active ones"),
        pytest.param({"state": "Dropped"}, 0, 1, {"shop": 3, "node": 0, "gce": 0}, id="dropped ones"),
        pytest.param({"scrapePool": "node"}, 1, 0, {"node": 0}, id="those of one job"),
    ],
)
async def test_targets_are_chosen_by_state_and_pool(
    parameters: dict[str, str], active: int, dropped: int, counts: dict[str, int]
) -> None:
    found = await ask("list_targets", **parameters)

    assert (len(found["activeTargets"]), len(found["droppedTargets"])) == (active, dropped)
    assert found["droppedTargetCounts"] == counts


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9100/metrics", "http://mon.example.com:9100/metrics"),
        ("https://localhost/metrics?a=1", "https://mon.example.com/metrics?a=1"),
        ("http://[::1]:9100/metrics", "http://mon.example.com:9100/metrics"),
        ("http://10.0.0.1:9100/metrics", "http://10.0.0.1:9100/metrics"),
        ("http://localhost.example.com/metrics", "http://localhost.example.com/metrics"),
        ("internal:node", "internal:node"),
    ],
)
def test_what_is_scraped_through_loopback_has_another_name_for_others(url: str, expected: str) -> None:
    assert _global_url(url, "mon.example.com") == expected
    assert _global_url(url, "") == url


async def test_metadata_are_those_of_each_target_itself() -> None:
    found = await ask("target_metadata")

    assert [(entry["target"]["job"], entry["metric"], entry["help"]) for entry in found] == [
        ("shop", "a", "A"),
        ("shop", "b", "B"),
        ("node", "b", "other B"),
    ]
    assert [entry["help"] for entry in await ask("target_metadata", metric="b")] == ["B", "other B"]
    assert "metric" not in (await ask("target_metadata", metric="b"))[0]
    assert len(await ask("target_metadata", limit="2")) == 2
    assert [e["help"] for e in await ask("target_metadata", match_target='{job="node"}')] == ["other B"]


async def test_inactive_jobs_are_among_the_pools() -> None:
    assert await ask("scrape_pools") == {"scrapePools": ["gce", "node", "shop"]}


def test_times_are_written_in_utc_to_the_millisecond() -> None:
    assert format_time(1_435_781_451_007) == "2015-07-01T20:10:51.007Z"
