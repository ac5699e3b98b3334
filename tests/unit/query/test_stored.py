from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.intake import Intake, series
from vedette.model.errors import LimitExceededError
from vedette.model.labels import METRIC_NAME
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import SampleRuns
from vedette.query import stored
from vedette.query.stored import StoredSource
from vedette.store.head.unpacking import Packed, unpack_all
from vedette.store.metrics import SeriesKeys

BASE_MS = 1_700_000_000_000
EVERYTHING = [Matcher(METRIC_NAME, MatchOp.NOT_EQUAL, "")]


@dataclass
class Cold:
    """What is on the disk: times by series' identity; the value is the time behind `BASE_MS`."""

    times: dict[int, list[int]] = field(default_factory=dict[int, "list[int]"])
    reads: list[tuple[list[str], int, int, int]] = field(default_factory=list[tuple[list[str], int, int, int]])

    def read_samples(self, keys: SeriesKeys, start_ms: int, end_ms: int) -> SampleRuns:
        names = [keys.metrics[code] for code in keys.codes.tolist()]
        assert list(zip(names, keys.ids.tolist(), strict=True)) == sorted(zip(names, keys.ids.tolist(), strict=True))
        self.reads.append((names, len(keys), start_ms - BASE_MS, end_ms - BASE_MS))
        ids = keys.ids.tolist()
        held = [[t for t in self.times.get(number, []) if start_ms <= BASE_MS + t <= end_ms] for number in ids]
        times = np.array([t for run in held for t in run], np.int64)
        offsets = np.concatenate([[0], np.cumsum([len(run) for run in held])]).astype(np.int64)
        return SampleRuns(offsets, BASE_MS + times, times.astype(np.float64))


class Store:
    """Series, of which memory has what came from a time on, and the disk everything."""

    def __init__(self, times: dict[str, list[int]], *, complete_from: int | None) -> None:
        self.intake = Intake()
        self.cold = Cold()
        self.times = times
        for name, held in times.items():
            slot, _ = self.intake.index.resolve(series(name), max_series=1000)
            slots = np.full(len(held), slot, np.int64)
            stamps = BASE_MS + np.array(held, np.int64)
            if held:
                self.intake.index.touch(slots, stamps, stamps)
            self.cold.times[int(self.intake.index.ids(np.array([slot]))[0])] = held
            warm = np.array([complete_from is None or t >= complete_from for t in held], bool)
            values = (stamps - BASE_MS).astype(np.float64)
            self.intake.memory.append(slots[warm], stamps[warm], values[warm], window_ms=1 << 60)
        if complete_from is not None:
            self.intake.memory.start_from(BASE_MS + complete_from)

    def source(self, *, cold: bool = True) -> StoredSource:
        return StoredSource(self.intake.index, self.intake.memory, self.cold if cold else None)


def read(source: StoredSource, start: int, end: int, *, max_series: int = 1000) -> dict[str, list[int]]:
    """The times that a query over some times sees, by metric."""
    selection = source.select(EVERYTHING, BASE_MS + start, BASE_MS + end, source.symbols(), max_series=max_series)
    runs = source.read(selection.handles, BASE_MS + start, BASE_MS + end)
    found: dict[str, list[int]] = {}
    for row, labels in enumerate(selection.labels.label_sets()):
        part = slice(int(runs.offsets[row]), int(runs.offsets[row + 1]))
        times = (runs.times[part] - BASE_MS).tolist()
        assert runs.values[part].tolist() == [float(t) for t in times]
        found[dict(labels)[METRIC_NAME]] = [t for t in times if start <= t <= end]
    return {name: times for name, times in found.items() if times}


def test_a_window_within_memory_never_touches_the_disk() -> None:
    store = Store({"a": [10, 20, 30], "b": [15, 25]}, complete_from=20)

    assert read(store.source(), 20, 30) == {"a": [20, 30], "b": [25]}
    assert store.cold.reads == []


def read_packed(source: StoredSource, start: int, end: int) -> list[float] | None:
    """The values of all series that memory hands out packed, or None if it does not."""
    selection = source.select(EVERYTHING, BASE_MS + start, BASE_MS + end, source.symbols(), max_series=1000)
    seen: list[float] = []

    def use(packed: Packed) -> int:
        values = np.zeros(100)
        found = unpack_all(packed, np.zeros(selection.labels.size + 1, np.int64), np.zeros(100, np.int64), values)
        seen[:] = values[:found].tolist()
        return found

    samples = source.read_packed(selection.handles, BASE_MS + start, BASE_MS + end, use)
    assert samples in (None, len(seen))
    return None if samples is None else seen


