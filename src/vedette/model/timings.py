"""Histograms of durations, for what happens so often that counting it must cost next to nothing.

As prometheus_client's `Histogram`, with the same series; but without a lock for every bucket, because one thread notes
all durations of one object. Reading is free to other threads: they see each number before or after an addition.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Timing:
    """The durations with one set of label values."""

    __slots__ = ("_bounds", "counts", "total_s")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total_s = 0.0

    def note(self, took_s: float) -> None:
        """Count one."""
        self.counts[bisect_left(self._bounds, took_s)] += 1
        self.total_s += took_s


class Timings(Collector):
    """A histogram with labels.

    Args:
        name: of the metric.
        text: what it is.
        labels: names of the labels.
        bounds: upper ends of the buckets, rising; the last one, +Inf, is added.
        registry: shows it.
    """

    def __init__(
        self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._bounds = bounds
        self._timings: dict[tuple[str, ...], Timing] = {}
        registry.register(self)

    def of(self, *values: str) -> Timing:
        """The durations with these label values, to be kept by who notes them."""
        timing = self._timings.get(values)
        if timing is None:
            timing = self._timings[values] = Timing(self._bounds)
        return timing

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What the registry shows."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        ends = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for values, timing in list(self._timings.items()):
            buckets = list(zip(ends, map(float, accumulate(timing.counts)), strict=True))
            family.add_metric(values, buckets, timing.total_s)
        yield family
