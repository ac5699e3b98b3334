"""Rows made when they are needed, a batch at a time, so that a batch stays in a core's cache on its way.

A `RowSource` knows the labels of all its rows at once and makes their values for a range of rows. Selectors
and range functions are sources; operators that treat each element by itself are put on top of a source
(`MappedRows`). A consumer either adds batches up (`for_each_batch`) or keeps them all (`materialise`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame
from vedette.model.samples import SampleRuns
from vedette.query.promql.instant_kernels import fill_instants
from vedette.query.promql.options import EvalOptions, Ledger
from vedette.query.promql.row_kernels import Window, fill_windows
from vedette.query.promql.runs import NO_RUNS, NOT_PACKED
from vedette.query.promql.start_times import fill_started
from vedette.query.promql.values import Block, Bools, Floats, Ints
from vedette.query.promql.workers import run_all, split
from vedette.query.source import SampleSource
from vedette.store.head.unpacking import Packed

_BATCH_SAMPLES: Final = 400_000
_BATCH_CELLS: Final = 48_000
_PIECE_SAMPLES: Final = 96_000
"""So many samples are unpacked at a time where that is not done one series at a time."""
_FEWEST_ROWS: Final = 16
_HEAVY_ROW: Final = 500_000
"""A row that costs so much is a batch by itself, so that a query can be ended between two of them."""
_MOST_ROWS: Final = 1024
_USUAL_SCRAPE_MS: Final = 15_000
_ROWS_WORTH_A_THREAD: Final = 64
_WITH_STARTS: Final = frozenset({Window.RATE, Window.INCREASE, Window.IRATE, Window.RESETS})

_Result = TypeVar("_Result")
_Item = TypeVar("_Item", np.float64, np.bool_)

Mapping = Callable[[Floats, Bools, Floats, Bools], tuple[Floats, Bools]]
"""Element by element: values, mask, and room for new ones (possibly the same arrays) to new values and mask."""


class PackedReader(Protocol):
    """The method `read_packed` of a source that holds samples in memory; kernels unpack them series by series."""

    def __call__(
        self, handles: NDArray[np.int64], start_ms: int, end_ms: int, use: Callable[[Packed], int]
    ) -> int | None:
        """Have `use` read what `SampleSource.read` would give.

        Args:
            handles: of the series.
            start_ms: from here ...
            end_ms: ... to here.
            use: see `SampleMemory.read_packed`; it may be called several times, the last time counts.

        Returns:
            How many samples there were; None if not all of them are in memory: whatever `use` was given, if it was
            called at all, is then of no worth.
        """
        ...


class RowSource(Protocol):
    """Rows that can be made."""

    @property
    def labels(self) -> LabelFrame:
        """Label set of each row."""
        ...

    @property
    def drop_name(self) -> Bools | None:
        """Rows whose metric name goes at the end of the query."""
        ...

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        ...

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`, in the room given or in other arrays not to be changed."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class BlockRows:
    """Rows that are there already."""

    block: Block

    @property
    def labels(self) -> LabelFrame:
        """Label set of each row."""
        return self.block.labels

    @property
    def drop_name(self) -> Bools | None:
        """Rows whose metric name goes at the end."""
        return self.block.drop_name

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        return 0

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`."""
        del values, present
        return self.block.values[low:high], self.block.present[low:high]


