from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.model.labels import METRIC_NAME, LabelSet, label_set, series_id
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import SampleRuns
from vedette.store.head import SampleMemory, SeriesIndex
from vedette.store.loading import DAY_MS, load_samples, load_series
from vedette.store.metrics import MetricsStore
from vedette.store.metrics.rows import encode_labels

DAY = 20_000
NOW_MS = DAY * DAY_MS + 50_000_000
EVERYTHING = [Matcher(METRIC_NAME, MatchOp.REGEX, ".*")]


@dataclass
class Disk:
    """What the engine would answer: series with their days, and samples by series."""

    series: list[tuple[LabelSet, int, int]] = field(default_factory=list[tuple[LabelSet, int, int]])
    samples: list[tuple[LabelSet, list[tuple[int, float]]]] = field(
        default_factory=list[tuple[LabelSet, "list[tuple[int, float]]"]]
    )
    pieces: int = 1

    def load_series(self, since_ms: int) -> pa.Table:
        del since_ms
        rows = sorted(self.series, key=lambda row: (dict(row[0]).get(METRIC_NAME, ""), series_id(row[0])))
        rest = [[pair for pair in labels if pair[0] != METRIC_NAME] for labels, _, _ in rows]
        table = pa.table(
            {
                "metric": pa.array([dict(labels).get(METRIC_NAME, "") for labels, _, _ in rows]).dictionary_encode(),
                "series_id": pa.array([series_id(labels) for labels, _, _ in rows], pa.uint64()),
                "labels": pa.array(rest, pa.map_(pa.string(), pa.string())),
                "first_day": pa.array([first for _, first, _ in rows], pa.int32()).cast(pa.date32()),
                "last_day": pa.array([last for _, _, last in rows], pa.int32()).cast(pa.date32()),
            }
        )
        return encode_labels(table)

    def scan_recent(self, since_ms: int) -> Iterator[tuple[NDArray[np.uint64], SampleRuns]]:
        held = [(labels, [s for s in samples if s[0] >= since_ms]) for labels, samples in self.samples]
        held.sort(key=lambda entry: series_id(entry[0]))
        size = -(-len(held) // self.pieces) or 1
        for first in range(0, len(held), size):
            chosen = held[first : first + size]
            yield (
                np.array([series_id(labels) for labels, _ in chosen], np.uint64),
                SampleRuns(
                    np.concatenate([[0], np.cumsum([len(samples) for _, samples in chosen])]).astype(np.int64),
                    np.array([t for _, samples in chosen for t, _ in samples], np.int64),
                    np.array([v for _, samples in chosen for _, v in samples], np.float64),
                ),
            )


def store(disk: Disk) -> MetricsStore:
    return cast("MetricsStore", disk)


def loaded(disk: Disk) -> tuple[SeriesIndex, SampleMemory, int]:
    index, memory = SeriesIndex(), SampleMemory(max_bytes=1 << 20)
    load_series(store(disk), index, since_ms=0, memory_from_ms=NOW_MS - 1000)
    count = load_samples(store(disk), index, memory, since_ms=NOW_MS - 1000, progress=lambda _what, _count: None)
    return index, memory, count


def held(index: SeriesIndex, memory: SampleMemory) -> dict[LabelSet, list[tuple[int, float]]]:
    found: dict[LabelSet, list[tuple[int, float]]] = {}
    for slot in index.select(EVERYTHING).tolist():
        runs, _ = memory.read(np.array([slot], np.int64), 0, 1 << 60)
        found[index.labels(slot)] = list(zip(runs.times.tolist(), runs.values.tolist(), strict=True))
    return found


def test_nothing_on_disk_is_nothing_loaded() -> None:
    index, memory, count = loaded(Disk())

    assert len(index) == 0
    assert count == 0
    assert held(index, memory) == {}


def test_series_come_back_with_their_identity_and_all_their_labels() -> None:
    sets = [
        label_set({METRIC_NAME: "up", "job": "a", "Upper": "x", "äöü": "ß"}),
        label_set({METRIC_NAME: "up"}),
        label_set({METRIC_NAME: "down", "job": "a"}),
        label_set({"job": "nameless"}),
    ]
    index, _, _ = loaded(Disk([(labels, DAY, DAY) for labels in sets]))

    assert {index.labels(slot) for slot in index.select(EVERYTHING).tolist()} == set(sets)
    for labels in sets:
        # Found again, and not added: the identities agree with those made of labels.
        slot, is_new = index.resolve(labels, max_series=4)
        assert not is_new
        assert index.labels(slot) == labels


def test_days_of_series_are_told_so_that_they_are_not_written_again() -> None:
    disk = Disk([(label_set({METRIC_NAME: "a"}), DAY - 3, DAY - 1), (label_set({METRIC_NAME: "b"}), DAY, DAY)])
    index = SeriesIndex()

    known = load_series(store(disk), index, since_ms=0, memory_from_ms=NOW_MS)

    days = {
        dict(index.labels(slot))[METRIC_NAME]: (first, last)
        for slot, first, last in zip(
            known.slots.tolist(), known.first_day.tolist(), known.last_day.tolist(), strict=True
        )
    }
    assert days == {"a": (DAY - 3, DAY - 1), "b": (DAY, DAY)}


def test_a_series_is_found_on_its_days_and_not_on_others() -> None:
    name = label_set({METRIC_NAME: "a"})
    index, _, _ = loaded(Disk([(name, DAY - 3, DAY - 2)]))

    def found(start_ms: int, end_ms: int) -> bool:
        return len(index.select(EVERYTHING, start_ms=start_ms, end_ms=end_ms)) == 1

    assert found((DAY - 3) * DAY_MS, (DAY - 3) * DAY_MS)
    assert found((DAY - 1) * DAY_MS - 1, NOW_MS)
    assert not found((DAY - 1) * DAY_MS, NOW_MS)
    assert not found(0, (DAY - 3) * DAY_MS - 1)


def test_samples_in_memory_say_more_exactly_until_when_a_series_goes() -> None:
    today = label_set({METRIC_NAME: "today"})
    earlier = label_set({METRIC_NAME: "earlier"})
    index, memory, count = loaded(Disk([(today, DAY, DAY), (earlier, DAY, DAY)], [(today, [(NOW_MS - 500, 1.0)])]))

    assert count == 1
    assert held(index, memory) == {today: [(NOW_MS - 500, 1.0)], earlier: []}
    names = [index.labels(slot) for slot in index.select(EVERYTHING, start_ms=NOW_MS - 900, end_ms=NOW_MS).tolist()]
    assert names == [today]


def test_samples_that_were_stored_twice_are_there_once() -> None:
    name = label_set({METRIC_NAME: "a"})
    samples = [(NOW_MS - 500, 1.0), (NOW_MS - 500, 1.0), (NOW_MS - 400, 2.0)]

    index, memory, _ = loaded(Disk([(name, DAY, DAY)], [(name, samples)]))

    assert held(index, memory) == {name: [(NOW_MS - 500, 1.0), (NOW_MS - 400, 2.0)]}


def test_samples_of_series_that_are_not_listed_are_left_out() -> None:
    known, unknown = label_set({METRIC_NAME: "known"}), label_set({METRIC_NAME: "unknown"})
    samples = [(NOW_MS - 500, 1.0)]

    index, memory, _ = loaded(Disk([(known, DAY, DAY)], [(known, samples), (unknown, samples)]))

    assert held(index, memory) == {known: samples}


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
label_sets = st.dictionaries(names, names, max_size=4).map(lambda labels: label_set({METRIC_NAME: "m", **labels}))
runs = st.dictionaries(st.integers(0, 900), st.floats(allow_nan=False), max_size=5).map(
    lambda samples: sorted((NOW_MS - time, value) for time, value in samples.items())
)


@given(st.dictionaries(label_sets, runs, max_size=8), st.integers(1, 4))
def test_what_is_loaded_is_what_is_on_disk(samples: dict[LabelSet, list[tuple[int, float]]], pieces: int) -> None:
    disk = Disk([(labels, DAY - 1, DAY) for labels in samples], list(samples.items()), pieces)

    index, memory, count = loaded(disk)

    assert held(index, memory) == samples
    assert count == sum(map(len, samples.values()))
