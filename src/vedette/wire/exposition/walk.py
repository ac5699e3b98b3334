"""The walk over a body: one kernel that knows again what the last body held.

An entry (a sample line, a metadata line) is known by its *spelling*: the bytes of its series, or of the
whole metadata line, together with the type context. At each entry the walk first compares bytes with what
stood next in the last body; failing that it looks the spelling up by a keyed 128-bit hash; an unknown series
gets the next number and is explained later. What is neither (a new metadata line, an odd number, an error)
is left to the exact reader: the walk stops there and goes on behind it.

Every array access is bounded: bodies are padded with `PADDING` zero bytes, which end every loop over bytes,
and the walk stops before an array is full.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import inline, kernel
from vedette.wire.exposition.float_reading import read_float
from vedette.wire.exposition.words import load_word, multiply_high, signed

Bytes = NDArray[np.uint8]
Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Float64s = NDArray[np.float64]

PADDING: Final = 16
"""Zero bytes behind a body, so that words and short keywords can be read at its end."""

NO_TIME: Final = -(1 << 63)
"""A sample's time where the exposition does not say."""

# Why a walk stopped.
DONE: Final = 0
ASIDE: Final = 1
"""The entry at `AT` is for the exact reader."""
FULL: Final = 2
"""An array is full."""
LIMIT: Final = 3
"""There are more samples than may be."""

# The walk's state: kept between its stops.
AT: Final = 0
NEXT: Final = 1
"""The entry of the last body that is expected now."""
ENTRIES: Final = 2
SAMPLES: Final = 3
EXEMPLARS: Final = 4
CONTEXT: Final = 5
SPELLINGS: Final = 6
MOVED: Final = 7
"""1 if an entry was not where it was in the last body."""
STATE_SIZE: Final = 8

METADATA: Final = 3
"""The context under which metadata lines are spelled."""

OPENMETRICS_CONTEXTS: Final = 4
"""Added to the contexts of OpenMetrics: what one format takes, the other may refuse."""

ENTRIES_PER_SAMPLE: Final = 4
"""So many entries there may be for each sample that may be: HELP, TYPE, UNIT and itself."""

_TAB: Final = 0x09
_LINE_BREAK: Final = 0x0A
_BLANK: Final = 0x20
_QUOTE: Final = 0x22
_HASH: Final = 0x23
_COLON: Final = 0x3A
_BACKSLASH: Final = 0x5C
_OPEN: Final = 0x7B
_CLOSE: Final = 0x7D
_HELP: Final = int.from_bytes(b"HELP", "little")
_TYPE: Final = int.from_bytes(b"TYPE", "little")
_EOF: Final = int.from_bytes(b"# EOF", "little")
_FIVE_BYTES: Final = (1 << 40) - 1
_FOUR_BYTES: Final = (1 << 32) - 1
_EXEMPLAR: Final = int.from_bytes(b" # {", "little")
_MAX_TIME_DIGITS: Final = 18
_MAX_TIME_MS: Final = float(1 << 63)


@inline
def _equal(left: Bytes, left_at: int, right: Bytes, right_at: int, length: int) -> bool:
    """Whether two stretches of padded arrays hold the same bytes."""
    done = 0
    while length - done >= 8:
        if load_word(left, left_at + done) != load_word(right, right_at + done):
            return False
        done += 8
    if done == length:
        return True
    unused = np.uint64((8 - (length - done)) * 8)
    difference = load_word(left, left_at + done) ^ load_word(right, right_at + done)
    return difference << unused == np.uint64(0)


@inline
def _fold(left: np.uint64, right: np.uint64) -> np.uint64:
    return multiply_high(left, right) ^ (left * right)


@inline
def _hash(data: Bytes, at: int, length: int, context: int, seed: np.uint64, key: np.uint64) -> np.uint64:
    # The context is folded in by itself: merely added to the seed it could be undone by the first byte.
    state = _fold(seed + np.uint64(context), key)
    done = 0
    while length - done >= 8:
        state = _fold(state ^ load_word(data, at + done), key)
        done += 8
    if done < length:
        unused = np.uint64((8 - (length - done)) * 8)
        state = _fold(state ^ (load_word(data, at + done) << unused), key)
    return _fold(state ^ np.uint64(length), key)


