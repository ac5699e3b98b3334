from __future__ import annotations

import threading
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.store.head import SampleMemory, Verdict
from vedette.store.head.unpacking import CHAINS_TOO_SHORT, SAMPLES, Packed, unpack_all

FOREVER = 1 << 60


def append(memory: SampleMemory, samples: list[tuple[int, int, float]], *, window_ms: int = FOREVER) -> list[Verdict]:
    slots, times, values = zip(*samples, strict=True) if samples else ((), (), ())
    verdicts = memory.append(
        np.array(slots, np.int64), np.array(times, np.int64), np.array(values, np.float64), window_ms=window_ms
    )
    return [Verdict(v) for v in verdicts.tolist()]


def stored(memory: SampleMemory, slot: int, start_ms: int = 0, end_ms: int = FOREVER) -> list[tuple[int, float]]:
    runs, _ = memory.read(np.array([slot], np.int64), start_ms, end_ms)
    return list(zip(runs.times.tolist(), runs.values.tolist(), strict=True))


sample = st.tuples(st.integers(0, 3), st.integers(0, 400), st.integers(0, 5).map(float))


@given(batches=st.lists(st.lists(sample, max_size=80), max_size=12))
@settings(deadline=None)
def test_memory_holds_what_a_dictionary_would_hold(batches: list[list[tuple[int, int, float]]]) -> None:
    memory = SampleMemory(max_bytes=1 << 20)
    model: dict[int, dict[int, float]] = defaultdict(dict)

    for batch in batches:
        verdicts = append(memory, batch)
        for (slot, time, value), verdict in zip(batch, verdicts, strict=True):
            known = model[slot].get(time)
            if known is None:
                assert verdict is Verdict.STORED
                model[slot][time] = value
            else:
                assert verdict is (Verdict.DUPLICATE if known == value else Verdict.CONFLICT)

    for slot in range(4):
        assert stored(memory, slot) == sorted(model[slot].items())


@given(
    interval=st.integers(1, 50),
    count=st.integers(1, 1000),
    start=st.integers(-100, 60_000),
    length=st.integers(0, 9000),
)
@settings(deadline=None)
def test_a_read_brings_all_of_its_window_in_order(interval: int, count: int, start: int, length: int) -> None:
    memory = SampleMemory(max_bytes=1 << 20)
    append(memory, [(0, i * interval, float(i)) for i in range(count)])

    found = stored(memory, 0, start, start + length)

    assert [s for s in found if start <= s[0] <= start + length] == [
        (i * interval, float(i)) for i in range(count) if start <= i * interval <= start + length
    ]
    assert found == sorted(found)


def test_a_sample_behind_the_window_is_too_old_and_one_at_its_edge_is_not() -> None:
    memory = SampleMemory(max_bytes=1 << 20)
    append(memory, [(0, 100_000, 1.0)])

    verdicts = append(memory, [(0, 39_999, 1.0), (0, 40_000, 1.0)], window_ms=60_000)

    assert verdicts == [Verdict.TOO_OLD, Verdict.STORED]


def test_samples_without_a_slot_are_refused_and_the_others_kept() -> None:
    memory = SampleMemory(max_bytes=1 << 20)

    verdicts = append(memory, [(-1, 5, 1.0), (7, 5, 2.0)])

    assert verdicts == [Verdict.REFUSED, Verdict.STORED]
    assert stored(memory, 7) == [(5, 2.0)]


def test_the_oldest_samples_make_room_and_what_is_left_is_complete() -> None:
    memory = SampleMemory(max_bytes=64 << 10)
    rng = np.random.default_rng(1)
    kept: dict[tuple[int, int], float] = {}

    for tick in range(2000):
        values = rng.normal(size=8)
        append(memory, [(slot, tick * 1000, float(values[slot])) for slot in range(8)])
        kept.update({(slot, tick * 1000): float(values[slot]) for slot in range(8)})

    complete_from = memory.complete_from_ms
    assert 0 < complete_from < 1_999_000
    for slot in range(8):
        expected = [(t, v) for (s, t), v in kept.items() if s == slot and t >= complete_from]
        assert [s for s in stored(memory, slot) if s[0] >= complete_from] == expected
    assert memory.used_bytes < 100 << 10


