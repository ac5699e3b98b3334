"""The limits of delivery: how long to wait, how much at a time, what to keep."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vedette.config.fields import Interval, Positive, PositiveSize, SizeOption
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings(Settings):
    """How notifications are delivered."""

    at_once: Positive = 4
    """Messages that are sent to an integration at the same time."""
    waiting: Positive = 1000
    """Messages that may wait for an integration; what is more is decided anew when its group is looked at next."""
    attempt_timeout: Interval = Duration(60_000)
    """How long an attempt may take, where the integration has no `timeout` of its own."""
    min_backoff: Interval = Duration(500)
    """Pause after the first attempt that failed; each further one is one and a half times as long."""
    max_backoff: Interval = Duration(60_000)
    """The longest pause, unless the receiver asks for more by `Retry-After`."""
    drain_timeout: Interval = Duration(5_000)
    """How long attempts may go on when Vedette stops. What is not out by then is sent after the next start."""
    kept_body_size: SizeOption = Size(4096)
    """How much of a message's text is kept with an attempt; 0 for nothing."""
    answer_size: PositiveSize = Size(1 << 20)
    """How much of a receiver's answer is read."""

    def problems(self) -> Iterable[Problem]:
        """The longest pause is not shorter than the first one."""
        if self.max_backoff.ms < self.min_backoff.ms:
            yield Problem(("max_backoff",), "max_backoff is shorter than min_backoff")
