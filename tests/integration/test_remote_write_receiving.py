"""A real Prometheus and a real vmagent write to us, read from us and federate from us."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from harness.in_memory import InMemory
from vedette.http import HttpSettings, ListenAddress, RunningServer, build_application, serve_http
from vedette.http.auth.principals import LOOPBACK_PEER, Principal
from vedette.http.prometheus.federate import federate_router
from vedette.http.prometheus.read import read_router
from vedette.http.prometheus.write import write_router
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import STALE, SampleRuns
from vedette.query.raw import RawLimits, open_raw_reads
from vedette.wire.compression import Encoding, compress, decompress
from vedette.wire.remote_write import Version, encode_labels_v1, encode_v1, encode_v2, request_headers

SETTINGS = HttpSettings(listen=(ListenAddress("127.0.0.1", 0),), access_log=False)
EXTERNAL = label_set({"cluster": "eu1", "replica": "a"})
PATIENCE_S = 60
SCRAPE_ITSELF = "scrape_configs: [{job_name: self, scrape_interval: 1s, static_configs: [{targets: [SELF]}]}]\n"


class Arrivals:
    """Tells whoever waits that samples were accepted."""

    def __init__(self, inside: InMemory) -> None:
        self._inside = inside
        self._more = asyncio.Event()
        inside.writer.observers.append(self)

    def observe(self, *_columns: Any) -> None:
        self._more.set()

    async def safe(self) -> None:
        pass

    async def until(self, name: str, count: int) -> list[tuple[int, float]]:
        """Wait until a series has so many samples."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for series, samples in self._inside.everything().items():
                    if ("__name__", name) in series and len(samples) >= count:
                        return samples
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def serving(inside: InMemory, limits: RawLimits | None = None) -> AsyncIterator[RunningServer]:
    async def identify(*_: Any) -> Principal:
        return LOOPBACK_PEER

    async with open_raw_reads(inside.source, limits or RawLimits(), inside.registry) as reads:
        routers = [
            write_router(inside.receiver),
            read_router(reads, lambda: EXTERNAL),
            federate_router(reads, lambda: EXTERNAL, now_ms=inside.now_ms, lookback_ms=lambda: 300_000),
        ]
        application = build_application(routers, identify=identify, settings=SETTINGS)
        async with serve_http(application, SETTINGS) as server:
            yield server


@asynccontextmanager
async def beside(program: AbstractContextManager[str]) -> AsyncIterator[str]:
    """Another program: waiting for its start does not hold up the loop, which it may need."""
    url = await asyncio.to_thread(program.__enter__)
    try:
        yield url
    finally:
        program.__exit__(None, None, None)


async def query(url: str, expression: str) -> Any:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/api/v1/query", params={"query": expression})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["result"]


def samples_of(result: Any) -> list[tuple[int, float]]:
    return [(round(float(time_s) * 1000), float(value)) for time_s, value in result["values"]]


