"""How an answer to a query looks: Prometheus' JSON in pieces, or columns.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import orjson

from vedette.http.errors import ProblemError
from vedette.http.head import RequestHead
from vedette.http.prometheus.parameters import Parameters
from vedette.query.promql import InstantResult, RangeResult, RangeVector, Scalar, Stats, String, Vector
from vedette.wire.arrow_answer import CONTENT_TYPE, Remarks, encode_matrix, encode_runs, encode_scalar, encode_vector
from vedette.wire.prometheus_json import matrix_json, point_json, runs_json, vector_json

_COLUMNS: Final = CONTENT_TYPE.encode()
_TRUNCATED: Final = "results truncated due to limit"

Parts = tuple[Iterator[bytes], list[str], list[str]]
"""An answer's data in pieces of JSON, its warnings and its infos."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How an answer is to look.

    Attributes:
        limit: series shown; 0 for all.
        wants_stats: whether the cost is shown.
        wants_arrow: whether columns are asked for instead of JSON.
        began_s: when the request came.
        helper: a thread that may take part.
    """

    limit: int
    wants_stats: bool
    wants_arrow: bool
    began_s: float
    helper: Executor | None

    @classmethod
    def of(cls, head: RequestHead, parameters: Parameters, helper: Executor | None) -> Rendering:
        """What a request asks for."""
        columns = _COLUMNS in head.fields.get(b"accept", b"")
        return cls(parameters.limit(), bool(parameters.text("stats")), columns, time.perf_counter(), helper)

    def shown(self, size: int) -> int:
        """How many of so many series are shown."""
        return min(size, self.limit) if self.limit else size

    def stats_json(self, stats: Stats) -> bytes:
        """The end of an answer's data."""
        if not self.wants_stats:
            return b"}"
        total_s = time.perf_counter() - self.began_s
        shown = {
            "timings": {
                "evalTotalTime": total_s,
                "resultSortTime": 0,
                "queryPreparationTime": 0,
                "innerEvalTime": total_s,
                "execQueueTime": 0,
                "execTotalTime": total_s,
            },
            "samples": {"totalQueryableSamples": stats.samples_read, "peakSamples": stats.peak_samples},
        }
        return b',"stats":' + orjson.dumps(shown) + b"}"


def instant_arrow(result: InstantResult, query: str) -> Iterator[bytes]:
    """An instant query's answer as columns.

    Raises:
        ProblemError: it has no such form.
    """
    remarks = Remarks(*result.annotations.render(query))
    match result.value:
        case Vector(labels=labels, time_ms=time_ms, values=values):
            return encode_vector(labels, time_ms, values, remarks)
        case RangeVector(labels=labels, runs=runs):
            return encode_runs([(labels, runs)], remarks)
        case Scalar(time_ms=time_ms, value=number):
            return encode_scalar(time_ms, number, remarks)
        case String():
            raise ProblemError(406, "a string has no form as columns; ask for JSON", kind="not-acceptable")


def range_arrow(result: RangeResult, query: str) -> Iterator[bytes]:
    """A range query's answer as columns."""
    matrix = result.matrix
    remarks = Remarks(*result.annotations.render(query))
    return encode_matrix(matrix.labels, matrix.times, matrix.values, matrix.present, remarks)


def instant_parts(result: InstantResult, query: str, request: Rendering) -> Parts:
    """An instant query's answer in JSON."""
    warnings, infos = _remarks(result, query)
    value = result.value
    if request.limit and isinstance(value, (Vector, RangeVector)) and value.labels.size > request.limit:
        warnings.append(_TRUNCATED)
    return _instant_json(result, request), warnings, infos


def range_parts(result: RangeResult, query: str, request: Rendering) -> Parts:
    """A range query's answer in JSON."""
    warnings, infos = _remarks(result, query)
    if request.limit and result.matrix.labels.size > request.limit:
        warnings.append(_TRUNCATED)
    return _range_json(result, request), warnings, infos


def _remarks(result: InstantResult | RangeResult, query: str) -> tuple[list[str], list[str]]:
    return result.annotations.render(query) if len(result.annotations) else ([], [])


def _instant_json(result: InstantResult, request: Rendering) -> Iterator[bytes]:
    match result.value:
        case Vector(labels=labels, time_ms=time_ms, values=values):
            yield b'{"resultType":"vector","result":['
            yield from vector_json(labels, time_ms, values[: request.shown(labels.size)])
            yield b"]"
        case RangeVector(labels=labels, runs=runs):
            yield b'{"resultType":"matrix","result":['
            yield from runs_json(labels, runs, request.shown(labels.size))
            yield b"]"
        case Scalar(time_ms=time_ms, value=number):
            yield b'{"resultType":"scalar","result":' + point_json(time_ms, number)
        case String(time_ms=time_ms, value=text):
            yield b'{"resultType":"string","result":[%b,%b]' % (_seconds(time_ms), orjson.dumps(text))
    yield request.stats_json(result.stats)


def _range_json(result: RangeResult, request: Rendering) -> Iterator[bytes]:
    matrix = result.matrix
    size = request.shown(matrix.labels.size)
    yield b'{"resultType":"matrix","result":['
    yield from matrix_json(
        matrix.labels, matrix.times, matrix.values[:size], matrix.present[:size], helper=request.helper
    )
    yield b"]" + request.stats_json(result.stats)


def _seconds(time_ms: int) -> bytes:
    return orjson.dumps(time_ms // 1000 if time_ms % 1000 == 0 else time_ms / 1000)
