"""A target's rows: small numbers for its series, given when one is first seen and taken back when it is forgotten.

Identities are 128-bit hashes under a secret seed; the label sets themselves are handed out once and not kept.
"""

from __future__ import annotations

import secrets

import numpy as np
import xxhash
from numpy.typing import NDArray

from vedette.model.labels import LabelSet

Int32s = NDArray[np.int32]


class Rows:
    """Rows by series.

    Attributes:
        capacity: rows are below this.
        new: the rows given since `begin`.
    """

    def __init__(self) -> None:
        self.capacity = 0
        self.new: list[tuple[int, LabelSet]] = []
        self._seen = np.zeros(256, np.int64)
        self._by_identity: dict[bytes, int] = {}
        self._identities: list[bytes | None] = []
        self._free: list[int] = []
        self._seed = secrets.randbits(64)

    def __len__(self) -> int:
        return len(self._by_identity)

    @property
    def seen(self) -> NDArray[np.int64]:
        """The number of the parse in which each row was seen last."""
        return self._seen[: self.capacity]

    def begin(self) -> None:
        """A new body: no row is new yet."""
        self.new = []

    def find_or_add(self, labels: LabelSet) -> int:
        """The row of a series."""
        # The text that Python prints for a label set is as unambiguous as its canonical encoding, and made
        # in a third of the time.
        identity = xxhash.xxh3_128_digest(repr(labels).encode(), self._seed)
        row = self._by_identity.get(identity)
        if row is None:
            row = self._free.pop() if self._free else self._extend()
            self._identities[row] = identity
            self._by_identity[identity] = row
            self.new.append((row, labels))
        return row

    def undo(self) -> None:
        """Take back the rows given since `begin`."""
        for row, _ in reversed(self.new):
            self._release(row)
        self.new = []

    def forget(self, before: int) -> Int32s:
        """Take back the rows that were last seen before this parse; returns them."""
        old = self.seen < before
        old[self._free] = False
        rows = np.flatnonzero(old).astype(np.int32)
        for row in rows.tolist():
            self._release(row)
        return rows

    def _extend(self) -> int:
        row = self.capacity
        self.capacity += 1
        self._identities.append(None)
        if self.capacity > len(self._seen):
            self._seen = np.concatenate([self._seen, np.zeros_like(self._seen)])
        return row

    def _release(self, row: int) -> None:
        identity = self._identities[row]
        if identity is not None:
            del self._by_identity[identity]
            self._identities[row] = None
            self._free.append(row)
