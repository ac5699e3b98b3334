"""The past of alerts, as series `ALERTS_FOR_STATE` tell it, so that a restart does not begin every `for` anew."""

from __future__ import annotations

import numpy as np

from vedette.model.labels import METRIC_NAME
from vedette.model.matchers import Matcher, MatchOp
from vedette.model.samples import is_stale
from vedette.query.source import SampleSource
from vedette.rules.alerting import FOR_STATE, LastForState
from vedette.rules.definitions import ALERT_NAME


def last_for_states(
    source: SampleSource, alert: str, *, start_ms: int, end_ms: int, max_series: int = 1_000_000
) -> list[LastForState]:
    """The last sample within a time of each alert of this name that had not ended by then.

    Raises:
        LimitExceededError: there are more than `max_series`.
    """
    matchers = (Matcher(METRIC_NAME, MatchOp.EQUAL, FOR_STATE), Matcher(ALERT_NAME, MatchOp.EQUAL, alert))
    symbols = source.symbols()
    selection = source.select(matchers, start_ms, end_ms, symbols, max_series=max_series)
    if not selection.labels.size:
        return []
    runs = source.read(selection.handles, start_ms, end_ms)
    found: list[LastForState] = []
    for row, labels in enumerate(selection.labels.label_sets()):
        low, high = int(runs.offsets[row]), int(runs.offsets[row + 1])
        times = runs.times[low:high]
        # A source may hand out more than was asked for.
        low, high = low + int(np.searchsorted(times, start_ms)), low + int(np.searchsorted(times, end_ms, "right"))
        if low < high and not is_stale(runs.values[high - 1 : high])[0]:
            found.append(LastForState(labels, int(runs.times[high - 1]), float(runs.values[high - 1])))
    return found