@inline
def _find(  # noqa: PLR0913 - kernels take arrays, not objects
    data: Bytes,
    at: int,
    length: int,
    context: int,
    secrets: UInt64s,
    table: Int32s,
    keys: UInt64s,
    contexts: Int8s,
    add: bool,  # noqa: FBT001 - kernels take positions only
    state: Int64s,
) -> int:
    """The number of a spelling; a new one gets the next number, for which there has to be room, or -1."""
    first = _hash(data, at, length, context, secrets[0], secrets[1])
    second = _hash(data, at, length, context, secrets[2], secrets[3])
    mask = len(table) - 1
    slot = signed(first & np.uint64(0x7FFF_FFFF)) & mask
    while table[slot] >= 0:
        number = signed(table[slot])
        if keys[number, 0] == first and keys[number, 1] == second:
            return number
        slot = (slot + 1) & mask
    if not add:
        return -1
    number = state[SPELLINGS]
    state[SPELLINGS] = number + 1
    table[slot] = number
    keys[number, 0] = first
    keys[number, 1] = second
    contexts[number] = context
    return number


@kernel("void(int32[::1], uint64[:, ::1], int64)")
def rebuild(table: Int32s, keys: UInt64s, count: int) -> None:
    """Fill an emptied table with the first `count` spellings."""
    mask = len(table) - 1
    for number in range(count):
        slot = signed(keys[number, 0] & np.uint64(0x7FFF_FFFF)) & mask
        while table[slot] >= 0:
            slot = (slot + 1) & mask
        table[slot] = number


@kernel("int64(uint8[::1], int64, int64, int64, uint64[::1], int32[::1], uint64[:, ::1], int8[::1], int64[::1])")
def spell(  # noqa: PLR0913 - kernels take arrays, not objects
    data: Bytes,
    at: int,
    length: int,
    context: int,
    secrets: UInt64s,
    table: Int32s,
    keys: UInt64s,
    contexts: Int8s,
    state: Int64s,
) -> int:
    """The number of a spelling that the exact reader found; a new one gets the next number."""
    return _find(data, at, length, context, secrets, table, keys, contexts, True, state)  # noqa: FBT003 - as kernels do


@inline
def _is_name(byte: int) -> bool:
    lower = byte | 0x20
    return (0x61 <= lower <= 0x7A) or (0x30 <= byte <= _COLON) or byte == 0x5F


@inline
def _skip_blanks(data: Bytes, at: int) -> int:
    while data[at] == _BLANK or data[at] == _TAB:
        at += 1
    return at


@inline
def _find_line_break(data: Bytes, at: int, end: int) -> int:
    while at < end and data[at] != _LINE_BREAK:
        at += 1
    return at


@inline
def _series_end(data: Bytes, at: int, end: int, openmetrics: bool) -> int:  # noqa: FBT001 - as kernels do
    """Where the series at `at` ends, or -1: right for every series that is well-formed."""
    here = at
    while _is_name(signed(data[here])):
        here += 1
    brace = here if openmetrics else _skip_blanks(data, here)
    if data[brace] != _OPEN:
        return here if here > at else -1
    here = brace + 1
    while here < end:
        byte = data[here]
        if byte == _CLOSE:
            return here + 1
        here += 1
        if byte == _QUOTE:
            while here < end and data[here] != _QUOTE:
                if data[here] == _BACKSLASH:
                    here += 1
                    while here < end and data[here] == 0:
                        here += 1
                here += 1
            here += 1
    return -1


@inline
def _ends_series(data: Bytes, at: int, openmetrics: bool) -> bool:  # noqa: FBT001 - as kernels do
    """Whether a series may end before `at`, given that its bytes are those of a known one."""
    if data[at - 1] == _CLOSE:
        return True
    if data[at] == _BLANK or (data[at] == _TAB and not openmetrics):
        return openmetrics or data[_skip_blanks(data, at)] != _OPEN
    return False


