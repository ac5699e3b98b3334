"""From accepted samples to frames in a spool: which series go to a store, and under which labels.

Labels are looked up, completed with the external ones and relabelled once for each series and segment; from then on a
batch of samples is a few operations on columns. All of this happens in a worker thread: slots may be given to other
series meanwhile, which the index's generation tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.collect.remote_write.frames import Frame, exemplar_frames, sample_frames, series_frames
from vedette.collect.remote_write.spool import Spool
from vedette.ingest.relabel import Rules, relabel
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.samples import Exemplar
from vedette.store.head import SeriesIndex

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_UNKNOWN: Final = 0
_NAMED: Final = 1
_DROPPED: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """How a store wants its labels.

    Attributes:
        external: added to series that have not got them.
        rules: `write_relabel_configs`.
    """

    external: LabelSet
    rules: Rules

    def apply(self, labels: LabelSet) -> LabelSet | None:
        """A series' labels at the store; None if it is not to be sent."""
        merged = tuple(sorted({**dict(self.external), **dict(labels)}.items())) if self.external else labels
        changed = relabel(merged, self.rules)
        return changed if changed and any(name == METRIC_NAME for name, _ in changed) else None


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Some accepted samples, all at one generation of the index."""

    generation: int
    slots: Int64s
    times: Int64s
    values: Float64s


@dataclass(slots=True)
class Stored:
    """What became of them.

    Attributes:
        samples: in the spool now.
        relabelled: not to be sent.
        gone: their series was removed before its labels were looked up.
        expired: of others that waited before, dropped to make room or because they waited too long.
    """

    samples: int = 0
    relabelled: int = 0
    gone: int = 0
    expired: int = 0


class Intake:
    """Puts one store's samples into its spool. Used from one worker thread at a time."""

    def __init__(self, spool: Spool, index: SeriesIndex, now_ms: Callable[[], int]) -> None:
        self._spool = spool
        self._index = index
        self._now_ms = now_ms
        self._labelling: Labelling | None = None
        self._generation = -1
        # By slot; `_NAMED` means in this segment.
        self._states = np.zeros(1024, np.uint8)

    def store(
        self, batches: Sequence[Observed], exemplars: Sequence[tuple[int, int, Exemplar]], labelling: Labelling
    ) -> Stored:
        """Put samples into the spool.

        Args:
            batches: in the order in which they were accepted.
            exemplars: each with the generation and the slot of its series.
            labelling: how to label them.

        Raises:
            OSError: they cannot be written; those of the last segment are not in the spool.
        """
        now_ms = self._now_ms()
        stored = Stored(expired=self._spool.drop_old(now_ms))
        frames: list[Frame] = []
        try:
            for batch in _joined(batches):
                self._prepare(batch.generation, labelling, frames, now_ms)
                frames += self._sample_frames(batch, labelling, stored, now_ms)
            kept = [
                (slot, exemplar)
                for generation, slot, exemplar in exemplars
                if generation == self._generation and slot < len(self._states) and self._states[slot] == _NAMED
            ]
            frames += exemplar_frames(kept, now_ms)
            self._flush(frames, now_ms)
        except Exception:
            # Series may have been named in frames that were not written.
            self._states[self._states == _NAMED] = _UNKNOWN
            raise
        return stored

    def _prepare(self, generation: int, labelling: Labelling, frames: list[Frame], now_ms: int) -> None:
        """See that there is a segment in which slots mean what they mean in this batch."""
        changed = labelling is not self._labelling or generation != self._generation
        if not changed and self._spool.has_room:
            return
        self._flush(frames, now_ms)
        self._spool.begin_segment()
        self._states[self._states == _NAMED] = _UNKNOWN
        if changed:
            self._states[:] = _UNKNOWN
            self._labelling, self._generation = labelling, generation

    def _flush(self, frames: list[Frame], now_ms: int) -> None:
        if frames:
            self._spool.append(frames, now_ms)
            frames.clear()

    def _sample_frames(self, batch: Observed, labelling: Labelling, stored: Stored, now_ms: int) -> list[Frame]:
        slots, times, values = batch.slots, batch.times, batch.values
        self._reserve(int(slots.max()) + 1)
        seen = np.unique(slots)
        new = self._name(seen[self._states[seen] == _UNKNOWN], batch.generation, labelling)
        states = self._states[slots]
        sent = states == _NAMED
        if not sent.all():
            stored.relabelled += int((states == _DROPPED).sum())
            stored.gone += int((states == _UNKNOWN).sum())
            slots, times, values = slots[sent], times[sent], values[sent]
        stored.samples += len(slots)
        return [*series_frames(new, now_ms), *sample_frames(slots, times, values, now_ms)]

    def _name(self, slots: Int64s, generation: int, labelling: Labelling) -> list[tuple[int, LabelSet]]:
        """Look up what slots mean that are new in this segment."""
        if not len(slots):
            return []
        found = [(slot, labelling.apply(self._index.labels(slot))) for slot in slots.tolist()]
        if self._index.generation != generation:
            return []  # some of these may be others' labels
        kept = [(slot, labels) for slot, labels in found if labels is not None]
        self._states[slots] = _DROPPED
        self._states[[slot for slot, _ in kept]] = _NAMED
        return kept

    def _reserve(self, slots: int) -> None:
        known = len(self._states)
        if slots > known:
            self._states = np.concatenate([self._states, np.zeros(max(known, slots - known), np.uint8)])


def _joined(batches: Sequence[Observed]) -> list[Observed]:
    """Neighbours of one generation made one."""
    joined: list[list[Observed]] = []
    for batch in batches:
        if joined and joined[-1][0].generation == batch.generation:
            joined[-1].append(batch)
        else:
            joined.append([batch])
    return [
        group[0]
        if len(group) == 1
        else Observed(
            group[0].generation,
            np.concatenate([each.slots for each in group]),
            np.concatenate([each.times for each in group]),
            np.concatenate([each.values for each in group]),
        )
        for group in joined
    ]
