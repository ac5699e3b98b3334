"""What a real Prometheus answered at `/federate`: `*federate*.txt`, the requests in `requests.yaml`.

The samples of an answer are stored, without the labels that all of them share and nobody asked for (the external
ones), and asked for again: the answer is the same to the byte.
"""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from harness.in_memory import InMemory
from vedette.http import HttpSettings, build_application
from vedette.http.auth.principals import LOOPBACK_PEER, Principal
from vedette.http.prometheus.federate import federate_router
from vedette.lang.promql import parse_selector
from vedette.model.labels import label_set
from vedette.query.raw import RawLimits, open_raw_reads
from vedette.wire.exposition import Format, SampleEntry, read_entries

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("CONFORMANCE_DIR", ROOT / "../shared/conformance")) / "prometheus_api"


def cases() -> list[Any]:
    found = sorted(FOLDER.glob("*federate*.txt"))
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no *federate*.txt in {FOLDER}"))]
    return [pytest.param(path, id=path.stem) for path in found]


@pytest.mark.parametrize("path", cases())
async def test_federation_answers_as_prometheus_did(path: Path) -> None:
    answer = path.read_bytes()  # noqa: ASYNC240 - nothing else runs
    requests = YAML(typ="safe").load((FOLDER / "requests.yaml").read_text())
    target = str(requests[path.name]).removeprefix("GET ")
    selector = parse_selector(target.partition("match[]=")[2])
    samples = [entry for entry in read_entries(answer, Format.TEXT) if isinstance(entry, SampleEntry)]
    asked = {matcher.name for matcher in selector}
    shared = reduce(set.intersection, (set(entry.labels) for entry in samples))
    external = label_set(pair for pair in shared if pair[0] not in asked)
    inside = InMemory(now_ms=max(entry.time_ms or 0 for entry in samples))
    for entry in samples:
        inside.put(label_set(pair for pair in entry.labels if pair not in external), (entry.time_ms or 0, entry.value))

    async def identify(*_: Any) -> Principal:
        return LOOPBACK_PEER

    async with open_raw_reads(inside.source, RawLimits(), inside.registry) as reads:
        router = federate_router(reads, lambda: external, now_ms=inside.now_ms, lookback_ms=lambda: 300_000)
        application = build_application([router], identify=identify, settings=HttpSettings(access_log=False))
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            found = await client.get(target)

    assert found.status_code == 200
    assert found.content.decode() == answer.decode()
