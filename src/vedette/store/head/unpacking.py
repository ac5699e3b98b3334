"""The loops that read `memory`: finding the chunks of some series and unpacking them, one series at a time.

What a reader needs is handed over as one tuple, `Packed`, so that kernels elsewhere can unpack a series into a
scratch that stays in the core's nearest cache, use it there, and go on with the next.

A writer may overwrite chunks meanwhile. Whatever is read then stays within its arrays, and `facts[OLDEST]` tells
that it is worthless: see `memory.SampleMemory`.
"""

# ruff: noqa: PLR0913 - a kernel takes columns and numbers, not objects

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, kernel, leaf
from vedette.store.head.chunks import MAX_SAMPLES, decode_times, decode_values, time_words
from vedette.store.head.kernels import FIRST, LAST, PLACED, PREVIOUS

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Words = NDArray[np.uint64]

Packed = tuple[Int64s, Int64s, Int64s, Float64s, Int64s, Words, Int64s, Int64s]
"""Samples of some series as they lie in memory.

    newest: int64[series], the number of each series' newest chunk.
    tail_counts: int64[series], how many samples each has in its tail.
    tail_times: int64[series, TAIL].
    tail_values: float64[series, TAIL].
    table: int64[chunks, COLUMNS], where the chunks are.
    words: uint64[words], the chunks.
    chains: int64[BLOCK + 3, depth], scratch: see `find_chains`.
    facts: int64[FACTS], what is asked for and what is found.
"""

PACKED: Final = (
    "Tuple((int64[::1], int64[::1], int64[:,::1], float64[:,::1], int64[:,::1], uint64[::1], int64[:,::1], int64[::1]))"
)
"""How Numba writes the type of `Packed`."""

# Places in the facts.
START: Final = 0  # samples from this time on are wanted
END: Final = 1  # up to this one
LIVE: Final = 2  # chunks below this number are gone
OLDEST: Final = 3  # the smallest number of a chunk looked at
SAMPLES: Final = 4  # how many samples were unpacked
GLANCE: Final = 5  # of no meaning
FACTS: Final = 6

BLOCK: Final = 32
"""The chunks of so many series are looked up together."""

CHAINS: Final = BLOCK + 3
"""Rows of `chains`: one for each series of a block, one for the chain whose times are known, and two for the search."""

CHAINS_TOO_SHORT: Final = -1
"""What kernels return when one series has more chunks than `chains` can list."""

_FORM: Final = (1 << 32) - 1
_SAME_TIMES: Final = 0x7FFF
"""The bits of a descriptor that say how many samples there are, and how their times are packed."""


def no_packed() -> Packed:
    """No series at all."""
    none, nothing = np.zeros(0, np.int64), np.zeros((0, 0), np.int64)
    return none, none, nothing, np.zeros((0, 0)), nothing, np.zeros(0, np.uint64), nothing, np.zeros(FACTS, np.int64)


@kernel(
    "void(int64[::1], int32[::1], int64[::1], int64[::1], int64[:,::1], float64[:,::1], int64[::1], int64[:,::1],"
    " float64[:,::1], int64[::1])"
)
def copy_tails(
    slots: Int64s,
    rows: Int32s,
    newest: Int64s,
    counts: Int64s,
    tail_times: Int64s,
    tail_values: Float64s,
    out_counts: Int64s,
    out_times: Int64s,
    out_values: Float64s,
    out_newest: Int64s,
) -> None:
    """Copy the tails of some slots, and the numbers of their newest chunks."""
    for i in range(len(slots)):
        slot = slots[i]
        out_counts[i] = 0
        out_newest[i] = -1
        if slot >= len(rows):
            continue
        out_newest[i] = newest[slot]
        row = np.int64(rows[slot])
        if row < 0:
            continue
        n = counts[row]
        out_counts[i] = n
        for j in range(n):
            out_times[i, j] = tail_times[row, j]
            out_values[i, j] = tail_values[row, j]


@leaf
def find_chains(first: MachineInt, count: MachineInt, packed: Packed) -> bool:
    """List the chunks of some series that are wanted; false if a series has too many.

    Series `first + i` has the rows `chains[i, 1:chains[i, 0] + 1]` of the table, the newest first. All series take a
    step back before any takes the next, so that the processor waits for many rows, and chunks, at once.
    """
    newest, _, _, _, table, words, chains, facts = packed
    start, end, live = facts[START], facts[END], facts[LIVE]
    size = len(table)
    base = live // size * size
    heads = chains[BLOCK + 1 :]
    active = 0
    for i in range(count):
        chains[i, 0] = 0
        if newest[first + i] >= live:
            heads[0, active], heads[1, active] = newest[first + i], i
            active += 1
    oldest = facts[OLDEST]
    glance = np.uint64(0)
    while active > 0:
        kept = 0
        for a in range(active):
            chunk, i = heads[0, a], heads[1, a]
            row = chunk - base
            if row >= size:
                row -= size
            if row >= size:
                # The row that led here has been overwritten.
                oldest = np.int64(-1)
                continue
            # Even one that is not wanted was looked at: had it been overwritten, the walk went astray.
            oldest = min(oldest, chunk)
            if table[row, LAST] < start:
                continue
            if table[row, FIRST] <= end:
                length = chains[i, 0] + 1
                if length == chains.shape[1]:
                    return False
                chains[i, 0] = length
                chains[i, length] = row
                # So that they are on their way when they are unpacked.
                place = table[row, PLACED] >> 32
                glance ^= words[place] ^ words[place + 8]
            previous = table[row, PREVIOUS]
            if previous >= live:
                heads[0, kept], heads[1, kept] = previous, i
                kept += 1
        active = kept
    facts[OLDEST] = oldest
    facts[GLANCE] = np.int64(glance)
    return True


