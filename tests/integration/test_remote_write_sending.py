"""Our copies of samples reach a real Prometheus, and reach a store that fails, stalls and refuses as they should."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from harness.in_memory import InMemory
from vedette.collect.remote_write import RemoteWriters, SpoolLimits, open_remote_writers
from vedette.config import MetadataConfig, QueueConfig, RelabelRule, RemoteWrite, WriteMessage
from vedette.model.clock import Clock
from vedette.model.durations import Duration
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import STALE, Exemplar, Metadata, MetricType
from vedette.wire.compression import decompress
from vedette.wire.remote_write import HashKey, WriteRequest, decode_write_request, negotiate

QUEUE = QueueConfig(batch_send_deadline=Duration(5), min_backoff=Duration(1), max_backoff=Duration(20))
PATIENCE_S = 60
TESTS = str(Path(__file__).resolve().parents[1])
UP = label_set({"__name__": "up", "job": "a"})


@dataclass(slots=True)
class FakeStore:
    """A store that answers as it is told.

    Attributes:
        answers: for the next requests, one after the other; then 204.
        open: cleared, answers stall.
        got: (labels, time, value) of requests that were answered 2xx, in order.
        asked: headers of all requests, in order.
    """

    url: str = ""
    answers: list[web.Response] = field(default_factory=list[web.Response])
    always: Callable[[], web.Response] | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[tuple[LabelSet, int, float]] = field(default_factory=list[tuple[LabelSet, int, float]])
    requests: list[WriteRequest] = field(default_factory=list[WriteRequest])
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(dict(request.headers))
        self.changed.set()
        await self.open.wait()
        answer = self.answers.pop(0) if self.answers else self.always() if self.always else web.Response(status=204)
        kind = negotiate(request.headers["Content-Type"], request.headers["Content-Encoding"])
        found = decode_write_request(
            decompress(body, kind.encoding, max_bytes=1 << 25), kind.version, key=HashKey(1, 2)
        )
        if answer.status < 300:
            self.requests.append(found)
            rows = zip(found.sample_series.tolist(), found.times.tolist(), found.values.tolist(), strict=True)
            self.got += [(found.labels(row), time_ms, value) for row, time_ms, value in rows]
        self.changed.set()
        return answer

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds: mostly brought about by requests; metrics and files offer nothing to wait on."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.changed.wait()


@pytest.fixture
async def fake() -> AsyncIterator[FakeStore]:
    store = FakeStore()
    store.open.set()
    application = web.Application(client_max_size=1 << 26)
    application.router.add_post("/write", store.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    store.url = f"http://{host}:{port}/write"
    yield store
    store.open.set()
    await runner.cleanup()


def config(url: str, **options: Any) -> RemoteWrite:
    return RemoteWrite(**{"url": url, "name": "other", "queue_config": QUEUE, **options})


@asynccontextmanager
async def sending(
    inside: InMemory, folder: Path, *configs: RemoteWrite, external: LabelSet = (), limits: SpoolLimits | None = None
) -> AsyncIterator[RemoteWriters]:
    async with open_remote_writers(
        writer=inside.writer,
        exemplars=inside.exemplars,
        metadata=inside.metadata,
        folder=folder,
        registry=inside.registry,
        clock=Clock(now_ms=inside.now_ms),
        limits=limits,
    ) as writers:
        writers.apply(writers.prepare(configs, external))
        await writers.started()
        yield writers


def metric(inside: InMemory, name: str, **labels: str) -> float:
    found = [
        sample.value
        for family in inside.registry.collect()
        for sample in family.samples
        if sample.name == f"prometheus_remote_storage_{name}" and labels.items() <= sample.labels.items()
    ]
    return sum(found)


async def test_a_real_prometheus_gets_samples_exemplars_and_metadata(
    prometheus_server: Any, fake: FakeStore, tmp_path: Path
) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    inside.metadata.describe([Metadata("sent_total", MetricType.COUNTER, "", "What was sent.")])
    series = [label_set({"__name__": "sent_total", "n": str(n)}) for n in range(50)]
    first = config(
        f"{prometheus_server.url}/api/v1/write",
        send_exemplars=True,
        metadata_config=MetadataConfig(send_interval=Duration(50)),
    )
    async with sending(inside, tmp_path, first, external=label_set({"cluster": "eu1"})), httpx.AsyncClient() as client:
        for t in range(20):
            for number, labels in enumerate(series):
                inside.put(labels, (now_ms - 20_000 + 1000 * t, float(number * t)))
        inside.put(series[0], (now_ms, STALE))
        [slot] = inside.index.select([])[:1].tolist()
        exemplar = Exemplar(label_set({"trace_id": "4bf92f"}), 0.5, now_ms - 5000)
        inside.exemplars.add(slot, exemplar, sample_time_ms=now_ms)
        inside.put(series[1], (now_ms, 1.0))

        async def ask(path: str, **params: Any) -> Any:
            return (await client.get(f"{prometheus_server.url}/api/v1/{path}", params=params)).json()["data"]

        await fake.until(lambda: metric(inside, "metadata_total") and metric(inside, "exemplars_total"))
        await fake.until(lambda: not metric(inside, "samples_pending"))
        linked = await ask("query_exemplars", query="sent_total", start=now_ms / 1000 - 60, end=now_ms / 1000)
        found = (await ask("query", query="sent_total[1m]", time=now_ms / 1000))["result"]

    times = [now_ms - 20_000 + 1000 * t for t in range(20)]
    for result in found:
        number = int(result["metric"]["n"])
        assert result["metric"]["cluster"] == "eu1"
        values = [(round(float(t) * 1000), float(v)) for t, v in result["values"]]
        assert values[:20] == [(time_ms, float(number * t)) for t, time_ms in enumerate(times)]
    assert len(found) == 50
    assert [exemplar["labels"] for exemplar in linked[0]["exemplars"]] == [{"trace_id": "4bf92f"}]
    assert metric(inside, "samples_failed_total") == 0
    assert metric(inside, "metadata_failed_total") == 0


@pytest.mark.parametrize("message", list(WriteMessage))
async def test_what_a_failing_store_did_not_take_comes_again_until_it_does(
    fake: FakeStore, tmp_path: Path, message: WriteMessage
) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    fake.answers = [web.Response(status=500), web.Response(status=429, headers={"Retry-After": "0"})]
    async with sending(inside, tmp_path, config(fake.url, protobuf_message=message)):
        inside.put(UP, (now_ms, 1.0))
        await fake.until(lambda: fake.got)
        await fake.until(lambda: metric(inside, "samples_pending") == 0)

    assert fake.got == [(UP, now_ms, 1.0)]
    assert [asked.get("Retry-Attempt") for asked in fake.asked] == [None, "1", "2"]
    assert metric(inside, "samples_retried_total") == 2


async def test_what_a_store_refuses_is_dropped_counted_and_does_not_hold_up_the_rest(
    fake: FakeStore, tmp_path: Path
) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    fake.answers = [web.Response(status=400, text="out of order sample")]
    async with sending(inside, tmp_path, config(fake.url)):
        inside.put(UP, (now_ms, 1.0))
        await fake.until(lambda: len(fake.asked) == 1)
        inside.put(UP, (now_ms + 1, 2.0))
        await fake.until(lambda: fake.got)

    assert fake.got == [(UP, now_ms + 1, 2.0)]
    assert metric(inside, "samples_failed_total") == 1


async def test_series_keep_their_order_over_many_parallel_requests(fake: FakeStore, tmp_path: Path) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    queue = replace(QUEUE, max_samples_per_send=50, max_shards=8)
    series = [label_set({"__name__": "m", "n": str(n)}) for n in range(40)]
    fake.open.clear()
    answers = iter(range(10_000))
    fake.always = lambda: web.Response(status=500 if next(answers) % 7 == 3 else 204)
    async with sending(inside, tmp_path, config(fake.url, queue_config=queue)):
        for t in range(100):
            for labels in series:
                inside.put(labels, (now_ms - 100_000 + t, float(t)))
        fake.open.set()
        await fake.until(lambda: len(fake.got) == 4000)

    for labels in series:
        assert [value for each, _, value in fake.got if each == labels] == [float(t) for t in range(100)]
    assert metric(inside, "shards") > 1


async def test_external_labels_and_relabelling_decide_what_is_sent_and_how(fake: FakeStore, tmp_path: Path) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    rule = RelabelRule(source_labels=("__name__",), regex="noise", action="drop")  # type: ignore[arg-type]
    external = label_set({"cluster": "eu1", "job": "outer"})
    store = config(fake.url, write_relabel_configs=(rule,))
    async with sending(inside, tmp_path, store, external=external):
        inside.put(label_set({"__name__": "noise"}), (now_ms, 1.0))
        inside.put(UP, (now_ms, 1.0))
        await fake.until(lambda: fake.got)

    assert fake.got == [(label_set({"__name__": "up", "job": "a", "cluster": "eu1"}), now_ms, 1.0)]
    assert metric(inside, "samples_dropped_total", reason="dropped_series") == 1


async def test_what_waits_survives_a_restart(fake: FakeStore, tmp_path: Path) -> None:
    first, second = InMemory(), InMemory()
    now_ms = first.now_ms()
    fake.always = lambda: web.Response(status=503, headers={"Retry-After": "3600"})
    async with sending(first, tmp_path, config(fake.url)):
        first.put(UP, (now_ms, 1.0), (now_ms + 1, 2.0))
        await fake.until(lambda: fake.asked)
    fake.always = None

    async with sending(second, tmp_path, config(fake.url)):
        await fake.until(lambda: fake.got)

    assert fake.got == [(UP, now_ms, 1.0), (UP, now_ms + 1, 2.0)]


async def test_what_was_taken_does_not_come_again_after_a_restart(fake: FakeStore, tmp_path: Path) -> None:
    first, second = InMemory(), InMemory()
    now_ms = first.now_ms()
    async with sending(first, tmp_path, config(fake.url)):
        first.put(UP, (now_ms, 1.0))
        await fake.until(lambda: fake.got and list(tmp_path.glob("*/position.json")))

    async with sending(second, tmp_path, config(fake.url)):
        second.put(UP, (now_ms + 5, 2.0))
        await fake.until(lambda: len(fake.got) >= 2)

    assert fake.got == [(UP, now_ms, 1.0), (UP, now_ms + 5, 2.0)]


async def test_samples_beyond_the_age_limit_are_given_up_while_the_store_fails(fake: FakeStore, tmp_path: Path) -> None:
    inside = InMemory(now_ms=1_795_230_706_767)
    now_ms = inside.now_ms()
    queue = replace(QUEUE, sample_age_limit=Duration(60_000))
    fake.always = lambda: web.Response(status=503)
    async with sending(inside, tmp_path, config(fake.url, queue_config=queue)):
        inside.put(UP, (now_ms, 1.0))
        await fake.until(lambda: len(fake.asked) >= 3)
        inside.fixed_now_ms = now_ms + 60_001
        inside.put(UP, (now_ms + 60_001, 2.0))
        await fake.until(lambda: metric(inside, "samples_dropped_total", reason="too_old"))
        fake.always = None
        await fake.until(lambda: fake.got)

    assert fake.got == [(UP, now_ms + 60_001, 2.0)]
    assert metric(inside, "samples_dropped_total") == 1


async def test_a_changed_store_goes_on_where_it_was_and_an_unchanged_one_does_not_notice(
    fake: FakeStore, tmp_path: Path
) -> None:
    inside = InMemory()
    now_ms = inside.now_ms()
    away = config("http://127.0.0.1:9/write")
    other = config(fake.url, name="steady")
    async with sending(inside, tmp_path, away, other) as writers:
        inside.put(UP, (now_ms, 1.0))
        await fake.until(lambda: fake.got)
        steady = writers._stores["steady"].store.settings
        writers.apply(writers.prepare([config(fake.url), other], ()))
        await fake.until(lambda: len(fake.got) == 2)

        assert writers._stores["steady"].store.settings is steady
        writers.apply(writers.prepare([other], ()))
        inside.put(UP, (now_ms + 1, 2.0))
        await fake.until(lambda: len(fake.got) == 3)

    assert fake.got == [(UP, now_ms, 1.0), (UP, now_ms, 1.0), (UP, now_ms + 1, 2.0)]
    assert metric(inside, "shards", remote_name="other") == 0


async def test_options_that_do_not_work_change_nothing(fake: FakeStore, tmp_path: Path) -> None:
    inside = InMemory()
    async with sending(inside, tmp_path, config(fake.url)) as writers:
        with pytest.raises(ValueError, match="proxy"):
            writers.prepare([config(fake.url, proxy_url="gopher://x")], ())
        inside.put(UP, (inside.now_ms(), 1.0))
        await fake.until(lambda: fake.got)


async def test_without_stores_nothing_is_observed(tmp_path: Path) -> None:
    inside = InMemory()

    async with sending(inside, tmp_path):
        assert inside.writer.observers == []


CHILD = """
    import asyncio, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from harness.in_memory import InMemory
    from vedette.collect.remote_write import open_remote_writers
    from vedette.config import RemoteWrite
    from vedette.model.clock import Clock
    from vedette.model.labels import label_set
    import numpy as np

    async def main():
        inside = InMemory()
        async with open_remote_writers(
            writer=inside.writer, exemplars=inside.exemplars, metadata=inside.metadata, folder=Path({folder!r}),
            registry=inside.registry, clock=Clock(),
        ) as writers:
            writers.apply(writers.prepare([RemoteWrite(url={url!r}, name="other")], ()))
            await writers.started()
            slots, _ = inside.writer.resolve("s", [label_set({{"__name__": "m", "n": str(n)}}) for n in range(100)])
            now = inside.now_ms()
            for number in range(1_000_000):
                times = np.full(100, now + number)
                taken = inside.writer.take("s", slots, times, np.full(100, float(number)), patience_ms=0)
                await inside.writer.committed(taken)
                print("acknowledged", number, flush=True)

    asyncio.run(main())
"""


def number_in(line: bytes, before: int) -> int:
    """What a line says was acknowledged; the last word of a killed process may be half a line, or its log."""
    return int(line.split()[1]) if line.startswith(b"acknowledged ") and line.endswith(b"\n") else before


async def test_what_was_acknowledged_before_a_kill_reaches_the_store(fake: FakeStore, tmp_path: Path) -> None:
    code = textwrap.dedent(CHILD).format(tests=TESTS, folder=str(tmp_path), url="http://127.0.0.1:9/write")
    acknowledged = -1
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async for line in process.stdout:
        acknowledged = number_in(line, acknowledged)
        if acknowledged >= 50:
            process.send_signal(signal.SIGKILL)
            break
    async for line in process.stdout:
        acknowledged = number_in(line, acknowledged)
    await process.wait()

    inside = InMemory()
    async with sending(inside, tmp_path, config(fake.url)):
        await fake.until(lambda: len({(labels, value) for labels, _, value in fake.got}) >= 100 * (acknowledged + 1))

    assert {value for _, _, value in fake.got} >= {float(number) for number in range(acknowledged + 1)}
