"""From rows in whatever order the engine hands them out to one run of rising times per series.

The engine reads parts and stripes of parts side by side, each sorted by series and time. So its rows are long
pieces that are already in order: they are found, sorted by series and first time, and copied to where they
belong, which is several times cheaper than having the engine merge them. Rows that were stored twice show as
pieces that overlap; only the series concerned are sorted row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.model.samples import SampleRuns
from vedette.store.metrics.decimals import POWERS, Floats, Int8s, Int64s, UInt64s
from vedette.store.schema.tables import RAW

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """One batch: its samples, and of each piece the series, the place, and the first and last time."""

    owners: UInt64s
    starts: Int64s
    lengths: Int64s
    first: Int64s
    last: Int64s
    times: Int64s
    values: Floats

    def take(self, which: NDArray[np.bool_]) -> _Pieces:
        return _Pieces(
            self.owners[which],
            self.starts[which],
            self.lengths[which],
            self.first[which],
            self.last[which],
            self.times,
            self.values,
        )


class RunAssembler:
    """Collects batches of `series_id, time, mantissa, digits` and lays their samples out by series.

    Attributes:
        samples: how many it holds.
    """

    def __init__(self, ids: UInt64s | None = None) -> None:
        """Begin with nothing.

        Args:
            ids: uint64[series], rising: the series wanted, samples of others are left out. All if None.
        """
        self._ids = ids
        self._pieces: list[_Pieces] = []
        self.samples = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take one batch."""
        if not batch.num_rows:
            return
        ids: UInt64s = batch.column("series_id").to_numpy(zero_copy_only=True)
        times: Int64s = batch.column("time").view(pa.int64()).to_numpy(zero_copy_only=True)
        mantissas: Int64s = batch.column("mantissa").to_numpy(zero_copy_only=True)
        digits: Int8s = batch.column("digits").to_numpy(zero_copy_only=True)
        values = np.empty(len(ids))
        bounds = np.empty(len(ids) + 1, np.int64)
        count = decode_pieces(ids, times, mantissas, digits, values.view(np.int64), values, bounds)
        starts, ends = bounds[:count].copy(), bounds[1 : count + 1]
        owners = ids[starts]
        pieces = _Pieces(owners, starts, ends - starts, times[starts], times[ends - 1], times, values)
        if self._ids is not None:
            pieces = _only(pieces, self._ids)
        self._pieces.append(pieces)
        self.samples += int(pieces.lengths.sum())

    def finish(self) -> tuple[UInt64s, SampleRuns]:
        """The samples by series.

        Returns:
            uint64[series], rising, and their runs: of the series wanted, empty where there is nothing, or of
            all that there are.
        """
        pieces, self._pieces, self.samples = self._pieces, [], 0
        owners = _joined([piece.owners for piece in pieces], np.uint64)
        lengths = _joined([piece.lengths for piece in pieces], np.int64)
        first = _joined([piece.first for piece in pieces], np.int64)
        last = _joined([piece.last for piece in pieces], np.int64)
        ids = np.unique(owners) if self._ids is None else self._ids
        positions = np.searchsorted(ids, owners)

        order = np.lexsort((first, positions))
        targets = np.empty(len(order), np.int64)
        targets[order] = np.cumsum(lengths[order]) - lengths[order]
        times = np.empty(int(lengths.sum()), np.int64)
        values = np.empty(len(times))
        taken = 0
        for piece in pieces:
            span = slice(taken, taken + len(piece.starts))
            copy_pieces(piece.starts, piece.lengths, targets[span], piece.times, piece.values, times, values)
            taken = span.stop

        counts = np.zeros(len(ids), np.int64)
        np.add.at(counts, positions, lengths)
        runs = SampleRuns(_offsets(counts), times, values)
        after, before = order[1:], order[:-1]
        overlaps = (positions[after] == positions[before]) & (first[after] <= last[before])
        return ids, _untangled(runs, np.unique(positions[after[overlaps]])) if overlaps.any() else runs


def reorder(runs: SampleRuns, order: Int64s) -> SampleRuns:
    """The runs of the series at `order`, in that order."""
    lengths = np.diff(runs.offsets)[order]
    offsets = _offsets(lengths)
    times = np.empty(int(offsets[-1]), np.int64)
    values = np.empty(len(times))
    copy_pieces(runs.offsets[order], lengths, offsets[:-1].copy(), runs.times, runs.values, times, values)
    return SampleRuns(offsets, times, values)


def join(parts: Sequence[SampleRuns]) -> SampleRuns:
    """The runs of several groups of series, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return SampleRuns(
        _offsets(_joined([np.diff(part.offsets) for part in parts], np.int64)),
        _joined([part.times for part in parts], np.int64),
        _joined([part.values for part in parts], np.float64),
    )


def _only(pieces: _Pieces, ids: UInt64s) -> _Pieces:
    """The pieces of these series. What is left of a batch with much else in it is copied, to let the rest go."""
    places = np.searchsorted(ids, pieces.owners)
    wanted = (np.append(ids, ids[-1:])[places] == pieces.owners) if len(ids) else np.zeros(len(places), np.bool_)
    if wanted.all():
        return pieces
    left = pieces.take(wanted)
    samples = int(left.lengths.sum())
    if 2 * samples > len(pieces.times):
        return left
    targets = np.cumsum(left.lengths) - left.lengths
    times, values = np.empty(samples, np.int64), np.empty(samples)
    copy_pieces(left.starts, left.lengths, targets, left.times, left.values, times, values)
    return replace(left, starts=targets, times=times, values=values)


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


_READ_ONLY = "Array({}, 1, 'C', readonly=True)"
_IDS, _INTS, _BYTES = (_READ_ONLY.format(dtype) for dtype in ("uint64", "int64", "int8"))


@kernel(f"int64({_IDS}, {_INTS}, {_INTS}, {_BYTES}, int64[::1], float64[::1], int64[::1])")
def decode_pieces(
    ids: UInt64s, times: Int64s, mantissas: Int64s, digits: Int8s, bits: Int64s, values: Floats, bounds: Int64s
) -> int:
    """Decode values (`bits` and `values` are one piece of memory) and find the pieces that are in order.

    Returns:
        How many pieces there are; piece i is rows `bounds[i]:bounds[i + 1]`.
    """
    count = 0
    for i in range(len(ids)):
        if digits[i] == RAW:
            bits[i] = mantissas[i]
        else:
            values[i] = mantissas[i] / POWERS[digits[i]]
        if i == 0 or ids[i] != ids[i - 1] or times[i] <= times[i - 1]:
            bounds[count] = i
            count += 1
    bounds[count] = len(ids)
    return count


@kernel(f"void(int64[::1], int64[::1], int64[::1], {_INTS}, float64[::1], int64[::1], float64[::1])")
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
