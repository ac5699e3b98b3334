"""Know a series again by its label bytes, without decoding them.

A sender repeats the same label bytes every few seconds. The receiver keeps, by their keyed hash, the slot of
the series they stand for, and decodes labels only where the cache does not know them. Losing an entry costs
time and nothing else, so a full cache is simply emptied; what is active is back within one scrape interval.

Several threads may use one cache.
"""

from __future__ import annotations

import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, inline, kernel
from vedette.wire.remote_write.siphash import HashKey

UNKNOWN: Final = -1
"""The slot of a hash that the cache does not hold."""

_SMALLEST: Final = 1024

Hashes = NDArray[np.uint64]
Slots = NDArray[np.int64]


class LabelCache:
    """128-bit hashes to slots, in an open-addressing table of numpy arrays (24 bytes an entry at most half full).

    Attributes:
        key: what to hash with; random for each cache.
        generation: how often the cache was emptied, for a metric.
    """

    def __init__(self, *, max_entries: int = 1 << 20) -> None:
        self.key = HashKey.random()
        self.generation = 0
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._count = 0
        self._hashes, self._slots = _table(_SMALLEST)

    def __len__(self) -> int:
        return self._count

    def lookup(self, hashes: Hashes) -> Slots:
        """The slot for each row of `hashes` (uint64[n, 2]); UNKNOWN where there is none."""
        found = np.empty(len(hashes), np.int64)
        with self._lock:
            _lookup(hashes, self._hashes, self._slots, found)
        return found

    def insert(self, hashes: Hashes, slots: Slots) -> None:
        """Remember `slots` (anything but UNKNOWN) for `hashes`; a hash that is known gets the new slot.

        A cache that would hold more than its maximum is emptied first; what alone exceeds it is not kept.
        """
        if len(hashes) != len(slots):
            raise ValueError("there is not one slot for each hash")
        if len(hashes) > self._max_entries:
            return
        with self._lock:
            if self._count + len(hashes) > self._max_entries:
                self._clear()
            size = len(self._slots)
            while size < 2 * (self._count + len(hashes)):
                size *= 2
            if size > len(self._slots):
                held = self._slots != UNKNOWN
                self._fill(size, self._hashes[held], self._slots[held])
            self._count += _insert(hashes, slots, self._hashes, self._slots)

    def forget(self, slots: Slots) -> None:
        """Drop the entries of these slots, which now mean something else or nothing."""
        with self._lock:
            held = (self._slots != UNKNOWN) & ~np.isin(self._slots, slots)
            self._fill(len(self._slots), self._hashes[held], self._slots[held])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self.generation += 1
        self._count = 0
        self._hashes, self._slots = _table(_SMALLEST)

    def _fill(self, size: int, hashes: Hashes, slots: Slots) -> None:
        self._hashes, self._slots = _table(size)
        self._count = int(_insert(hashes, slots, self._hashes, self._slots))


def _table(size: int) -> tuple[Hashes, Slots]:
    return np.zeros((size, 2), np.uint64), np.full(size, UNKNOWN, np.int64)


@inline
def _find(low: np.uint64, high: np.uint64, table: Hashes, table_slots: Slots) -> MachineInt:
    """Where a hash is in the table, or the free place where it belongs."""
    mask = np.uint64(len(table_slots) - 1)
    place = low & mask
    while table_slots[place] != UNKNOWN and (table[place, 0] != low or table[place, 1] != high):
        place = (place + np.uint64(1)) & mask
    return np.int64(place)


@kernel("void(uint64[:,::1], uint64[:,::1], int64[::1], int64[::1])")
def _lookup(hashes: Hashes, table: Hashes, table_slots: Slots, found: Slots) -> None:
    for row in range(len(hashes)):
        found[row] = table_slots[_find(hashes[row, 0], hashes[row, 1], table, table_slots)]


@kernel("int64(uint64[:,::1], int64[::1], uint64[:,::1], int64[::1])")
def _insert(hashes: Hashes, slots: Slots, table: Hashes, table_slots: Slots) -> MachineInt:
    added = 0
    for row in range(len(hashes)):
        place = _find(hashes[row, 0], hashes[row, 1], table, table_slots)
        if table_slots[place] == UNKNOWN:
            added += 1
            table[place, 0] = hashes[row, 0]
            table[place, 1] = hashes[row, 1]
        table_slots[place] = slots[row]
    return added
