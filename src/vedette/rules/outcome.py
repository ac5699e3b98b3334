"""What an evaluation gives: the samples to store, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import VedetteError
from vedette.query.promql import InstantValue, Scalar, Vector
from vedette.rules.numbering import SeriesNumbers


class RuleError(VedetteError):
    """A rule's answer cannot be used: it is too large, ambiguous or of the wrong type."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of one time, by the rule's own numbers of their series.

    Attributes:
        series: int64[n], all different; numbers of `numbers`.
        values: float64[n].
        numbers: whose numbers they are.
    """

    series: NDArray[np.int64]
    values: NDArray[np.float64]
    numbers: SeriesNumbers


def as_vector(value: InstantValue) -> Vector | Scalar:
    """The answer to a rule's expression; a scalar stands for one series without labels.

    Raises:
        RuleError: it is neither.
    """
    match value:
        case Vector() | Scalar():
            return value
        case _:
            raise RuleError("rule result is not a vector or scalar")
