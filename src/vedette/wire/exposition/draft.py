"""One body while it is read: the quick walk and the exact readers taking turns.

The walk goes over what it knows and passes new series by; where it stops, the exact reader reads one entry
and the walk goes on behind it. In the end the series that were passed by are explained, by their spelling.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.samples import Exemplar
from vedette.wire.exposition import walk as kernels
from vedette.wire.exposition.entries import (
    CommentEntry,
    EndEntry,
    Fault,
    Field,
    Format,
    MetadataEntry,
    SampleEntry,
    TextFormat,
    TypeContext,
    context_after,
)
from vedette.wire.exposition.openmetrics import read_exemplar, read_plain_exemplar
from vedette.wire.exposition.reference import prepared, reader_of
from vedette.wire.exposition.rows import Rows
from vedette.wire.exposition.series import (
    OPENMETRICS_SPELLING,
    TEXT_SPELLING,
    read_plain_series,
    read_series,
)
from vedette.wire.exposition.spellings import Spellings
from vedette.wire.exposition.walk import METADATA, NO_TIME, OPENMETRICS_CONTEXTS, PADDING, Int32s

_MAX_BODY_BYTES: Final = (1 << 31) - 1 - PADDING
"""Offsets are int32."""


class Draft:
    """A body while it is read.

    Attributes:
        padded: the body as the walk takes it.
        entries: int32[, 3], spelling, offset and length of each entry; `count` tells how many there are.
        spelled: int32, spelling of each sample.
        values: float64, of each sample.
        times: int64, of each sample, or `NO_TIME`.
        exemplars: each with the number of its sample.
    """

    def __init__(self, spellings: Spellings, rows: Rows, body: bytes, exposition: TextFormat, max_series: int) -> None:
        self.exemplars: list[tuple[int, Exemplar]] = []
        self._spellings = spellings
        self._rows = rows
        self._openmetrics = exposition is Format.OPENMETRICS
        self._base = OPENMETRICS_CONTEXTS if self._openmetrics else 0
        self._spelling = OPENMETRICS_SPELLING if self._openmetrics else TEXT_SPELLING
        self._max_series = max_series
        self._read = reader_of(exposition)
        self._data = prepared(body, exposition)
        if len(self._data) > _MAX_BODY_BYTES:
            raise DecodeError(f"body of {len(body)} bytes is too large: at most {_MAX_BODY_BYTES} can be read")
        self.padded = np.zeros(len(self._data) + PADDING, np.uint8)
        self.padded[: len(self._data)] = np.frombuffer(self._data, np.uint8)
        # Every entry has a line break; pages of these arrays that are not written take no memory.
        lines = self._data.count(b"\n") + 1
        self.entries = np.empty((min(lines, kernels.ENTRIES_PER_SAMPLE * max_series) + 1, 3), np.int32)
        capacity = min(lines, max_series) + 1
        self.spelled = np.empty(capacity, np.int32)
        self.values = np.empty(capacity, np.float64)
        self.times = np.empty(capacity, np.int64)
        self._found_exemplars = np.empty((capacity, 3), np.int64)
        self._state = np.zeros(kernels.STATE_SIZE, np.int64)
        self._state[kernels.SPELLINGS] = self._explained = spellings.count
        self._read_exemplars = 0
        self._last_entries = np.zeros((0, 3), np.int32)

    def count(self, what: int) -> int:
        """A number of the walk's state."""
        return int(self._state[what])

    def read(self, last_data: NDArray[np.uint8], last_entries: Int32s) -> None:
        """Walk to the end.

        Raises:
            DecodeError: the body does not follow its format.
            LimitExceededError: it holds too much.
        """
        self._last_entries = last_entries
        known = self._spellings
        while True:
            code = kernels.walk(
                self._openmetrics,
                self.padded,
                len(self._data),
                last_data,
                last_entries,
                len(last_entries),
                self.entries,
                self.spelled,
                self.values,
                self.times,
                self._found_exemplars,
                known.secrets,
                known.table,
                known.keys,
                known.contexts,
                known.contexts_after,
                known.places,
                known.firsts,
                self._max_series,
                self._state,
            )
            if code == kernels.FULL:
                known.grow()
                known.rehash(self.count(kernels.SPELLINGS))
            elif code == kernels.LIMIT:
                raise LimitExceededError(
                    limit="max_series", allowed=self._max_series, found=None, what="samples of one target"
                )
            elif code == kernels.DONE or self._step_aside():
                self._explain()
                return

    def _step_aside(self) -> bool:
        """Read the present entry exactly; whether it is the end."""
        at = self.count(kernels.AT)
        context = TypeContext(self.count(kernels.CONTEXT))
        try:
            entry = self._read(self._data, at, context)
        except Fault as fault:
            self._explain()  # an error further up comes first
            raise fault.located(self._data) from None
        match entry:
            case EndEntry():
                return True
            case CommentEntry():
                pass
            case MetadataEntry():
                number = self._note(entry.start, entry.text_end, METADATA)
                after = context_after(entry, context)
                if entry.field is Field.TYPE:
                    self._spellings.contexts_after[number] = after
                self._spellings.metadata[number] = entry
                self._state[kernels.CONTEXT] = after
            case SampleEntry():
                number = self._note(entry.start, entry.series_end, context)
                sample = self.count(kernels.SAMPLES)
                self.spelled[sample] = number
                self.values[sample] = entry.value
                self.times[sample] = NO_TIME if entry.time_ms is None else entry.time_ms
                if entry.exemplar is not None:
                    self._explain()  # keeps exemplars in order
                    self.exemplars.append((sample, entry.exemplar))
                self._state[kernels.SAMPLES] = sample + 1
        self._state[kernels.AT] = entry.end
        return False

    def _note(self, start: int, end: int, context: int) -> int:
        """Add an entry that was read exactly; the number of its spelling."""
        state = self._state
        place = self.count(kernels.ENTRIES)
        before = self.count(kernels.SPELLINGS)
        number = self._spellings.spell(self.padded, start, end - start, context + self._base, state)
        if number == before:
            self._spellings.firsts[number] = place
            self._spellings.places[number] = -1
        expected = self.count(kernels.NEXT)
        last_place = int(self._spellings.places[number])
        if expected < len(self._last_entries) and self._last_entries[expected, 0] == number:
            state[kernels.NEXT] = expected + 1
        else:
            state[kernels.MOVED] = 1
            if 0 <= last_place < len(self._last_entries) and self._last_entries[last_place, 0] == number:
                state[kernels.NEXT] = last_place + 1
        self.entries[place] = number, start, end - start
        state[kernels.ENTRIES] = place + 1
        return number

    def _explain(self) -> None:
        """Read the new series and the exemplars that the walk has passed.

        Raises:
            DecodeError: one of them does not follow the format: the first that does not.
        """
        faults: list[Fault] = []
        try:
            self._explain_series()
        except Fault as fault:
            faults.append(fault)
        try:
            self._explain_exemplars()
        except Fault as fault:
            faults.append(fault)
        if faults:
            raise min(faults, key=lambda fault: fault.at).located(self._data)

    def _explain_series(self) -> None:
        spellings = self._spellings
        begin, end = self._explained, self.count(kernels.SPELLINGS)
        places = self.entries[spellings.firsts[begin:end]].tolist()
        contexts = (spellings.contexts[begin:end] - self._base).tolist()
        for number, (_, start, length), context in zip(range(begin, end), places, contexts, strict=True):
            if context != METADATA:
                labels = read_plain_series(self._data, start, start + length, context)
                if labels is None:
                    labels, _ = read_series(self._data, start, self._spelling, context)
                spellings.rows[number] = self._rows.find_or_add(labels)
        self._explained = end

    def _explain_exemplars(self) -> None:
        while self._read_exemplars < self.count(kernels.EXEMPLARS):
            sample, at, start = self._found_exemplars[self._read_exemplars].tolist()
            exemplar = read_plain_exemplar(self._data, at)
            if exemplar is None:
                exemplar, _ = read_exemplar(self._data, start, at)
            self.exemplars.append((sample, exemplar))
            self._read_exemplars += 1
