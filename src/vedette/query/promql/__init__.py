"""Evaluate PromQL over whole matrices: the answers are Prometheus 3's, to the digits that it promises."""

from vedette.query.promql.annotations import Annotation, Annotations, Severity
from vedette.query.promql.answers import (
    InstantResult,
    InstantValue,
    Matrix,
    RangeResult,
    RangeVector,
    Scalar,
    String,
    Vector,
    evaluate_instant,
    evaluate_range,
)
from vedette.query.promql.options import MAX_POINTS, EvalOptions, Stats

__all__ = [
    "MAX_POINTS",
    "Annotation",
    "Annotations",
    "EvalOptions",
    "InstantResult",
    "InstantValue",
    "Matrix",
    "RangeResult",
    "RangeVector",
    "Scalar",
    "Severity",
    "Stats",
    "String",
    "Vector",
    "evaluate_instant",
    "evaluate_range",
]
