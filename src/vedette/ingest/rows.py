"""From the rows of a source that looks alike every time to stored samples.

Scraping, the host's collectors and Vedette's own metrics all hand out `ParsedScrape`s: columns of values with row
numbers, and label sets only for rows that are new. Here a row is resolved once, to the slot of its series, or to the
reason why it is not stored; from then on a round is a few operations on columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.ingest.limits import Drop
from vedette.ingest.writer import MetricsWriter, Taken
from vedette.model.errors import OverloadedError
from vedette.model.labels import LabelSet
from vedette.model.samples import STALE
from vedette.wire.exposition import NO_TIME, ParsedScrape

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNKNOWN: Final = -1
DROPPED: Final = -2
VIOLATING: Final = -3
_FIRST_REASON: Final = -4
_REASONS: Final = tuple(Drop)
"""A row refused for reason i is marked `_FIRST_REASON - i`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a series makes its whole round worthless (a job's `label_limit`)."""

    problem: str


Transform = Callable[[LabelSet], LabelSet | Violation | None]
"""From the labels of an exposition to those of a series; None drops it."""


class StaleSlotsError(Exception):
    """Slots were given to other series since they were resolved: begin anew with a fresh parser."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A round that is resolved and not yet stored.

    Attributes:
        slots: int64[samples], all of known series.
        kept: how many samples are left after relabelling, those that a limit refuses included.
        added: how many series are new.
        refused: samples that limits refuse, by reason.
        dropped: samples that relabelling dropped.
        missing: int64, slots of series that ended with this round.
        violation: why the round must not be stored; empty if it may.
        parsed: where it comes from.
        stated: bool, for each row of `parsed`, whether it stated its time.
    """

    slots: Int64s
    times: Int64s
    values: Float64s
    kept: int
    added: int
    refused: dict[Drop, int]
    dropped: int
    missing: Int64s
    violation: str
    parsed: ParsedScrape
    stated: Bools


class RowSlots:
    """The slots of one source's rows."""

    def __init__(self, writer: MetricsWriter, source: str, transform: Transform, *, max_series: int = 0) -> None:
        """Begin with no row.

        Args:
            writer: where samples go.
            source: on whose account.
            transform: applied to the labels of every new row.
            max_series: series of this source; further ones are refused. 0 for any number.
        """
        self._writer = writer
        self._source = source
        self._transform = transform
        self._max_series = max_series
        self._series = 0
        self._violation = ""
        self._generation = writer.generation
        self._slots: Int64s = np.full(64, UNKNOWN, np.int64)
        # Whether a row's last sample stated its time: such series are not marked stale unless asked for.
        self._stated: Bools = np.zeros(64, np.bool_)
        self._live: Bools = np.zeros(64, np.bool_)
        # Slots of series that have ended without a stale marker.
        self._owed: Int64s = np.zeros(0, np.int64)

    @property
    def outdated(self) -> bool:
        """Whether slots were taken back since: throw this and the parser away."""
        return self._generation != self._writer.generation

    def prepare(
        self, parsed: ParsedScrape, now_ms: int, *, honor_timestamps: bool = True, track_staleness: bool = False
    ) -> Prepared:
        """Resolve a round's rows.

        Args:
            parsed: the round.
            now_ms: the time of samples that state none.
            honor_timestamps: keep the times that samples state.
            track_staleness: report series as missing even if they stated their times.

        Raises:
            StaleSlotsError: see there.
        """
        if self.outdated:
            raise StaleSlotsError
        added = self._resolve(parsed.new_rows)
        marks = self._slots[parsed.rows]
        stated = parsed.times_ms != NO_TIME
        times = np.where(stated, parsed.times_ms, now_ms) if honor_timestamps else np.full(len(marks), now_ms)
        ended = parsed.missing_rows
        missing = self._ended(ended[self._live[ended]], track_staleness=track_staleness)
        self._forget(parsed.forgotten_rows, track_staleness=track_staleness)
        stored = marks >= 0
        violation = ""
        refused: dict[Drop, int] = {}
        dropped = 0
        if not stored.all():
            dropped = int((marks == DROPPED).sum())
            violation = self._violation if (marks == VIOLATING).any() else ""
            for mark in np.unique(marks[marks <= _FIRST_REASON]).tolist():
                refused[_REASONS[_FIRST_REASON - mark]] = int((marks == mark).sum())
            marks, times = marks[stored], times[stored]
        return Prepared(
            slots=marks,
            times=times,
            # A copy: the parser fills its own again at the next round.
            values=parsed.values[stored],
            kept=len(stored) - dropped,
            added=added,
            refused=refused,
            dropped=dropped,
            missing=missing,
            violation=violation,
            parsed=parsed,
            stated=stated & honor_timestamps,
        )

    def store(self, prepared: Prepared, now_ms: int, *, patience_ms: int) -> Taken:
        """Store a prepared round, and mark what has ended with it as stale.

        Raises:
            OverloadedError: nothing was stored; that is booked.
        """
        parsed = prepared.parsed
        self._live[parsed.missing_rows] = False
        self._live[parsed.rows] = True
        self._stated[parsed.rows] = prepared.stated
        slots, times, values = prepared.slots, prepared.times, prepared.values
        ended = prepared.missing
        if len(self._owed):
            ended = np.setdiff1d(np.concatenate([ended, self._owed]), slots)
            self._owed = np.zeros(0, np.int64)
        if len(ended):
            count = len(ended)
            slots = np.concatenate([slots, ended])
            times = np.concatenate([times, np.full(count, now_ms)])
            values = np.concatenate([values, np.full(count, STALE)])
        if prepared.dropped:
            self._writer.refuse(self._source, Drop.RELABELLED, prepared.dropped)
        for reason, count in prepared.refused.items():
            self._writer.refuse(self._source, reason, count)
        try:
            return self._writer.take(self._source, slots, times, values, patience_ms=patience_ms)
        except OverloadedError as exc:
            self._writer.refuse(self._source, Drop.OVERLOADED, len(slots), str(exc))
            self.owe(ended)
            raise

    def end_all(self, *, track_staleness: bool = False) -> Int64s:
        """Slots of all series of the last stored round, for marking them stale; after that none is live."""
        owed, self._owed = self._owed, np.zeros(0, np.int64)
        if self.outdated:
            return owed
        rows = np.flatnonzero(self._live)
        ended = self._ended(rows, track_staleness=track_staleness)
        self._live[:] = False
        return np.union1d(ended, owed) if len(owed) else ended

    def owe(self, slots: Int64s) -> None:
        """Mark these series stale with the next round that is stored and does not bring them."""
        self._owed = np.union1d(self._owed, slots)

    def slot_of(self, row: int) -> int:
        """The slot of a row; negative where it has none."""
        return int(self._slots[row]) if row < len(self._slots) else UNKNOWN

    def _ended(self, rows: Int64s | NDArray[np.int32], *, track_staleness: bool) -> Int64s:
        slots = self._slots[rows]
        ended = (slots >= 0) & (track_staleness | ~self._stated[rows])
        return np.unique(slots[ended])

    def _resolve(self, new_rows: Iterable[tuple[int, LabelSet]]) -> int:
        rows: list[int] = []
        label_sets: list[LabelSet] = []
        for row, labels in new_rows:
            self._reserve(row)
            transformed = self._transform(labels)
            if transformed is None:
                self._slots[row] = DROPPED
            elif isinstance(transformed, Violation):
                self._slots[row] = VIOLATING
                self._violation = transformed.problem
            elif self._max_series and self._series + len(rows) >= self._max_series:
                self._slots[row] = _FIRST_REASON - _REASONS.index(Drop.TARGET_SERIES_LIMIT)
            else:
                rows.append(row)
                label_sets.append(transformed)
        if not rows:
            return 0
        slots, refused = self._writer.resolve(self._source, label_sets)
        for position, reason, _ in refused:
            slots[position] = _FIRST_REASON - _REASONS.index(reason)
        self._slots[rows] = slots
        self._series += len(rows) - len(refused)
        return len(rows) - len(refused)

    def _forget(self, rows: NDArray[np.int32], *, track_staleness: bool) -> None:
        if len(rows):
            # Of a round that is not stored these are still to be marked stale.
            self.owe(self._ended(rows[self._live[rows]], track_staleness=track_staleness))
            self._series -= int((self._slots[rows] >= 0).sum())
            self._slots[rows] = UNKNOWN
            self._live[rows] = False

    def _reserve(self, row: int) -> None:
        known = len(self._slots)
        if row >= known:
            size = max(2 * known, row + 1)
            self._slots = np.concatenate([self._slots, np.full(size - known, UNKNOWN, np.int64)])
            self._stated = np.concatenate([self._stated, np.zeros(size - known, np.bool_)])
            self._live = np.concatenate([self._live, np.zeros(size - known, np.bool_)])
