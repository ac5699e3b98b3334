"""Answers of Prometheus' HTTP API, compared in shape with recorded ones of a real Prometheus.

A shape is the envelope, the fields' names and types, `errorType` and the status; times, durations, instances and the
texts of errors are another server's own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from harness.exposition_server import serve_expositions
from harness.vedette_server import QUIET, VedetteServer, eventually

FOLDER = Path(os.environ.get("CONFORMANCE_DIR", Path(__file__).parents[2] / "../shared/conformance")) / "prometheus_api"

_REQUEST = re.compile(
    r"(?P<file>\S+): GET (?P<path>/[^? ]+)(\?(?P<query>.*?))?( without .*?)?( -> (?P<status>\d+))?\s*"
)
_SERIES = re.compile(r"(?P<name>\w+)(\{(?P<labels>.*)\})? \S+ \d+")
_PAIR = re.compile(r'\w+="(?:[^"\\]|\\.)*"')
_WHOLE = re.compile(r'(?<=^le=")(-?\d+)(?="$)|(?<=^quantile=")(-?\d+)(?="$)')
_OF_TARGET = ("env", "instance", "job")
_BY_NAME = {"labels", "metric", "discoveredLabels", "seriesLabels"}
"""Objects whose fields' names are data: label sets."""
_NEWER = {"droppedTargetCounts"}
"""Fields that Prometheus 3 has and the recorded Prometheus had not."""
_VERBATIM = {"status", "errorType"}


def cases() -> Iterator[Any]:
    listing = FOLDER / "requests.yaml"
    if not listing.is_file():
        yield pytest.param(None, id="no data", marks=pytest.mark.skip(f"there is no {listing}"))
        return
    for line in listing.read_text().splitlines():
        found = _REQUEST.fullmatch(line)
        if line.startswith("#") or found is None:
            continue
        yield pytest.param(found.groupdict(), id=found["file"])


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    """A server that has scraped the recorded exposition, and evaluated its rules, for some seconds."""
    server = VedetteServer(tmp_path_factory.mktemp("api") / "data")
    with serve_expositions() as target:
        target.show((FOLDER / "exposition.txt").read_bytes())
        server.configure(
            f"{QUIET}\nglobal: {{evaluation_interval: 1s, external_labels: {{{external_labels()}}}}}\n"
            f"rule_files: ['{FOLDER.absolute()}/rules.yml']\n"
            "scrape_configs:\n  - job_name: helpdesk\n    scrape_interval: 2s\n    scrape_timeout: 2s\n"
            f"    static_configs: [{{targets: ['{target.address}'], labels: {{env: prod}}}}]\n"
        )
        try:
            server.start()
            eventually(lambda: (server.value("count_over_time(up[1m])") or 0) >= 2)
            recorded = json.loads((FOLDER / "alerts.json").read_bytes())["data"]["alerts"]
            eventually(lambda: len(server.data("alerts")["alerts"]) >= len(recorded))
            yield server
            server.stop()
        finally:
            server.kill()


def external_labels() -> str:
    """Those of the recorded server: all that it federated has them, and they are none of its target's."""
    recorded = (FOLDER / "federate.txt").read_text().splitlines()
    of_series = [set(_PAIR.findall(line)) for line in recorded if not line.startswith("#")]
    common = set.intersection(*of_series) if of_series else set[str]()
    pairs = [pair.split("=", 1) for pair in sorted(common)]
    return ", ".join(f"{name}: {value}" for name, value in pairs if name not in _OF_TARGET)


def parameters(text: str | None, now_s: float) -> list[tuple[str, str | int | float | bool | None]]:
    """The parameters as the listing writes them: not escaped, and with T for now."""
    if not text:
        return []
    found: list[tuple[str, str | int | float | bool | None]] = []
    for part in re.split(r"&(?=[a-z_]+(?:\[\])?=)", text):
        name, _, value = part.partition("=")
        if value == "T" or value.startswith("T-"):
            value = str(now_s - float(value[2:] or 0))
        found.append((name, "1+2" if value == "1+2" else value))
    return found


