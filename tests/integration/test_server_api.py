"""Prometheus' HTTP API of a whole server: every endpoint, by GET and POST, right and wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from harness.exposition_server import serve_expositions
from harness.pushing import Batch, push, push_samples
from harness.routes import all_routers
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually
from vedette.http.testing import CALLERS, verdicts

NOW_S = 60 * (int(time.time()) // 60 - 3)
"""The time of the newest sample pushed; a whole minute."""
POINTS = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    """A server with ten minutes of five series and one scraped target."""
    server = VedetteServer(tmp_path_factory.mktemp("api") / "data", QUIET)
    with serve_expositions() as target:
        target.show("# HELP scraped Scraped.\n# TYPE scraped gauge\nscraped 1\n")
        server.configure(
            f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
            f"    static_configs: [{{targets: ['{target.address}'], labels: {{env: prod}}}}]\n"
        )
        try:
            server.start()
            times = (NOW_S - 60 * np.arange(POINTS)[::-1]).astype(np.int64) * 1000
            values = (np.arange(5)[:, None] * 100 + np.arange(POINTS)).astype(np.float64)
            assert push(server.client, Batch("pushed", {"zone": "a"}, range(5), times, values).body()).is_success
            assert push_samples(server.client, "Ünïcode.metric", [(NOW_S * 1000, 1.5)], **{"läbel.1": "ö"}).is_success
            eventually(lambda: server.value("scraped") == 1)
            yield server
            server.stop()
        finally:
            server.kill()


METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


def ask(server: VedetteServer, method: str, path: str, parameters: Any) -> httpx.Response:
    if method == "POST":
        return server.client.post(f"/api/v1/{path}", data=parameters)
    return server.client.get(f"/api/v1/{path}", params=parameters)


def data(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body["status"] == "success"
    return body["data"]


@METHODS
def test_an_instant_query_finds_the_newest_samples_at_its_time(server: VedetteServer, method: str) -> None:
    found = data(ask(server, method, "query", {"query": 'pushed{series="2"}', "time": str(NOW_S)}))

    metric = {"__name__": "pushed", "series": "2", "zone": "a"}
    assert found == {"resultType": "vector", "result": [{"metric": metric, "value": [NOW_S, "209"]}]}


@METHODS
def test_a_range_query_has_one_point_for_each_step(server: VedetteServer, method: str) -> None:
    wanted = {"query": 'pushed{series="1"}', "start": str(NOW_S - 120), "end": str(NOW_S), "step": "1m"}

    found = data(ask(server, method, "query_range", wanted))

    (series,) = found["result"]
    assert found["resultType"] == "matrix"
    assert series["values"] == [[NOW_S - 120, "107"], [NOW_S - 60, "108"], [NOW_S, "109"]]


@METHODS
def test_times_may_be_written_as_rfc_3339_and_steps_as_numbers(server: VedetteServer, method: str) -> None:
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW_S))
    wanted = {"query": 'pushed{series="1"}', "start": text, "end": text.replace("Z", "+00:00"), "step": "0.5"}

    (series,) = data(ask(server, method, "query_range", wanted))["result"]

    assert series["values"] == [[NOW_S, "109"]]


@METHODS
def test_a_limit_cuts_the_series_and_says_so(server: VedetteServer, method: str) -> None:
    for path, more in (("query", {"time": NOW_S}), ("query_range", {"start": NOW_S, "end": NOW_S, "step": 1})):
        answer = ask(server, method, path, {"query": "pushed", "limit": "2", **more})
        assert len(data(answer)["result"]) == 2
        assert answer.json()["warnings"] == ["results truncated due to limit"]
        answer = ask(server, method, path, {"query": "pushed", "limit": "5", **more})
        assert len(data(answer)["result"]) == 5
        assert "warnings" not in answer.json()
        assert ask(server, method, path, {"query": "pushed", "limit": "-1", **more}).status_code == 400


@METHODS
def test_statistics_are_told_when_asked_for(server: VedetteServer, method: str) -> None:
    answer = data(ask(server, method, "query", {"query": "sum(pushed)", "time": NOW_S, "stats": "all"}))

    assert answer["stats"]["samples"]["totalQueryableSamples"] >= 5
    assert answer["stats"]["timings"]["evalTotalTime"] > 0
    assert "stats" not in data(ask(server, method, "query", {"query": "sum(pushed)", "time": NOW_S}))


@METHODS
def test_the_lookback_of_a_query_may_be_chosen(server: VedetteServer, method: str) -> None:
    at = NOW_S + 100
    wanted = {"query": "count(pushed)", "time": str(at)}

    assert data(ask(server, method, "query", wanted))["result"][0]["value"] == [at, "5"]
    assert data(ask(server, method, "query", {**wanted, "lookback_delta": "1m"}))["result"] == []
    assert ask(server, method, "query", {**wanted, "lookback_delta": "-1m"}).status_code == 400


@METHODS
def test_series_are_found_by_selectors_and_times(server: VedetteServer, method: str) -> None:
    one = {"__name__": "pushed", "series": "0", "zone": "a"}

    assert data(ask(server, method, "series", {"match[]": 'pushed{series="0"}'})) == [one]
    both = {"match[]": ['pushed{series="0"}', '{series=~"0|1"}']}
    assert [entry["series"] for entry in data(ask(server, method, "series", both))] == ["0", "1"]
    limited = ask(server, method, "series", {"match[]": "pushed", "limit": "3"})
    assert len(data(limited)) == 3
    assert limited.json()["warnings"] == ["results truncated due to limit"]
    past = {"match[]": "pushed", "end": str(NOW_S - 40 * 86_400)}
    assert data(ask(server, method, "series", past)) == []


@METHODS
def test_label_names_are_found(server: VedetteServer, method: str) -> None:
    assert {"__name__", "env", "instance", "job", "series", "zone"} <= set(data(ask(server, method, "labels", {})))
    assert data(ask(server, method, "labels", {"match[]": "pushed"})) == ["__name__", "series", "zone"]
    limited = ask(server, method, "labels", {"match[]": "pushed", "limit": "1"})
    assert data(limited) == ["__name__"]
    assert limited.json()["warnings"] == ["results truncated due to limit"]


def test_label_values_are_found(server: VedetteServer) -> None:
    assert data(ask(server, "GET", "label/series/values", {})) == ["0", "1", "2", "3", "4"]
    assert data(ask(server, "GET", "label/series/values", {"match[]": 'pushed{series=~"[12]"}'})) == ["1", "2"]
    assert data(ask(server, "GET", "label/series/values", {"limit": "2"})) == ["0", "1"]
    assert data(ask(server, "GET", "label/nope/values", {})) == []
    assert ask(server, "POST", "label/series/values", {}).status_code == 405


def test_names_beyond_the_old_character_set_are_found_plainly_and_escaped(server: VedetteServer) -> None:
    escaped = "U__l_e4_bel_2e_1"

    assert data(ask(server, "GET", f"label/{escaped}/values", {})) == ["ö"]
    assert data(ask(server, "GET", "label/l%C3%A4bel.1/values", {})) == ["ö"]
    (series,) = data(ask(server, "GET", "query", {"query": '{"Ünïcode.metric"}', "time": NOW_S}))["result"]
    assert series["metric"] == {"__name__": "Ünïcode.metric", "läbel.1": "ö"}


def test_a_form_may_be_written_in_plain_utf_8(server: VedetteServer) -> None:
    answer = server.client.post(
        "/api/v1/query",
        content=f'query={{"läbel.1"="ö"}}&time={NOW_S}'.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert len(data(answer)["result"]) == 1


def test_parameters_of_the_body_count_before_those_of_the_path(server: VedetteServer) -> None:
    answer = server.client.post("/api/v1/query?query=1", data={"query": "2"})

    assert data(answer)["result"][1] == "2"


def test_metadata_is_limited_by_families_and_by_entries(server: VedetteServer) -> None:
    assert data(ask(server, "GET", "metadata", {"metric": "scraped"})) == {
        "scraped": [{"type": "gauge", "help": "Scraped.", "unit": ""}]
    }
    assert data(ask(server, "GET", "metadata", {"metric": "nope"})) == {}
    assert len(data(ask(server, "GET", "metadata", {"limit": "1"}))) == 1


def test_targets_are_shown_by_state_and_pool(server: VedetteServer) -> None:
    found = data(ask(server, "GET", "targets", {}))
    (target,) = found["activeTargets"]
    assert target["labels"]["env"] == "prod"
    assert target["health"] == "up"
    assert target["scrapeInterval"] == "250ms"
    assert data(ask(server, "GET", "targets", {"state": "dropped"}))["activeTargets"] == []
    assert data(ask(server, "GET", "targets", {"scrapePool": "nope"}))["activeTargets"] == []
    assert data(ask(server, "GET", "scrape_pools", {})) == {"scrapePools": ["shop"]}


def test_metadata_of_targets_is_found_by_selector_and_metric(server: VedetteServer) -> None:
    found = data(ask(server, "GET", "targets/metadata", {"metric": "scraped", "match_target": '{env="prod"}'}))

    (entry,) = found
    assert entry == {"target": entry["target"], "type": "gauge", "help": "Scraped.", "unit": ""}
    assert data(ask(server, "GET", "targets/metadata", {"match_target": '{env="test"}'})) == []


@METHODS
def test_expressions_are_formatted_and_parsed(server: VedetteServer, method: str) -> None:
    formatted = data(ask(server, method, "format_query", {"query": "sum(rate(x[5m]))by(a)"}))
    tree = data(ask(server, method, "parse_query", {"query": "sum(x)by(a)"}))

    assert formatted == "sum by (a) (rate(x[5m]))"
    assert tree["type"] == "aggregation"
    assert tree["grouping"] == ["a"]


@METHODS
def test_exemplars_are_an_empty_list_where_there_are_none(server: VedetteServer, method: str) -> None:
    assert data(ask(server, method, "query_exemplars", {"query": "pushed", "start": 0, "end": NOW_S})) == []


def test_the_status_pages_tell_of_this_server(server: VedetteServer) -> None:
    assert "job_name: shop" in data(ask(server, "GET", "status/config", {}))["yaml"]
    assert data(ask(server, "GET", "status/flags", {}))["storage.tsdb.path"] == str(server.data_dir)
    assert data(ask(server, "GET", "status/runtimeinfo", {}))["reloadConfigSuccess"] is True
    assert data(ask(server, "GET", "status/buildinfo", {}))["version"].startswith("3.")
    tsdb = data(ask(server, "GET", "status/tsdb", {"limit": "1"}))
    assert tsdb["seriesCountByMetricName"] == [{"name": "pushed", "value": 5}]
    assert tsdb["headStats"]["numSeries"] == 12
    assert ask(server, "GET", "status/tsdb", {"limit": "10001"}).status_code == 400


BAD = [
    pytest.param("query", {"query": "sum("}, 400, "bad_data", id="an expression that does not parse"),
    pytest.param("query", {}, 400, "bad_data", id="no expression"),
    pytest.param("query", {"query": "1", "time": "x"}, 400, "bad_data", id="a time that is none"),
    pytest.param("query", {"query": "1", "timeout": "x"}, 400, "bad_data", id="a timeout that is none"),
    pytest.param("query", {"query": "pushed + on() pushed"}, 422, "execution", id="many-to-many matching"),
    pytest.param("query_range", {"query": "1", "start": 1, "end": 2}, 400, "bad_data", id="no step"),
    pytest.param("query_range", {"query": "1", "start": 1, "end": 2, "step": 0}, 400, "bad_data", id="a step of 0"),
    pytest.param(
        "query_range", {"query": "1", "start": 2, "end": 1, "step": 1}, 400, "bad_data", id="end before start"
    ),
    pytest.param("query_range", {"query": "1", "end": 1, "step": 1}, 400, "bad_data", id="no start"),
    pytest.param(
        "query_range", {"query": "a[5m]", "start": 1, "end": 2, "step": 1}, 400, "bad_data", id="a range vector"
    ),
    pytest.param(
        "query_range", {"query": "1", "start": 0, "end": 1e6, "step": 1}, 400, "bad_data", id="too many points"
    ),
    pytest.param("series", {}, 400, "bad_data", id="series of no selector"),
    pytest.param("series", {"match[]": "{}"}, 400, "bad_data", id="series of everything"),
    pytest.param("series", {"match[]": "pushed", "start": "x"}, 400, "bad_data", id="series from a time that is none"),
    pytest.param("labels", {"match[]": "1 + 1"}, 400, "bad_data", id="labels of no selector"),
    pytest.param("query_exemplars", {"query": "a", "start": 2, "end": 1}, 400, "bad_data", id="exemplars backwards"),
    pytest.param("format_query", {"query": "sum("}, 400, "bad_data", id="formatting what does not parse"),
    pytest.param("parse_query", {"query": "sum("}, 400, "bad_data", id="parsing what does not parse"),
]


@METHODS
@pytest.mark.parametrize(("path", "parameters", "status", "kind"), BAD)
def test_what_is_wrong_is_said_in_prometheus_envelope(
    server: VedetteServer, method: str, path: str, parameters: dict[str, Any], status: int, kind: str
) -> None:
    now = {"time": NOW_S} if path == "query" and "time" not in parameters else {}

    answer = ask(server, method, path, {**parameters, **now})

    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"status", "errorType", "error"}
    assert body["status"] == "error"
    assert body["errorType"] == kind


def test_an_unknown_path_of_the_api_is_not_found(server: VedetteServer) -> None:
    assert server.get("/api/v1/nope").status_code == 404


def test_warnings_and_infos_come_with_an_answer(server: VedetteServer) -> None:
    answer = ask(server, "GET", "query", {"query": "rate(pushed[5m])", "time": NOW_S})

    assert answer.status_code == 200
    (info,) = answer.json()["infos"]
    assert info.startswith("PromQL info: metric might not be a counter")


def test_a_large_answer_is_whole(servers: Servers) -> None:
    server = servers.start()
    times = np.array([NOW_S * 1000], np.int64)
    count = 20_000
    values = np.arange(count, dtype=np.float64)[:, None]
    assert push(server.client, Batch("many", {}, range(count), times, values).body()).status_code == 204

    found = data(ask(server, "GET", "query", {"query": "many", "time": NOW_S}))

    assert {(s["metric"]["series"], s["value"][1]) for s in found["result"]} == {(str(i), str(i)) for i in range(count)}
    server.stop()


SENDERS = frozenset({"token for write:metrics", "token for write:alerts"})
READERS = frozenset(CALLERS) - {"nobody", "one-time link"} - SENDERS
WRITERS = frozenset(
    {
        "editor's session",
        "admin's session",
        "local program",
        "local token",
        "token for write:metrics",
        "token for admin",
    }
)
ALERTERS = WRITERS - SENDERS | {"token for write:alerts"}
EDITORS = frozenset({"editor's session", "admin's session", "local token", "token for edit", "token for admin"})
ADMINS = frozenset({"admin's session", "local token", "token for admin"})
OF_ADMINS = {"/api/v1/status/config", "/-/reload", "/api/vedette/v1/backup"}
OF_WRITERS = {"/api/v1/write", "/api/vedette/v1/import/openmetrics"}
OF_ALERTERS = {
    ("POST", "/api/v1/alerts"),
    ("POST", "/api/v2/alerts"),
    ("POST", "/api/vedette/v1/alerts/webhook/{name}"),
    ("POST", "/api/vedette/v1/heartbeats/{name}"),
    ("PUT", "/api/vedette/v1/heartbeats/{name}"),
}
OF_EDITORS = {
    ("POST", "/api/v2/silences"),
    ("DELETE", "/api/v2/silence/{silence_id}"),
    ("POST", "/api/vedette/v1/receivers/{receiver}/test"),
}
ELSEWHERE = ("accounts", "login", "health", "ui")
"""Routers whose routes `test_http_access` and `test_http_ui` walk."""


async def test_every_route_lets_in_exactly_those_whom_it_should() -> None:
    routers = [router for router in all_routers() if router.name not in ELSEWHERE]

    found = await verdicts(routers)

    assert len(found) > 30
    for (method, path), admitted in found.items():
        expected = ADMINS if path in OF_ADMINS else WRITERS if path in OF_WRITERS else READERS
        if (method, path) in OF_ALERTERS | OF_EDITORS:
            expected = ALERTERS if (method, path) in OF_ALERTERS else EDITORS
        assert admitted == expected, (method, path, sorted(admitted ^ expected))
