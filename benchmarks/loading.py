"""Load servers with the same samples by remote-write, in the order of time, and wait until all can be asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from threading import Barrier, BrokenBarrierError
from typing import Final
from urllib.parse import urlencode

import orjson

from benchmarks.fleet import Fleet
from benchmarks.servers import Server, ServerError, wait_until_idle
from vedette.model.samples import SampleRuns
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import Version, encode_labels_v1, encode_v1, request_headers

_HEADERS: Final = request_headers(Version.V1)
_STEPS: Final = 20
_SAMPLES: Final = 50_000
_SENDERS: Final = 2
_VISIBLE_WITHIN_S: Final = 120
_RETRY: Final = frozenset({429, 503})


def encode_body(labels: Sequence[bytes], runs: SampleRuns) -> bytes:
    """A request's body, packed."""
    return compress(encode_v1(labels, runs), Encoding.SNAPPY)


def bodies(fleet: Fleet, *, part: int = 0, parts: int = 1) -> Iterator[tuple[bytes, int]]:
    """Requests with all samples of a share of the series, in the order of time, and how many each holds."""
    heads = [encode_labels_v1(labels) for labels in fleet.labels]
    for piece in fleet.runs(steps_each=_STEPS, series_each=_SAMPLES // _STEPS, part=part, parts=parts):
        yield encode_body(heads[piece.first : piece.after], piece.runs), len(piece.runs.times)


def post(connection: HTTPConnection, body: bytes) -> None:
    """Push until it is accepted.

    Raises:
        ServerError: it is refused for good.
    """
    while True:
        connection.request("POST", "/api/v1/write", body, _HEADERS)
        response = connection.getresponse()
        text = response.read()
        if response.status // 100 == 2:
            return
        if response.status not in _RETRY:
            raise ServerError(f"a push was answered {response.status}: {text[:300].decode(errors='replace')}")
        time.sleep(0.05)


def load(servers: Sequence[Server], fleet: Fleet, *, progress: Callable[[str], None]) -> None:
    """Send all samples to all servers, then wait until every one answers with them and rests.

    Raises:
        ServerError: a server refuses some, or does not show them in time.
    """
    began_s = time.monotonic()
    # Prometheus takes nothing that is an hour older than its newest sample: no sender runs ahead of the others.
    in_step = Barrier(_SENDERS)

    def send(part: int) -> None:
        connections = [server.connect() for server in servers]
        try:
            for body, _ in bodies(fleet, part=part, parts=_SENDERS):
                for connection in connections:
                    post(connection, body)
                with suppress(BrokenBarrierError):
                    in_step.wait()
        finally:
            in_step.abort()
            for connection in connections:
                connection.close()

    with ThreadPoolExecutor(_SENDERS) as senders:
        list(senders.map(send, range(_SENDERS)))
    for server in servers:
        _wait_until_complete(server, fleet)
    progress(f"{fleet.samples:,} samples of {fleet.series:,} series loaded in {time.monotonic() - began_s:.0f} s")
    wait_until_idle(servers)


def count_samples(server: Server, fleet: Fleet) -> float:
    """How many samples the server shows for the last hour, or for all of the time if that is less."""
    span_ms = min(3_600_000, fleet.steps * 15_000)
    query = f'sum(count_over_time({{job=~".+"}}[{span_ms // 1000}s]))'
    fields = urlencode({"query": query, "time": (fleet.end_ms - 1) / 1000, "nocache": "1"})
    connection = server.connect()
    connection.request("GET", f"/api/v1/query?{fields}")
    answer = orjson.loads(connection.getresponse().read())
    connection.close()
    if answer["status"] != "success":
        raise ServerError(f"{server.name}: {answer}")
    result = answer["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def _wait_until_complete(server: Server, fleet: Fleet) -> None:
    wanted = fleet.series * min(fleet.steps, 240)
    deadline_s = time.monotonic() + _VISIBLE_WITHIN_S
    found = 0.0
    while time.monotonic() < deadline_s:
        found = count_samples(server, fleet)
        # The window is open on one side here and there, and scrapes are some milliseconds early or late.
        if found >= wanted * 0.99:
            return
        time.sleep(0.2)
    raise ServerError(f"{server.name} shows {found:,.0f} of {wanted:,} samples")
