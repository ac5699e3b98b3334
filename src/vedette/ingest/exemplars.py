"""Exemplars: links from samples to traces, the latest ones of every series, in memory and bounded.

A ring over all series, as in Prometheus: the newest exemplar takes the place of the oldest one, whoever's it was. An
exemplar equal to its series' latest, or older than that, is not kept.

Source: Prometheus 3, `tsdb/exemplar.go`; OpenMetrics 1.0 for the limit on their labels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from vedette.model.samples import Exemplar

MAX_LABEL_CHARACTERS: Final = 128
"""Names and values of an exemplar's labels together, as in OpenMetrics."""


class ExemplarStore:
    """The latest exemplars by series' slot. Used from the event loop's thread only."""

    def __init__(self, *, max_exemplars: int = 100_000) -> None:
        self._max = max_exemplars
        self._ring: deque[int] = deque()  # slots, in the order in which exemplars came
        self._by_slot: dict[int, deque[Exemplar]] = {}
        self.stored = 0
        self.refused = 0
        self.observers: list[Callable[[int, Exemplar], None]] = []
        """Told of every exemplar that is kept, with its series' slot."""

    def __len__(self) -> int:
        return len(self._ring)

    def add(self, slot: int, exemplar: Exemplar, *, sample_time_ms: int) -> bool:
        """Keep an exemplar; one without a time gets its sample's.

        Returns:
            Whether it was kept: false if it repeats or is older than the series' latest, or has too long labels.
        """
        if self._max <= 0:
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
        while len(self._ring) >= self._max:
            self._drop_oldest()
        self._by_slot.setdefault(slot, deque()).append(exemplar)
        self._ring.append(slot)
        self.stored += 1
        for observe in self.observers:
            observe(slot, exemplar)
        return True

    def of(self, slot: int, start_ms: int, end_ms: int) -> list[Exemplar]:
        """A series' exemplars between two times, inclusive."""
        return [e for e in self._by_slot.get(slot, ()) if start_ms <= _time(e) <= end_ms]

    def forget(self, slots: Iterable[int]) -> None:
        """Drop the exemplars of removed series."""
        for slot in slots:
            self._by_slot.pop(slot, None)
        self._ring = deque(slot for slot in self._ring if slot in self._by_slot)

    def _drop_oldest(self) -> None:
        slot = self._ring.popleft()
        kept = self._by_slot[slot]
        kept.popleft()
        if not kept:
            del self._by_slot[slot]


def _time(exemplar: Exemplar) -> int:
    return exemplar.time_ms or 0
