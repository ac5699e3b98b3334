"""Errors as HTTP says them: one `Problem` for each, in the words of the dialect that was spoken.

Inside, a handler raises; here the error becomes a status and a sentence, and the router that owns the path
renders it: RFC 9457 for Vedette's own API, a page for browsers, Prometheus's form in its router. A problem
tells the client what to mend and nothing about our insides: an unknown error is "internal error" and an id
that is in the log.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from vedette.model.errors import (
    DecodeError,
    LimitExceededError,
    OverloadedError,
    QueryCancelledError,
    QueryError,
    QueryExecutionError,
    QueryTimeoutError,
    StorageError,
    UnavailableError,
    VedetteError,
)
from vedette.store.state import ConflictError, RecordNotFoundError

PROBLEM_JSON = "application/problem+json"

CLIENT_LEFT = 499
"""nginx's status for a client that left before it was answered, which Prometheus has too."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was not done.

    Attributes:
        status: the HTTP status.
        detail: a sentence for the person who reads it: what was found, expected, and how to mend it.
        kind: a short stable word for programs, e.g. `too-large`.
        headers: to go with the answer, such as Retry-After.
        incident: names the log line of an internal error; empty for others.
    """

    status: int
    detail: str
    kind: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    incident: str = ""

    @property
    def title(self) -> str:
        """The status in words."""
        return "Client Closed Request" if self.status == CLIENT_LEFT else HTTPStatus(self.status).phrase


class ProblemError(VedetteError):
    """Raised where the code speaks HTTP anyway and knows the answer."""

    def __init__(self, status: int, detail: str, *, kind: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, kind)
        self.problem = Problem(status, detail, kind, headers or {})

    def __str__(self) -> str:
        return self.problem.detail


def problem_of(exc: Exception) -> Problem:  # noqa: PLR0911 - one line for each kind
    """What an error says to the client. Errors that are not ours say nothing but an incident's id."""
    match exc:
        case ProblemError():
            return exc.problem
        case RecordNotFoundError():
            return Problem(404, str(exc), "not-found")
        case ConflictError():
            return Problem(409, str(exc), "conflict")
        case DecodeError() | QueryError():
            return Problem(400, str(exc), "bad-data")
        case LimitExceededError() | QueryExecutionError():
            return Problem(422, str(exc), "limit-exceeded" if isinstance(exc, LimitExceededError) else "execution")
        case QueryTimeoutError():
            return Problem(503, str(exc), "timeout")
        case QueryCancelledError() | ClientDisconnect():
            return Problem(CLIENT_LEFT, "the client closed the connection before it was answered", "cancelled")
        case OverloadedError():
            return Problem(503, str(exc), "overloaded", {"Retry-After": retry_after(exc.retry_after_s)})
        case StorageError():
            # The message may name paths on the server; it is in the log.
            return Problem(503, "the storage cannot do this at the moment", "storage", {"Retry-After": "5"})
        case UnavailableError():
            return Problem(503, str(exc), "unavailable", {"Retry-After": "5"})
        case _:
            incident = secrets.token_hex(6)
            return Problem(500, f"internal error; the log has it as incident {incident}", "internal", incident=incident)


def render_problem(problem: Problem) -> Response:
    """RFC 9457's JSON."""
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    return Response(
        orjson.dumps({**body, "kind": problem.kind}),
        status_code=problem.status,
        headers=dict(problem.headers),
        media_type=PROBLEM_JSON,
    )


def retry_after(delay_s: float) -> str:
    """The value of Retry-After: whole seconds, at least one."""
    return str(max(1, math.ceil(delay_s)))
