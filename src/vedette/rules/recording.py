"""Recording rules: an answer under the rule's own name and labels.

Source: Prometheus' `rules/recording.go`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vedette.model.frames import LabelFrame
from vedette.model.labels import METRIC_NAME, label_set
from vedette.query.promql import InstantValue, Scalar
from vedette.rules.definitions import RecordingRule
from vedette.rules.numbering import Int64s, SeriesNumbers
from vedette.rules.outcome import RuleError, Samples, as_vector

DUPLICATE: Final = "vector contains metrics with the same labelset after applying rule labels"


class Recording:
    """One recording rule and the series that it writes."""

    def __init__(self, rule: RecordingRule) -> None:
        self.rule = rule
        self._numbers = SeriesNumbers()

    def step(self, value: InstantValue, *, limit: int) -> Samples:
        """The samples that an answer makes.

        Raises:
            RuleError: two series would become one, there are more than `limit`, or it is no vector.
        """
        found = as_vector(value)
        if isinstance(found, Scalar):
            only = dict(self.rule.labels) | {METRIC_NAME: self.rule.name}
            series, values = self._numbers.of_sets([label_set(only)]), np.array([found.value])
        else:
            series, values = self._numbers.of_frame(self._renamed(found.labels)), found.values
            if len(np.unique(series)) < len(series):
                raise RuleError(DUPLICATE)
        if 0 < limit < len(series):
            raise RuleError(f"exceeded limit of {limit} with {len(series)} series")
        return Samples(series, values, self._numbers)

    def forget(self, series: Int64s) -> None:
        """These series have ended."""
        self._numbers.forget(series.tolist())

    def _renamed(self, frame: LabelFrame) -> LabelFrame:
        for name, text in (*self.rule.labels, (METRIC_NAME, self.rule.name)):
            if text:
                symbol = frame.symbols.intern(text)
                frame = frame.replace(name, np.full(frame.size, symbol, np.int32))
            else:
                frame = frame.drop([name])
        return frame
