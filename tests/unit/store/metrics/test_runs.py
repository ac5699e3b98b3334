from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.samples import SampleRuns
from vedette.store.metrics import runs as module
from vedette.store.metrics.runs import RunAssembler, join

Row = tuple[int, int, int]


def batch(rows: list[Row]) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "series_id": pa.array([series for series, _, _ in rows], pa.uint64()),
            "time": pa.array(np.array([time for _, time, _ in rows], np.int64)).view(pa.timestamp("ms", "UTC")),
            "mantissa": pa.array([value for _, _, value in rows], pa.int64()),
            "digits": pa.array([0] * len(rows), pa.int8()),
        }
    )


def assemble(batches: list[list[Row]], ids: list[int] | None = None) -> dict[int, list[tuple[int, float]]]:
    assembler = RunAssembler(None if ids is None else np.array(ids, np.uint64))
    for rows in batches:
        assembler.add(batch(rows))
    found, runs = assembler.finish()
    return {int(series): samples_of(runs, row) for row, series in enumerate(found.tolist())}


def samples_of(runs: SampleRuns, row: int) -> list[tuple[int, float]]:
    span = slice(int(runs.offsets[row]), int(runs.offsets[row + 1]))
    return list(zip(runs.times[span].tolist(), runs.values[span].tolist(), strict=True))


def test_pieces_of_one_series_are_put_in_order_of_time() -> None:
    found = assemble([[(1, 30, 3), (1, 40, 4)], [(1, 10, 1), (1, 20, 2)]])

    assert found == {1: [(10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0)]}


def test_series_wanted_but_not_found_have_empty_runs() -> None:
    found = assemble([[(2, 10, 1)]], ids=[1, 2, 3])

    assert found == {1: [], 2: [(10, 1.0)], 3: []}


def test_series_not_wanted_are_left_out() -> None:
    found = assemble([[(1, 10, 1), (2, 10, 2), (9, 10, 9)]], ids=[2])

    assert found == {2: [(10, 2.0)]}


def test_nothing_wanted_is_nothing_found() -> None:
    assert assemble([[(1, 10, 1)]], ids=[]) == {}


def test_nothing_read_is_nothing_found() -> None:
    assert assemble([]) == {}
    assert assemble([[]], ids=[4]) == {4: []}


def test_a_sample_stored_twice_is_read_once() -> None:
    found = assemble([[(1, 10, 1), (1, 20, 2)], [(1, 20, 2), (1, 30, 3)]])

    assert found == {1: [(10, 1.0), (20, 2.0), (30, 3.0)]}


def test_only_series_that_overlap_are_touched() -> None:
    found = assemble([[(1, 10, 1), (1, 20, 2), (2, 10, 5)], [(1, 15, 9), (3, 10, 6)]])

    assert found == {1: [(10, 1.0), (15, 9.0), (20, 2.0)], 2: [(10, 5.0)], 3: [(10, 6.0)]}


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), max_size=12), max_size=5),
    st.none() | st.sets(st.integers(0, 6)).map(sorted),
)
def test_any_rows_in_any_order_become_rising_runs(batches: list[list[tuple[int, int]]], ids: list[int] | None) -> None:
    # The value is a function of series and time, as it is for rows that were sent twice.
    expected: dict[int, dict[int, float]] = {} if ids is None else {series: {} for series in ids}
    for series, time in (pair for rows in batches for pair in rows):
        if ids is None or series in ids:
            expected.setdefault(series, {})[time] = float(100 * series + time)

    found = assemble([[(series, time, 100 * series + time) for series, time in rows] for rows in batches], ids)

    assert found == {series: sorted(samples.items()) for series, samples in expected.items()}


def test_runs_come_in_the_order_of_the_series_wanted() -> None:
    assembler = RunAssembler(np.array([9, 1, 5], np.uint64))
    assembler.add(batch([(1, 10, 1), (5, 10, 5), (5, 20, 6), (9, 10, 9)]))

    ids, runs = assembler.finish()

    assert ids.tolist() == [9, 1, 5]
    assert [samples_of(runs, row) for row in range(3)] == [[(10, 9.0)], [(10, 1.0)], [(10, 5.0), (20, 6.0)]]


@pytest.mark.parametrize("held", [0, 3, 1_000_000])
def test_it_does_not_matter_how_long_the_engines_memory_is_kept(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HELD_ROWS", held)
    rows = [(series, 10 * time, 7 * series + time) for series in range(4) for time in range(5)]

    found = assemble([rows[12:], rows[:9], rows[9:12]])

    assert found == {s: [(10 * t, float(7 * s + t)) for t in range(5)] for s in range(4)}


def test_rows_may_lie_at_any_address() -> None:
    assembler = RunAssembler()
    plain = batch([(1, 10, 1), (1, 20, 2), (2, 10, 3)])
    shifted: list[pa.Array] = []
    for name in plain.schema.names:
        values = plain.column(name).to_numpy(zero_copy_only=True)
        memory = np.zeros(values.nbytes + 1, np.uint8)
        memory[1:] = np.frombuffer(values.tobytes(), np.uint8)
        buffer = pa.foreign_buffer(memory.ctypes.data + 1, values.nbytes, base=memory)
        shifted.append(pa.Array.from_buffers(plain.schema.field(name).type, len(values), [None, buffer]))

    assembler.add(pa.RecordBatch.from_arrays(shifted, names=plain.schema.names))
    _, runs = assembler.finish()

    assert [samples_of(runs, row) for row in range(2)] == [[(10, 1.0), (20, 2.0)], [(10, 3.0)]]


def test_runs_of_several_groups_follow_each_other() -> None:
    first = SampleRuns(np.array([0, 1]), np.array([1]), np.array([0.1]))
    second = SampleRuns(np.array([0, 0, 2]), np.array([5, 6]), np.array([0.5, 0.6]))

    both = join([first, second])

    assert [samples_of(both, row) for row in range(3)] == [[(1, 0.1)], [], [(5, 0.5), (6, 0.6)]]
