"""The newest sample of each of a few series: a selector alone at one time, which is what most tiny queries are.

The evaluator says the same. It has a plan to make, batches to cut and remarks to collect, and takes twice the time.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vedette.lang.promql.ast import Expr, RangeMode, VectorSelector
from vedette.model.samples import is_stale
from vedette.query.promql import EvalOptions, InstantResult, Stats, Vector
from vedette.query.promql.annotations import Annotations
from vedette.query.source import SampleSource

_MOST_SERIES: Final = 8
"""More are quicker in the evaluator."""


def newest_samples(expr: Expr, at_ms: int, source: SampleSource, options: EvalOptions) -> InstantResult | None:
    """The answer to a plain selector of a few series; None to leave it to the evaluator.

    Raises:
        LimitExceededError: it finds too many series.
        EngineNeededError: the source has to read from the disk, and is one that does not.
    """
    if not isinstance(expr, VectorSelector) or expr.offset != 0 or expr.at is not None:
        return None
    if expr.mode is not RangeMode.PLAIN:
        return None
    # From the left the lookback window is open.
    start_ms = at_ms - options.lookback_ms + 1
    found = source.select(expr.matchers, start_ms, at_ms, source.symbols(), max_series=options.max_series)
    if not 0 < len(found.handles) <= _MOST_SERIES:
        return None
    runs = source.read(found.handles, start_ms, at_ms)
    samples = len(runs.times)
    if samples > options.max_samples:
        return None
    rows: list[int] = []
    places: list[int] = []
    bounds = runs.offsets.tolist()
    for row in range(len(found.handles)):
        place = bounds[row] + int(runs.times[bounds[row] : bounds[row + 1]].searchsorted(at_ms, "right")) - 1
        if place >= bounds[row] and runs.times[place] >= start_ms:
            rows.append(row)
            places.append(place)
    values = runs.values[places]  # a copy: the source uses its arrays again
    stale = is_stale(values)
    labels = found.labels
    if len(rows) < len(found.handles) or stale.any():
        kept = np.flatnonzero(~stale)
        labels, values = labels.take(np.array(rows, np.int64)[kept]), values[kept]
    stats = Stats(samples_read=samples, peak_samples=samples, series_selected=len(found.handles))
    return InstantResult(Vector(labels, at_ms, values), Annotations(), stats)
