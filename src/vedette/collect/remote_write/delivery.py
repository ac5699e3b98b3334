"""What an answer means for the samples that were sent, and when to try again.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ (Retries & Backoff). Unlike Prometheus, what is
refused with 429 is always sent again, whatever `retry_on_http_429` says: the queue is on disk and has room.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final

from vedette.collect.http_client import parse_retry_after
from vedette.model.clock import Clock

_TOO_MANY_REQUESTS: Final = 429
_SAMPLES_WRITTEN: Final = "X-Prometheus-Remote-Write-Samples-Written"


class Fate(Enum):
    """What became of a request."""

    SENT = "sent"
    REFUSED = "refused"
    TRY_AGAIN = "try again"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request, and why.

    Attributes:
        fate: see `Fate`.
        problem: why it was not taken; empty if it was.
        retry_after_s: the store does not want to hear of it before; 0 where it did not say.
        written: how many samples the store says it has; None where it does not say.
    """

    fate: Fate
    problem: str = ""
    retry_after_s: float = 0.0
    written: int | None = None


def judge(status: int, headers: Mapping[str, str], text: str, now_s: float) -> Outcome:
    """What an answer means.

    Args:
        status: its code.
        headers: by name, in any case.
        text: the beginning of its body.
        now_s: seconds since the epoch.
    """
    if 200 <= status < 300:
        written = headers.get(_SAMPLES_WRITTEN, "").strip()
        return Outcome(Fate.SENT, written=int(written) if written.isascii() and written.isdigit() else None)
    problem = f"the store answered {status}" + (f": {text}" if text else "")
    if status >= 500 or status == _TOO_MANY_REQUESTS:
        return Outcome(Fate.TRY_AGAIN, problem, parse_retry_after(headers.get("Retry-After", ""), now_s))
    return Outcome(Fate.REFUSED, problem)


class Backoff:
    """Holds requests to one store back while it fails: one at a time then, with a pause before each."""

    def __init__(
        self, min_s: float, max_s: float, clock: Clock, *, chance: Callable[[], float] = random.random
    ) -> None:
        """Begin without failures.

        Args:
            min_s: pause after the first failure; doubled at each further one...
            max_s: ... up to this.
            clock: measures pauses, and waits.
            chance: in [0, 1): spreads pauses over their upper half.
        """
        self._min_s = min_s
        self._max_s = max(min_s, max_s)
        self._clock = clock
        self._chance = chance
        self._one = asyncio.Lock()
        self._until_s = 0.0
        self.failures = 0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for the moment to try, and try within the block."""
        if not self.failures:
            yield
            return
        async with self._one:
            while self.failures and (left_s := self._until_s - self._clock.monotonic_s()) > 0:
                await self._clock.sleep(left_s)
            yield

    def succeeded(self) -> None:
        """The store took a request."""
        self.failures = 0

    def failed(self, retry_after_s: float = 0.0) -> None:
        """The store did not take a request, and may take it later."""
        now_s = self._clock.monotonic_s()
        # Requests that were on their way together fail together: that is one failure.
        if not self.failures or now_s >= self._until_s:
            self.failures += 1
        pause_s = min(self._max_s, self._min_s * 2 ** min(self.failures - 1, 30))
        pause_s *= 0.5 + 0.5 * self._chance()
        self._until_s = max(self._until_s, now_s + max(pause_s, retry_after_s))
