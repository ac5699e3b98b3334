"""`query`, `query_range`, and what is known of a query without evaluating it.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.application import head_of
from vedette.http.head import RequestHead
from vedette.http.limits import unless_disconnected
from vedette.http.prometheus.answers import answer, envelope, stream_answer
from vedette.http.prometheus.parameters import BadParameterError, Parameters
from vedette.http.prometheus.rendering import Rendering, instant_arrow, instant_parts, range_arrow, range_parts
from vedette.http.routing import Ask, Later
from vedette.lang.promql import prettify, to_tree
from vedette.lang.promql.ast import Expr
from vedette.model.errors import QueryError
from vedette.query.promql import InstantResult, RangeResult
from vedette.query.service import QueryService
from vedette.wire.arrow_answer import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class QueryApi:
    """The handlers. Those that end in `_at_once` answer what is small without waiting, and hand on what is not."""

    queries: QueryService
    now_ms: Callable[[], int]

    async def query(self, request: Request) -> Response:
        """`/api/v1/query`: evaluate at one time."""
        return await self._answer(self._instant(await Parameters.of(request), head_of(request)), request)

    def query_at_once(self, asked: Ask) -> bytes | Later:
        """The same."""
        return self._at_once(self._instant(Parameters.read(asked.query, asked.form), asked.head))

    async def query_range(self, request: Request) -> Response:
        """`/api/v1/query_range`: evaluate at many times."""
        return await self._answer(self._range(await Parameters.of(request), head_of(request)), request)

    def query_range_at_once(self, asked: Ask) -> bytes | Later:
        """The same."""
        return self._at_once(self._range(Parameters.read(asked.query, asked.form), asked.head))

    def _instant(self, parameters: Parameters, head: RequestHead) -> _Instant:
        rendering = Rendering.of(head, parameters, self.queries.helper)
        at_ms = parameters.time_ms("time", self.now_ms())
        timeout_s = _timeout_s(parameters)
        lookback_ms = _lookback_ms(parameters)
        text, expr = parameters.expression()
        return _Instant(text, expr, timeout_s, lookback_ms, rendering, at_ms)

    def _range(self, parameters: Parameters, head: RequestHead) -> _Range:
        rendering = Rendering.of(head, parameters, self.queries.helper)
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
        return _Range(text, expr, timeout_s, lookback_ms, rendering, start_ms, end_ms, step_ms)

    def _at_once(self, question: _Instant | _Range) -> bytes | Later:
        if question.rendering.wants_arrow:
            return Later(functools.partial(self._answer, question))
        document = question.document_at_once(self.queries)
        return Later(functools.partial(question.answer, self.queries)) if document is None else document

    async def _answer(self, question: _Instant | _Range, request: Request) -> Response:
        response = question.response_at_once(self.queries)
        return await question.answer(self.queries, request) if response is None else response

    async def format_query(self, request: Request) -> Response:
        """`/api/v1/format_query`: the expression, laid out."""
        _, expr = (await Parameters.of(request)).expression()
        return answer(prettify(expr))

    async def parse_query(self, request: Request) -> Response:
        """`/api/v1/parse_query`: the expression's tree."""
        _, expr = (await Parameters.of(request)).expression()
        return answer(to_tree(expr))


@dataclass(frozen=True, slots=True)
class _Instant:
    """What is asked about one time, and how it is answered."""

    text: str
    expr: Expr
    timeout_s: float | None
    lookback_ms: int | None
    rendering: Rendering
    at_ms: int

    def document_at_once(self, queries: QueryService) -> bytes | None:
        result = queries.instant_at_once(self.expr, self.at_ms, lookback_ms=self.lookback_ms)
        return None if result is None else b"".join(envelope(*instant_parts(result, self.text, self.rendering)))

    def response_at_once(self, queries: QueryService) -> Response | None:
        result = queries.instant_at_once(self.expr, self.at_ms, lookback_ms=self.lookback_ms)
        return None if result is None else self._render(result)

    async def answer(self, queries: QueryService, request: Request) -> Response:
        evaluation = queries.instant_as(
            self._render, self.expr, self.at_ms, timeout_s=self.timeout_s, lookback_ms=self.lookback_ms
        )
        return await unless_disconnected(request, evaluation)

    def _render(self, result: InstantResult) -> Response:
        if self.rendering.wants_arrow:
            return _columns(instant_arrow(result, self.text))
        return stream_answer(*instant_parts(result, self.text, self.rendering))


@dataclass(frozen=True, slots=True)
class _Range:
    """What is asked about many times, and how it is answered."""

    text: str
    expr: Expr
    timeout_s: float | None
    lookback_ms: int | None
    rendering: Rendering
    start_ms: int
    end_ms: int
    step_ms: int

    def document_at_once(self, queries: QueryService) -> bytes | None:
        result = self._result_at_once(queries)
        return None if result is None else b"".join(envelope(*range_parts(result, self.text, self.rendering)))

    def response_at_once(self, queries: QueryService) -> Response | None:
        result = self._result_at_once(queries)
        return None if result is None else self._render(result)

    def _result_at_once(self, queries: QueryService) -> RangeResult | None:
        return queries.range_at_once(
            self.expr, start_ms=self.start_ms, end_ms=self.end_ms, step_ms=self.step_ms, lookback_ms=self.lookback_ms
        )

    async def answer(self, queries: QueryService, request: Request) -> Response:
        evaluation = queries.range_as(
            self._render,
            self.expr,
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            step_ms=self.step_ms,
            timeout_s=self.timeout_s,
            lookback_ms=self.lookback_ms,
        )
        return await unless_disconnected(request, evaluation)

    def _render(self, result: RangeResult) -> Response:
        if self.rendering.wants_arrow:
            return _columns(range_arrow(result, self.text))
        return stream_answer(*range_parts(result, self.text, self.rendering))


def _timeout_s(parameters: Parameters) -> float | None:
    return parameters.duration_ms("timeout") / 1000 if parameters.text("timeout") else None


def _lookback_ms(parameters: Parameters) -> int | None:
    if not parameters.text("lookback_delta"):
        return None
    lookback_ms = parameters.duration_ms("lookback_delta")
    if lookback_ms <= 0:
        raise BadParameterError("lookback_delta", "zero or negative is not accepted")
    return lookback_ms


def _columns(pieces: Iterator[bytes]) -> Response:
    return StreamingResponse(pieces, media_type=CONTENT_TYPE)
