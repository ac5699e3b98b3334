"""The rate guard: of a storm of messages to a receiver, the first ones are sent and the rest becomes one summary.

Messages are counted over a sliding window. What is more than the window allows is held back, the latest state of
each group only, and goes out as one summary for each integration when the oldest message has left the window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GuardRule:
    """How many messages a receiver gets one by one.

    Attributes:
        messages: how many within `per_ms`.
        per_ms: the time in which they are counted.
    """

    messages: int
    per_ms: int


@dataclass(slots=True)
class RateGuard:
    """The messages to one integration.

    Attributes:
        sent: when the last ones were let through, rising; at most `messages` of them.
        summary_ms: when the summary is due; None while nothing is held back.
    """

    rule: GuardRule
    sent: deque[int] = field(default_factory=deque[int])
    summary_ms: int | None = None

    def admit(self, now_ms: int) -> bool:
        """Whether a message may go out now; if so, it counts. If not, a summary is due later."""
        self._forget(now_ms)
        if self.summary_ms is None and len(self.sent) < self.rule.messages:
            self.sent.append(now_ms)
            return True
        if self.summary_ms is None:
            self.summary_ms = self.sent[0] + self.rule.per_ms
        return False

    def summarise(self, now_ms: int) -> None:
        """The summary goes out now, and counts as a message."""
        self._forget(now_ms)
        self.sent.append(now_ms)
        self.summary_ms = None

    def _forget(self, now_ms: int) -> None:
        while self.sent and self.sent[0] <= now_ms - self.rule.per_ms:
            self.sent.popleft()
