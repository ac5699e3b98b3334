"""The loops of `memory`: taking samples in, sealing them, and unpacking them again.

The memory is a set of arrays that every kernel is handed; `memory.SampleMemory` owns them and says what they
hold. Those named `previous`, `firsts`, `lasts`, `places` and `descriptors` are the table of chunks, a ring:
chunk number c is in row c % len(table).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, inline, kernel
from vedette.store.head.chunks import MAX_SAMPLES, MAX_WORDS, decode_chunk, encode_chunk

TAIL: Final = 64
"""Samples of a series that are kept plain before they are sealed."""

# Places in the state vector.
NEXT: Final = 0  # number of the chunk to be made next
FIRST_LIVE: Final = 1  # chunks below this number are gone
WORD: Final = 2  # where the next chunk's words go
COMPLETE_FROM: Final = 3  # see `memory.SampleMemory.complete_from_ms`
FREE_ROWS: Final = 4  # how many rows of tails are free
STATE_SIZE: Final = 5

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
def _make_room(places: Int32s, lasts: Int64s, descriptors: Int32s, words: Words, state: Int64s) -> None:
    """Evict the oldest chunks until `MAX_WORDS` words and a row of the table are free."""
    table = len(places)
    while True:
        empty = state[NEXT] == state[FIRST_LIVE]
        oldest = np.int64(places[state[FIRST_LIVE] % table])
        at = state[WORD]
        if state[NEXT] - state[FIRST_LIVE] < table:
            if empty or at > oldest:
                if len(words) - at >= MAX_WORDS:
                    return
                state[WORD] = 0
                if empty:
                    return
                continue
            if oldest - at > MAX_WORDS:
                return
        evicted = state[FIRST_LIVE] % table
        # First out of reach, then overwritten: readers check in the reverse order.
        state[FIRST_LIVE] += 1
        if descriptors[evicted] & ORPHAN == 0:
            state[COMPLETE_FROM] = max(state[COMPLETE_FROM], lasts[evicted] + 1)


@inline
def _new_chunk(  # noqa: PLR0913 - the arrays are the memory
    times: Int64s,
    values: Float64s,
    n: MachineInt,
    previous_chunk: MachineInt,
    words: Words,
    previous: Int64s,
    firsts: Int64s,
    lasts: Int64s,
    places: Int32s,
    descriptors: Int32s,
    state: Int64s,
) -> MachineInt:
    """Seal `n` samples; returns the chunk's number."""
    _make_room(places, lasts, descriptors, words, state)
    number = state[NEXT]
    row = number % len(places)
    descriptor, length = encode_chunk(times, values, n, words, state[WORD])
    previous[row] = previous_chunk
    firsts[row] = times[0]
    lasts[row] = times[n - 1]
    places[row] = state[WORD]
    descriptors[row] = descriptor
    state[WORD] += length
    state[NEXT] += 1
    return number


@inline
def _insert_sealed(  # noqa: PLR0913 - the arrays are the memory
    slot: MachineInt,
    time: MachineInt,
    value: float,
    newest: Int64s,
    words: Words,
    previous: Int64s,
    firsts: Int64s,
    lasts: Int64s,
    places: Int32s,
    descriptors: Int32s,
    state: Int64s,
) -> MachineInt:
    """Put a late sample among the sealed ones: its chunk is made anew. Returns the verdict."""
    table = len(places)
    successor = np.int64(-1)
    chunk = newest[slot]
    while chunk >= state[FIRST_LIVE] and firsts[chunk % table] > time:
        before = previous[chunk % table]
        if before < state[FIRST_LIVE]:
            break
        successor = chunk
        chunk = before
    times = np.empty(MAX_SAMPLES + 1, np.int64)
    values = np.empty(MAX_SAMPLES + 1, np.float64)
    n = 0
    before = np.int64(-1)
    if chunk >= state[FIRST_LIVE]:
        row = chunk % table
        n = np.int64(descriptors[row]) & 0xFF
        before = previous[row]
        decode_chunk(
            words, np.int64(places[row]), np.int64(descriptors[row]), firsts[row], lasts[row], times, values, 0
        )
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
        descriptors[chunk % table] |= ORPHAN
    if n > MAX_SAMPLES:
        half = n // 2
        before = _new_chunk(times, values, half, before, words, previous, firsts, lasts, places, descriptors, state)
        times = times[half:]
        values = values[half:]
        n -= half
    made = _new_chunk(times, values, n, before, words, previous, firsts, lasts, places, descriptors, state)
    if successor < 0:
        newest[slot] = made
    else:
        previous[successor % table] = made
    return 0