@leaf
def count_tail(r: MachineInt, tail_counts: Int64s, tail_times: Int64s, facts: Int64s) -> MachineInt:
    """How many samples of a tail are wanted: all or none."""
    n = tail_counts[r]
    return n if n > 0 and tail_times[r, 0] <= facts[END] and tail_times[r, n - 1] >= facts[START] else np.int64(0)


@leaf
def count_chained(chain: Int64s, table: Int64s) -> MachineInt:
    """How many samples the chunks of a chain have."""
    total = np.int64(0)
    for c in range(1, chain[0] + 1):
        total += table[chain[c], PLACED] & 0xFF
    return total


@leaf
def same_times(chain: Int64s, other: Int64s, table: Int64s, words: Words) -> bool:
    """Whether two chains' chunks have the same times, as those of one target's series have."""
    if chain[0] != other[0]:
        return False
    for c in range(1, chain[0] + 1):
        a, b = chain[c], other[c]
        left, right = table[a, PLACED], table[b, PLACED]
        if table[a, FIRST] != table[b, FIRST] or table[a, LAST] != table[b, LAST]:
            return False
        if (left ^ right) & _SAME_TIMES != 0:
            return False
        differing = np.uint64(0)
        for k in range(time_words(left & _FORM)):
            differing |= words[(left >> 32) + k] ^ words[(right >> 32) + k]
        if differing != 0:
            return False
    return True


@leaf
def unpack_times(chain: Int64s, table: Int64s, words: Words, times: Int64s, room: Int64s) -> MachineInt:
    """Unpack the times of a chain's chunks; returns how many, or less than 0 if they do not fit."""
    out = np.int64(0)
    for c in range(chain[0], 0, -1):
        row = chain[c]
        placed = table[row, PLACED]
        n = placed & 0xFF
        if out + n > times.size:
            return np.int64(-1)
        decode_times(words, placed >> 32, placed & _FORM, table[row, FIRST], table[row, LAST], times, out, room)
        out += n
    return out


@leaf
def unpack_values(chain: Int64s, table: Int64s, words: Words, values: Float64s, room: Int64s) -> MachineInt:
    """Unpack the values of a chain's chunks; as `unpack_times`."""
    out = np.int64(0)
    for c in range(chain[0], 0, -1):
        placed = table[chain[c], PLACED]
        n = placed & 0xFF
        if out + n > values.size:
            return np.int64(-1)
        decode_values(words, placed >> 32, placed & _FORM, values, out, room)
        out += n
    return out


@leaf
def size_of_run(r: MachineInt, packed: Packed) -> MachineInt:
    """How many samples `unpack_run` is going to write, once the chains of the series' block have been found."""
    _, tail_counts, tail_times, _, table, _, chains, facts = packed
    return count_chained(chains[r % BLOCK], table) + count_tail(r, tail_counts, tail_times, facts)


@leaf
def unpack_run(
    r: MachineInt, packed: Packed, times: Int64s, values: Float64s, known: MachineInt, room: Int64s
) -> tuple[MachineInt, bool]:
    """Unpack one series.

    Args:
        r: which; the chains of its block have been found.
        packed: the samples.
        times: room for `size_of_run` times; the first `known` are those of the series whose chain is the last of
            all chains.
        values: as much room.
        known: 0 if none are.
        room: int64[MAX_SAMPLES].

    Returns:
        How many samples it has; and whether their times were in `times` already.
    """
    _, tail_counts, tail_times, tail_values, table, words, chains, facts = packed
    chain, last = chains[r % BLOCK], chains[BLOCK]
    tail = count_tail(r, tail_counts, tail_times, facts)
    out = unpack_values(chain, table, words, values, room)
    if out < 0 or out + tail > times.size:
        # Overwritten meanwhile.
        facts[OLDEST] = -1
        return np.int64(0), False
    for k in range(tail):
        values[out + k] = tail_values[r, k]
    facts[SAMPLES] += out + tail
    if known > 0 and known == out + tail and same_times(chain, last, table, words):
        differing = np.int64(0)
        for k in range(tail):
            differing |= times[out + k] ^ tail_times[r, k]
        if differing == 0:
            return known, True
    if unpack_times(chain, table, words, times, room) != out:
        facts[OLDEST] = -1
        return np.int64(0), False
    for k in range(tail):
        times[out + k] = tail_times[r, k]
    for c in range(chain[0] + 1):
        last[c] = chain[c]
    return out + tail, False


@kernel(f"int64({PACKED}, int64[::1], int64[::1], float64[::1])")
def unpack_all(packed: Packed, offsets: Int64s, times: Int64s, values: Float64s) -> MachineInt:
    """Unpack all series; returns the samples found. More than fit into `times` are counted but not all written."""
    tail_counts = packed[1]
    room = np.empty(MAX_SAMPLES, np.int64)
    out = np.int64(0)
    offsets[0] = 0
    for r in range(len(tail_counts)):
        if r % BLOCK == 0 and not find_chains(r, min(BLOCK, len(tail_counts) - r), packed):
            return CHAINS_TOO_SHORT
        size = size_of_run(r, packed)
        if out + size <= len(times):
            unpack_run(r, packed, times[out : out + size], values[out : out + size], 0, room)
        out += size
        offsets[r + 1] = out
    return out
