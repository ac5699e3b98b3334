"""One line per request, without its secrets.

Tokens, one-time links and passwords do not belong into URLs, but people put them there; the values of such
parameters are replaced before anything is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog

_SECRET_PARAMETER = re.compile(
    r"(?i)(^|[&;?])([^=&;]*(?:once|token|password|passwd|secret|api_?key|auth|signature|session|code)[^=&;]*)=[^&;]*"
)
_TOKEN_ANYWHERE = re.compile(r"vdt_[a-z0-9]+_[a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MAX_TEXT = 512

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what became of it.

    Attributes:
        route: the path as it was registered (`/api/v1/label/{name}/values`); empty where none matched.
        path: as it was asked for, decoded.
        status: 499 where the client left before it was answered.
        duration_s: from the head's arrival to the last byte handed to the connection.
        caller: the name of who asked.
        address: the client's.
    """

    method: str
    route: str
    path: str
    query: str
    status: int
    duration_s: float
    received_bytes: int
    sent_bytes: int
    caller: str
    address: str
    user_agent: str


def log_exchange(exchange: Exchange) -> None:
    """Write the line."""
    log.info(
        "request",
        method=exchange.method,
        path=printable(exchange.path),
        query=printable(redact_query(exchange.query)),
        status=exchange.status,
        duration_ms=round(exchange.duration_s * 1000, 3),
        sent_bytes=exchange.sent_bytes,
        caller=exchange.caller,
        address=exchange.address,
        user_agent=printable(exchange.user_agent),
    )


def redact_query(query: str) -> str:
    """A query string with the values of secret parameters replaced by `***`."""
    return _SECRET_PARAMETER.sub(r"\1\2=***", query)


def printable(text: str) -> str:
    """Text from outside, shortened, without control characters and without tokens."""
    text = _TOKEN_ANYWHERE.sub("vdt_***", text)
    text = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