@dataclass(frozen=True, slots=True, eq=False)
class PickedRows:
    """Rows that are there already, in another order."""

    block: Block
    order: Ints

    @property
    def labels(self) -> LabelFrame:
        """Label set of each row."""
        return self.block.labels.take(self.order)

    @property
    def drop_name(self) -> Bools | None:
        """Rows whose metric name goes at the end."""
        return None if self.block.drop_name is None else self.block.drop_name[self.order]

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        return 0

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`."""
        np.take(self.block.values, self.order[low:high], axis=0, out=values)
        np.take(self.block.present, self.order[low:high], axis=0, out=present)
        return values, present


@dataclass(frozen=True, slots=True, eq=False)
class MappedRows:
    """Another source's rows, changed element by element."""

    base: RowSource
    labels: LabelFrame
    drop_name: Bools | None
    mapping: Mapping

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        return self.base.cost

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`."""
        made, mask = self.base.make(low, high, values, present)
        return self.mapping(made, mask, values, present)


@dataclass(frozen=True, slots=True, eq=False)
class StoredRuns:
    """Samples of the series that a selector found, within a range of time."""

    source: SampleSource
    handles: Ints
    start_ms: int
    end_ms: int
    ledger: Ledger

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        return (self.end_ms - self.start_ms) // _USUAL_SCRAPE_MS + 1

    def read(self, low: int, high: int) -> SampleRuns:
        """The samples of some of the series."""
        runs = self.source.read(self.handles[low:high], self.start_ms, self.end_ms)
        self.ledger.read(int(runs.offsets[-1]))
        return runs

    def read_packed(self, low: int, high: int, use: Callable[[Packed], int]) -> bool:
        """Have the samples of some of the series read from memory; false if they are not all there."""
        read: PackedReader | None = getattr(self.source, "read_packed", None)
        samples = read(self.handles[low:high], self.start_ms, self.end_ms, use) if read is not None else None
        if samples is None:
            return False
        self.ledger.read(samples)
        return True


@dataclass(frozen=True, slots=True, eq=False)
class SubqueryRuns:
    """Samples that an inner expression gave at the steps of a subquery."""

    block: Block
    times: Ints

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        return len(self.times)

    def read(self, low: int, high: int) -> SampleRuns:
        """The samples of some of the series."""
        values, present = self.block.values[low:high], self.block.present[low:high]
        counts = present.sum(axis=1)
        offsets = np.zeros(high - low + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        if offsets[-1] == values.size:
            return SampleRuns(offsets, np.tile(self.times, high - low), plain_array(values).reshape(-1))
        return SampleRuns(offsets, self.times[np.nonzero(present)[1]], values[present])


Runs = StoredRuns | SubqueryRuns


class Wanted(Enum):
    """What of a sample is asked for."""

    VALUE = "value"
    TIME = "time"
    START = "start"


@dataclass(frozen=True, slots=True, eq=False)
class InstantRows:
    """A selector at every step: the newest sample, unless it is too old or marked stale."""

    runs: StoredRuns
    labels: LabelFrame
    drop_name: Bools | None
    first_ms: int
    step_ms: int
    lookback_ms: int
    wanted: Wanted = Wanted.VALUE

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        return self.runs.cost

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`."""
        times = (self.first_ms, self.step_ms, self.lookback_ms, self.wanted is Wanted.TIME)

        def unpack(packed: Packed) -> int:
            return fill_instants(*NO_RUNS, packed, *times, values, present)

        if self.wanted is not Wanted.START and self.runs.read_packed(low, high, unpack):
            return values, present
        for first, last in _pieces(self.cost, low, high):
            runs = self.runs.read(first, last)
            rows, mask = values[first - low : last - low], present[first - low : last - low]
            fill_instants(runs.offsets, runs.times, runs.values, NOT_PACKED, *times, rows, mask)
            if self.wanted is not Wanted.START:
                continue
            if runs.starts is None:
                mask[:] = False
                continue
            ignored = np.empty_like(mask)
            fill_instants(runs.offsets, runs.times, runs.starts / 1000.0, NOT_PACKED, *times, rows, ignored)
        return values, present