def test_what_lies_in_memory_is_handed_out_packed_and_what_does_not_is_not() -> None:
    store = Store({"a": [10, 20, 30], "b": [15, 25]}, complete_from=20)

    assert read_packed(store.source(), 20, 30) == [20, 30, 25]
    assert read_packed(store.source(), 19, 30) is None
    assert read_packed(store.source(cold=False), 0, 30) == [20, 30, 25]


def test_what_memory_lets_go_of_meanwhile_is_not_handed_out_packed() -> None:
    store = Store({"a": [10, 20, 30]}, complete_from=20)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS + 22, BASE_MS + 40, source.symbols(), max_series=10)

    store.intake.memory.start_from(BASE_MS + 28)

    assert source.read_packed(selection.handles, BASE_MS + 22, BASE_MS + 40, lambda _: 0) is None


def test_a_window_that_begins_before_memory_is_joined_at_its_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_MARGIN_MS", 0)
    store = Store({"a": [10, 20, 30], "b": [15, 25], "c": [5]}, complete_from=20)

    assert read(store.source(), 8, 30) == {"a": [10, 20, 30], "b": [15, 25]}
    assert store.cold.reads == [(["a", "b"], 2, 8, 19)]


def test_a_window_before_memory_is_read_from_the_disk_alone() -> None:
    store = Store({"a": [10, 20, 30]}, complete_from=20)

    assert read(store.source(), 0, 15) == {"a": [10]}


def test_without_a_disk_there_is_what_memory_has() -> None:
    store = Store({"a": [10, 20, 30]}, complete_from=20)

    assert read(store.source(cold=False), 0, 40) == {"a": [20, 30]}


def test_more_series_than_allowed_are_refused_by_the_options_name() -> None:
    store = Store({"a": [1], "b": [1], "c": [1]}, complete_from=None)

    with pytest.raises(LimitExceededError, match=r"query\.max_series"):
        read(store.source(), 0, 10, max_series=2)
    assert len(read(store.source(), 0, 10, max_series=3)) == 3


def test_what_memory_lets_go_of_while_a_query_runs_is_read_from_the_disk() -> None:
    store = Store({"a": [10, 20, 30], "b": [25]}, complete_from=20)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS + 22, BASE_MS + 40, source.symbols(), max_series=10)

    store.intake.memory.start_from(BASE_MS + 28)
    runs = source.read(selection.handles, BASE_MS + 22, BASE_MS + 40)

    times = (runs.times - BASE_MS).tolist()
    assert [t for t in times if t >= 22] == [30, 25]
    assert store.cold.reads[0][2:] == (22, 27)


def test_what_memory_lets_go_of_soon_was_read_from_the_disk_already() -> None:
    store = Store({"a": [10, 20, 30, 40]}, complete_from=15)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS, BASE_MS + 40, source.symbols(), max_series=10)

    source.read(selection.handles, BASE_MS, BASE_MS + 40)
    store.intake.memory.start_from(BASE_MS + 35)
    runs = source.read(selection.handles, BASE_MS, BASE_MS + 40)

    assert (runs.times - BASE_MS).tolist() == [10, 20, 30, 40]
    assert len(store.cold.reads) == 1


def test_what_memory_lets_go_of_beyond_that_is_read_again() -> None:
    later = stored._MARGIN_MS + 100
    store = Store({"a": [10, 20, later, later + 50]}, complete_from=15)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS, BASE_MS + later + 60, source.symbols(), max_series=10)

    source.read(selection.handles, BASE_MS, BASE_MS + later + 60)
    store.intake.memory.start_from(BASE_MS + later + 10)
    runs = source.read(selection.handles, BASE_MS, BASE_MS + later + 60)

    assert (runs.times - BASE_MS).tolist() == [10, 20, later, later + 50]
    assert len(store.cold.reads) == 2


def test_series_of_a_window_on_the_disk_come_in_the_order_of_the_table() -> None:
    store = Store({"b": [1], "a": [1], "ä": [1], "Z": [1]}, complete_from=5)
    source = store.source()

    selection = source.select(EVERYTHING, BASE_MS, BASE_MS + 10, source.symbols(), max_series=10)
    source.read(selection.handles, BASE_MS, BASE_MS + 10)

    assert [dict(labels)[METRIC_NAME] for labels in selection.labels.label_sets()] == ["Z", "a", "b", "ä"]
    assert store.cold.reads[0][0] == ["Z", "a", "b", "ä"]


def test_two_halves_of_a_large_selection_share_no_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_SLICE_SAMPLES", 70)
    monkeypatch.setattr(stored, "_WORTH_TWO", 100)
    store = Store({f"m{number:03}": [number] for number in range(201)}, complete_from=1000)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS, BASE_MS + 999, source.symbols(), max_series=1000)

    source.read(selection.handles[:100], BASE_MS, BASE_MS + 999)
    first_half = list(store.cold.reads)
    runs = source.read(selection.handles[100:], BASE_MS, BASE_MS + 999)

    assert sum(count for _, count, _, _ in first_half) == 100
    assert sum(count for _, count, _, _ in store.cold.reads) == 201
    assert (runs.times - BASE_MS).tolist() == list(range(100, 201))


