"""Samples as columns.

A sample is a time (int64, milliseconds since the epoch) and a value (float64). A series ends where it
holds the stale marker, one particular NaN; every other NaN is a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vedette.model.labels import LabelSet

STALE_BITS: Final = 0x7FF0000000000002
STALE: Final = np.uint64(STALE_BITS).view(np.float64)
"""The stale marker. Compare bits (`is_stale`), never values: it is a NaN."""


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where stale markers are."""
    return values.view(np.uint64) == np.uint64(STALE_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class SampleRuns:
    """The samples of some series, one run after the other.

    Attributes:
        offsets: int64[series + 1]; series i owns `times[offsets[i]:offsets[i + 1]]`.
        times: int64[samples], milliseconds since the epoch, strictly rising within a run.
        values: float64[samples]; stale markers included.
        starts: int64[samples], when the counter that a sample was taken from began, 0 where that is not known;
            None where it is known for none of them.
    """

    offsets: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    starts: NDArray[np.int64] | None = None


class MetricType(StrEnum):
    """What an exposition says a metric family is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    GAUGE_HISTOGRAM = "gaugehistogram"
    SUMMARY = "summary"
    INFO = "info"
    STATESET = "stateset"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a metric family: its type, unit (may be empty) and help text (may be empty)."""

    family: str
    type: MetricType
    unit: str
    help: str


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A sample's link to a trace.

    Attributes:
        labels: usually `trace_id` and `span_id`.
        value: the observation.
        time_ms: when; None where the exposition does not say.
    """

    labels: LabelSet
    value: float
    time_ms: int | None
