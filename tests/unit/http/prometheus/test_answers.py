from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from vedette.http.errors import Problem, problem_of
from vedette.http.prometheus.answers import MAX_ANNOTATIONS, answer, render_error, stream_answer
from vedette.model.errors import (
    LimitExceededError,
    OverloadedError,
    QueryCancelledError,
    QueryError,
    QueryExecutionError,
    QueryTimeoutError,
    StorageError,
)

NO_REQUEST = cast("Request", None)


async def text_of(response: Any) -> bytes:
    if isinstance(response, StreamingResponse):
        return b"".join([cast("bytes", chunk) async for chunk in response.body_iterator])
    return response.body


def test_an_answer_has_the_envelope_and_its_length() -> None:
    response = answer({"a": 1})

    assert response.body == b'{"status":"success","data":{"a":1}}'
    assert response.media_type == "application/json"


def test_warnings_and_infos_are_there_only_if_there_are_some() -> None:
    response = answer([], warnings=["w"], infos=["i"])

    assert json.loads(bytes(response.body)) == {"status": "success", "data": [], "warnings": ["w"], "infos": ["i"]}


def test_of_many_warnings_the_first_are_shown_and_the_others_counted() -> None:
    shown = json.loads(bytes(answer([], warnings=[str(n) for n in range(MAX_ANNOTATIONS + 3)]).body))["warnings"]

    assert shown == [*map(str, range(MAX_ANNOTATIONS)), "3 more warning annotations omitted"]
    assert len(json.loads(bytes(answer([], infos=["x"] * MAX_ANNOTATIONS).body))["infos"]) == MAX_ANNOTATIONS


@pytest.mark.parametrize("count", [0, 3, 40])
async def test_a_streamed_answer_is_the_same_however_long_it_is(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.http.prometheus.answers._WHOLE_BYTES", 1_000_000)

    def pieces() -> Iterator[bytes]:
        yield b'["'
        for _ in range(count):
            yield b"x" * 100_000
        yield b'"]'

    response = stream_answer(pieces(), warnings=["w"])

    assert isinstance(response, StreamingResponse) == (count == 40)
    found = json.loads(await text_of(response))
    assert found == {"status": "success", "data": ["x" * 100_000 * count], "warnings": ["w"]}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        pytest.param(QueryError("wrong"), 400, "bad_data", id="a query that is wrong"),
        pytest.param(QueryExecutionError("wrong"), 422, "execution", id="a query that cannot be answered"),
        pytest.param(
            LimitExceededError(limit="query.max_series", allowed=1, found=2, what="series"),
            422,
            "execution",
            id="a query that asks for too much",
        ),
        pytest.param(QueryTimeoutError("late"), 503, "timeout", id="a query that takes too long"),
        pytest.param(QueryCancelledError("gone"), 499, "canceled", id="a query that nobody waits for"),
        pytest.param(OverloadedError("full", retry_after_s=2), 503, "unavailable", id="too many queries"),
        pytest.param(StorageError("broken"), 503, "unavailable", id="a broken disk"),
        pytest.param(RuntimeError("secret"), 500, "internal", id="a bug"),
    ],
)
def test_errors_have_prometheus_types_and_statuses(error: Exception, status: int, kind: str) -> None:
    response = render_error(problem_of(error), NO_REQUEST)

    body = json.loads(bytes(response.body))
    assert (response.status_code, body["status"], body["errorType"]) == (status, "error", kind)
    assert "secret" not in body["error"]


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [(401, "unauthorized", "unauthorized"), (413, "too-large", "bad_data"), (500, "something new", "internal")],
)
def test_other_problems_are_the_clients_or_ours_by_their_status(status: int, kind: str, expected: str) -> None:
    problem = Problem(status, "detail", kind, {"Retry-After": "2"})

    response = render_error(problem, NO_REQUEST)

    assert json.loads(bytes(response.body))["errorType"] == expected
    assert response.headers["Retry-After"] == "2"
