"""Bounds on what a request may cost: bytes and time of its body, and how many are answered at once.

The connection's own bounds (size and time of the head, idle and stalled connections) are in `protocol`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from vedette.http.errors import ProblemError
from vedette.http.settings import HttpSettings
from vedette.model.errors import OverloadedError

T = TypeVar("T")


class BoundedBody:
    """An ASGI `receive` that refuses a body which is too large or too slow.

    The size is counted while the body streams in; a Content-Length that is too large is refused before the
    first byte is asked for.
    """

    def __init__(self, receive: Receive, settings: HttpSettings, *, max_bytes: int, declared_bytes: int | None) -> None:
        if declared_bytes is not None and declared_bytes > max_bytes:
            raise _too_large(max_bytes)
        self._receive = receive
        self._max_bytes = max_bytes
        self._idle_s = settings.body_idle_timeout_s
        self._deadline = asyncio.get_running_loop().time() + settings.body_timeout_s
        self._complete = False
        self.received_bytes = 0

    async def __call__(self) -> Message:
        """The next piece of the body, or the news that the client has left.

        Raises:
            ProblemError: 413 or 408.
        """
        if self._complete:  # what is waited for now is the client's leaving
            return await self._receive()
        try:
            async with asyncio.timeout_at(min(self._deadline, asyncio.get_running_loop().time() + self._idle_s)):
                message = await self._receive()
        except TimeoutError as exc:
            raise ProblemError(408, "the request's body did not arrive in time", kind="too-slow") from exc
        self.received_bytes += len(message.get("body", b""))
        if self.received_bytes > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._complete = not message.get("more_body", False)
        return message


class InFlight:
    """Counts the requests that are being answered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Whether another one would be refused."""
        return self.count >= self._limit

    @contextmanager
    def admitted(self) -> Generator[None]:
        """Take a place for the time of the block.

        Raises:
            OverloadedError: there is none.
        """
        if self.is_full:
            raise OverloadedError(f"{self._limit} requests are being answered, the most at one time", retry_after_s=1.0)
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


async def unless_disconnected(request: Request, work: Awaitable[T]) -> T:
    """Await `work`, and cancel it when the client leaves. The request's body must have been read.

    Raises:
        ClientDisconnect: the client has left.
    """
    outcome: list[T] = []
    failure: list[Exception] = []

    async def run() -> None:
        try:
            outcome.append(await work)
        except Exception as exc:  # noqa: BLE001 - carried past the task group, which would wrap it in a group
            failure.append(exc)
        finally:
            watching.cancel()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        working.cancel()

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        working = group.create_task(run())
    if failure:
        raise failure[0]
    if not outcome:
        raise ClientDisconnect
    return outcome[0]


def _too_large(max_bytes: int) -> ProblemError:
    return ProblemError(
        413, f"the request's body is larger than the {max_bytes:,} bytes allowed here", kind="too-large"
    )
