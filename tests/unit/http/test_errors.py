from __future__ import annotations

import orjson
import pytest

from vedette.http.errors import PROBLEM_JSON, problem_of, render_problem, retry_after
from vedette.model.errors import (
    DecodeError,
    LimitExceededError,
    OverloadedError,
    QueryCancelledError,
    QueryError,
    QueryTimeoutError,
    StorageError,
)
from vedette.store.state import ConflictError, RecordNotFoundError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RecordNotFoundError("user", "ada"), 404),
        (ConflictError("taken"), 409),
        (DecodeError("bad"), 400),
        (QueryError("bad"), 400),
        (LimitExceededError(limit="l", allowed=1, found=2, what="series"), 422),
        (QueryTimeoutError("slow"), 503),
        (QueryCancelledError("gone"), 499),
        (OverloadedError("full", retry_after_s=2.5), 503),
        (StorageError("/var/lib/vedette: no space"), 503),
        (ZeroDivisionError("secret"), 500),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    problem = problem_of(error)

    assert problem.status == status
    assert problem.title


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), StorageError("secret")])
def test_the_inside_is_not_told(error: Exception) -> None:
    assert b"secret" not in render_problem(problem_of(error)).body


def test_an_internal_error_is_found_in_the_log_by_its_incident() -> None:
    problem = problem_of(KeyError("x"))

    assert problem.incident
    assert problem.incident in problem.detail


def test_a_problem_is_rendered_as_rfc_9457_has_it() -> None:
    response = render_problem(problem_of(OverloadedError("the buffer is full", retry_after_s=2.5)))

    assert response.media_type == PROBLEM_JSON
    assert response.headers["retry-after"] == "3"
    assert orjson.loads(response.body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the buffer is full",
        "kind": "overloaded",
    }


@pytest.mark.parametrize(("delay_s", "value"), [(0, "1"), (0.2, "1"), (1.1, "2"), (60, "60")])
def test_retry_after_is_whole_seconds_and_never_now(delay_s: float, value: str) -> None:
    assert retry_after(delay_s) == value