@inline
def _is_metadata(data: Bytes, at: int) -> bool:
    """Whether the comment at `at` is the text format's metadata."""
    word = _skip_blanks(data, at + 1)
    if word == at + 1:
        return False
    keyword = load_word(data, word) & np.uint64(_FOUR_BYTES)
    if keyword != np.uint64(_HELP) and keyword != np.uint64(_TYPE):
        return False
    return data[word + 4] == _BLANK or data[word + 4] == _TAB


@kernel(
    "int64(boolean, uint8[::1], int64, uint8[::1], int32[:, ::1], int64, int32[:, ::1], int32[::1], float64[::1],"
    " int64[::1], int64[:, ::1], uint64[::1], int32[::1], uint64[:, ::1], int8[::1], int8[::1], int32[::1],"
    " int32[::1], int64, int64[::1])"
)
def walk(  # noqa: C901, PLR0912, PLR0913, PLR0915 - one loop over bytes, which calls would slow down
    openmetrics: bool,  # noqa: FBT001 - kernels take positions only
    data: Bytes,
    end: int,
    last_data: Bytes,
    last_entries: Int32s,
    last_count: int,
    entries: Int32s,
    spelled: Int32s,
    values: Float64s,
    times: Int64s,
    exemplars: Int64s,
    secrets: UInt64s,
    table: Int32s,
    keys: UInt64s,
    contexts: Int8s,
    contexts_after: Int8s,
    places: Int32s,
    firsts: Int32s,
    max_samples: int,
    state: Int64s,
) -> int:
    """Walk on from `state[AT]` until the end, or until somebody else has to act.

    Args:
        openmetrics: the format; else it is text.
        data: the body and `PADDING` zero bytes.
        end: the body's length.
        last_data: the last body, padded.
        last_entries: int32[entries, 3], spelling, offset and length of each entry of the last body.
        last_count: how many those are.
        entries: the same for this body, written.
        spelled: spelling of each sample, written.
        values: of each sample, written.
        times: of each sample or `NO_TIME`, written.
        exemplars: int64[exemplars, 3], sample, offset behind ` # {` and offset of the entry, written.
        secrets: the hash's keys.
        table: spellings by hash; negative where free; its length is a power of two.
        keys: uint64[spellings, 2], the hash of each.
        contexts: the context of each spelling; `METADATA` for metadata.
        contexts_after: of a metadata line: the context it brings, or -1.
        places: where each spelling was in the last body; trusted only as far as `last_entries` agrees.
        firsts: the entry at which each new spelling came first, written.
        max_samples: how many samples there may be.
        state: see `STATE_SIZE`.
    """
    at = state[AT]
    expected = state[NEXT]
    entry = state[ENTRIES]
    sample = state[SAMPLES]
    context = state[CONTEXT]
    moved = state[MOVED]
    code = ASIDE
    base = OPENMETRICS_CONTEXTS if openmetrics else 0
    max_entries = ENTRIES_PER_SAMPLE * max_samples
    while True:
        if not openmetrics:
            at = _skip_blanks(data, at)
        if at >= end:
            # OpenMetrics ends at its `# EOF`, and nowhere else.
            code = ASIDE if openmetrics else DONE
            break
        byte = data[at]
        if byte == _LINE_BREAK and not openmetrics:
            at += 1
            continue
        is_comment = byte == _HASH
        if is_comment and openmetrics and load_word(data, at) & np.uint64(_FIVE_BYTES) == np.uint64(_EOF):
            if at + 5 == end or (at + 6 == end and data[at + 5] == _LINE_BREAK):
                at = end
                code = DONE
            break
        if is_comment and not openmetrics and not _is_metadata(data, at):
            at = _find_line_break(data, at, end) + 1
            continue
        if (
            entry >= len(entries)
            or sample >= len(values)
            or state[EXEMPLARS] >= len(exemplars)
            or state[SPELLINGS] >= len(keys)
            or 2 * state[SPELLINGS] >= len(table)
        ):
            code = FULL
            break
        if entry >= max_entries or (sample >= max_samples and not is_comment):
            code = LIMIT
            break
        # What stood here in the last body?
        number = signed(-1)
        length = signed(0)
        if expected < last_count:
            number = signed(last_entries[expected, 0])
            length = signed(last_entries[expected, 2])
            wanted = (METADATA if is_comment else context) + base
            if (
                contexts[number] != wanted
                or at + length > end
                or not _equal(data, at, last_data, signed(last_entries[expected, 1]), length)
            ):
                number = -1
            elif is_comment:
                if data[at + length] != _LINE_BREAK and (openmetrics or at + length != end):
                    number = -1
            elif not _ends_series(data, at + length, openmetrics):
                number = -1
        known = number >= 0
        if not known:
            if is_comment:
                length = _find_line_break(data, at, end) - at
                if openmetrics and at + length == end:
                    break
            else:
                length = _series_end(data, at, end, openmetrics) - at
                if length <= 0:
                    break
        # The rest of the line comes first: an odd one is left to the exact reader, spelling and all.
        here = at + length
        value = np.float64(0.0)
        time_ms = signed(NO_TIME)
        exemplar_at = signed(-1)
        if not is_comment:
            if openmetrics:
                if data[here] != _BLANK:
                    break
                here += 1
            else:
                here = _skip_blanks(data, here)
            value, here, certain = read_float(data, here)
            if not certain or here > end:
                break
            if openmetrics:
                if data[here] == _BLANK and load_word(data, here) & np.uint64(_FOUR_BYTES) != np.uint64(_EXEMPLAR):
                    seconds, here, certain = read_float(data, here + 1)
                    scaled = seconds * 1000.0
                    if not certain or not (-_MAX_TIME_MS < scaled < _MAX_TIME_MS):
                        break
                    time_ms = signed(scaled)
                if data[here] == _BLANK:
                    if load_word(data, here) & np.uint64(_FOUR_BYTES) != np.uint64(_EXEMPLAR):
                        break
                    exemplar_at = here + 4
                    here = _find_line_break(data, here, end)
                if here >= end or data[here] != _LINE_BREAK:
                    break
            elif data[here] != _LINE_BREAK and here != end:
                if data[here] != _BLANK and data[here] != _TAB:
                    break
                here = _skip_blanks(data, here)
                first = here
                moment = signed(0)
                while here - first < _MAX_TIME_DIGITS and 0x30 <= data[here] <= 0x39:
                    moment = moment * 10 + signed(data[here]) - 0x30
                    here += 1
                if here > first:
                    time_ms = moment
                    here = _skip_blanks(data, here)
                if data[here] != _LINE_BREAK and here != end:
                    break
        if known:
            expected += 1
        else:
            moved = 1
            before = state[SPELLINGS]
            wanted = (METADATA if is_comment else context) + base
            number = _find(data, at, length, wanted, secrets, table, keys, contexts, not is_comment, state)
            if number < 0:
                break
            if state[SPELLINGS] > before:
                firsts[number] = entry
                places[number] = -1
            place = signed(places[number])
            if 0 <= place < last_count and last_entries[place, 0] == number:
                expected = place + 1
        entries[entry, 0] = number
        entries[entry, 1] = at
        entries[entry, 2] = length
        entry += 1
        if is_comment:
            if contexts_after[number] >= 0:
                context = signed(contexts_after[number])
            at += length + 1
            continue
        spelled[sample] = number
        values[sample] = value
        times[sample] = time_ms
        if exemplar_at >= 0:
            exemplar = state[EXEMPLARS]
            exemplars[exemplar, 0] = sample
            exemplars[exemplar, 1] = exemplar_at
            exemplars[exemplar, 2] = at
            state[EXEMPLARS] = exemplar + 1
        sample += 1
        at = here + 1
    state[AT] = at
    state[NEXT] = expected
    state[ENTRIES] = entry
    state[SAMPLES] = sample
    state[CONTEXT] = context
    state[MOVED] = moved
    return code
