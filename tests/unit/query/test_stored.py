from __future__ import annotations

import threading
from collections.abc import Sequence
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

BASE_MS = 1_700_000_000_000
EVERYTHING = [Matcher(METRIC_NAME, MatchOp.NOT_EQUAL, "")]


@dataclass
class Cold:
    """What is on the disk: times by series' identity; the value is the time behind `BASE_MS`."""

    times: dict[int, list[int]] = field(default_factory=dict[int, "list[int]"])
    reads: list[tuple[Sequence[str] | None, int, int, int]] = field(
        default_factory=list[tuple[Sequence[str] | None, int, int, int]]
    )

    def read_samples(
        self, metrics: Sequence[str] | None, ids: NDArray[np.uint64], start_ms: int, end_ms: int
    ) -> SampleRuns:
        self.reads.append((metrics, len(ids), start_ms - BASE_MS, end_ms - BASE_MS))
        held = [[t for t in self.times.get(number, []) if start_ms <= BASE_MS + t <= end_ms] for number in ids.tolist()]
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


def test_a_window_that_begins_before_memory_is_joined_at_its_edge() -> None:
    store = Store({"a": [10, 20, 30], "b": [15, 25], "c": [5]}, complete_from=20)

    assert read(store.source(), 8, 30) == {"a": [10, 20, 30], "b": [15, 25]}
    ((metrics, count, start, end),) = store.cold.reads
    assert sorted(metrics or ()) == ["a", "b"]
    assert (count, start, end) == (2, 8, 19)


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


def test_many_metrics_are_not_named_one_by_one() -> None:
    store = Store({f"m{number}": [1] for number in range(stored._METRICS_NAMED + 1)}, complete_from=5)

    read(store.source(), 0, 10)

    assert store.cold.reads[0][0] is None


def test_what_memory_lets_go_of_while_a_query_runs_is_read_from_the_disk() -> None:
    store = Store({"a": [10, 20, 30], "b": [25]}, complete_from=20)
    source = store.source()
    selection = source.select(EVERYTHING, BASE_MS + 22, BASE_MS + 40, source.symbols(), max_series=10)

    store.intake.memory.start_from(BASE_MS + 28)
    runs = source.read(selection.handles, BASE_MS + 22, BASE_MS + 40)

    times = (runs.times - BASE_MS).tolist()
    assert [t for t in times if t >= 22] == [30, 25]
    assert store.cold.reads[0][2:] == (22, 27)


def test_pieces_of_a_large_selection_are_each_read_once_however_many_threads_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored, "_SLICE_SAMPLES", 1)
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
    assert sorted(count for _, count, _, _ in store.cold.reads) == [8, 64, 64, 64]


def test_pieces_that_are_no_longer_kept_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_SLICE_SAMPLES", 1)
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
