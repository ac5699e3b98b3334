"""What a target's expositions have spelled lately: series and metadata lines by the bytes that write them.

A spelling has a number, and means a row of the layout (a series) or what a metadata line says. Only hashes of
the bytes are kept, under a key that no target knows: 128 bits, so that one spelling is not taken for another
by chance or on purpose.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vedette.wire.exposition.entries import MetadataEntry
from vedette.wire.exposition.walk import METADATA, Bytes, Int64s, rebuild, spell

_INITIAL: Final = 256

UNEXPLAINED: Final = -1
"""The row of a spelling that is metadata, or has not been read exactly yet."""

NO_CONTEXT: Final = -1
"""A metadata line that leaves the context as it is."""


class Spellings:
    """Spellings by number.

    Attributes:
        count: how many there are; the arrays below are longer.
        keys: uint64[, 2], hash of each.
        table: int32, numbers by hash, negative where free; its length is a power of two.
        contexts: int8, the context under which each is read.
        contexts_after: int8, the context that a metadata line brings, or `NO_CONTEXT`.
        places: int32, the entry of the last body where each was.
        firsts: int32, the entry of the present body where a new one came first.
        rows: int32, the row each means, or `UNEXPLAINED`.
        seen: int64, the number of the parse in which each was seen last.
        metadata: what metadata lines say, by spelling.
        secrets: the hash's keys.
    """

    def __init__(self) -> None:
        self.count = 0
        self.keys = np.zeros((_INITIAL, 2), np.uint64)
        self.table = np.full(4 * _INITIAL, -1, np.int32)
        self.contexts = np.zeros(_INITIAL, np.int8)
        self.contexts_after = np.full(_INITIAL, NO_CONTEXT, np.int8)
        self.places = np.full(_INITIAL, -1, np.int32)
        self.firsts = np.zeros(_INITIAL, np.int32)
        self.rows = np.full(_INITIAL, UNEXPLAINED, np.int32)
        self.seen = np.zeros(_INITIAL, np.int64)
        self.metadata: dict[int, MetadataEntry] = {}
        # Odd keys: the hash multiplies by them.
        self.secrets = np.array([secrets.randbits(64) | 1 for _ in range(4)], np.uint64)

    def spell(self, data: Bytes, at: int, length: int, context: int, state: Int64s) -> int:
        """The number of `data[at:at + length]`; a new one has the number `state[SPELLINGS]` had."""
        return int(spell(data, at, length, context, self.secrets, self.table, self.keys, self.contexts, state))

    def is_metadata(self, numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which spellings are metadata lines."""
        return (self.contexts[numbers] & METADATA) == METADATA

    def grow(self) -> None:
        """Make room for twice as many."""
        capacity = 2 * len(self.keys)
        self.keys = _longer(self.keys, capacity, 0)
        self.contexts = _longer(self.contexts, capacity, 0)
        self.contexts_after = _longer(self.contexts_after, capacity, NO_CONTEXT)
        self.places = _longer(self.places, capacity, -1)
        self.firsts = _longer(self.firsts, capacity, 0)
        self.rows = _longer(self.rows, capacity, UNEXPLAINED)
        self.seen = _longer(self.seen, capacity, 0)
        self.table = np.full(4 * capacity, -1, np.int32)

    def rehash(self, count: int) -> None:
        """Make the table hold the first `count` spellings."""
        self.table[:] = -1
        rebuild(self.table, self.keys, count)

    def truncate(self, count: int) -> None:
        """Forget all from number `count` on: what a body that failed has left."""
        self.contexts_after[count:] = NO_CONTEXT
        self.rows[count:] = UNEXPLAINED
        self.metadata = {number: entry for number, entry in self.metadata.items() if number < count}
        self.count = count
        self.rehash(count)

    def retain(self, keep: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Forget the spellings that are not to be kept and number the others anew.

        Args:
            keep: bool[count].

        Returns:
            int32[count], the new number of each, or -1.
        """
        kept = np.flatnonzero(keep)
        renumbered = np.full(len(keep), -1, np.int32)
        renumbered[kept] = np.arange(len(kept), dtype=np.int32)
        for array in (self.keys, self.contexts, self.contexts_after, self.rows, self.seen):
            array[: len(kept)] = array[kept]
        self.contexts_after[len(kept) :] = NO_CONTEXT
        self.rows[len(kept) :] = UNEXPLAINED
        self.metadata = {int(renumbered[n]): entry for n, entry in self.metadata.items() if keep[n]}
        self.count = len(kept)
        self.rehash(self.count)
        return renumbered


def _longer(array: NDArray[Any], capacity: int, fill: int) -> NDArray[Any]:
    longer = np.full((capacity, *array.shape[1:]), fill, array.dtype)
    longer[: len(array)] = array
    return longer
