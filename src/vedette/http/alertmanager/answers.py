"""How Alertmanager's API says things: JSON without an envelope, errors as a JSON string or as a code and a message.

What a request's form gets wrong has a code and a message (422), or could not be read at all (400); what its content
gets wrong is a JSON string, as Alertmanager's handlers have it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from vedette.http.errors import Problem, ProblemError

INVALID: Final = "alertmanager-invalid"
"""Kind of the problems that have a code and a message."""

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_CODE: Final = re.compile(r"(\d{3}) ")


def answer(content: Any) -> Response:
    """A success."""
    return Response(orjson.dumps(content), media_type="application/json")


def render_error(problem: Problem, _request: Request) -> Response:
    """An error."""
    body: Any = problem.detail
    if problem.kind == INVALID:
        code = _CODE.match(problem.detail)
        number = int(code[1]) if code is not None else problem.status
        body = {"code": number, "message": problem.detail[code.end() if code is not None else 0 :]}
    return Response(
        orjson.dumps(body), status_code=problem.status, headers=dict(problem.headers), media_type="application/json"
    )


def refused(text: str) -> ProblemError:
    """What was sent cannot be taken."""
    return ProblemError(400, text, kind="bad-data")


def invalid(code: int, text: str) -> ProblemError:
    """What was sent does not have the form that it must have; codes are go-openapi's: 601 a type, 602 missing."""
    return ProblemError(422, f"{code} {text}", kind=INVALID)


def unreadable(text: str) -> ProblemError:
    """What was sent cannot be read."""
    return ProblemError(400, f"400 {text}", kind=INVALID)


def show_time(at_ms: int) -> str:
    """`2026-11-21T03:17:58.267Z`."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def read_time(text: str) -> int | None:
    """Milliseconds since the epoch of RFC 3339; None for Go's zero time.

    Raises:
        ValueError: it is no such time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    date, clock, fraction, zone = found.groups()
    if date.startswith("0001-"):
        return None
    moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in ('Z', 'z', None) else zone}")
    return int(moment.timestamp()) * 1000 + int(float(fraction or "0") * 1000 + 1e-6)
