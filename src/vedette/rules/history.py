"""The past of alerts, as their series tell it.

So a restart neither begins every `for` anew, nor forgets that somebody has to be told that an alert is over.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import is_stale
from vedette.query.source import SampleSource
from vedette.rules.alerting import ALERTS, FOR_STATE, STATE_LABEL, LastFiring, LastForState
from vedette.rules.definitions import ALERT_NAME


def last_for_states(
    source: SampleSource, alert: str, *, start_ms: int, end_ms: int, max_series: int = 1_000_000
) -> list[LastForState]:
    """The last sample within a time of each alert of this name that had not ended by then.

    Raises:
        LimitExceededError: there are more than `max_series`.
    """
    found: list[LastForState] = []
    for labels, times, values in _series(source, _named(FOR_STATE, alert), start_ms, end_ms, max_series):
        if not is_stale(values[-1:])[0]:
            found.append(LastForState(labels, int(times[-1]), float(values[-1])))
    return found


def last_firing(
    source: SampleSource, alert: str, *, start_ms: int, end_ms: int, max_series: int = 1_000_000
) -> list[LastFiring]:
    """When each alert of this name fired last within a time.

    Raises:
        LimitExceededError: there are more than `max_series`.
    """
    matchers = (*_named(ALERTS, alert), Matcher(STATE_LABEL, MatchOp.EQUAL, "firing"))
    found: list[LastFiring] = []
    for labels, times, values in _series(source, matchers, start_ms, end_ms, max_series):
        stale = is_stale(values)
        firing = np.flatnonzero(~stale)
        if not len(firing):
            continue
        last = int(firing[-1])
        breaks = np.flatnonzero(stale[:last])
        first = int(breaks[-1]) + 1 if len(breaks) else 0
        ended_ms = int(times[last + 1]) if last + 1 < len(times) else None
        own = tuple(pair for pair in labels if pair[0] not in (METRIC_NAME, STATE_LABEL))
        found.append(LastFiring(own, int(times[first]), int(times[last]), ended_ms))
    return found


def _named(series: str, alert: str) -> tuple[Matcher, ...]:
    return Matcher(METRIC_NAME, MatchOp.EQUAL, series), Matcher(ALERT_NAME, MatchOp.EQUAL, alert)


def _series(
    source: SampleSource, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int, max_series: int
) -> Iterator[tuple[LabelSet, NDArray[np.int64], NDArray[np.float64]]]:
    """All series with samples within a time, stale markers included."""
    symbols = source.symbols()
    selection = source.select(matchers, start_ms, end_ms, symbols, max_series=max_series)
    if not selection.labels.size:
        return
    runs = source.read(selection.handles, start_ms, end_ms)
    for row, labels in enumerate(selection.labels.label_sets()):
        low, high = int(runs.offsets[row]), int(runs.offsets[row + 1])
        times = runs.times[low:high]
        # A source may hand out more than was asked for.
        low, high = low + int(np.searchsorted(times, start_ms)), low + int(np.searchsorted(times, end_ms, "right"))
        if low < high:
            yield labels, runs.times[low:high], runs.values[low:high]
