"""The loops of `memory`: taking samples in, sealing them, and unpacking them again.

The memory is a set of arrays that every kernel is handed; `memory.SampleMemory` owns them and says what they
hold. `table` says where the chunks are, a ring: chunk number c is in row c % len(table), all of it in one line of
the processor's cache.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, inline, kernel
from vedette.store.head.chunks import MAX_SAMPLES, MAX_WORDS, decode_times, decode_values, encode_chunk

TAIL: Final = 64
"""Samples of a series that are kept plain before they are sealed."""

# Places in the state vector.
NEXT: Final = 0  # number of the chunk to be made next
FIRST_LIVE: Final = 1  # chunks below this number are gone
WORD: Final = 2  # where the next chunk's words go
COMPLETE_FROM: Final = 3  # see `memory.SampleMemory.complete_from_ms`
FREE_ROWS: Final = 4  # how many rows of tails are free
STATE_SIZE: Final = 5

# Columns of the table of chunks.
PREVIOUS: Final = 0  # number of the series' chunk before; -1 if there is none
FIRST: Final = 1  # time of the first sample
LAST: Final = 2  # time of the last sample
PLACED: Final = 3  # its first word and its descriptor, `place << 32 | descriptor`: read and written at once
COLUMNS: Final = 4

_FORM: Final = (1 << 32) - 1

ORPHAN: Final = 1 << 30
"""Set in the descriptor of a chunk that another one has replaced: losing it makes nothing incomplete. Readers that
found it before may still unpack it."""

CHAIN_TOO_SHORT: Final = -1
"""What `read_kernel` returns when one series has more chunks than the scratch array can list."""

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]


@inline
def _make_room(table: Int64s, words: Words, state: Int64s) -> None:
    """Evict the oldest chunks until `MAX_WORDS` words and a row of the table are free."""
    while True:
        empty = state[NEXT] == state[FIRST_LIVE]
        oldest = table[state[FIRST_LIVE] % len(table), PLACED] >> 32
        at = state[WORD]
        if state[NEXT] - state[FIRST_LIVE] < len(table):
            if empty or at > oldest:
                if len(words) - at >= MAX_WORDS:
                    return
                state[WORD] = 0
                if empty:
                    return
                continue
            if oldest - at > MAX_WORDS:
                return
        evicted = state[FIRST_LIVE] % len(table)
        # First out of reach, then overwritten: readers check in the reverse order.
        state[FIRST_LIVE] += 1
        if table[evicted, PLACED] & ORPHAN == 0:
            state[COMPLETE_FROM] = max(state[COMPLETE_FROM], table[evicted, LAST] + 1)


@inline
def _new_chunk(
    times: Int64s,
    values: Float64s,
    n: MachineInt,
    previous_chunk: MachineInt,
    words: Words,
    table: Int64s,
    state: Int64s,
) -> MachineInt:
    """Seal `n` samples; returns the chunk's number."""
    _make_room(table, words, state)
    number = state[NEXT]
    row = number % len(table)
    descriptor, length = encode_chunk(times, values, n, words, state[WORD])
    table[row, PREVIOUS] = previous_chunk
    table[row, FIRST] = times[0]
    table[row, LAST] = times[n - 1]
    table[row, PLACED] = (state[WORD] << 32) | descriptor
    state[WORD] += length
    state[NEXT] += 1
    return number


@inline
def _insert_sealed(
    slot: MachineInt,
    time: MachineInt,
    value: float,
    newest: Int64s,
    words: Words,
    table: Int64s,
    state: Int64s,
) -> MachineInt:
    """Put a late sample among the sealed ones: its chunk is made anew. Returns the verdict."""
    size = len(table)
    successor = np.int64(-1)
    chunk = newest[slot]
    while chunk >= state[FIRST_LIVE] and table[chunk % size, FIRST] > time:
        before = table[chunk % size, PREVIOUS]
        if before < state[FIRST_LIVE]:
            break
        successor = chunk
        chunk = before
    times = np.empty(MAX_SAMPLES + 1, np.int64)
    values = np.empty(MAX_SAMPLES + 1, np.float64)
    n = 0
    before = np.int64(-1)
    if chunk >= state[FIRST_LIVE]:
        row = chunk % size
        place, descriptor = table[row, PLACED] >> 32, table[row, PLACED] & _FORM
        n = descriptor & 0xFF
        before = table[row, PREVIOUS]
        room = np.empty(MAX_SAMPLES, np.int64)
        decode_times(words, place, descriptor, table[row, FIRST], table[row, LAST], times, 0, room)
        decode_values(words, place, descriptor, values, 0, room)
    at = n
    while at > 0 and times[at - 1] > time:
        at -= 1
    if at > 0 and times[at - 1] == time:
        return _compare(values, at - 1, value)
    for i in range(n, at, -1):
        times[i] = times[i - 1]
        values[i] = values[i - 1]
    times[at] = time
    values[at] = value
    n += 1
    if chunk >= state[FIRST_LIVE]:
        table[chunk % size, PLACED] |= ORPHAN
    if n > MAX_SAMPLES:
        half = n // 2
        before = _new_chunk(times, values, half, before, words, table, state)
        times = times[half:]
        values = values[half:]
        n -= half
    made = _new_chunk(times, values, n, before, words, table, state)
    if successor < 0:
        newest[slot] = made
    else:
        table[successor % size, PREVIOUS] = made
    return 0