@dataclass(frozen=True, slots=True, eq=False)
class WindowRows:
    """A range function at every step.

    Attributes:
        function: a `Window`.
        first_end_ms: the end of the first window, offset and `@` applied; the others follow by `step_ms`.
        step_times: int64[steps], the steps' own times.
        parameters: float64[2, steps], the function's scalar arguments.
        filled: set where a row has a value at any step; None if nobody asks.
        overlaps: set where start times contradict the samples' times.
    """

    runs: Runs
    labels: LabelFrame
    drop_name: Bools | None
    function: int
    first_end_ms: int
    step_ms: int
    range_ms: int
    step_times: Ints
    parameters: Floats
    overlaps: Bools
    filled: Bools | None = None

    @property
    def cost(self) -> int:
        """About how much work a row is, in samples read."""
        # Adding up is about so much cheaper than reading.
        return self.runs.cost + len(self.step_times) * (self.range_ms // _USUAL_SCRAPE_MS) // 256

    def make(self, low: int, high: int, values: Floats, present: Bools) -> tuple[Floats, Bools]:
        """The rows from `low` to before `high`."""
        window = (self.first_end_ms, self.step_ms, self.range_ms)
        rest = (self.step_times, self.parameters)

        def unpack(packed: Packed) -> int:
            return fill_windows(self.function, *NO_RUNS, packed, *window, *rest, values, present)

        if not isinstance(self.runs, StoredRuns) or not self.runs.read_packed(low, high, unpack):
            for first, last in _pieces(self.runs.cost, low, high):
                runs = self.runs.read(first, last)
                columns = (runs.offsets, runs.times, runs.values)
                rows, mask = values[first - low : last - low], present[first - low : last - low]
                if runs.starts is not None and self.function in _WITH_STARTS:
                    overlaps = self.overlaps[first:last]
                    fill_started(self.function, *columns, runs.starts, *window, rows, mask, overlaps)
                else:
                    fill_windows(self.function, *columns, NOT_PACKED, *window, *rest, rows, mask)
        if self.filled is not None:
            self.filled[low:high] = present.any(axis=1)
        return values, present


def materialise(rows: RowSource, steps: int, options: EvalOptions, ledger: Ledger) -> Block:
    """All rows at once."""
    if isinstance(rows, BlockRows):
        return rows.block
    size = rows.labels.size
    ledger.hold(size * steps)
    values, present = np.empty((size, steps)), np.empty((size, steps), np.bool_)

    def keep(low: int, high: int) -> None:
        for first, last in _batches(rows, steps, low, high):
            options.check()
            made, mask = rows.make(first, last, values[first:last], present[first:last])
            if made.base is not values and made is not values:
                values[first:last] = made
            if mask.base is not present and mask is not present:
                present[first:last] = mask

    if size <= _FEWEST_ROWS:
        keep(0, size)
    else:
        run_all([_bound(keep, low, high) for low, high in shares(size, options.workers)], options.executor)
    return Block(rows.labels, values, present, rows.drop_name)


def for_each_batch(
    rows: RowSource, steps: int, options: EvalOptions, low: int, high: int, use: Callable[[int, Floats, Bools], None]
) -> None:
    """Make the rows from `low` to before `high` and hand them to `use`, batch by batch, with the first one's number."""
    values = present = None
    for first, last in _batches(rows, steps, low, high):
        options.check()
        if values is None or present is None:
            values, present = np.empty((last - first, steps)), np.empty((last - first, steps), np.bool_)
        count = last - first
        made, mask = rows.make(first, last, values[:count], present[:count])
        use(first, plain_array(made), plain_array(mask))


def plain_array(array: NDArray[_Item]) -> NDArray[_Item]:
    """The same values in an array that kernels take: contiguous and writeable."""
    return array if array.flags.c_contiguous and array.flags.writeable else array.copy(order="C")


def shares(size: int, workers: int) -> Sequence[tuple[int, int]]:
    """The ranges of rows that each of several threads takes."""
    return split(size, min(workers, -(-size // _ROWS_WORTH_A_THREAD)))


def _batches(rows: RowSource, steps: int, low: int, high: int) -> list[tuple[int, int]]:
    cost = rows.cost + steps
    most = min(_MOST_ROWS, _BATCH_SAMPLES // cost, _BATCH_CELLS // steps)
    each = max(_FEWEST_ROWS if cost < _HEAVY_ROW else 1, most)
    return [(first, min(first + each, high)) for first in range(low, high, each)]


def _pieces(cost: int, low: int, high: int) -> list[tuple[int, int]]:
    each = max(1, _PIECE_SAMPLES // max(cost, 1))
    return [(first, min(first + each, high)) for first in range(low, high, each)]


def _bound(function: Callable[[int, int], _Result], low: int, high: int) -> Callable[[], _Result]:
    return lambda: function(low, high)