def test_a_forgotten_slot_starts_empty_for_its_next_series() -> None:
    memory = SampleMemory(max_bytes=1 << 20)
    append(memory, [(3, 1000 * i, 1.0) for i in range(200)])

    memory.forget(np.array([3], np.int64))
    append(memory, [(3, 50, 9.0)], window_ms=10)

    assert stored(memory, 3) == [(50, 9.0)]


def test_sealing_idle_tails_keeps_their_samples_and_frees_their_memory() -> None:
    memory = SampleMemory(max_bytes=1 << 20)
    append(memory, [(slot, 1000, 1.0) for slot in range(100)] + [(0, 9000, 2.0)])
    before = memory.used_bytes

    sealed = memory.seal_idle(5000)

    assert sealed == 99
    assert memory.used_bytes < before
    assert stored(memory, 42) == [(1000, 1.0)]
    assert append(memory, [(42, 1000, 1.0), (42, 2000, 1.0)]) == [Verdict.DUPLICATE, Verdict.STORED]


def test_a_series_with_more_chunks_than_usual_is_read_whole() -> None:
    memory = SampleMemory(max_bytes=32 << 20)
    count = 64 * 5000
    times = np.arange(count, dtype=np.int64)
    memory.append(np.zeros(count, np.int64), times, np.ones(count), window_ms=FOREVER)

    runs, _ = memory.read(np.zeros(1, np.int64), 0, FOREVER)

    assert (runs.times == times).all()


def test_packed_samples_are_handed_out_again_when_they_were_overwritten_meanwhile() -> None:
    memory = SampleMemory(max_bytes=48 << 10)
    slots = np.zeros(1, np.int64)
    newer = np.arange(100_000, dtype=np.int64)
    memory.append(np.zeros(500, np.int64), newer[:500], np.sin(newer[:500]), window_ms=0)
    given: list[list[float]] = []

    def use(packed: Packed) -> int:
        if not given:
            memory.append(np.zeros(99_500, np.int64), newer[500:], np.sin(newer[500:]), window_ms=0)
        offsets, times, values = np.zeros(2, np.int64), np.zeros(100_000, np.int64), np.zeros(100_000)
        found = unpack_all(packed, offsets, times, values)
        given.append(times[:found].tolist())
        return found

    found, complete_from = memory.read_packed(slots, 0, FOREVER, use)

    assert len(given) == 2
    assert given[1] == list(range(complete_from, 100_000))
    assert found == len(given[1])


def test_packed_samples_are_handed_out_again_with_room_for_longer_chains() -> None:
    memory = SampleMemory(max_bytes=1 << 20)
    times = np.arange(200, dtype=np.int64)
    memory.append(np.zeros(200, np.int64), times, np.ones(200), window_ms=0)
    depths: list[int] = []

    def use(packed: Packed) -> int:
        depths.append(packed[6].shape[1])
        packed[7][SAMPLES] = 200
        return CHAINS_TOO_SHORT if len(depths) < 3 else 0

    found, _ = memory.read_packed(np.zeros(1, np.int64), 0, FOREVER, use)

    assert depths == [depths[0], 2 * depths[0], 4 * depths[0]]
    assert found == 200


@pytest.mark.parametrize("max_bytes", [pytest.param(48 << 10, id="evicting"), pytest.param(8 << 20, id="growing")])
def test_readers_never_see_a_torn_or_a_missing_sample_while_a_writer_writes(max_bytes: int) -> None:
    memory = SampleMemory(max_bytes=max_bytes)
    slots = np.arange(4, dtype=np.int64)
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            runs, complete_from = memory.read(slots, 0, FOREVER)
            for i in range(4):
                times = runs.times[runs.offsets[i] : runs.offsets[i + 1]]
                values = runs.values[runs.offsets[i] : runs.offsets[i + 1]]
                whole = times >= complete_from
                steps = np.diff(times[whole])
                # Values are irrational functions of their times, so that a mix-up shows.
                if (steps != 10).any() or (values != np.sin(times)).any():
                    wrong.append(f"series {i}: {times.tolist()}")
                    return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for tick in range(20_000):
        time = np.full(4, tick * 10, np.int64)
        memory.append(slots, time, np.sin(time), window_ms=0)
    done.set()
    for reader in readers:
        reader.join()

    assert not wrong