@inline
def _compare(values: Float64s, at: MachineInt, value: float) -> MachineInt:
    """Duplicate or conflict, by the bits: a NaN equals itself."""
    probe = np.empty(1, np.float64)
    probe[0] = value
    return 1 if values.view(np.uint64)[at] == probe.view(np.uint64)[0] else 2


@kernel(
    "int64(int64, int64[::1], int64[::1], float64[::1], int64, uint8[::1], int32[::1], int64[::1], int64[::1],"
    " int64[::1], int64[:,::1], float64[:,::1], int32[::1], uint64[::1], int64[:,::1], int64[::1])"
)
def append_kernel(  # noqa: C901, PLR0913 - one pass over the samples; the arrays are the memory
    start: MachineInt,
    slots: Int64s,
    sample_times: Int64s,
    sample_values: Float64s,
    window_ms: MachineInt,
    verdicts: Bytes,
    rows: Int32s,
    newest: Int64s,
    last_ms: Int64s,
    counts: Int64s,
    tail_times: NDArray[np.int64],
    tail_values: NDArray[np.float64],
    free_rows: Int32s,
    words: Words,
    table: Int64s,
    state: Int64s,
) -> MachineInt:
    """Take in samples from `start` on; returns how far it came before it ran out of rows."""
    for i in range(start, len(slots)):
        slot = slots[i]
        if slot < 0:
            verdicts[i] = 4
            continue
        time = sample_times[i]
        value = sample_values[i]
        last = last_ms[slot]
        if time < last - window_ms:
            verdicts[i] = 3
            continue
        if time < state[COMPLETE_FROM]:
            # Accepted, but not for memory: what is older than its reach is read from the engine.
            verdicts[i] = 0
            continue
        row = np.int64(rows[slot])
        if row < 0:
            if state[FREE_ROWS] == 0:
                return i
            state[FREE_ROWS] -= 1
            row = np.int64(free_rows[state[FREE_ROWS]])
            rows[slot] = row
            counts[row] = 0
        n = counts[row]
        if n == TAIL and (time > last or time >= tail_times[row, 0]):
            newest[slot] = _new_chunk(
                tail_times[row],
                tail_values[row],
                n,
                newest[slot],
                words,
                table,
                state,
            )
            n = 0
            counts[row] = 0
        if time > last:
            tail_times[row, n] = time
            tail_values[row, n] = value
            counts[row] = n + 1
            last_ms[slot] = time
            verdicts[i] = 0
            continue
        if n == 0 or time < tail_times[row, 0]:
            verdicts[i] = _insert_sealed(slot, time, value, newest, words, table, state)
            continue
        at = n
        while tail_times[row, at - 1] > time:
            at -= 1
        if tail_times[row, at - 1] == time:
            verdicts[i] = _compare(tail_values[row], at - 1, value)
            continue
        for j in range(n, at, -1):
            tail_times[row, j] = tail_times[row, j - 1]
            tail_values[row, j] = tail_values[row, j - 1]
        tail_times[row, at] = time
        tail_values[row, at] = value
        counts[row] = n + 1
        verdicts[i] = 0
    return len(slots)


@kernel(
    "void(int64[::1], int32[::1], int64[::1], int64[::1], int64[:,::1], float64[:,::1], int32[::1], uint64[::1],"
    " int64[:,::1], int64[::1])"
)
def seal_all(  # noqa: PLR0913 - the arrays are the memory
    slots: Int64s,
    rows: Int32s,
    newest: Int64s,
    counts: Int64s,
    tail_times: NDArray[np.int64],
    tail_values: NDArray[np.float64],
    free_rows: Int32s,
    words: Words,
    table: Int64s,
    state: Int64s,
) -> None:
    """Seal the tails of these slots, which have rows, and free the rows."""
    for i in range(len(slots)):
        slot = slots[i]
        row = np.int64(rows[slot])
        if counts[row] > 0:
            newest[slot] = _new_chunk(
                tail_times[row],
                tail_values[row],
                counts[row],
                newest[slot],
                words,
                table,
                state,
            )
        counts[row] = 0
        rows[slot] = -1
        free_rows[state[FREE_ROWS]] = row
        state[FREE_ROWS] += 1
