"""Scraping, from a target's page to a query's answer, on a whole server."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from pathlib import Path

import cramjam
import pytest

from harness.exposition_server import OPENMETRICS, Asked, ExpositionServer, Page
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

REPORTS = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
}


def job(target: ExpositionServer, *options: str, name: str = "shop", labels: str = "{}") -> str:
    lines = "\n".join(f"    {option}" for option in options)
    return f"""
  - job_name: {name}
    scrape_interval: 250ms
    scrape_timeout: 250ms
    static_configs: [{{targets: ["{target.address}"], labels: {labels}}}]
{lines}
"""


def scraping(*jobs: str) -> str:
    return f"{QUIET}\nscrape_configs:\n{''.join(jobs)}"


def last_error(server: VedetteServer, pool: str = "shop") -> str:
    return server.target(pool)["lastError"]


def test_every_sample_of_a_page_is_found_with_its_targets_labels(servers: Servers, target: ExpositionServer) -> None:
    target.show('queue_depth{queue="mail"} 12\nqueue_depth{queue="bills"} NaN\nseen -Inf\n')
    server = servers.start(scraping(job(target, labels="{env: prod}")))

    eventually(lambda: server.value("up") == 1)

    own = {"job": "shop", "instance": target.address, "env": "prod"}
    found = {json.dumps(s["metric"], sort_keys=True): s["value"][1] for s in server.query('{job="shop"}')}
    pages = {
        json.dumps({"__name__": "queue_depth", "queue": "mail", **own}, sort_keys=True): "12",
        json.dumps({"__name__": "queue_depth", "queue": "bills", **own}, sort_keys=True): "NaN",
        json.dumps({"__name__": "seen", **own}, sort_keys=True): "-Inf",
    }
    assert pages.items() <= found.items()
    assert {json.loads(key)["__name__"] for key in found.keys() - pages.keys()} == REPORTS
    assert server.value("scrape_samples_scraped") == 3
    server.stop()


def test_a_series_that_leaves_the_page_ends_at_once_and_the_others_go_on(
    servers: Servers, target: ExpositionServer
) -> None:
    target.show("stays 1\nleaves 1\n")
    server = servers.start(scraping(job(target)))
    eventually(lambda: server.value("leaves") == 1)

    target.show("stays 2\n")

    eventually(lambda: server.value("stays") == 2)
    assert server.query("leaves") == []
    assert server.query("leaves[1m]"), "its past is still there"
    server.stop()


def test_all_series_of_a_target_end_when_it_cannot_be_scraped_and_come_back_with_it(
    servers: Servers, target: ExpositionServer
) -> None:
    target.show("level 1\n")
    server = servers.start(scraping(job(target)))
    eventually(lambda: server.value("level") == 1)

    target.show("gone", status=500)
    eventually(lambda: server.value("up") == 0)

    assert server.query("level") == []
    assert "500" in last_error(server)
    assert server.target("shop")["health"] == "down"
    target.show("level 3\n")
    eventually(lambda: server.value("level") == 3)
    assert server.target("shop")["health"] == "up"
    assert last_error(server) == ""
    server.stop()


def test_all_series_of_a_target_end_when_discovery_no_longer_finds_it(
    servers: Servers, target: ExpositionServer, tmp_path: Path
) -> None:
    target.show("level 1\n")
    found = tmp_path / "targets.json"
    found.write_text(json.dumps([{"targets": [target.address]}]))
    server = servers.start(
        f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
        f"    file_sd_configs: [{{files: ['{found}']}}]\n"
    )
    eventually(lambda: server.value("level") == 1)

    found.write_text("[]")

    eventually(lambda: server.query('{job="shop"}') == [])
    assert server.data("targets")["activeTargets"] == []
    server.stop()


def test_labels_of_the_page_yield_to_the_targets_unless_honored(servers: Servers, target: ExpositionServer) -> None:
    target.show('level{job="inner",instance="i1",env="page"} 1\n')
    server = servers.start(
        scraping(
            job(target, labels="{env: prod}"),
            job(target, "honor_labels: true", name="honest", labels="{env: prod}"),
        )
    )

    eventually(lambda: len(server.query("level")) == 2)

    (moved,) = server.query('level{job="shop"}')
    assert moved["metric"] == {
        "__name__": "level",
        "job": "shop",
        "instance": target.address,
        "env": "prod",
        "exported_job": "inner",
        "exported_instance": "i1",
        "exported_env": "page",
    }
    (honored,) = server.query('level{job="inner"}')
    assert honored["metric"] == {"__name__": "level", "job": "inner", "instance": "i1", "env": "page"}
    server.stop()


def test_times_of_the_page_are_kept_unless_they_are_not_honored(servers: Servers, target: ExpositionServer) -> None:
    server = servers.start()
    stated_ms = int(
        float(server.query("time()")[1] if False else server.data("query", query="time()")["result"][1]) * 1000
    )
    stated_ms -= 60_000
    target.show(f"level 1 {stated_ms}\n")
    server.configure(scraping(job(target, name="kept"), job(target, "honor_timestamps: false", name="ignored")))
    assert server.client.post("/-/reload").status_code == 200

    eventually(lambda: len(server.query("level[5m]")) == 2)

    (kept,) = server.query('level{job="kept"}[5m]')
    assert kept["values"] == [[stated_ms / 1000, "1"]]
    (ignored,) = server.query('level{job="ignored"}[5m]')
    assert all(time_s > stated_ms / 1000 + 30 for time_s, _ in ignored["values"])
    server.stop()


def test_relabelling_shapes_targets_before_and_series_after_a_scrape(
    servers: Servers, target: ExpositionServer
) -> None:
    target.show('keep{path="/a/7"} 1\ndrop 2\n', "/other")
    server = servers.start(
        scraping(
            job(
                target,
                "relabel_configs:",
                "  - {target_label: __metrics_path__, replacement: /other}",
                "  - {target_label: zone, replacement: north}",
                "metric_relabel_configs:",
                "  - {source_labels: [__name__], regex: drop, action: drop}",
                "  - {source_labels: [path], regex: '/(\\w)/.*', target_label: path}",
            ),
            job(target, "relabel_configs: [{action: drop}]", name="unwanted"),
        )
    )

    eventually(lambda: server.value("keep") == 1)

    (series,) = server.query("keep")
    assert series["metric"]["zone"] == "north"
    assert series["metric"]["path"] == "a"
    assert server.query("drop") == []
    assert server.value("scrape_samples_scraped") == 2
    assert server.value("scrape_samples_post_metric_relabeling") == 1
    targets = server.data("targets")
    assert [t["scrapePool"] for t in targets["droppedTargets"]] == ["unwanted"]
    assert targets["droppedTargetCounts"]["unwanted"] == 1
    server.stop()


@pytest.mark.parametrize(
    ("option", "named"),
    [
        pytest.param("sample_limit: 2", "sample_limit", id="samples"),
        pytest.param("label_limit: 3", "label_limit", id="labels of a series"),
        pytest.param("label_name_length_limit: 8", "label_name_length_limit", id="length of a label's name"),
        pytest.param("label_value_length_limit: 20", "label_value_length_limit", id="length of a label's value"),
        pytest.param("body_size_limit: 60B", "body_size_limit", id="bytes of the page"),
    ],
)
def test_a_page_beyond_a_limit_fails_as_a_whole_and_says_which_limit(
    servers: Servers, target: ExpositionServer, option: str, named: str
) -> None:
    target.show("a 1\nb 1\n")
    server = servers.start(scraping(job(target, option)))
    eventually(lambda: server.value("a") == 1)

    target.show(f'a 1\nb{{long_label="{30 * "x"}",another="1"}} 1\nc 1\n')
    eventually(lambda: server.value("up") == 0)

    assert named in last_error(server)
    assert server.query('{__name__=~"a|b|c"}') == [], "nothing of it is stored, and what was there has ended"
    target.show("a 1\nb 1\n")
    eventually(lambda: server.value("a") == 1)
    server.stop()


def test_more_targets_than_allowed_are_all_shown_as_failing_with_the_reason(
    servers: Servers, target: ExpositionServer
) -> None:
    target.show("a 1\n")
    server = servers.start(
        f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
        f"    target_limit: 1\n    static_configs: [{{targets: ['{target.address}', 'localhost:1']}}]\n"
    )

    found = eventually(lambda: [t for t in server.data("targets")["activeTargets"] if t["health"] == "down"])

    eventually(lambda: len([t for t in server.data("targets")["activeTargets"] if t["health"] == "down"]) == 2)
    assert "target_limit" in found[0]["lastError"]
    assert [series["value"][1] for series in server.query("up")] == ["0", "0"]
    assert target.asked() == []
    server.stop(expected=["target_limit exceeded"])


def zstd(body: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(body))


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("zstd", zstd, id="zstd"),
        pytest.param("identity", bytes, id="unpacked"),
    ],
)
def test_packed_pages_are_asked_for_and_understood(
    servers: Servers, target: ExpositionServer, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = b"level 1\n" * 1 + b"".join(b'n{i="%d"} %d\n' % (i, i) for i in range(200))
    target.answer(lambda _asked: Page(pack(body), headers={"Content-Encoding": coding}))
    server = servers.start(scraping(job(target)))

    eventually(lambda: server.value("level") == 1)

    assert server.value("count(n)") == 200
    offered = target.asked()[0].headers["accept-encoding"]
    assert "gzip" in offered
    assert "zstd" in offered
    server.stop()


def test_a_target_learns_the_formats_and_the_time_that_it_has(servers: Servers, target: ExpositionServer) -> None:
    target.show("a 1\n")
    server = servers.start(scraping(job(target)))

    (asked, *_) = target.wait_until_asked()

    assert "application/openmetrics-text" in asked.headers["accept"]
    assert "text/plain" in asked.headers["accept"]
    assert asked.headers["x-prometheus-scrape-timeout-seconds"] == "0.25"
    assert asked.headers["user-agent"].startswith("Vedette/")
    server.stop()


def test_openmetrics_exemplars_units_and_help_are_found(servers: Servers, target: ExpositionServer) -> None:
    target.show(
        "# HELP wait_seconds Time in the queue.\n# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n"
        'wait_seconds_bucket{le="0.5"} 3 # {trace_id="abc"} 0.43\n'
        'wait_seconds_bucket{le="+Inf"} 4 # {trace_id="def"} 0.67 1700000000.5\n'
        "wait_seconds_sum 2\nwait_seconds_count 4\n# EOF\n",
        content_type=OPENMETRICS,
    )
    server = servers.start(scraping(job(target)))

    found = eventually(lambda: server.data("query_exemplars", query="wait_seconds_bucket"))

    by_le = {series["seriesLabels"]["le"]: series["exemplars"] for series in found}
    assert by_le["0.5"][0]["labels"] == {"trace_id": "abc"}
    assert by_le["0.5"][0]["value"] == "0.43"
    assert by_le["+Inf"] == [{"labels": {"trace_id": "def"}, "value": "0.67", "timestamp": 1700000000.5}]
    described = [{"type": "histogram", "unit": "seconds", "help": "Time in the queue."}]
    assert server.data("metadata")["wait_seconds"] == described
    (of_target,) = server.data("targets/metadata", match_target='{job="shop"}')
    assert of_target["metric"] == "wait_seconds"
    assert of_target["target"] == {"instance": target.address, "job": "shop"}
    server.stop()


def test_metadata_of_a_target_is_only_what_it_has_itself_described(servers: Servers, target: ExpositionServer) -> None:
    target.show("# HELP ours Ours.\n# TYPE ours gauge\nours 1\n")
    target.show("# HELP theirs Theirs.\n# TYPE theirs gauge\ntheirs 1\n", "/theirs")
    server = servers.start(scraping(job(target), job(target, "metrics_path: /theirs", name="other")))
    eventually(lambda: server.value("ours") == 1 and server.value("theirs") == 1)

    found = server.data("targets/metadata", match_target='{job="shop"}')

    assert [entry["metric"] for entry in found] == ["ours"]
    server.stop()


def test_a_page_that_is_no_exposition_fails_the_scrape_and_names_the_line(
    servers: Servers, target: ExpositionServer
) -> None:
    target.show("a 1\nb oops\n")
    server = servers.start(scraping(job(target)))

    error = eventually(lambda: last_error(server))

    assert "line 2" in error
    assert server.query("a") == []
    server.stop()


def test_a_slow_target_times_out_and_the_next_rounds_go_on(servers: Servers, target: ExpositionServer) -> None:
    release = threading.Event()

    def slow(_asked: Asked) -> Page:
        release.wait(30)
        return Page(b"a 1\n")

    target.answer(slow)
    server = servers.start(scraping(job(target)))

    error = eventually(lambda: last_error(server))

    assert "timed out" in error or "deadline" in error or "within" in error
    release.set()
    eventually(lambda: server.value("a") == 1)
    server.stop()
