"""From rows in whatever order the engine hands them out to one run of rising times per series.

The engine reads parts and stripes of parts side by side, each sorted by series and time. So its rows are long
pieces that are already in order: they are found as rows come, and at the end sorted by series and first time, and
decoded to where they belong, which is several times cheaper than having the engine merge them. Rows that were stored
twice show as pieces that overlap; only the series concerned are sorted row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.model.samples import SampleRuns
from vedette.store.metrics.decimals import POWERS, Floats, Int8s, Int64s, UInt64s
from vedette.store.schema.tables import RAW

_Scalar = TypeVar("_Scalar", bound=np.generic)

_HELD_ROWS: Final = 1_250_000
"""So many rows may stay as the engine wrote them, in memory that counts against its limit."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows as the engine wrote them."""

    times: Int64s
    mantissas: Int64s
    digits: Int8s

    def decode(self, starts: Int64s, lengths: Int64s, targets: Int64s, times: Int64s, values: Floats) -> None:
        """Put pieces of them where the targets say."""
        bits = values.view(np.int64)
        decode_pieces(starts, lengths, targets, self.times, self.mantissas, self.digits, times, values, bits)


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """Rows that were decoded already."""

    times: Int64s
    values: Floats

    def decode(self, starts: Int64s, lengths: Int64s, targets: Int64s, times: Int64s, values: Floats) -> None:
        """Put pieces of them where the targets say."""
        copy_pieces(starts, lengths, targets, self.times, self.values, times, values)


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Some pieces of one batch: whose they are, where they lie, and their first and last time."""

    owners: UInt64s
    starts: Int64s
    lengths: Int64s
    first: Int64s
    last: Int64s
    content: _Rows | _Samples

    def settled(self) -> _Pieces:
        """The same in memory of its own, without what lies between the pieces."""
        times = np.empty(int(self.lengths.sum()), np.int64)
        values = np.empty(len(times))
        starts = np.cumsum(self.lengths) - self.lengths
        self.content.decode(self.starts, self.lengths, starts, times, values)
        return replace(self, starts=starts, content=_Samples(times, values))


class RunAssembler:
    """Collects batches of `series_id, time, mantissa, digits` and lays their samples out by series.

    Attributes:
        samples: how many it holds.
    """

    def __init__(self, ids: UInt64s | None = None) -> None:
        """Begin with nothing.

        Args:
            ids: uint64[series], all different: the series wanted, samples of others are left out. All if None.
        """
        self._ids = ids
        self._order = np.argsort(ids) if ids is not None else np.empty(0, np.int64)
        self._rising = ids[self._order] if ids is not None else np.empty(0, np.uint64)
        self._pieces: list[_Pieces] = []
        self._held = 0
        self.samples = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take one batch. Its memory is kept for a while, unless most of it is not wanted."""
        if not batch.num_rows:
            return
        ids: UInt64s = batch.column("series_id").to_numpy(zero_copy_only=True)
        times: Int64s = batch.column("time").view(pa.int64()).to_numpy(zero_copy_only=True)
        mantissas: Int64s = batch.column("mantissa").to_numpy(zero_copy_only=True)
        digits: Int8s = batch.column("digits").to_numpy(zero_copy_only=True)
        bounds = np.empty(len(ids) + 1, np.int64)
        count = find_pieces(ids, times, bounds)
        starts, lengths = bounds[:count].copy(), np.diff(bounds[: count + 1])
        owners = ids[starts]
        if self._ids is not None and not (wanted := _within(owners, self._rising)).all():
            starts, lengths, owners = starts[wanted], lengths[wanted], owners[wanted]
        samples = int(lengths.sum())
        if not samples:
            return
        first, last = times[starts], times[starts + lengths - 1]
        pieces = _Pieces(owners, starts, lengths, first, last, _Rows(times, mantissas, digits))
        if 2 * samples < len(times):
            pieces = pieces.settled()
        else:
            self._held += len(times)
        self._pieces.append(pieces)
        self.samples += samples
        if self._held > _HELD_ROWS:
            self._pieces = [piece.settled() if isinstance(piece.content, _Rows) else piece for piece in self._pieces]
            self._held = 0

    def finish(self) -> tuple[UInt64s, SampleRuns]:
        """The samples by series.

        Returns:
            uint64[series] and their runs: of the series wanted, in the order given and empty where there is nothing,
            or of all that there are, rising.
        """
        pieces, self._pieces, self._held, self.samples = self._pieces, [], 0, 0
        owners = _joined([piece.owners for piece in pieces], np.uint64)
        lengths = _joined([piece.lengths for piece in pieces], np.int64)
        first = _joined([piece.first for piece in pieces], np.int64)
        last = _joined([piece.last for piece in pieces], np.int64)
        if self._ids is None:
            ids, rows = np.unique(owners, return_inverse=True)
        else:
            ids, rows = self._ids, self._order[np.searchsorted(self._rising, owners)]

        order = np.lexsort((first, rows))
        targets = np.empty(len(order), np.int64)
        targets[order] = np.cumsum(lengths[order]) - lengths[order]
        times = np.empty(int(lengths.sum()), np.int64)
        values = np.empty(len(times))
        taken = 0
        for piece in pieces:
            span = slice(taken, taken + len(piece.starts))
            piece.content.decode(piece.starts, piece.lengths, targets[span], times, values)
            taken = span.stop

        counts = np.zeros(len(ids), np.int64)
        np.add.at(counts, rows, lengths)
        runs = SampleRuns(_offsets(counts), times, values)
        after, before = order[1:], order[:-1]
        overlaps = (rows[after] == rows[before]) & (first[after] <= last[before])
        return ids, _untangled(runs, np.unique(rows[after[overlaps]])) if overlaps.any() else runs


