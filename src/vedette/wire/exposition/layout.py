"""Parse one target's expositions, scrape after scrape, at the cost of reading its numbers.

A target writes the same series in the same order each time. A `LayoutParser` numbers them once (its *rows*)
and from then on hands out columns: row, value and time of each sample. Labels are told when a series is
first seen; a row that is missing, or forgotten, is reported. Nothing is done per label set for a body that
looks like the last one.

A body that does not follow its format is refused as a whole, as Prometheus does, and leaves no trace.
The quick path is `walk`; what it cannot decide is read by the exact readers of `text` and `openmetrics`, so
that both always agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vedette.model.labels import LabelSet
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.exposition import walk as kernels
from vedette.wire.exposition.draft import Draft
from vedette.wire.exposition.entries import Field, Format
from vedette.wire.exposition.protobuf import DecodedFamilies, decode_families
from vedette.wire.exposition.rows import Rows
from vedette.wire.exposition.spellings import Spellings
from vedette.wire.exposition.walk import NO_TIME, PADDING, Float64s, Int32s, Int64s

_CROWDED: Final = 2 * kernels.ENTRIES_PER_SAMPLE
"""Beyond so many spellings for each series that may be, only those of the last body are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class ParsedScrape:
    """What one body says, and what is different from the last one.

    The arrays are the parser's too: read them only.

    Attributes:
        rows: int32[samples], the series of each sample, in the body's order.
        values: float64[samples].
        times_ms: int64[samples]; `NO_TIME` where the body does not say.
        exemplars: each with its row, in the body's order.
        metadata: families whose metadata are new or have changed.
        new_rows: rows given to series not known before, with their label sets (`__name__` included).
        missing_rows: int32, rows of the last body that this one has not got.
        forgotten_rows: int32, rows that mean nothing any more: the series were missing for long. From the
            next parse on their numbers may be given to other series.
        duplicates: how many samples are of a series that the body held before.
        notes: what the body holds that is not read, by name.
    """

    rows: Int32s
    values: Float64s
    times_ms: Int64s
    exemplars: tuple[tuple[int, Exemplar], ...]
    metadata: tuple[Metadata, ...]
    new_rows: tuple[tuple[int, LabelSet], ...]
    missing_rows: Int32s
    forgotten_rows: Int32s
    duplicates: int
    notes: tuple[str, ...] = ()


