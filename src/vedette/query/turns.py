"""Whose turn it is: so many evaluations at a time, each in a thread and with a deadline; others wait.

Those of people and those of rules have turns of their own: a page full of slow panels does not keep alerts from being
evaluated, and slow rules do not keep people waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from typing import TypeVar

from prometheus_client import CollectorRegistry, Gauge

from vedette.model.errors import OverloadedError, QueryCancelledError, QueryTimeoutError

_Result = TypeVar("_Result")


class Watch:
    """Ends a query at its deadline, or when it is told to."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.cancelled = threading.Event()
        self._deadline_s = time.monotonic() + timeout_s

    def check(self) -> None:
        """Raise if the query is to end."""
        if self.cancelled.is_set():
            raise QueryCancelledError("query was canceled")
        if time.monotonic() > self._deadline_s:
            raise QueryTimeoutError(
                f"query timed out after {self.timeout_s:g} s; narrow it, or raise `query.timeout` in the configuration"
            )

    @property
    def remaining_s(self) -> float:
        """Time left."""
        return max(0.0, self._deadline_s - time.monotonic())


class TurnMetrics:
    """How many have a turn, and how many wait for one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.running = Gauge("vedette_query_running", "Queries being evaluated.", registry=registry)
        self.waiting = Gauge("vedette_query_waiting", "Queries waiting for their turn.", registry=registry)


class Turns:
    """Hands out turns. For the event loop's thread."""

    def __init__(
        self, threads: Executor, metrics: TurnMetrics, *, count: int, option: str, max_waiting: int | None = None
    ) -> None:
        """Prepare.

        Args:
            threads: `count` of them.
            metrics: shared by all.
            count: how many have a turn at one time.
            option: what the configuration calls that.
            max_waiting: how many may wait; None for any number.
        """
        self._threads = threads
        self._metrics = metrics
        self._free = asyncio.Semaphore(count)
        self._count = count
        self._option = option
        self._max_waiting = max_waiting
        self._waiting = 0

    async def run(self, work: Callable[[], _Result], watch: Watch) -> _Result:
        """Do something in a thread when it is its turn.

        Raises:
            OverloadedError: too many wait already.
            QueryTimeoutError: it was not its turn before the deadline.
        """
        async with self._turn(watch):
            future = asyncio.get_running_loop().run_in_executor(self._threads, work)
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                # The thread cannot be killed; it sees the flag at its next batch, and keeps its turn until then.
                watch.cancelled.set()
                with contextlib.suppress(Exception):  # whatever it would have said, nobody waits for it
                    await future
                raise

    @asynccontextmanager
    async def _turn(self, watch: Watch) -> AsyncGenerator[None]:
        if self._free.locked():
            await self._wait(watch)
        else:
            await self._free.acquire()
        self._metrics.running.inc()
        try:
            yield
        finally:
            self._metrics.running.dec()
            self._free.release()

    async def _wait(self, watch: Watch) -> None:
        if self._max_waiting is not None and self._waiting >= self._max_waiting:
            raise OverloadedError(
                f"{self._waiting} queries are waiting already; try again, or raise `query.max_waiting`",
                retry_after_s=2.0,
            )
        self._waiting += 1
        self._metrics.waiting.inc()
        try:
            async with asyncio.timeout(watch.remaining_s):
                await self._free.acquire()
        except TimeoutError:
            raise QueryTimeoutError(
                f"the query waited {watch.timeout_s:g} s for its turn; `{self._option}` is {self._count}"
            ) from None
        finally:
            self._waiting -= 1
            self._metrics.waiting.dec()
