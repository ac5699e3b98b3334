"""Requests of one integration, and what their answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError, Reason, Verdicts, refused, status_error
from vedette.alerting.settings.fields import http_url_problem
from vedette.collect.http_client import Fetcher, FetchError, ResponseStream, parse_retry_after
from vedette.model.clock import Clock

JSON: Final = "application/json"
_DRAIN_S: Final = 2.0
"""For the rest of an answer that has said already that the message arrived."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        url: where to.
        body: what is sent.
        method: how.
        content_type: what the body is.
        headers: further ones.
    """

    url: str
    body: bytes
    method: str = "POST"
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that says that a request was taken.

    Attributes:
        status: its code.
        headers: by name, in any case.
        body: as far as it is read; empty where it was not asked for and did not come.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            DeliveryError: it is none; perhaps another time.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as exc:
            raise DeliveryError("the answer is not JSON", reason=Reason.SERVER_ERROR) from exc


class HttpPort:
    """Sends an integration's requests."""

    def __init__(self, fetcher: Fetcher, clock: Clock, *, answer_bytes: int) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._answer_bytes = answer_bytes

    async def send(
        self, request: Request, exchange: Exchange, *, verdicts: Verdicts | None = None, answered: bool = False
    ) -> Answer:
        """Send a request. The caller limits the time.

        Args:
            request: what to send.
            exchange: takes note of it.
            verdicts: what is special about the kind's answers.
            answered: whether the body of a good answer is needed. If not, a good status is enough: a connection
                that breaks after it must not lead to a second message.

        Raises:
            DeliveryError: the message has not arrived, as far as we know.
        """
        if http_url_problem(request.url):
            raise refused("the URL that the configuration gives is not one of HTTP")
        exchange.sends(request.body)
        headers = {"Content-Type": request.content_type, **request.headers} if request.body else dict(request.headers)
        body = request.body or None
        try:
            async with self._fetcher.stream(request.url, method=request.method, headers=headers, body=body) as stream:
                exchange.status = stream.status
                good = 200 <= stream.status < 300
                content = await (self._beginning(stream) if answered or not good else self._drained(stream))
        except FetchError as exc:
            reason = Reason.DEADLINE_EXCEEDED if exc.timed_out else Reason.OTHER
            raise DeliveryError(str(exc), reason=reason) from exc
        answer = Answer(stream.status, stream.headers, content)
        retry_after_s = parse_retry_after(stream.headers.get("Retry-After", ""), self._clock.now_ms() / 1000)
        error = status_error(stream.status, answer.text, retry_after_s=retry_after_s, verdicts=verdicts)
        if error is not None:
            raise error
        return answer

    async def _beginning(self, stream: ResponseStream) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in stream.chunks():
            parts.append(part)
            size += len(part)
            if size >= self._answer_bytes:
                break
        return b"".join(parts)[: self._answer_bytes]

    async def _drained(self, stream: ResponseStream) -> bytes:
        """Whatever comes soon, which keeps the connection for the next message."""
        try:
            async with asyncio.timeout(_DRAIN_S):
                return await self._beginning(stream)
        except (TimeoutError, FetchError):
            return b""


def mapping_of(found: Any) -> dict[str, Any]:
    """What others sent as JSON, as a mapping; empty if it is none."""
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def mappings_in(found: Any) -> list[dict[str, Any]]:
    """What others sent as JSON, as a list of mappings, without what is none."""
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [mapping_of(one) for one in listed if isinstance(one, dict)]


def to_body(found: Any) -> bytes:
    """JSON for a request."""
    return orjson.dumps(found)


def without_empty(**fields: Any) -> dict[str, Any]:
    """The fields that are set, as Go's `omitempty` leaves the others out."""
    return {name: value for name, value in fields.items() if value not in ("", None, False, [], {}, ())}
