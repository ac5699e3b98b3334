"""Reading the configuration again while the server runs: all of it takes effect, or nothing does and it is said why."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator

import pytest

from harness.exposition_server import ExpositionServer, serve_expositions
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

STAYS = "configuration not reloaded; the running one stays"


@pytest.fixture
def second_target() -> Iterator[ExpositionServer]:
    with serve_expositions() as pages:
        pages.show("level 2\n")
        yield pages


def job(name: str, *targets: ExpositionServer, interval: str = "250ms", more: str = "") -> str:
    addresses = ", ".join(f'"{target.address}"' for target in targets)
    return (
        f"  - job_name: {name}\n    scrape_interval: {interval}\n    scrape_timeout: {interval}\n"
        f"    static_configs: [{{targets: [{addresses}]}}]\n{more}"
    )


def jobs(*texts: str) -> str:
    return f"{QUIET}\nscrape_configs:\n{''.join(texts)}"


def by_request(server: VedetteServer) -> None:
    response = server.client.post("/-/reload")
    assert response.status_code == 200, response.text


def by_signal(server: VedetteServer) -> None:
    before = len(server.events("configuration reloaded"))
    server.send_signal(signal.SIGHUP)
    eventually(lambda: len(server.events("configuration reloaded")) > before)


@pytest.mark.parametrize("reload", [pytest.param(by_request, id="POST"), pytest.param(by_signal, id="SIGHUP")])
def test_jobs_come_and_go_with_a_reload(
    servers: Servers, target: ExpositionServer, second_target: ExpositionServer, reload: Callable[[VedetteServer], None]
) -> None:
    target.show("level 1\n")
    server = servers.start(jobs(job("first", target)))
    eventually(lambda: server.value("level") == 1)

    server.configure(jobs(job("second", second_target)))
    reload(server)

    eventually(lambda: server.value("level") == 2)
    assert server.query('{job="first"}') == [], "what is not scraped any more ends at once"
    assert server.data("scrape_pools") == {"scrapePools": ["second"]}
    assert "job_name: second" in server.data("status/config")["yaml"]
    assert server.metric("vedette_config_last_reload_successful") == 1
    server.stop()


def test_a_bad_file_changes_nothing_and_is_named_with_its_line(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 1\n")
    server = servers.start(jobs(job("first", target)))
    eventually(lambda: server.value("level") == 1)
    loaded_s = server.metric("vedette_config_last_reload_success_timestamp_seconds")

    server.configure(jobs(job("first", target, interval="soon")))
    response = server.client.post("/-/reload")

    assert response.status_code == 500
    assert f"{server.config_file}:7:" in response.text
    assert '"soon"' in response.text
    assert server.metric("vedette_config_last_reload_successful") == 0
    assert server.metric("vedette_config_last_reload_success_timestamp_seconds") == loaded_s
    assert server.data("status/runtimeinfo")["reloadConfigSuccess"] is False
    target.wait_until_asked(2)

    server.configure(jobs(job("first", target)))
    by_request(server)
    assert server.metric("vedette_config_last_reload_successful") == 1
    server.stop()


def test_a_bad_file_at_a_signal_is_an_error_of_the_log(servers: Servers) -> None:
    server = servers.start()

    server.configure("scrape_configs: 7\n")
    server.send_signal(signal.SIGHUP)

    (event,) = eventually(lambda: server.events(STAYS))
    assert f"{server.config_file}:1:" in event["error"]
    assert server.metric("vedette_config_last_reload_successful") == 0
    server.stop(expected=[STAYS])


def test_a_file_that_is_gone_changes_nothing(servers: Servers) -> None:
    server = servers.start()
    assert server.config_file

    server.config_file.unlink()
    response = server.client.post("/-/reload")

    assert response.status_code == 500
    assert str(server.config_file) in response.text
    assert server.get("/-/ready").status_code == 200
    server.stop()


def test_a_job_whose_options_do_not_work_changes_nothing(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 1\n")
    server = servers.start(jobs(job("first", target)))
    eventually(lambda: server.value("level") == 1)

    missing = "    scheme: https\n    tls_config: {ca_file: /nowhere/ca.pem}\n"
    server.configure(jobs(job("first", target), job("second", target, more=missing)))
    response = server.client.post("/-/reload")

    # Files that come and go, as secrets do, are read when they are needed; either way all others are scraped.
    if response.status_code != 200:
        assert "ca.pem" in response.text
    target.wait_until_asked(3)
    if response.status_code == 200:
        eventually(lambda: "ca.pem" in server.target("second")["lastError"])
    server.stop()


def test_unchanged_targets_are_not_touched_by_a_reload(
    servers: Servers, target: ExpositionServer, second_target: ExpositionServer
) -> None:
    target.show("level 1\n")
    server = servers.start(jobs(job("kept", target), job("changed", second_target)))
    eventually(lambda: len(server.query("level")) == 2)

    for number in range(5):
        more = f"    params: {{number: ['{number}']}}\n"
        server.configure(jobs(job("kept", target), job("changed", second_target, more=more)))
        by_request(server)
        target.wait_until_asked(1)
    eventually(lambda: any("number=4" in asked.path for asked in second_target.asked()))

    # A target that starts anew adds all of its series again.
    assert server.value('sum_over_time(scrape_series_added{job="kept"}[1h])') == 1
    server.stop()


def test_a_changed_job_goes_on_with_its_series_without_a_gap(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 1\n")
    server = servers.start(jobs(job("shop", target)))
    eventually(lambda: server.value("level") == 1)
    start_s = float(server.query("level")[0]["value"][0])

    server.configure(
        jobs(job("shop", target, interval="200ms", more="    metrics_path: /metrics\n    sample_limit: 50\n"))
    )
    by_request(server)
    target.wait_until_asked(4)

    # In whole milliseconds, as the server counts.
    start_ms, end_ms = round(start_s * 1000), time.time_ns() // 1_000_000
    times = {"start": start_ms / 1000, "end": end_ms / 1000, "step": 0.02}
    (series,) = server.data("query_range", query="level", **times)["result"]
    assert len(series["values"]) == (end_ms - start_ms) // 20 + 1
    server.stop()


def test_a_target_that_a_changed_job_has_no_more_ends_at_once(
    servers: Servers, target: ExpositionServer, second_target: ExpositionServer
) -> None:
    target.show("level 1\n")
    server = servers.start(jobs(job("shop", target, second_target)))
    eventually(lambda: len(server.query("level")) == 2)

    server.configure(jobs(job("shop", target)))
    by_request(server)

    eventually(lambda: server.query(f'{{instance="{second_target.address}"}}') == [])
    assert server.value("level") == 1
    assert server.value("up") == 1
    server.stop()


def test_the_series_of_a_target_whose_url_changes_stay(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 1\nold 1\n")
    target.show("level 2\n", "/other")
    server = servers.start(jobs(job("shop", target)))
    eventually(lambda: server.value("level") == 1)

    server.configure(jobs(job("shop", target, more="    metrics_path: /other\n")))
    by_request(server)

    eventually(lambda: server.value("level") == 2)
    assert server.query("old") == []
    assert server.value("up") == 1
    server.stop()


def test_a_source_within_the_process_that_is_switched_off_ends_at_once(servers: Servers) -> None:
    server = servers.start("self: {canary: {enabled: false}, interval: 1s}\nhost: {interval: 1s}\n")
    eventually(lambda: server.query("node_load1") and server.query("vedette_series"))

    server.configure("self: {canary: {enabled: false}, interval: 500ms}\nhost: {enabled: false}\n")
    by_request(server)

    eventually(lambda: server.query('{job="node"}') == [])
    assert server.query("vedette_series")
    assert server.value('up{job="vedette"}') == 1
    server.stop()


def test_sections_that_wait_for_the_next_start_are_named(servers: Servers) -> None:
    server = servers.start()

    server.configure(f"{QUIET}\nstorage: {{out_of_order_window: 5m}}\n")
    by_request(server)

    (event,) = server.events("these sections take effect with the next start")
    assert event["sections"] == ["storage"]
    server.stop()