@inline
def _compare(values: Float64s, at: MachineInt, value: float) -> MachineInt:
    """Duplicate or conflict, by the bits: a NaN equals itself."""
    probe = np.empty(1, np.float64)
    probe[0] = value
    return 1 if values.view(np.uint64)[at] == probe.view(np.uint64)[0] else 2


@kernel(
    "int64(int64, int64[::1], int64[::1], float64[::1], int64, uint8[::1], int32[::1], int64[::1], int64[::1],"
    " int64[::1], int64[:,::1], float64[:,::1], int32[::1], uint64[::1], int64[::1], int64[::1], int64[::1],"
    " int32[::1], int32[::1], int64[::1])"
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
    previous: Int64s,
    firsts: Int64s,
    lasts: Int64s,
    places: Int32s,
    descriptors: Int32s,
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
                previous,
                firsts,
                lasts,
                places,
                descriptors,
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
            verdicts[i] = _insert_sealed(
                slot, time, value, newest, words, previous, firsts, lasts, places, descriptors, state
            )
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
    " int64[::1], int64[::1], int64[::1], int32[::1], int32[::1], int64[::1])"
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
    previous: Int64s,
    firsts: Int64s,
    lasts: Int64s,
    places: Int32s,
    descriptors: Int32s,
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
                previous,
                firsts,
                lasts,
                places,
                descriptors,
                state,
            )
        counts[row] = 0
        rows[slot] = -1
        free_rows[state[FREE_ROWS]] = row
        state[FREE_ROWS] += 1


@kernel(
    "void(int64[::1], int32[::1], int64[::1], int64[::1], int64[:,::1], float64[:,::1], int64[::1], int64[:,::1],"
    " float64[:,::1], int64[::1])"
)
def copy_tails(  # noqa: PLR0913 - the arrays are the memory
    slots: Int64s,
    rows: Int32s,
    newest: Int64s,
    counts: Int64s,
    tail_times: NDArray[np.int64],
    tail_values: NDArray[np.float64],
    out_counts: Int64s,
    out_times: NDArray[np.int64],
    out_values: NDArray[np.float64],
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


@kernel(
    "int64(int64, int64, int64, int64, int64[::1], int64[:,::1], float64[:,::1], int64[::1], uint64[::1], int64[::1],"
    " int64[::1], int64[::1], int32[::1], int32[::1], int64[::1], int64[::1], int64[::1], int64[::1], float64[::1])"
)
def read_kernel(  # noqa: PLR0913 - one pass; the arrays are the memory
    count: MachineInt,
    start_ms: MachineInt,
    end_ms: MachineInt,
    first_live: MachineInt,
    tail_counts: Int64s,
    tail_times: NDArray[np.int64],
    tail_values: NDArray[np.float64],
    newest: Int64s,
    words: Words,
    previous: Int64s,
    firsts: Int64s,
    lasts: Int64s,
    places: Int32s,
    descriptors: Int32s,
    chain: Int64s,
    oldest: Int64s,
    offsets: Int64s,
    times: Int64s,
    values: Float64s,
) -> MachineInt:
    """Unpack; returns the samples found. More than fit into `times` are counted but not all written.

    `oldest[0]` becomes the smallest number of a chunk looked at: once `FIRST_LIVE` has passed it, what was read is
    worthless.
    """
    table = len(places)
    out = 0
    offsets[0] = 0
    oldest[0] = np.iinfo(np.int64).max
    for i in range(count):
        length = 0
        chunk = newest[i]
        while chunk >= first_live:
            row = chunk % table
            # Even one that is not wanted was looked at: had it been overwritten, the walk went astray.
            oldest[0] = min(oldest[0], chunk)
            if lasts[row] < start_ms:
                break
            if firsts[row] <= end_ms:
                if length == len(chain):
                    return CHAIN_TOO_SHORT
                chain[length] = chunk
                length += 1
            chunk = previous[row]
        for c in range(length - 1, -1, -1):
            row = chain[c] % table
            descriptor = np.int64(descriptors[row])
            n = descriptor & 0xFF
            if out + n <= len(times):
                decode_chunk(words, np.int64(places[row]), descriptor, firsts[row], lasts[row], times, values, out)
            out += n
        n = tail_counts[i]
        if n > 0 and tail_times[i, 0] <= end_ms and tail_times[i, n - 1] >= start_ms:
            if out + n <= len(times):
                for j in range(n):
                    times[out + j] = tail_times[i, j]
                    values[out + j] = tail_values[i, j]
            out += n
        offsets[i + 1] = out
    return out
