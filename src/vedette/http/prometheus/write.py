"""`/api/v1/write`: remote write 1.0 and 2.0.

The status tells the sender what to do: 204, forget it; 400, some of it is refused for good and the rest is stored;
413 and 415, send it in another form; 503 with Retry-After, send all of it again. Never 429: by default Prometheus
does not send again what was refused with it.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ (Required Partial Write Status Codes, Retries).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.application import head_of
from vedette.http.auth.principals import Proof, principal_of
from vedette.http.errors import Problem, ProblemError, problem_of
from vedette.http.routing import Access, Route, Router
from vedette.ingest.remote_write import Received, RemoteWriteReceiver
from vedette.model.errors import LimitExceededError, OverloadedError, VedetteError
from vedette.wire.remote_write import (
    VERSION_HEADER,
    Negotiated,
    UnsupportedMediaError,
    Version,
    negotiate,
    written_headers,
)

MAX_BODY_BYTES: Final = 16 << 20
"""Of one packed request."""

MAX_HELD_BYTES: Final = 64 << 20
"""Of all requests whose bodies are being read or stored."""

_SHOWN_PROBLEMS: Final = 5
_NOTHING: Final = Received()


def write_router(receiver: RemoteWriteReceiver, *, max_body_bytes: int = MAX_BODY_BYTES) -> Router:
    """The router of the remote-write receiver."""
    handler = _Writes(receiver, max_body_bytes)
    route = Route("/api/v1/write", ("POST",), handler.write, Access.WRITE_METRICS, max_body_bytes)
    return Router("remote write", (route,), render_plainly)


def render_plainly(problem: Problem, _request: Request) -> Response:
    """An error as a line of text: senders put it into their logs."""
    return _plain(problem.status, problem.detail, problem.headers)


class _Writes:
    def __init__(self, receiver: RemoteWriteReceiver, max_body_bytes: int) -> None:
        self._receiver = receiver
        self._max_body_bytes = max_body_bytes
        self._held_bytes = 0

    async def write(self, request: Request) -> Response:
        """Take a request in."""
        headers = request.headers
        try:
            kind = negotiate(
                headers.get("content-type", ""),
                headers.get("content-encoding", ""),
                headers.get(VERSION_HEADER, ""),
            )
        except UnsupportedMediaError as exc:
            raise ProblemError(415, str(exc), kind="unsupported-media") from exc
        with self._room(headers.get("content-length", "")):
            try:
                received = await self._receiver.receive(_source(request), await request.body(), kind)
            except VedetteError as exc:
                problem = _problem(exc)
                return _plain(problem.status, problem.detail, {**problem.headers, **_written(kind, _NOTHING)})
        written = _written(kind, received)
        if received.dropped:
            return _plain(400, _describe(received), written)
        return Response(status_code=204, headers=written)

    @contextmanager
    def _room(self, content_length: str) -> Generator[None]:
        """Hold a body's bytes for the time of the block."""
        size = int(content_length) if content_length.isdigit() else self._max_body_bytes
        if self._held_bytes and self._held_bytes + size > MAX_HELD_BYTES:
            raise OverloadedError(f"{self._held_bytes:,} bytes of other requests are being stored", retry_after_s=1.0)
        self._held_bytes += size
        try:
            yield
        finally:
            self._held_bytes -= size


def _source(request: Request) -> str:
    """On whose account: the token's or user's name, or else the sender's address."""
    principal = principal_of(request)
    known = principal.proof in (Proof.TOKEN, Proof.SESSION)
    return f"remote_write:{principal.name if known else head_of(request).address or 'local'}"


def _problem(exc: VedetteError) -> Problem:
    if isinstance(exc, LimitExceededError):
        text = f"{exc.what}: more than the {exc.allowed:,} allowed in one request; make the sender's batches smaller"
        return Problem(413, text, "too-large")
    return problem_of(exc)


def _written(kind: Negotiated, received: Received) -> Mapping[str, str]:
    if kind.version is Version.V1:
        return {}
    return written_headers(samples=received.samples, histograms=0, exemplars=received.exemplars)


def _describe(received: Received) -> str:
    count = sum(received.dropped.values())
    reasons = ", ".join(f"{number} {reason}" for reason, number in received.dropped.items())
    problems = "; ".join(received.problems[:_SHOWN_PROBLEMS])
    return f"{count} samples were refused ({reasons}), {received.samples} are stored: {problems}"


def _plain(status: int, text: str, headers: Mapping[str, str]) -> Response:
    return Response(f"{text}\n", status_code=status, headers=dict(headers), media_type="text/plain")
