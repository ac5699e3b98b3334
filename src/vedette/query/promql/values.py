"""What the nodes of a query evaluate to: whole matrices at once, never one step after the other.

A `Grid` is the times of an evaluation. A `Block` is an instant vector at every time of the grid: one row
per series, one column per step, with a mask of what is there. A `Scalars` is a number for every step.

Arrays that several parents read are marked read-only; an operator writes in place where it finds an array
writeable and allocates otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.model.frames import LabelFrame, QuerySymbols
from vedette.model.samples import SampleRuns

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """The times of an evaluation: `start_ms`, `start_ms + step_ms` and so on, `steps` of them.

    Attributes:
        step_ms: above 0, also where there is only one step.
        steps: how many; 0 where a subquery's range holds no multiple of its step.
    """

    start_ms: int
    step_ms: int
    steps: int

    @property
    def end_ms(self) -> int:
        """The last time."""
        return self.start_ms + (self.steps - 1) * self.step_ms

    def times(self) -> Ints:
        """All times, int64[steps]."""
        return np.arange(self.steps, dtype=np.int64) * self.step_ms + self.start_ms

    def first(self) -> Grid:
        """The grid of the first time alone, for what does not change from step to step."""
        return Grid(self.start_ms, self.step_ms, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """An instant vector at every step of a grid.

    Attributes:
        labels: label set of each row. The same label set may stand in several rows only between an
            operator and the `merge_equal_labels` that follows it.
        values: float64[series, steps]; undefined where `present` is false.
        present: bool[series, steps].
        drop_name: bool[series], rows whose metric name is to be removed at the end of the query; None
            where there are none, and always unless name removal is delayed.
    """

    labels: LabelFrame
    values: Floats
    present: Bools
    drop_name: Bools | None = None

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self.labels.size

    @property
    def cells(self) -> int:
        """How many samples it holds at most."""
        return self.values.size

    def take(self, rows: Ints) -> Block:
        """Only these rows, in this order."""
        drop = None if self.drop_name is None else self.drop_name[rows]
        return Block(self.labels.take(rows), self.values[rows], self.present[rows], drop)

    def without_empty_rows(self) -> Block:
        """Without the series that have no sample at any step."""
        filled = self.present.any(axis=1)
        if filled.all():
            return self
        return self.take(np.flatnonzero(filled))

    def shared(self) -> Block:
        """The same, with its arrays marked read-only because several parents read it."""
        values, present = self.values.view(), self.present.view()
        values.flags.writeable = False
        present.flags.writeable = False
        return Block(self.labels, values, present, self.drop_name)


@dataclass(frozen=True, slots=True, eq=False)
class Scalars:
    """A number for every step: float64[steps]."""

    values: Floats


@dataclass(frozen=True, slots=True)
class Text:
    """A string; it is the same at every step."""

    value: str


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """A range vector at one time: the raw samples of each series, for instant queries such as `up[5m]`."""

    labels: LabelFrame
    runs: SampleRuns


Value = Block | Scalars | Text | Ranges


def empty_block(symbols: QuerySymbols, steps: int) -> Block:
    """No series at all."""
    return Block(LabelFrame(symbols, {}, 0), np.zeros((0, steps)), np.zeros((0, steps), np.bool_))


def single_row(symbols: QuerySymbols, values: Floats, present: Bools | None = None) -> Block:
    """One series without labels."""
    mask = np.ones(len(values), np.bool_) if present is None else present
    return Block(LabelFrame(symbols, {}, 1), values.reshape(1, -1), mask.reshape(1, -1))


def spread(value: Value, steps: int) -> Value:
    """What was computed for one step, repeated for all steps without copying it."""
    match value:
        case Block():
            shape = (value.size, steps)
            values, present = np.broadcast_to(value.values, shape), np.broadcast_to(value.present, shape)
            return Block(value.labels, values, present, value.drop_name)
        case Scalars():
            return Scalars(np.broadcast_to(value.values, (steps,)))
        case _:
            return value
