"""`query`, `query_range`, and what is known of a query without evaluating it.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.errors import ProblemError
from vedette.http.limits import unless_disconnected
from vedette.http.prometheus.answers import answer, stream_answer
from vedette.http.prometheus.parameters import BadParameterError, Parameters
from vedette.lang.promql import prettify, to_tree
from vedette.model.errors import QueryError
from vedette.query.promql import InstantResult, RangeResult, RangeVector, Scalar, Stats, String, Vector
from vedette.query.service import QueryService
from vedette.wire.arrow_answer import (
    CONTENT_TYPE,
    Remarks,
    encode_matrix,
    encode_runs,
    encode_scalar,
    encode_vector,
)
from vedette.wire.prometheus_json import matrix_json, point_json, runs_json, vector_json

_TRUNCATED: Final = "results truncated due to limit"


@dataclass(frozen=True, slots=True)
class _Rendering:
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
    def of(cls, request: Request, parameters: Parameters, helper: Executor | None) -> _Rendering:
        columns = CONTENT_TYPE in request.headers.get("accept", "")
        return cls(parameters.limit(), bool(parameters.text("stats")), columns, time.perf_counter(), helper)

    def shown(self, size: int) -> int:
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


@dataclass(frozen=True, slots=True)
class QueryApi:
    """The handlers."""

    queries: QueryService
    now_ms: Callable[[], int]

    async def query(self, request: Request) -> Response:
        """`/api/v1/query`: evaluate at one time."""
        parameters = await Parameters.of(request)
        rendering = _Rendering.of(request, parameters, self.queries.helper)
        at_ms = parameters.time_ms("time", self.now_ms())
        timeout_s = _timeout_s(parameters)
        lookback_ms = _lookback_ms(parameters)
        text, expr = parameters.expression()

        def render(result: InstantResult) -> Response:
            return _render_instant(result, text, rendering)

        small = self.queries.instant_at_once(expr, at_ms, lookback_ms=lookback_ms)
        if small is not None:
            return render(small)
        evaluation = self.queries.instant_as(render, expr, at_ms, timeout_s=timeout_s, lookback_ms=lookback_ms)
        return await unless_disconnected(request, evaluation)

    async def query_range(self, request: Request) -> Response:
        """`/api/v1/query_range`: evaluate at many times."""
        parameters = await Parameters.of(request)
        rendering = _Rendering.of(request, parameters, self.queries.helper)
        start_ms = parameters.time_ms("start", None)
        end_ms = parameters.time_ms("end", None)
        if end_ms < start_ms:
            raise BadParameterError("end", "end timestamp must not be before start time")
        step_ms = parameters.duration_ms("step")
        if step_ms <= 0:
            raise BadParameterError(
                "step", "zero or negative query resolution step widths are not accepted. Try a positive integer"
            )
        most = self.queries.limits.max_points
        if (end_ms - start_ms) // step_ms > most:
            raise QueryError(
                f"exceeded maximum resolution of {most:,} points per timeseries. Try decreasing the query resolution"
                " (?step=XX), or raise `query.max_points` in the configuration"
            )
        timeout_s = _timeout_s(parameters)
        lookback_ms = _lookback_ms(parameters)
        text, expr = parameters.expression()

        def render(result: RangeResult) -> Response:
            return _render_range(result, text, rendering)

        small = self.queries.range_at_once(
            expr, start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, lookback_ms=lookback_ms
        )
        if small is not None:
            return render(small)
        evaluation = self.queries.range_as(
            render,
            expr,
            start_ms=start_ms,
            end_ms=end_ms,
            step_ms=step_ms,
            timeout_s=timeout_s,
            lookback_ms=lookback_ms,
        )
        return await unless_disconnected(request, evaluation)

    async def format_query(self, request: Request) -> Response:
        """`/api/v1/format_query`: the expression, laid out."""
        _, expr = (await Parameters.of(request)).expression()
        return answer(prettify(expr))

    async def parse_query(self, request: Request) -> Response:
        """`/api/v1/parse_query`: the expression's tree."""
        _, expr = (await Parameters.of(request)).expression()
        return answer(to_tree(expr))


def _timeout_s(parameters: Parameters) -> float | None:
    return parameters.duration_ms("timeout") / 1000 if parameters.text("timeout") else None


def _lookback_ms(parameters: Parameters) -> int | None:
    if not parameters.text("lookback_delta"):
        return None
    lookback_ms = parameters.duration_ms("lookback_delta")
    if lookback_ms <= 0:
        raise BadParameterError("lookback_delta", "zero or negative is not accepted")
    return lookback_ms


def _render_instant(result: InstantResult, query: str, request: _Rendering) -> Response:
    warnings, infos = result.annotations.render(query)
    if request.wants_arrow:
        return _arrow_answer(_instant_arrow(result, Remarks(warnings, infos)))
    value = result.value
    limit = request.limit
    if limit and isinstance(value, (Vector, RangeVector)) and value.labels.size > limit:
        warnings.append(_TRUNCATED)
    return stream_answer(_instant_json(result, request), warnings=warnings, infos=infos)


def _render_range(result: RangeResult, query: str, request: _Rendering) -> Response:
    warnings, infos = result.annotations.render(query)
    if request.wants_arrow:
        matrix = result.matrix
        remarks = Remarks(warnings, infos)
        return _arrow_answer(encode_matrix(matrix.labels, matrix.times, matrix.values, matrix.present, remarks))
    if request.limit and result.matrix.labels.size > request.limit:
        warnings.append(_TRUNCATED)
    return stream_answer(_range_json(result, request), warnings=warnings, infos=infos)


def _arrow_answer(pieces: Iterator[bytes]) -> Response:
    return StreamingResponse(pieces, media_type=CONTENT_TYPE)


def _instant_arrow(result: InstantResult, remarks: Remarks) -> Iterator[bytes]:
    match result.value:
        case Vector(labels=labels, time_ms=time_ms, values=values):
            return encode_vector(labels, time_ms, values, remarks)
        case RangeVector(labels=labels, runs=runs):
            return encode_runs([(labels, runs)], remarks)
        case Scalar(time_ms=time_ms, value=number):
            return encode_scalar(time_ms, number, remarks)
        case String():
            raise ProblemError(406, "a string has no form as columns; ask for JSON", kind="not-acceptable")


def _instant_json(result: InstantResult, request: _Rendering) -> Iterator[bytes]:
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


def _range_json(result: RangeResult, request: _Rendering) -> Iterator[bytes]:
    matrix = result.matrix
    size = request.shown(matrix.labels.size)
    yield b'{"resultType":"matrix","result":['
    yield from matrix_json(
        matrix.labels, matrix.times, matrix.values[:size], matrix.present[:size], helper=request.helper
    )
    yield b"]" + request.stats_json(result.stats)


def _seconds(time_ms: int) -> bytes:
    return orjson.dumps(time_ms // 1000 if time_ms % 1000 == 0 else time_ms / 1000)
