from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.in_memory import InMemory
from vedette.collect.remote_write.frames import sample_frames, series_frames
from vedette.collect.remote_write.intake import Intake, Labelling, Observed
from vedette.collect.remote_write.reader import Reading, SpoolReader
from vedette.collect.remote_write.spool import Place, Spool, SpoolLimits, open_spool
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Exemplar

NOW_MS = 1_795_230_706_767
FOREVER = -(1 << 60)
LIMITS = SpoolLimits(segment_bytes=2048, max_bytes=1 << 20)
PLAIN = Labelling((), ())

Rows = list[tuple[LabelSet, int, float]]


def labels_of(slot: int) -> LabelSet:
    return label_set({"__name__": "m", "slot": str(slot)})


def append(spool: Spool, rows: list[tuple[int, int, float]], *, named: set[int], written_ms: int = NOW_MS) -> None:
    """Put samples into a spool; slots that this segment does not know are named first."""
    if not spool.has_room:
        spool.begin_segment()
        named.clear()
    slots = np.array([slot for slot, _, _ in rows], np.int64)
    new = sorted(set(slots.tolist()) - named)
    named.update(new)
    times = np.array([time_ms for _, time_ms, _ in rows], np.int64)
    values = np.array([value for _, _, value in rows])
    series = series_frames([(slot, labels_of(slot)) for slot in new], written_ms)
    spool.append([*series, *sample_frames(slots, times, values, written_ms)], written_ms)


def rows_of(reading: Reading) -> Rows:
    numbers = reading.series.tolist()
    times, values = reading.times.tolist(), reading.values.tolist()
    return [(reading.labels[n], t, v) for n, t, v in zip(numbers, times, values, strict=True)]


def read_all(spool: Spool, most: int = 1000) -> Iterator[Reading]:
    reader = SpoolReader(spool)
    try:
        while reader.unread:
            yield reader.read(most, written_after_ms=FOREVER)
    finally:
        reader.close()


def everything(spool: Spool, most: int = 1000) -> Rows:
    return [row for reading in read_all(spool, most) for row in rows_of(reading)]


samples = st.lists(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2**50), st.floats(allow_nan=False)), min_size=1, max_size=40),
    max_size=30,
)


@given(samples, st.integers(1, 60))
def test_what_was_put_in_comes_out_in_its_order_however_much_is_read_at_a_time(
    batches: list[list[tuple[int, int, float]]], most: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder), LIMITS)
        named: set[int] = set()
        for batch in batches:
            append(spool, batch, named=named)

        found = everything(spool, most)

        spool.close()
    assert found == [(labels_of(slot), time_ms, value) for batch in batches for slot, time_ms, value in batch]


@given(samples, st.integers(1, 60), st.data())
def test_after_a_restart_everything_that_was_not_acknowledged_comes_again(
    batches: list[list[tuple[int, int, float]]], most: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder), LIMITS)
        named: set[int] = set()
        for batch in batches:
            append(spool, batch, named=named)
        readings = list(read_all(spool, most))
        acknowledged = data.draw(st.integers(0, len(readings)))
        for reading in readings[:acknowledged]:
            spool.acknowledge(reading.end)
        spool.close()

        again = open_spool(Path(folder), LIMITS)
        found = everything(again)

    rest = [row for reading in readings[acknowledged:] for row in rows_of(reading)]
    assert found[len(found) - len(rest) :] == rest
    # What comes a second time is the rest of one frame at most.
    assert len(found) - len(rest) <= 40


