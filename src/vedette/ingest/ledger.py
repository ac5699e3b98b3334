"""The books of what came in: for every source, received = stored + dropped by reason, at any moment.

A source is what a user would name: a scrape job, a sender's address, the host metrics. There are at most `MAX_SOURCES`
of them; the rest is booked under `other`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric

from vedette.ingest.limits import Drop

MAX_SOURCES: Final = 1000
OTHER: Final = "other"


@dataclass(slots=True)
class Account:
    """One source's samples since the start.

    Attributes:
        received: all samples that came, whatever became of them.
        stored: accepted into memory and the commit queue.
        dropped: by reason.
        last_problem: a sentence about the latest drop worth telling.
    """

    received: int = 0
    stored: int = 0
    dropped: Counter[Drop] = field(default_factory=Counter[Drop])
    last_problem: str = ""

    @property
    def balanced(self) -> bool:
        """Whether nothing is unaccounted for."""
        return self.received == self.stored + self.dropped.total()


class Ledger:
    """All accounts. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    def account(self, source: str) -> Account:
        """The account of a source, opened if need be."""
        account = self._accounts.get(source)
        if account is None:
            if len(self._accounts) >= MAX_SOURCES:
                source = OTHER
            account = self._accounts.setdefault(source, Account())
        return account

    def accounts(self) -> Mapping[str, Account]:
        """All accounts by source."""
        return self._accounts

    def collect(self) -> Iterator[Metric]:
        """The ledger as metrics, for a `prometheus_client` registry."""
        received = CounterMetricFamily(
            "vedette_samples_received", "Samples that a source handed in.", labels=["source"]
        )
        stored = CounterMetricFamily("vedette_samples_stored", "Samples accepted.", labels=["source"])
        dropped = CounterMetricFamily(
            "vedette_samples_dropped", "Samples not stored, by reason.", labels=["source", "reason"]
        )
        for source, account in self._accounts.items():
            received.add_metric([source], account.received)
            stored.add_metric([source], account.stored)
            for reason, count in account.dropped.items():
                dropped.add_metric([source, reason], count)
        yield received
        yield stored
        yield dropped
