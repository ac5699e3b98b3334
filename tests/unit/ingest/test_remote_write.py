from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.in_memory import InMemory
from vedette.ingest.limits import Drop, IngestLimits
from vedette.model.errors import DecodeError, LimitExceededError, OverloadedError
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Exemplar, Metadata, MetricType, SampleRuns
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import (
    Negotiated,
    Version,
    encode_exemplars_v1,
    encode_labels_v1,
    encode_metadata_v1,
    encode_v1,
    encode_v2,
)
from vedette.wire.remote_write.protobuf import encode_bytes

NOW_MS = 1_795_230_706_767
V1 = Negotiated(Version.V1, Encoding.SNAPPY)
V2 = Negotiated(Version.V2, Encoding.SNAPPY)
UP = label_set({"__name__": "up", "job": "a"})
DOWN = label_set({"__name__": "down", "job": "b"})


def runs(*series: list[tuple[int, float]]) -> SampleRuns:
    flat = [sample for samples in series for sample in samples]
    offsets = np.cumsum([0, *(len(samples) for samples in series)]).astype(np.int64)
    times = np.array([time_ms for time_ms, _ in flat], np.int64)
    return SampleRuns(offsets, times, np.array([value for _, value in flat], np.float64))


def v1(labels: list[LabelSet], *series: list[tuple[int, float]], more: bytes = b"") -> bytes:
    return compress(encode_v1([encode_labels_v1(each) for each in labels], runs(*series)) + more, Encoding.SNAPPY)


def store(**limits: Any) -> InMemory:
    return InMemory(limits=replace(IngestLimits(), **limits), now_ms=NOW_MS)


@pytest.mark.parametrize("version", [V1, V2], ids=["1.0", "2.0"])
async def test_samples_are_stored_under_their_labels(version: Negotiated) -> None:
    inside = store()
    columns = runs([(NOW_MS, 1.0), (NOW_MS + 15, 2.0)], [(NOW_MS, 3.0)])
    body = (
        v1([UP, DOWN], [(NOW_MS, 1.0), (NOW_MS + 15, 2.0)], [(NOW_MS, 3.0)])
        if version is V1
        else compress(encode_v2([UP, DOWN], columns), Encoding.SNAPPY)
    )

    received = await inside.receiver.receive("s", body, version)

    assert received.samples == 3
    assert not received.problems
    assert inside.everything() == {UP: [(NOW_MS, 1.0), (NOW_MS + 15, 2.0)], DOWN: [(NOW_MS, 3.0)]}


async def test_a_series_is_known_again_without_decoding_its_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = store()
    await inside.receiver.receive("s", v1([UP, DOWN], [(NOW_MS, 1.0)], [(NOW_MS, 1.0)]), V1)
    monkeypatch.setattr(inside.writer, "resolve", lambda *_: pytest.fail("resolved again"))

    received = await inside.receiver.receive("s", v1([UP, DOWN], [(NOW_MS + 1, 2.0)], [(NOW_MS + 1, 2.0)]), V1)

    assert received.samples == 2


async def test_a_repetition_counts_as_stored_and_is_stored_once() -> None:
    inside = store()
    body = v1([UP], [(NOW_MS, 1.0)])
    await inside.receiver.receive("s", body, V1)

    received = await inside.receiver.receive("s", body, V1)

    assert (received.samples, received.dropped) == (1, {})
    assert inside.samples(UP) == [(NOW_MS, 1.0)]


async def test_a_repetition_is_not_answered_before_the_first_one_is_on_disk() -> None:
    inside = store()
    inside.commits.open.clear()
    body = v1([UP], [(NOW_MS, 1.0)])
    answered: list[int] = []

    async def send(number: int) -> None:
        await inside.receiver.receive("s", body, V1)
        answered.append(number)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send(1))
        tasks.create_task(send(2))
        for _ in range(20):
            await asyncio.sleep(0)
        before = list(answered)
        inside.commits.open.set()

    assert before == []
    assert sorted(answered) == [1, 2]


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        pytest.param((NOW_MS - 1, 1.0), Drop.TOO_OLD, id="out of order"),
        pytest.param((NOW_MS, 2.0), Drop.CONFLICT, id="another value for the same time"),
        pytest.param((NOW_MS + 10_000_000, 1.0), Drop.TOO_FAR_IN_FUTURE, id="far in the future"),
        pytest.param((1, 1.0), Drop.OUT_OF_RETENTION, id="older than retention"),
    ],
)
async def test_a_sample_that_is_refused_for_good_is_named_and_the_rest_is_stored(
    sample: tuple[int, float], reason: Drop
) -> None:
    inside = store(out_of_order_window_ms=0)
    await inside.receiver.receive("s", v1([UP], [(NOW_MS, 1.0)]), V1)

    received = await inside.receiver.receive("s", v1([UP, DOWN], [sample], [(NOW_MS, 5.0)]), V1)

    assert received.dropped == {reason: 1}
    assert received.samples == 1
    assert "up" in received.problems[0]
    assert inside.samples(DOWN) == [(NOW_MS, 5.0)]


