"""One run of some benchmarks: what they share, which is above all the loaded servers, as loading takes minutes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from rich.console import Console

from benchmarks.fleet import INTERVAL_MS, Fleet
from benchmarks.loading import load
from benchmarks.servers import Server, running


@dataclass(slots=True)
class Session:
    """A run.

    Attributes:
        quick: less data and fewer rounds, to see that everything works.
        console: where progress goes.
    """

    quick: bool
    console: Console
    _stack: ExitStack = field(default_factory=ExitStack)
    _loaded: tuple[list[Server], Fleet] | None = None

    @property
    def rounds(self) -> int:
        """How often something is measured warm."""
        return 3 if self.quick else 7

    def say(self, text: str) -> None:
        """Tell the person who waits."""
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {text}", highlight=False)

    def loaded(self) -> tuple[list[Server], Fleet]:
        """The three servers with the fleet's data; they may be restarted, but not be left stopped."""
        if self._loaded is None:
            series, hours = (1_000, 1.0) if self.quick else (10_000, 6.0)
            fleet = recent_fleet(series, hours)
            servers = self._stack.enter_context(running())
            load(servers, fleet, progress=self.say)
            self._loaded = servers, fleet
        return self._loaded

    def close(self) -> None:
        """End all servers."""
        self._stack.close()


def recent_fleet(series: int, hours: float, *, uniform: bool = False) -> Fleet:
    """A fleet whose data end a moment ago: whole steps, and lookback before the window that is asked for."""
    steps = int(hours * 3_600_000) // INTERVAL_MS + 1
    end_ms = int(time.time() * 1000) // 60_000 * 60_000
    return Fleet(series, end_ms - steps * INTERVAL_MS, steps, uniform)