def mismatches(found: Any, recorded: Any, at: str) -> Iterator[str]:
    """Where a document's shape is not the recorded one's."""
    if _kind(found) != _kind(recorded):
        yield f"{at} is {str(found)[:80]}, not a {_kind(recorded)}"
    elif isinstance(recorded, dict):
        yield from _of_object(found, cast("dict[str, Any]", recorded), at)
    elif isinstance(recorded, list):
        yield from _of_list(found, cast("list[Any]", recorded), at)


def _of_object(found: dict[str, Any], recorded: dict[str, Any], at: str) -> Iterator[str]:
    if at.rpartition(".")[2] in _BY_NAME or at == "data of families":
        if bool(found) != bool(recorded):
            yield f"{at} is {'full' if found else 'empty'}, unlike the recorded one"
        for name, value in found.items():
            yield from mismatches(value, next(iter(recorded.values())), f"{at}.<{name}>")
        return
    if differing := recorded.keys() ^ (found.keys() - (_NEWER - recorded.keys())):
        yield f"{at} has not the recorded fields: {sorted(differing)}"
    for name in recorded.keys() & found.keys():
        yield from mismatches(found[name], recorded[name], f"{at}.{name}")


def _of_list(found: list[Any], recorded: list[Any], at: str) -> Iterator[str]:
    if bool(found) != bool(recorded):
        yield f"{at} is {'full' if found else 'empty'}, unlike the recorded one"
        return
    for number, entry in enumerate(found):
        attempts = [list(mismatches(entry, one, f"{at}[{number}]")) for one in recorded]
        yield from min(attempts, key=len)


def _kind(found: Any) -> str:
    if isinstance(found, bool):
        return "bool"
    return "number" if isinstance(found, int | float) else type(found).__name__


@pytest.mark.parametrize("case", list(cases()))
def test_an_answer_has_the_shape_that_prometheus_gave_it(case: dict[str, str | None], scraped: VedetteServer) -> None:
    now_s = float(scraped.data("query", query="time()")["result"][1])

    file, path, query = case["file"] or "", case["path"] or "", case["query"]
    if query is None and path.endswith("/query_exemplars"):
        query = "query=helpdesk_queue_depth"  # without one there is no such answer; the listing leaves it out

    response = scraped.client.get(path, params=httpx.QueryParams(parameters(query, now_s)))

    assert response.status_code == int(case["status"] or 200), response.text
    recorded = (FOLDER / file).read_bytes()
    if not file.endswith(".json"):
        assert exposition_shape(response.text) == exposition_shape(recorded.decode())
        return
    expected, found = json.loads(recorded), response.json()
    by_family = path.endswith("/metadata")
    assert found.keys() == expected.keys()
    assert {name: found[name] for name in _VERBATIM & found.keys()} == {
        name: expected[name] for name in _VERBATIM & expected.keys()
    }
    if "data" in expected:
        assert not list(mismatches(found["data"], expected["data"], "data of families" if by_family else "data"))
        if isinstance(expected["data"], dict):
            assert found["data"].get("resultType") == expected["data"].get("resultType")


def exposition_shape(text: str) -> set[tuple[str, ...]]:
    """The series and the types of what was scraped; without values, times, instances and what rules have made."""
    scraped = {
        line.partition("{")[0].partition(" ")[0] for line in (FOLDER / "exposition.txt").read_text().splitlines()
    }
    found: set[tuple[str, ...]] = set()
    for line in text.splitlines():
        series = _SERIES.fullmatch(line)
        name = line.split(" ")[2] if line.startswith("# TYPE ") else series["name"] if series else ""
        if name not in scraped and name != "up" and not name.startswith("scrape_"):
            continue
        if series is None:
            found.add(("type", name, line.rpartition(" ")[2]))
        else:
            # Prometheus 3 writes the numbers in `le` and `quantile` as floats: `1.0`.
            pairs = [_WHOLE.sub(r"\g<0>.0", pair) for pair in _PAIR.findall(series["labels"] or "")]
            found.add((name, *sorted(pair for pair in pairs if not pair.startswith("instance="))))
    return found