@pytest.mark.parametrize(
    ("labels", "limits", "reason", "said"),
    [
        pytest.param({"job": "x"}, {}, Drop.INVALID_LABELS, "no metric name", id="no metric name"),
        pytest.param(
            {"__name__": "m", "a": "1", "b": "2"}, {"max_labels": 2}, Drop.LABEL_COUNT, "3 labels", id="many labels"
        ),
        pytest.param(
            {"__name__": "m", "a": "1" * 9},
            {"max_label_value_bytes": 8},
            Drop.LABEL_VALUE_LENGTH,
            "label_value_length",
            id="long value",
        ),
        pytest.param({"__name__": "m"}, {"max_series": 1}, Drop.SERIES_LIMIT, "limits.series", id="too many series"),
    ],
)
async def test_a_bad_series_is_refused_by_reason_and_the_rest_is_stored(
    labels: dict[str, str], limits: dict[str, int], reason: Drop, said: str
) -> None:
    inside = store(**limits)

    received = await inside.receiver.receive(
        "s", v1([UP, label_set(labels)], [(NOW_MS, 1.0)], [(NOW_MS, 1.0), (NOW_MS + 1, 1.0)]), V1
    )

    assert received.dropped == {reason: 2}
    assert said in received.problems[0]
    assert inside.samples(UP) == [(NOW_MS, 1.0)]
    account = inside.ledger.account("s")
    assert (account.received, account.stored, account.dropped) == (3, 1, {reason: 2})


async def test_a_bad_series_is_decoded_once_to_be_refused_and_once_to_be_named() -> None:
    inside = store()
    twice = encode_bytes(1, encode_bytes(1, b"a") + encode_bytes(2, b"1")) * 2
    body = compress(encode_v1([encode_labels_v1(UP) + twice], runs([(NOW_MS, 1.0)])), Encoding.SNAPPY)
    first = await inside.receiver.receive("s", body, V1)
    resolved: list[Any] = []
    inside.writer.resolve = lambda *given: resolved.append(given)  # type: ignore[method-assign]

    second = await inside.receiver.receive("s", body, V1)

    assert first == second
    assert second.dropped == {Drop.INVALID_LABELS: 1}
    assert 'two labels named "a"' in second.problems[0]
    assert resolved == []


async def test_series_that_were_refused_are_tried_again_when_limits_change() -> None:
    inside = store(max_series=1)
    body = v1([UP, DOWN], [(NOW_MS, 1.0)], [(NOW_MS, 1.0)])
    await inside.receiver.receive("s", body, V1)

    inside.writer.limits = replace(inside.writer.limits, max_series=2)
    received = await inside.receiver.receive("s", body, V1)

    assert received.dropped == {}
    assert inside.samples(DOWN) == [(NOW_MS, 1.0)]


async def test_a_slot_that_was_given_to_another_series_is_not_written_to_under_its_old_name() -> None:
    inside = store()
    await inside.receiver.receive("s", v1([UP], [(NOW_MS, 1.0)]), V1)
    [slot] = inside.index.select([]).tolist()
    inside.index.remove([slot])
    inside.memory.forget(np.array([slot]))
    inside.writer.forget(np.array([slot]))
    inside.put(DOWN, (NOW_MS, 7.0))

    await inside.receiver.receive("s", v1([UP], [(NOW_MS + 1, 2.0)]), V1)

    assert inside.everything() == {UP: [(NOW_MS + 1, 2.0)], DOWN: [(NOW_MS, 7.0)]}


