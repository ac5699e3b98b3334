"""Exemplars outlive the process: those that were acknowledged, and those that no longer fit into memory."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from harness.exposition_server import OPENMETRICS, ExpositionServer
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually
from vedette.model.labels import label_set
from vedette.model.samples import Exemplar, SampleRuns
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import (
    Version,
    encode_exemplars_v1,
    encode_labels_v1,
    encode_v1,
    encode_v2,
    request_headers,
)

LABELS = label_set({"__name__": "wait_seconds_bucket", "le": "0.5"})


def pushed(version: Version, now_ms: int, exemplars: list[Exemplar]) -> bytes:
    runs = SampleRuns(np.array([0, 1]), np.array([now_ms]), np.array([3.0]))
    if version is Version.V2:
        return compress(encode_v2([LABELS], runs, exemplars=[exemplars]), Encoding.SNAPPY)
    head = encode_labels_v1(LABELS)
    return compress(encode_v1([head], runs) + encode_exemplars_v1(head, exemplars), Encoding.SNAPPY)


def push(server: VedetteServer, version: Version, now_ms: int, exemplars: list[Exemplar]) -> None:
    body = pushed(version, now_ms, exemplars)
    answer = server.client.post("/api/v1/write", content=body, headers=request_headers(version))
    assert answer.status_code == 204, answer.text


def traces(server: VedetteServer, **window: Any) -> list[str]:
    found = server.data("query_exemplars", query="wait_seconds_bucket", **window)
    return [each["labels"]["trace_id"] for series in found for each in series["exemplars"]]


@pytest.mark.parametrize("version", list(Version))
def test_an_exemplar_that_was_acknowledged_is_there_after_a_kill(servers: Servers, version: Version) -> None:
    server = servers.start(QUIET)
    now_ms = int(time.time() * 1000)
    exemplars = [Exemplar(label_set({"trace_id": f"t{i}"}), 0.25, now_ms - 10 + i) for i in range(3)]

    push(server, version, now_ms, exemplars)
    server.kill()
    server.start()

    assert traces(server) == ["t0", "t1", "t2"]
    (series,) = server.data("query_exemplars", query="wait_seconds_bucket")
    assert series["seriesLabels"] == dict(LABELS)
    assert series["exemplars"][0] == {
        "labels": {"trace_id": "t0"},
        "value": "0.25",
        "timestamp": (now_ms - 10) / 1000,
    }
    server.stop()


def test_those_that_do_not_fit_into_memory_are_found_on_the_disk(servers: Servers) -> None:
    server = servers.start(f"{QUIET}\nlimits: {{exemplars: 2}}")
    now_ms = int(time.time() * 1000)
    exemplars = [Exemplar(label_set({"trace_id": f"t{i}"}), 0.25, now_ms - 10_000 + 1_000 * i) for i in range(5)]

    for exemplar in exemplars:  # one by one: more than memory holds do not come at one time
        push(server, Version.V1, now_ms, [exemplar])
        now_ms += 1

    window = {"start": now_ms / 1000 - 60, "end": now_ms / 1000 + 60}
    assert traces(server, **window) == ["t0", "t1", "t2", "t3", "t4"]
    assert traces(server, **window | {"end": now_ms / 1000 - 9}) == ["t0", "t1"]
    assert server.metric("vedette_exemplars_stored") == 2
    server.stop()
    server.start()
    assert traces(server, **window) == ["t0", "t1", "t2", "t3", "t4"]
    server.stop()


def test_scraped_exemplars_are_there_after_a_restart_and_are_not_taken_twice(
    servers: Servers, target: ExpositionServer
) -> None:
    at_s = time.time()
    target.show(
        "# TYPE wait_seconds histogram\n"
        f'wait_seconds_bucket{{le="0.5"}} 3 # {{trace_id="abc"}} 0.43 {at_s:.3f}\n'
        'wait_seconds_bucket{le="+Inf"} 4\nwait_seconds_sum 2\nwait_seconds_count 4\n# EOF\n',
        content_type=OPENMETRICS,
    )
    every = "scrape_interval: 250ms, scrape_timeout: 250ms"
    job = f"{{job_name: shop, {every}, static_configs: [{{targets: ['{target.address}']}}]}}"
    server = servers.start(f"{QUIET}\nscrape_configs:\n  - {job}\n")
    eventually(lambda: traces(server) == ["abc"])

    server.stop()
    server.start()
    target.wait_until_asked(3)

    assert traces(server) == ["abc"]
    server.stop()