class LayoutParser:
    """The parser of one target. Not to be used by two threads at once.

    Args:
        max_series: so many samples a body may hold.
        forget_after: a series that was missing in so many bodies is forgotten.
    """

    def __init__(self, *, max_series: int = 1_000_000, forget_after: int = 20) -> None:
        self._max_series = max_series
        self._forget_after = forget_after
        self._parses = 0
        self._spellings = Spellings()
        self._rows = Rows()
        self._data = np.zeros(PADDING, np.uint8)
        self._entries = np.zeros((0, 3), np.int32)
        self._last_rows = np.zeros(0, np.int32)
        self._duplicates = 0
        self._metadata: dict[str, Metadata] = {}
        self._metadata_lines = np.zeros(0, np.int32)

    def parse(self, body: bytes, exposition: Format) -> ParsedScrape:
        """What a body holds.

        Raises:
            DecodeError: it does not follow its format; names the line.
            LimitExceededError: it holds more than `max_series` samples.
        """
        spellings_before = self._spellings.count
        self._rows.begin()
        try:
            if exposition is Format.PROTOBUF:
                return self._adopt_families(decode_families(body, max_samples=self._max_series))
            draft = Draft(self._spellings, self._rows, body, exposition, self._max_series)
            draft.read(self._data, self._entries)
        except BaseException:
            self._spellings.truncate(spellings_before)
            self._rows.undo()
            raise
        return self._adopt_draft(draft)

    @property
    def remembered(self) -> int:
        """How many series have a row."""
        return len(self._rows)

    def lapse(self) -> Int32s:
        """Take note that there was no body: the rows of the last one, which are missing now."""
        missing = np.unique(self._last_rows)
        self._last_rows = np.zeros(0, np.int32)
        return missing

    def _adopt_draft(self, draft: Draft) -> ParsedScrape:
        """Make a text that was read the last body."""
        self._parses += 1
        spellings = self._spellings
        spellings.count = draft.count(kernels.SPELLINGS)
        entries = draft.entries[: draft.count(kernels.ENTRIES)]
        samples = draft.count(kernels.SAMPLES)
        rows: Int32s = spellings.rows[draft.spelled[:samples]]
        changed: tuple[Metadata, ...] = ()
        moved = bool(draft.count(kernels.MOVED)) or draft.count(kernels.NEXT) != len(self._entries)
        if moved:
            spellings.seen[self._entries[:, 0]] = self._parses - 1
            spellings.seen[entries[:, 0]] = self._parses
            spellings.places[entries[:, 0]] = np.arange(len(entries), dtype=np.int32)
            changed = self._fold_lines(entries)
        self._data = draft.padded
        self._entries = entries
        exemplars = tuple((int(rows[sample]), exemplar) for sample, exemplar in draft.exemplars)
        values, times_ms = draft.values[:samples], draft.times[:samples]
        return self._report(rows, values, times_ms, exemplars, changed, moved=moved, notes=())

    def _adopt_families(self, families: DecodedFamilies) -> ParsedScrape:
        """Make a protobuf body that was read the last one; it has no spelling."""
        rows = np.array([self._rows.find_or_add(sample.labels) for sample in families.samples], np.int32)
        self._parses += 1
        self._spellings.seen[self._entries[:, 0]] = self._parses - 1
        self._entries = np.zeros((0, 3), np.int32)
        self._metadata_lines = np.zeros(0, np.int32)
        values = np.array([sample.value for sample in families.samples], np.float64)
        times = [NO_TIME if sample.time_ms is None else sample.time_ms for sample in families.samples]
        exemplars = tuple(
            (int(row), sample.exemplar)
            for row, sample in zip(rows, families.samples, strict=True)
            if sample.exemplar is not None
        )
        changed = self._learn({told.family: told for told in families.metadata})
        times_ms = np.array(times, np.int64)
        return self._report(rows, values, times_ms, exemplars, changed, moved=True, notes=families.notes)

    def _report(
        self,
        rows: Int32s,
        values: Float64s,
        times_ms: Int64s,
        exemplars: tuple[tuple[int, Exemplar], ...],
        metadata: tuple[Metadata, ...],
        *,
        moved: bool,
        notes: tuple[str, ...],
    ) -> ParsedScrape:
        missing = np.zeros(0, np.int32)
        if moved or len(self._last_rows) != len(rows):
            self._rows.seen[self._last_rows] = self._parses - 1
            self._rows.seen[rows] = self._parses
            present = np.zeros(self._rows.capacity, np.bool_)
            present[rows] = True
            missing = np.unique(self._last_rows[~present[self._last_rows]])
            self._duplicates = len(rows) - int(np.count_nonzero(present))
        self._last_rows = rows
        return ParsedScrape(
            rows=rows,
            values=values,
            times_ms=times_ms,
            exemplars=exemplars,
            metadata=metadata,
            new_rows=tuple(self._rows.new),
            missing_rows=missing,
            forgotten_rows=self._forget(),
            duplicates=self._duplicates,
            notes=notes,
        )

    def _fold_lines(self, entries: Int32s) -> tuple[Metadata, ...]:
        """Learn what the body's metadata lines say; what of that is new."""
        lines: Int32s = entries[self._spellings.is_metadata(entries[:, 0]), 0]
        if np.array_equal(lines, self._metadata_lines):
            return ()
        self._metadata_lines = lines
        families: dict[str, Metadata] = {}
        for number in lines.tolist():
            line = self._spellings.metadata[number]
            known = families.get(line.family) or Metadata(line.family, MetricType.UNKNOWN, "", "")
            match line.field:
                case Field.HELP:
                    known = replace(known, help=line.text)
                case Field.TYPE:
                    known = replace(known, type=MetricType(line.text))
                case Field.UNIT:
                    known = replace(known, unit=line.text)
            families[line.family] = known
        return self._learn(families)

    def _learn(self, families: dict[str, Metadata]) -> tuple[Metadata, ...]:
        changed = tuple(told for family, told in families.items() if told != self._metadata.get(family))
        self._metadata = families
        return changed

    def _forget(self) -> Int32s:
        """Forget what has not been seen for long, or everything but the last body where that is too much."""
        spellings = self._spellings
        crowded = max(spellings.count, self._rows.capacity) > _CROWDED * self._max_series
        if not crowded and self._parses % self._forget_after:
            return np.zeros(0, np.int32)
        oldest = self._parses if crowded else self._parses - self._forget_after + 1
        self._rows.seen[self._last_rows] = self._parses
        spellings.seen[self._entries[:, 0]] = self._parses
        keep = spellings.seen[: spellings.count] >= oldest
        if not keep.all():
            renumbered = spellings.retain(keep)
            self._entries[:, 0] = renumbered[self._entries[:, 0]]
            self._metadata_lines = renumbered[self._metadata_lines]
            spellings.places[self._entries[:, 0]] = np.arange(len(self._entries), dtype=np.int32)
        return self._rows.forget(oldest)