def own_metric(text: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


async def test_everything_that_prometheus_scrapes_arrives_once_though_the_disk_fails_for_a_while(
    tmp_path: Path, programs: Any
) -> None:
    inside = InMemory()
    arrivals = Arrivals(inside)
    async with serving(inside) as server:
        config = f"""{SCRAPE_ITSELF}
remote_write:
- url: {server.url}/api/v1/write
  send_exemplars: true
  metadata_config: {{send_interval: 1s}}
  queue_config: {{batch_send_deadline: 200ms, max_backoff: 200ms}}
"""
        async with beside(programs.prometheus(tmp_path, config)) as url:
            await arrivals.until("up", 2)
            inside.commits.failing = True
            during = await arrivals.until("up", 3)
            inside.commits.failing = False
            stored = await arrivals.until("up", len(during) + 3)
            [theirs] = await query(url, "up[5m]")
            async with httpx.AsyncClient() as client:
                metrics = (await client.get(f"{url}/metrics")).text

    assert stored == [sample for sample in samples_of(theirs) if sample[0] <= stored[-1][0]]
    assert own_metric(metrics, "prometheus_remote_storage_samples_retried_total") > 0
    assert own_metric(metrics, "prometheus_remote_storage_samples_failed_total") == 0
    assert dict(inside.metadata.families())["prometheus_build_info"][0].type == "gauge"
    assert all(account.balanced for account in inside.ledger.accounts().values())
    assert list(inside.ledger.accounts()) == ["remote_write:127.0.0.1"]


async def test_everything_that_vmagent_scrapes_arrives(tmp_path: Path, programs: Any) -> None:
    inside = InMemory()
    arrivals = Arrivals(inside)
    async with (
        serving(inside) as server,
        beside(programs.vmagent(tmp_path, SCRAPE_ITSELF, f"{server.url}/api/v1/write")) as url,
        httpx.AsyncClient() as client,
    ):
        inside.commits.failing = True
        await arrivals.until("up", 1)
        inside.commits.failing = False
        stored = await arrivals.until("up", 4)
        metrics = (await client.get(f"{url}/metrics")).text

    assert len(stored) >= 4
    assert own_metric(metrics, "vmagent_remotewrite_packets_dropped_total") == 0
    assert own_metric(metrics, "vmagent_remotewrite_retries_count_total") > 0


def number_of(series: Any) -> Any:
    return next(label.value for label in series.labels if label.name == b"n")


def stored_series(inside: InMemory) -> dict[LabelSet, list[tuple[int, float]]]:
    start_ms = inside.now_ms() - 600_000
    series = {
        label_set({"__name__": "tickets", "n": str(n), "queue": "mail ü"}): [
            (start_ms + 1000 * t, float(n * t)) for t in range(500)
        ]
        for n in range(30)
    }
    for labels, samples in series.items():
        inside.put(labels, *samples)
    return series


async def test_prometheus_reads_what_we_have(tmp_path: Path, programs: Any) -> None:
    inside = InMemory()
    ours = stored_series(inside)
    async with serving(inside) as server:
        config = f"remote_read: [{{url: {server.url}/api/v1/read, read_recent: true}}]\n"
        async with beside(programs.prometheus(tmp_path, config)) as url:
            found = await query(url, 'tickets{cluster="eu1",n=~"1.|2"}[1h]')

    expected = {dict(labels)["n"]: samples for labels, samples in ours.items()}
    assert {result["metric"]["n"]: samples_of(result) for result in found} == {
        n: samples for n, samples in expected.items() if re.fullmatch("1.|2", n)
    }
    assert {result["metric"]["replica"] for result in found} == {"a"}


async def test_both_forms_of_a_remote_read_hold_the_same_within_the_window(prompb: Any) -> None:
    inside = InMemory()
    ours = stored_series(inside)
    times = [time_ms for time_ms, _ in next(iter(ours.values()))]
    ask = {
        "start_timestamp_ms": times[100],
        "end_timestamp_ms": times[399],
        "matchers": [{"type": 0, "name": b"__name__", "value": b"tickets"}],
    }

    def body(accepted: int) -> bytes:
        request = prompb.v1.ReadRequest(queries=[ask, ask], accepted_response_types=[accepted])
        return compress(request.SerializeToString(), Encoding.SNAPPY)

    async with serving(inside) as server, httpx.AsyncClient() as client:
        plain = await client.post(f"{server.url}/api/v1/read", content=body(0))
        streamed = await client.post(f"{server.url}/api/v1/read", content=body(1))

    results = prompb.v1.ReadResponse.FromString(decompress(plain.content, Encoding.SNAPPY, max_bytes=1 << 25)).results
    assert len(results) == 2
    sent = {
        number_of(series): [(s.timestamp, struct.pack("<d", s.value)) for s in series.samples]
        for series in results[1].timeseries
    }
    frames = [prompb.v1.ChunkedReadResponse.FromString(message) for message, _ in prompb.read_frames(streamed.content)]
    second = [frame.chunked_series[0] for frame in frames if frame.query_index == 1]
    labels = [[(label.name, label.value) for label in series.labels] for series in second]
    assert labels == sorted(labels)
    unpacked: dict[Any, Any] = {}
    for series in second:
        for chunk in series.chunks:
            unpacked.setdefault(number_of(series), []).extend(prompb.read_xor_chunk(chunk.data))
    assert len(sent) == len(ours)
    assert unpacked == sent
    assert all([time_ms for time_ms, _ in samples] == times[100:400] for samples in sent.values())


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        pytest.param(RawLimits(max_series=10), "query.max_series", id="series"),
        pytest.param(RawLimits(max_samples=1000), "query.max_samples", id="samples"),
    ],
)
async def test_a_remote_read_beyond_a_limit_is_refused_by_name(prompb: Any, limits: RawLimits, problem: str) -> None:
    inside = InMemory()
    stored_series(inside)
    ask = {"start_timestamp_ms": 0, "end_timestamp_ms": 1 << 60, "matchers": []}
    body = compress(prompb.v1.ReadRequest(queries=[ask]).SerializeToString(), Encoding.SNAPPY)

    async with serving(inside, limits) as server, httpx.AsyncClient() as client:
        answer = await client.post(f"{server.url}/api/v1/read", content=body)

    assert answer.status_code == 400
    assert problem in answer.text