def test_pieces_of_a_large_selection_are_each_read_once_however_many_threads_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored, "_SLICE_SAMPLES", 70)
    times = {f"m{number:03}": [number % 7, 50 + number % 5] for number in range(200)}
    store = Store(times, complete_from=40)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS, BASE_MS + 100, source.symbols(), max_series=1000)
    barrier = threading.Barrier(4)

    def ask(part: NDArray[np.int64]) -> list[list[int]]:
        barrier.wait(30)
        found: list[list[int]] = []
        for rows in np.array_split(part, 9):
            runs = source.read(selection.handles[rows], BASE_MS, BASE_MS + 100)
            found += [(runs.times[runs.offsets[i] : runs.offsets[i + 1]] - BASE_MS).tolist() for i in range(len(rows))]
        return found

    rows = np.arange(200)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(ask, np.array_split(rows, 4)))

    names = [dict(labels)[METRIC_NAME] for labels in selection.labels.label_sets()]
    assert dict(zip(names, [run for part in parts for run in part], strict=True)) == times
    assert sorted(count for _, count, _, _ in store.cold.reads) == [66, 67, 67]


def test_pieces_that_are_no_longer_kept_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_SLICE_SAMPLES", 64)
    monkeypatch.setattr(stored, "_SLICES_KEPT", 1)
    store = Store({f"m{number:03}": [1] for number in range(128)}, complete_from=40)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS, BASE_MS + 100, source.symbols(), max_series=1000)

    for rows in ([0], [100], [0, 100], [1]):
        runs = source.read(selection.handles[rows], BASE_MS, BASE_MS + 100)
        assert (runs.times - BASE_MS).tolist() == [1] * len(rows)

    assert len(store.cold.reads) >= 3


def test_two_selections_of_one_query_do_not_mix_their_windows() -> None:
    store = Store({"a": [10, 20, 30], "b": [12, 22]}, complete_from=25)
    source = store.source()
    symbols = source.symbols()
    a = [Matcher(METRIC_NAME, MatchOp.EQUAL, "a")]
    b = [Matcher(METRIC_NAME, MatchOp.EQUAL, "b")]
    first = source.select(a, BASE_MS + 15, BASE_MS + 40, symbols, max_series=10)
    second = source.select(b, BASE_MS, BASE_MS + 40, symbols, max_series=10)

    of_b = (source.read(second.handles, BASE_MS, BASE_MS + 40).times - BASE_MS).tolist()
    of_a = (source.read(first.handles, BASE_MS + 15, BASE_MS + 40).times - BASE_MS).tolist()

    assert of_b == [12, 22]
    assert of_a == [20, 30]


times_of = st.lists(st.integers(0, 60), unique=True).map(sorted)


@given(
    st.dictionaries(st.sampled_from("abcdef"), times_of, max_size=6),
    st.one_of(st.none(), st.integers(0, 60)),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_every_window_has_all_of_its_samples_wherever_they_are(
    times: dict[str, list[int]], complete_from: int | None, start: int, end: int
) -> None:
    store = Store(times, complete_from=complete_from)

    found = read(store.source(), start, max(start, end))

    expected = {name: [t for t in held if start <= t <= max(start, end)] for name, held in times.items()}
    assert found == {name: held for name, held in expected.items() if held}


@given(
    st.dictionaries(st.sampled_from("abcdef"), times_of, min_size=1, max_size=6),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 4),
    st.lists(st.tuples(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 30)), max_size=4),
)
def test_any_series_can_be_read_while_memory_lets_go(
    times: dict[str, list[int]],
    complete_from: int,
    start: int,
    slice_samples: int,
    reads: list[tuple[list[int], int]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "_SLICE_SAMPLES", slice_samples)
        patch.setattr(stored, "_MARGIN_MS", 5)
        store = Store(times, complete_from=complete_from)
        source = store.source()
        selection = source.select(EVERYTHING, BASE_MS + start, BASE_MS + 60, source.symbols(), max_series=10)
        names = [dict(labels)[METRIC_NAME] for labels in selection.labels.label_sets()]

        for picks, later in reads:
            rows = [row % len(names) for row in picks] if names else []
            runs = source.read(selection.handles[rows], BASE_MS + start, BASE_MS + 60)

            for place, row in enumerate(rows):
                found = (runs.times[runs.offsets[place] : runs.offsets[place + 1]] - BASE_MS).tolist()
                assert [t for t in found if t >= start] == [t for t in times[names[row]] if t >= start]
            store.intake.memory.start_from(BASE_MS + min(60, complete_from + later))