async def test_native_histograms_are_dropped_by_name() -> None:
    inside = store()
    series = encode_labels_v1(UP) + encode_bytes(4, b"\x08\x01") * 2
    body = compress(encode_v1([series], runs([(NOW_MS, 1.0)])), Encoding.SNAPPY)

    received = await inside.receiver.receive("s", body, V1)

    assert received.dropped == {Drop.NATIVE_HISTOGRAM: 2}
    assert received.problems == ('up{job="a"}: native histograms are not stored',)
    assert received.samples == 1
    assert inside.ledger.account("s").balanced


async def test_nothing_is_stored_when_there_is_no_room() -> None:
    inside = store()
    inside.commits.full = True

    with pytest.raises(OverloadedError):
        await inside.receiver.receive("s", v1([UP], [(NOW_MS, 1.0)]), V1)

    assert inside.samples(UP) == []
    assert inside.ledger.account("s").dropped == {Drop.OVERLOADED: 1}


async def test_a_request_is_not_acknowledged_when_its_commit_fails() -> None:
    inside = store()
    inside.commits.failing = True

    with pytest.raises(OverloadedError):
        await inside.receiver.receive("s", v1([UP], [(NOW_MS, 1.0)]), V1)


async def test_exemplars_and_metadata_are_kept() -> None:
    inside = store()
    exemplar = Exemplar(label_set({"trace_id": "4bf9"}), 0.5, NOW_MS)
    described = Metadata("up", MetricType.GAUGE, "", "Whether it is.")
    more = encode_exemplars_v1(encode_labels_v1(UP), [exemplar]) + encode_metadata_v1([described])

    received = await inside.receiver.receive("s", v1([UP], [(NOW_MS, 1.0)], more=more), V1)

    [slot] = inside.index.select([]).tolist()
    assert received.exemplars == 1
    assert inside.exemplars.of(slot, 0, NOW_MS) == [exemplar]
    assert dict(inside.metadata.families()) == {"up": (described,)}


async def test_version_2_describes_a_family_with_its_series_and_again_when_that_changes() -> None:
    inside = store()
    bucket = label_set({"__name__": "took_seconds_bucket", "le": "1"})
    described = [Metadata("took_seconds", MetricType.HISTOGRAM, "seconds", text) for text in ("old", "new")]
    for number, entry in enumerate(described):
        sample = runs([(NOW_MS + number, 1.0)])
        body = compress(encode_v2([bucket], sample, metadata=[entry]), Encoding.SNAPPY)
        for _ in range(65 * number + 1):
            await inside.receiver.receive("s", body, V2)

    assert dict(inside.metadata.families()) == {"took_seconds": tuple(reversed(described))}


async def test_an_exemplar_from_the_far_future_is_left_out() -> None:
    inside = store()
    exemplar = Exemplar(label_set({"trace_id": "4bf9"}), 0.5, NOW_MS + 86_400_000)

    received = await inside.receiver.receive(
        "s", v1([UP], [(NOW_MS, 1.0)], more=encode_exemplars_v1(encode_labels_v1(UP), [exemplar])), V1
    )

    assert (received.exemplars, received.dropped) == (0, {})


async def test_a_large_request_is_decoded_in_a_thread_and_many_new_series_in_pieces() -> None:
    inside = store()
    labels = [label_set({"__name__": "m", "n": str(n), "pad": f"{n * 7919:060d}"}) for n in range(3000)]

    received = await inside.receiver.receive("s", v1(labels, *([(NOW_MS, 1.0)] for _ in labels)), V1)

    assert received.samples == 3000
    assert len(inside.index) == 3000


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_taken_and_nothing_else(body: bytes) -> None:
    inside = store()

    for kind in (V1, V2, Negotiated(Version.V1, Encoding.ZSTD), Negotiated(Version.V2, Encoding.IDENTITY)):
        with contextlib.suppress(DecodeError, LimitExceededError):
            asyncio.run(inside.receiver.receive("s", body, kind))
    assert inside.ledger.account("s").balanced


async def test_what_the_engine_refuses_for_good_is_not_to_be_sent_again() -> None:
    inside = store()
    inside.commits.refusing = True

    received = await inside.receiver.receive("s", v1([UP], [(NOW_MS, 1.0)]), V1)

    assert (received.samples, received.dropped) == (0, {Drop.SET_ASIDE: 1})
    assert received.problems == ("the storage does not take these samples; the log of Vedette says why",)
