"""What is known of scrape targets, as the API, the command line and the web interface show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from vedette.model.samples import Metadata


class Health(StrEnum):
    """How a target's last scrape went."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target that is scraped.

    Attributes:
        pool: its job in the configuration.
        discovered: its labels before relabelling.
        labels: its labels after it.
        url: what is fetched.
        last_error: why the last scrape failed; empty if it did not.
        last_scrape_ms: when the last scrape began; 0 before the first one.
        last_duration_s: how long it took.
        last_samples: how many samples it brought, after relabelling.
        metadata: how the target describes its metric families, by family.
    """

    pool: str
    discovered: Mapping[str, str]
    labels: Mapping[str, str]
    url: str
    health: Health
    last_error: str
    last_scrape_ms: int
    last_duration_s: float
    last_samples: int
    interval_ms: int
    timeout_ms: int
    metadata: Mapping[str, Metadata] = field(default_factory=dict[str, Metadata])


@dataclass(frozen=True, slots=True)
class DroppedTarget:
    """A target that relabelling dropped."""

    pool: str
    discovered: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PoolView:
    """One job of the configuration.

    Attributes:
        inactive: why it is not scraped (a discovery kind that Vedette does not have); empty if it is.
        dropped: how many targets relabelling dropped; of some of them the labels are kept.
    """

    name: str
    inactive: str
    dropped: int


class TargetsView(Protocol):
    """All targets."""

    def active(self) -> Sequence[TargetView]:
        """Those that are scraped."""
        ...

    def dropped(self) -> Sequence[DroppedTarget]:
        """Those that relabelling dropped, as far as their labels are kept."""
        ...

    def pools(self) -> Sequence[PoolView]:
        """All jobs."""
        ...