def join(parts: Sequence[SampleRuns]) -> SampleRuns:
    """The runs of several groups of series, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return SampleRuns(
        _offsets(_joined([np.diff(part.offsets) for part in parts], np.int64)),
        _joined([part.times for part in parts], np.int64),
        _joined([part.values for part in parts], np.float64),
    )


def _within(owners: UInt64s, ids: UInt64s) -> NDArray[np.bool_]:
    """Which of the owners are among the ids, which rise."""
    if not len(ids):
        return np.zeros(len(owners), np.bool_)
    places = np.minimum(np.searchsorted(ids, owners), len(ids) - 1)
    return ids[places] == owners


def _untangled(runs: SampleRuns, tangled: Int64s) -> SampleRuns:
    """With the runs at `tangled` sorted; of samples with one time the one read first stays."""
    series = np.repeat(np.arange(len(runs.offsets) - 1), np.diff(runs.offsets))
    rows = np.flatnonzero(np.isin(series, tangled))
    order = rows[np.lexsort((runs.times[rows], series[rows]))]
    runs.times[rows], runs.values[rows] = runs.times[order], runs.values[order]
    keep = np.ones(len(series), np.bool_)
    keep[1:] = (series[1:] != series[:-1]) | (runs.times[1:] != runs.times[:-1])
    counts = np.bincount(series[keep], minlength=len(runs.offsets) - 1).astype(np.int64)
    return SampleRuns(_offsets(counts), runs.times[keep], runs.values[keep])


def _offsets(lengths: Int64s) -> Int64s:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _joined(arrays: Sequence[NDArray[_Scalar]], dtype: type[_Scalar]) -> NDArray[_Scalar]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)


_AS_READ = "Array({}, 1, 'C', readonly=True, aligned=False)"
_IDS, _INTS, _BYTES = (_AS_READ.format(dtype) for dtype in ("uint64", "int64", "int8"))


@kernel(f"int64({_IDS}, {_INTS}, int64[::1])")
def find_pieces(ids: UInt64s, times: Int64s, bounds: Int64s) -> int:
    """Find the pieces that are in order.

    Returns:
        How many pieces there are; piece i is rows `bounds[i]:bounds[i + 1]`.
    """
    count = 0
    for i in range(len(ids)):
        if i == 0 or ids[i] != ids[i - 1] or times[i] <= times[i - 1]:
            bounds[count] = i
            count += 1
    bounds[count] = len(ids)
    return count


@kernel(f"void(int64[::1], int64[::1], int64[::1], {_INTS}, {_INTS}, {_BYTES}, int64[::1], float64[::1], int64[::1])")
def decode_pieces(  # noqa: PLR0913 - columns in, columns out
    starts: Int64s,
    lengths: Int64s,
    targets: Int64s,
    times: Int64s,
    mantissas: Int64s,
    digits: Int8s,
    out_times: Int64s,
    out_values: Floats,
    out_bits: Int64s,
) -> None:
    """Decode `lengths[i]` samples from `starts[i]` on to where `targets[i]` says.

    `out_values` and `out_bits` are one piece of memory.
    """
    for i in range(len(starts)):
        start = starts[i]
        target = targets[i]
        for k in range(lengths[i]):
            out_times[target + k] = times[start + k]
            shift = digits[start + k]
            if shift == 0:
                out_values[target + k] = mantissas[start + k]
            elif shift == RAW:
                out_bits[target + k] = mantissas[start + k]
            else:
                out_values[target + k] = mantissas[start + k] / POWERS[shift]


@kernel("void(int64[::1], int64[::1], int64[::1], int64[::1], float64[::1], int64[::1], float64[::1])")
def copy_pieces(
    starts: Int64s,
    lengths: Int64s,
    targets: Int64s,
    times: Int64s,
    values: Floats,
    out_times: Int64s,
    out_values: Floats,
) -> None:
    """Copy `lengths[i]` samples from `starts[i]` on to where `targets[i]` says."""
    for i in range(len(starts)):
        start = starts[i]
        target = targets[i]
        for k in range(lengths[i]):
            out_times[target + k] = times[start + k]
            out_values[target + k] = values[start + k]