@given(samples, st.data())
def test_a_file_that_was_cut_short_gives_what_stands_before_the_cut(
    batches: list[list[tuple[int, int, float]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder), SpoolLimits())
        named: set[int] = set()
        for batch in batches:
            append(spool, batch, named=named)
        spool.close()
        for file in Path(folder).glob("*.segment"):
            content = file.read_bytes()
            file.write_bytes(content[: data.draw(st.integers(0, len(content)))])

        found = everything(open_spool(Path(folder), SpoolLimits()))

    whole = [(labels_of(slot), time_ms, value) for batch in batches for slot, time_ms, value in batch]
    assert found == whole[: len(found)]


@given(samples.filter(bool), st.data())
def test_damage_costs_samples_and_never_makes_up_any(
    batches: list[list[tuple[int, int, float]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder), LIMITS)
        named: set[int] = set()
        for batch in batches:
            append(spool, batch, named=named)
        spool.close()
        file = data.draw(st.sampled_from(sorted(Path(folder).iterdir())))
        content = bytearray(file.read_bytes())
        start = data.draw(st.integers(0, len(content) - 1))
        wrong = data.draw(st.binary(min_size=1, max_size=60))
        content[start : start + len(wrong)] = wrong
        file.write_bytes(content)

        found = everything(open_spool(Path(folder), LIMITS))

    whole = {(labels_of(slot), time_ms, value) for batch in batches for slot, time_ms, value in batch}
    assert set(found) <= whole


@given(st.binary(max_size=300))
def test_a_position_file_with_anything_in_it_means_the_beginning_or_a_place_between_frames(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder), LIMITS)
        append(spool, [(1, 1, 1.0)], named=set())
        spool.close()
        (Path(folder) / "position.json").write_bytes(content)

        found = everything(open_spool(Path(folder), LIMITS))

    assert found == [(labels_of(1), 1, 1.0)]


def test_acknowledged_segments_are_removed(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, LIMITS)
    named: set[int] = set()
    generator = np.random.default_rng(5)
    for number in range(100):
        append(spool, [(slot, number, generator.random()) for slot in range(20)], named=named)
    full_bytes = spool.size_bytes

    for reading in read_all(spool, 100):
        spool.acknowledge(reading.end)

    assert spool.size_bytes < full_bytes / 5
    assert len(list(tmp_path.glob("*.segment"))) == 1


def test_a_spool_that_is_full_drops_its_oldest_samples_and_counts_them(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, SpoolLimits(segment_bytes=2048, max_bytes=10_000))
    named: set[int] = set()
    generator = np.random.default_rng(5)
    dropped = 0
    for number in range(200):
        dropped += spool.drop_old(NOW_MS)
        append(spool, [(slot, number, generator.random()) for slot in range(20)], named=named)
    dropped += spool.drop_old(NOW_MS)

    found = everything(spool)

    assert dropped > 0
    assert dropped + len(found) == 200 * 20
    assert found[-1][1] == 199
    assert sum(file.stat().st_size for file in tmp_path.glob("*.segment")) <= 10_000


def test_samples_that_have_waited_too_long_are_left_out_and_counted(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, SpoolLimits())
    named: set[int] = set()
    append(spool, [(1, 1, 1.0), (1, 2, 2.0)], named=named, written_ms=NOW_MS)
    append(spool, [(1, 3, 3.0)], named=named, written_ms=NOW_MS + 1000)
    reader = SpoolReader(spool)

    reading = reader.read(100, written_after_ms=NOW_MS + 1)

    reader.close()
    assert (reading.expired, reading.times.tolist()) == (2, [3])


def test_old_segments_go_when_their_time_is_up(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, SpoolLimits(max_age_ms=1000))
    append(spool, [(1, 1, 1.0)], named=set(), written_ms=NOW_MS)
    spool.begin_segment()
    append(spool, [(1, 2, 2.0)], named=set(), written_ms=NOW_MS + 1500)

    dropped = spool.drop_old(NOW_MS + 1500)

    assert dropped == 1
    assert [time_ms for _, time_ms, _ in everything(spool)] == [2]


def test_what_a_reader_holds_is_not_counted_as_dropped(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, SpoolLimits(max_age_ms=1000))
    append(spool, [(1, 1, 1.0), (1, 2, 2.0)], named=set(), written_ms=NOW_MS)
    reader = SpoolReader(spool)
    first = reader.read(1, written_after_ms=FOREVER)
    spool.begin_segment()

    dropped = spool.drop_old(NOW_MS + 1500)
    second = reader.read(1, written_after_ms=FOREVER)

    reader.close()
    assert dropped == 0
    assert [*rows_of(first), *rows_of(second)] == [(labels_of(1), 1, 1.0), (labels_of(1), 2, 2.0)]


def test_a_disk_that_is_full_costs_what_does_not_fit_and_leaves_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool(tmp_path, SpoolLimits())
    named: set[int] = set()
    append(spool, [(1, 1, 1.0)], named=named)

    def full(_handle: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space left"):
                append(spool, [(1, 2, 2.0)], named=named)
    append(spool, [(1, 3, 3.0)], named=named)

    assert [time_ms for _, time_ms, _ in everything(spool)] == [1, 3]
    assert len(list(tmp_path.glob("*.segment"))) == 2


def observed(inside: InMemory, labels: LabelSet, *times: int) -> Observed:
    slots, _ = inside.writer.resolve("test", [labels])
    columns = np.array(times, np.int64)
    return Observed(inside.writer.generation, np.repeat(slots, len(times)), columns, columns.astype(np.float64))


def test_intake_names_each_series_once_for_each_segment(tmp_path: Path) -> None:
    inside = InMemory(now_ms=NOW_MS)
    spool = open_spool(tmp_path, LIMITS)
    intake = Intake(spool, inside.index, inside.now_ms)
    expected: Rows = []
    for number in range(60):
        labels = labels_of(number % 7)
        times = [number * 100 + n for n in range(30)]
        intake.store([observed(inside, labels, *times)], [], PLAIN)
        expected += [(labels, time_ms, float(time_ms)) for time_ms in times]

    found = everything(spool)

    assert found == expected
    assert len(list(tmp_path.glob("*.segment"))) > 2


def test_intake_adds_external_labels_where_they_are_missing_and_counts_what_relabelling_drops(tmp_path: Path) -> None:
    inside = InMemory(now_ms=NOW_MS)
    spool = open_spool(tmp_path, SpoolLimits())
    intake = Intake(spool, inside.index, inside.now_ms)
    labelling = Labelling((("cluster", "eu"), ("job", "outer")), (lambda labels: labels["__name__"] != "noise",))
    batches = [
        observed(inside, label_set({"__name__": "up", "job": "inner"}), 1),
        observed(inside, label_set({"__name__": "noise"}), 2, 3),
    ]

    stored = intake.store(batches, [], labelling)

    assert (stored.samples, stored.relabelled) == (1, 2)
    assert everything(spool) == [(label_set({"__name__": "up", "job": "inner", "cluster": "eu"}), 1, 1.0)]


def test_intake_does_not_name_a_series_by_a_slot_that_was_given_away(tmp_path: Path) -> None:
    inside = InMemory(now_ms=NOW_MS)
    spool = open_spool(tmp_path, SpoolLimits())
    intake = Intake(spool, inside.index, inside.now_ms)
    batch = observed(inside, labels_of(1), 1)
    inside.index.remove(batch.slots.tolist())
    other = observed(inside, labels_of(2), 2)

    stored = intake.store([batch, other], [], PLAIN)

    assert (stored.gone, stored.samples) == (1, 1)
    assert everything(spool) == [(labels_of(2), 2, 2.0)]


def test_intake_keeps_exemplars_of_series_that_are_sent(tmp_path: Path) -> None:
    inside = InMemory(now_ms=NOW_MS)
    spool = open_spool(tmp_path, SpoolLimits())
    intake = Intake(spool, inside.index, inside.now_ms)
    batch = observed(inside, labels_of(1), 1)
    exemplar = Exemplar(label_set({"trace_id": "ü"}), 0.5, 1)
    kept = (batch.generation, int(batch.slots[0]), exemplar)

    intake.store([batch], [kept, (batch.generation, 99, exemplar)], PLAIN)

    [reading] = read_all(spool)
    assert reading.exemplars == [(labels_of(1), exemplar)]


def test_new_rules_do_not_change_what_waits_already(tmp_path: Path) -> None:
    inside = InMemory(now_ms=NOW_MS)
    spool = open_spool(tmp_path, SpoolLimits())
    intake = Intake(spool, inside.index, inside.now_ms)

    intake.store([observed(inside, labels_of(1), 1)], [], PLAIN)
    intake.store([observed(inside, labels_of(1), 2)], [], Labelling((("cluster", "eu"),), ()))

    assert everything(spool) == [
        (labels_of(1), 1, 1.0),
        (tuple(sorted((*labels_of(1), ("cluster", "eu")))), 2, 2.0),
    ]


def test_the_position_never_goes_back(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, SpoolLimits())
    append(spool, [(1, 1, 1.0)], named=set())

    spool.acknowledge(Place(1, 500))
    spool.acknowledge(Place(1, 30))

    assert spool.position == Place(1, 500)
