"""The canary: one sample a minute through the real path, from a push over HTTP to a query, and a cry if it is lost.

It is sent as any sender would send it, with remote-write to this server's own port, acknowledged, and asked for by a
query. When it does not come back, the log says so at once and `vedette_canary_healthy` falls to 0 (rules can alert on
that and, where even that does not work, on its absence).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from vedette.model.clock import Clock
from vedette.model.errors import VedetteError

METRIC: Final = "vedette_canary_sent_timestamp_seconds"

Send = Callable[[float, int], Awaitable[None]]
"""Push a value with a time in milliseconds; returns once it is acknowledged."""

Ask = Callable[[], Awaitable[float | None]]
"""The newest value that a query finds."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Canary:
    """Sends and waits. `healthy` is None until the first one is back."""

    def __init__(
        self, send: Send, ask: Ask, *, interval_s: float, timeout_s: float, clock: Clock, registry: CollectorRegistry
    ) -> None:
        self._send = send
        self._ask = ask
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._clock = clock
        self.healthy: bool | None = None
        self.problem = ""
        self._sent = Counter("vedette_canary_sent", "Canary samples sent.", registry=registry)
        self._lost = Counter("vedette_canary_lost", "Canary samples that did not come back.", registry=registry)
        self._health = Gauge("vedette_canary_healthy", "Whether the last canary came back: 1 or 0.", registry=registry)
        self._delay = Gauge(
            "vedette_canary_round_trip_seconds", "Time until the last canary was found by a query.", registry=registry
        )

    async def run(self) -> None:
        """Send one canary after the other until cancelled."""
        while True:
            await self.round()
            await self._clock.sleep(self._interval_s)

    async def round(self) -> None:
        """Send one canary and look for it."""
        began_s = self._clock.monotonic_s()
        now_ms = self._clock.now_ms()
        value = now_ms / 1000
        self._sent.inc()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._send(value, now_ms)
                while await self._ask() != value:
                    await self._clock.sleep(min(1.0, self._timeout_s / 10))
        except TimeoutError:
            self._lose(f"it was not found by a query within {self._timeout_s:g} s of being sent")
        except VedetteError as exc:
            self._lose(str(exc))
        except Exception as exc:  # a canary is a unit of failure
            log.exception("canary failed unexpectedly")
            self._lose(f"{type(exc).__name__}: {exc}")
        else:
            self._delay.set(self._clock.monotonic_s() - began_s)
            self._health.set(1)
            if self.healthy is False:
                log.info("canary is back")
            self.healthy, self.problem = True, ""

    def _lose(self, problem: str) -> None:
        self._lost.inc()
        self._health.set(0)
        log.error("canary lost: samples may not be stored or found", problem=problem, retry_in_s=self._interval_s)
        self.healthy, self.problem = False, problem
