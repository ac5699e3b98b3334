"""Cut a large read into pieces that fit into memory. Pure.

A series' id is a hash, so a part of the range of ids holds about that part of a metric's samples.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_IDS: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Slice:
    """The samples to read at once.

    Attributes:
        metrics: the names.
        first_id: least series id.
        last_id: greatest series id.
    """

    metrics: tuple[str, ...]
    first_id: int
    last_id: int


def plan_slices(samples_by_metric: Mapping[str, int], *, max_samples: int) -> list[Slice]:
    """Slices of about `max_samples` each: many small metrics together, a large one by ranges of ids."""
    slices: list[Slice] = []
    group: list[str] = []
    held = 0
    for metric, samples in sorted(samples_by_metric.items()):
        if group and held + samples > max_samples:
            slices.append(_whole(group))
            group, held = [], 0
        if samples > max_samples:
            slices += _ranges(metric, -(-samples // max_samples))
        else:
            group.append(metric)
            held += samples
    if group:
        slices.append(_whole(group))
    return slices


def _whole(metrics: list[str]) -> Slice:
    return Slice(tuple(metrics), 0, _IDS - 1)


def _ranges(metric: str, count: int) -> list[Slice]:
    bounds = [_IDS * number // count for number in range(count + 1)]
    return [Slice((metric,), first, last - 1) for first, last in itertools.pairwise(bounds)]
