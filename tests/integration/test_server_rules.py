"""Rules in a whole server: evaluated from its start on, kept through reloads, taken up again after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.exposition_server import ExpositionServer
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually


def config(target: ExpositionServer | None = None, *, rules: str = "rules/*.yml", more: str = "") -> str:
    jobs = ""
    if target is not None:
        jobs = (
            "scrape_configs:\n  - job_name: shop\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n"
            f"    static_configs: [{{targets: ['{target.address}']}}]\n"
        )
    return f"{QUIET}\nglobal: {{evaluation_interval: 200ms}}\nrule_files: ['{rules}']\n{jobs}{more}\n"


def write_rules(server: VedetteServer, text: str, name: str = "a.yml") -> Path:
    file = server.data_dir.parent / "rules" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def group(*rules: str, name: str = "g", more: str = "") -> str:
    lines = "".join(f"      - {{{rule}}}\n" for rule in rules)
    return f"groups:\n  - name: {name}\n{more}    rules:\n{lines}"


def rounds(server: VedetteServer, key: str) -> float:
    return server.metric("prometheus_rule_group_iterations_total", rule_group=key) or 0


def wait_rounds(server: VedetteServer, key: str, count: int = 2) -> None:
    """Wait until a group has been evaluated so often from now on."""
    before = rounds(server, key)
    eventually(lambda: rounds(server, key) >= before + count)


def test_rules_record_and_fire_from_the_start_on(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 3\n")
    server = servers.new(config(target))
    write_rules(
        server,
        group("record: 'job:level:max', expr: max by (job) (level)", "alert: High, expr: 'job:level:max > 2'"),
    )
    server.start()

    eventually(lambda: server.query('ALERTS{alertstate="firing"}'))

    (alert,) = server.query("ALERTS")
    labels = {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing", "job": "shop"}
    assert alert["metric"] == labels
    assert server.value("job:level:max") == 3
    (since,) = server.query("ALERTS_FOR_STATE")
    assert 0 <= float(alert["value"][0]) - float(since["value"][1]) < 60
    server.stop()


def test_an_alert_that_is_over_ends_its_series(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 3\n")
    server = servers.new(config(target))
    write_rules(server, group("alert: High, expr: level > 2"))
    server.start()
    eventually(lambda: server.query("ALERTS"))

    target.show("level 1\n")

    eventually(lambda: not server.query("ALERTS"))
    assert server.query("ALERTS_FOR_STATE") == []
    server.stop()


def test_samples_of_rules_are_booked_as_such(servers: Servers) -> None:
    server = servers.new(config())
    write_rules(server, group("record: one, expr: vector(1)"))
    server.start()

    eventually(lambda: server.value("one") == 1)

    (account,) = [one for one in server.get("/api/vedette/v1/ledger").json()["sources"] if one["source"] == "rules"]
    assert account["stored"] > 0
    assert account["balanced"]
    assert account["dropped"] == {}
    server.stop()


def test_rules_of_an_included_prometheus_yml_are_found_from_its_folder(servers: Servers) -> None:
    server = servers.new(f"{QUIET}\ninclude: [shop/prometheus.yml]\n")
    folder = server.data_dir.parent / "shop"
    folder.mkdir()
    (folder / "prometheus.yml").write_text("global: {evaluation_interval: 200ms}\nrule_files: [first.rules]\n")
    (folder / "first.rules").write_text(group("record: one, expr: vector(1)"))
    server.start()

    eventually(lambda: server.value("one") == 1)

    assert server.events("configuration") == []
    server.stop()


def test_a_pattern_without_files_is_no_error(servers: Servers) -> None:
    server = servers.start(config())

    (event,) = server.events("`rule_files` names no file")

    assert event["pattern"].endswith("rules/*.yml")
    server.stop()


def test_a_server_does_not_start_with_a_bad_rule_file(servers: Servers) -> None:
    server = servers.new(config())
    file = write_rules(server, group("record: one, expr: vector(1"))
    server.start(wait=False)

    code = server.wait()

    assert code == 1
    assert f"{file}:4:" in server.log_end()


# Reload


def test_a_bad_rule_file_leaves_the_running_rules_in_place(servers: Servers) -> None:
    server = servers.new(config())
    file = write_rules(server, group("record: one, expr: vector(1)"))
    other = write_rules(server, group("record: two, expr: vector(2)"), "b.yml")
    server.start()
    eventually(lambda: server.value("one") == 1)

    write_rules(server, group("record: one, expr: vector(1", "alert: A, expr: up, for: soon"))
    write_rules(server, group("record: two"), "b.yml")
    response = server.client.post("/-/reload")

    assert response.status_code == 500
    assert f"{file}:4:" in response.text
    assert f"{file}:5:" in response.text
    assert f"{other}:4:" in response.text
    assert server.metric("vedette_config_last_reload_successful") == 0
    wait_rounds(server, f"{file};g")
    assert server.value("one") == 1
    server.stop()


def test_a_reload_takes_new_rules_and_keeps_the_alerts_of_old_ones(servers: Servers) -> None:
    server = servers.new(config())
    alert = "alert: Always, expr: vector(1), for: 1h"
    file = write_rules(server, group(alert))
    server.start()
    eventually(lambda: server.query("ALERTS_FOR_STATE"))
    since = server.value("ALERTS_FOR_STATE")

    write_rules(server, group("record: one, expr: vector(1)", f"{alert}, annotations: {{text: new}}"))
    assert server.client.post("/-/reload").status_code == 200

    eventually(lambda: server.value("one") == 1)
    wait_rounds(server, f"{file};g")
    assert server.value("ALERTS_FOR_STATE") == since
    server.stop()


def test_series_of_a_removed_group_end(servers: Servers) -> None:
    server = servers.new(config())
    write_rules(server, group("record: one, expr: vector(1)"))
    write_rules(server, group("record: two, expr: vector(2)"), "b.yml")
    server.start()
    eventually(lambda: server.value("one") and server.value("two"))

    write_rules(server, "groups: []", "b.yml")
    assert server.client.post("/-/reload").status_code == 200

    eventually(lambda: not server.query("two"))
    assert server.value("one") == 1
    server.stop()


# Restart


@pytest.mark.parametrize("dies", [pytest.param(False, id="stopped"), pytest.param(True, id="killed")])
def test_the_clock_of_for_goes_on_after_a_restart(servers: Servers, *, dies: bool) -> None:
    server = servers.new(config(more="rules: {grace_period: 0s}"))
    write_rules(server, group("alert: Always, expr: vector(1), for: 1h"))
    server.start()
    key = f"{server.data_dir.parent}/rules/a.yml;g"
    # Once it has looked into the past, it writes; what is older than a second outlives a crash.
    eventually(lambda: server.query("ALERTS_FOR_STATE"))
    before = server.value("ALERTS_FOR_STATE")
    wait_rounds(server, key, 10)

    if dies:
        server.kill()
    else:
        server.stop()
    server.start()

    eventually(lambda: (server.metric("prometheus_rule_group_last_restore_duration_seconds", rule_group=key) or 0) > 0)
    wait_rounds(server, key)
    after = server.value("ALERTS_FOR_STATE")
    assert before is not None
    assert after is not None
    # Time in which nobody looked does not count; it began anew otherwise, minutes later.
    assert (server.value("timestamp(ALERTS_FOR_STATE)") or 0) - after > 2
    server.stop()


# Independence


def test_a_slow_rule_does_not_delay_other_groups(servers: Servers) -> None:
    server = servers.new(config())
    slow = "count_over_time(quantile_over_time(0.5, vector(1)[1d:1s])[12h:1s])"
    slow_file = write_rules(server, group(f"record: slow, expr: '{slow}'", name="slow"))
    file = write_rules(server, group("record: quick, expr: vector(1)"), "b.yml")
    server.start()

    eventually(lambda: rounds(server, f"{slow_file};slow"))
    wait_rounds(server, f"{file};g", 5)

    assert rounds(server, f"{slow_file};slow") == 1, "it is still at its first one"
    assert server.metric("prometheus_rule_group_last_evaluation_samples", rule_group=f"{file};g") == 1
    server.stop()