async def test_prometheus_federates_from_us(tmp_path: Path, programs: Any) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    inside.put(label_set({"__name__": "job:tickets:sum", "job": "desk"}), (now_ms - 1000, 7.5))
    async with serving(inside) as server:
        config = f"""
scrape_configs:
- job_name: federate
  scrape_interval: 1s
  honor_labels: true
  metrics_path: /federate
  params: {{'match[]': ['{{job="desk"}}']}}
  static_configs: [{{targets: ['{server.url.removeprefix("http://")}']}}]
"""
        async with beside(programs.prometheus(tmp_path, config)) as url, asyncio.timeout(PATIENCE_S):
            while not (found := await query(url, "job:tickets:sum[1h]")):  # noqa: ASYNC110 - it offers nothing to wait on
                await asyncio.sleep(0.1)

    [result] = found
    assert result["metric"] == {
        "__name__": "job:tickets:sum",
        "job": "desk",
        "cluster": "eu1",
        "replica": "a",
    }
    assert samples_of(result) == [(now_ms - 1000, 7.5)]


async def test_federation_leaves_out_what_has_ended_and_escapes_names_as_asked() -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    inside.put(label_set({"__name__": "ended", "x": "1"}), (now_ms - 2000, 1.0), (now_ms - 1000, STALE))
    inside.put(label_set({"__name__": "old", "x": "1"}), (now_ms - 301_000, 1.0))
    inside.put(label_set({"__name__": "http.took", "x": "1", "instance": "i"}), (now_ms - 1000, 1.0), (now_ms, 2.0))
    async with serving(inside) as server, httpx.AsyncClient() as client:
        params = {"match[]": ['{x="1"}', '{__name__="http.took"}']}
        plain = await client.get(f"{server.url}/federate", params=params)
        accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=1.0.0;escaping=allow-utf-8"}
        quoted = await client.get(f"{server.url}/federate", params=params, headers=accept)
        bad = await client.get(f"{server.url}/federate", params={"match[]": "{"})
        empty = await client.get(f"{server.url}/federate")

    assert plain.text == (
        f'# TYPE http_took untyped\nhttp_took{{instance="i",x="1",cluster="eu1",replica="a"}} 2 {now_ms}\n'
    )
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert quoted.text.startswith('# TYPE "http.took" untyped\n{"http.took",instance="i"')
    assert (bad.status_code, empty.status_code, empty.text) == (400, 200, "")


def packed(*samples: tuple[int, float]) -> SampleRuns:
    times = np.array([time_ms for time_ms, _ in samples], np.int64)
    return SampleRuns(np.array([0, len(samples)], np.int64), times, np.array([value for _, value in samples]))


async def test_the_status_of_an_answer_tells_the_sender_what_to_do() -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    up = label_set({"__name__": "up"})

    def v1(*samples: tuple[int, float]) -> bytes:
        return compress(encode_v1([encode_labels_v1(up)], packed(*samples)), Encoding.SNAPPY)

    async with serving(inside) as server, httpx.AsyncClient(base_url=server.url) as client:

        async def post(body: bytes, version: Version = Version.V1, **headers: str) -> httpx.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.post("/api/v1/write", content=body, headers=request_headers(version) | named)

        stored = await post(v1((now_ms, 1.0)))
        repeated = await post(v1((now_ms, 1.0)))
        conflict = await post(v1((now_ms, 2.0), (now_ms + 1, 2.0)))
        second = await post(
            compress(encode_v2([up], packed((now_ms + 2, 1.0), (now_ms, 9.0))), Encoding.SNAPPY), Version.V2
        )
        malformed = await post(b"\x03abc")
        wrong_kind = await post(v1((now_ms, 1.0)), Content_Type="application/json")
        wrong_packing = await post(v1((now_ms, 1.0)), Content_Encoding="br")
        huge = await post(b"\x80\x80\x80\x80\x08" + bytes(200))
        inside.commits.failing = True
        unstored = await post(v1((now_ms + 5, 1.0)))
        inside.commits.full = True
        full = await post(compress(encode_v2([up], packed((now_ms + 6, 1.0))), Encoding.SNAPPY), Version.V2)

    written = "x-prometheus-remote-write-samples-written"
    assert (stored.status_code, repeated.status_code) == (204, 204)
    assert conflict.status_code == 400
    assert "1 conflict" in conflict.text
    assert (second.status_code, second.headers[written]) == (400, "1")
    assert inside.samples(up)[:3] == [(now_ms, 1.0), (now_ms + 1, 2.0), (now_ms + 2, 1.0)]
    assert (malformed.status_code, huge.status_code) == (400, 413)
    assert (wrong_kind.status_code, wrong_packing.status_code) == (415, 415)
    assert (unstored.status_code, unstored.headers["retry-after"]) == (503, "3")
    assert (full.status_code, full.headers["retry-after"], full.headers[written]) == (503, "3", "0")
