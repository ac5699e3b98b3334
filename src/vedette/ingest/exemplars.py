"""Exemplars: links from samples to traces. The latest ones of all series are in memory, bounded; all are on the disk.

A ring over all series, as in Prometheus: the newest exemplar takes the place of the oldest one, whoever's it was. An
exemplar equal to its series' latest, or older than that, is not kept.

What is kept has yet to be written: `MetricsWriter.write_exemplars` sends it the way of the samples.

Source: Prometheus 3, `tsdb/exemplar.go`; OpenMetrics 1.0 for the limit on their labels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from vedette.model.samples import Exemplar

MAX_LABEL_CHARACTERS: Final = 128
"""Names and values of an exemplar's labels together, as in OpenMetrics."""

LATEST_MS: Final = 5_662_223_999_999
"""Times must not lie before 1970 nor after 2149-06-05, which is what the engine's days can say."""


class ExemplarStore:
    """The latest exemplars by series' slot. Used from the event loop's thread only.

    Attributes:
        stored: how many were kept.
        refused: how many were not, though they said something new.
        unwritten: kept, with their series' slots, and not on their way to the disk yet.
        complete_from_ms: all exemplars since then are in memory; earlier ones may have made room.
        observers: told of every exemplar that is kept, with its series' slot.
    """

    def __init__(self, *, max_exemplars: int = 100_000) -> None:
        self.max_exemplars = max(max_exemplars, 0)
        self._ring: deque[int] = deque()  # slots, in the order in which exemplars came
        self._by_slot: dict[int, deque[Exemplar]] = {}
        self.stored = 0
        self.refused = 0
        # Bounded as memory is: what the disk did not take in time is lost to it.
        self.unwritten: deque[tuple[int, Exemplar]] = deque(maxlen=self.max_exemplars)
        self.complete_from_ms = 0
        self.observers: list[Callable[[int, Exemplar], None]] = []

    def __len__(self) -> int:
        return len(self._ring)

    def load(self, exemplars: Iterable[tuple[int, Exemplar]], *, complete_from_ms: int) -> None:
        """Begin with what is on the disk: slots and exemplars, the oldest first."""
        for slot, exemplar in exemplars:
            self._keep(slot, exemplar)
        self.complete_from_ms = max(self.complete_from_ms, complete_from_ms)

    def add(self, slot: int, exemplar: Exemplar, *, sample_time_ms: int) -> bool:
        """Keep an exemplar; one without a time gets its sample's.

        Returns:
            Whether it was kept: false if it repeats or is older than the series' latest, has too long labels, or a
            time that cannot be stored.
        """
        if not self.max_exemplars:
            return False
        if sum(len(name) + len(value) for name, value in exemplar.labels) > MAX_LABEL_CHARACTERS:
            self.refused += 1
            return False
        kept = self._by_slot.get(slot)
        latest = kept[-1] if kept else None
        if exemplar.time_ms is None:
            # Without a time of its own it is new only if it says something new.
            if latest is not None and latest.labels == exemplar.labels and latest.value == exemplar.value:
                return False
            exemplar = Exemplar(exemplar.labels, exemplar.value, sample_time_ms)
        if latest is not None and (exemplar == latest or _time(exemplar) <= _time(latest)):
            if exemplar != latest:
                self.refused += 1
            return False
        if not 0 <= _time(exemplar) <= LATEST_MS:
            self.refused += 1
            return False
        self._keep(slot, exemplar)
        self.unwritten.append((slot, exemplar))
        self.stored += 1
        for observe in self.observers:
            observe(slot, exemplar)
        return True

    def of(self, slot: int, start_ms: int, end_ms: int) -> list[Exemplar]:
        """A series' exemplars between two times, inclusive, as far as they are in memory."""
        return [e for e in self._by_slot.get(slot, ()) if start_ms <= _time(e) <= end_ms]

    def forget(self, slots: Iterable[int]) -> None:
        """Drop the exemplars of removed series."""
        for slot in slots:
            self._by_slot.pop(slot, None)
        self._ring = deque(slot for slot in self._ring if slot in self._by_slot)
        self.unwritten = deque((each for each in self.unwritten if each[0] in self._by_slot), self.max_exemplars)

    def _keep(self, slot: int, exemplar: Exemplar) -> None:
        while len(self._ring) >= self.max_exemplars:
            self._drop_oldest()
        self._by_slot.setdefault(slot, deque()).append(exemplar)
        self._ring.append(slot)

    def _drop_oldest(self) -> None:
        slot = self._ring.popleft()
        kept = self._by_slot[slot]
        self.complete_from_ms = max(self.complete_from_ms, _time(kept.popleft()) + 1)
        if not kept:
            del self._by_slot[slot]


def _time(exemplar: Exemplar) -> int:
    return exemplar.time_ms or 0
