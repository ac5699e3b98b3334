"""How discovery goes: counted for metrics, remembered for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()


class Health:
    """One section of service discovery in one job.

    Attributes:
        kind: as in `<kind>_sd_configs`.
        job: the job's name.
        refreshes: how often something was asked for.
        failures: how often that failed, in whole or in part.
        problems: what fails now, by the server, file or name that it is about.
    """

    def __init__(self, kind: str, job: str) -> None:
        self.kind = kind
        self.job = job
        self.refreshes = 0
        self.failures = 0
        self.problems: dict[str, str] = {}

    def note(self, problems: Mapping[str, Exception], *, about: Iterable[str] | None = None, **facts: object) -> None:
        """Note how asking went. A problem stands in the log once for as long as it is the same.

        Args:
            problems: what failed, by what it is about (no secrets); empty if all went well.
            about: what was asked; None for everything.
            facts: further facts for the log.
        """
        self.refreshes += 1
        self.failures += bool(problems)
        for what, error in problems.items():
            text = str(error) or type(error).__name__
            if self.problems.get(what) != text:
                log.warning("discovery failed", kind=self.kind, job=self.job, what=what, error=text, **facts)
            self.problems[what] = text
        for what in set(self.problems if about is None else about) & self.problems.keys() - problems.keys():
            log.info("discovery works again", kind=self.kind, job=self.job, what=what)
            del self.problems[what]


class DiscoveryMetrics:
    """The counts of all jobs. They outlive a reload, so that counters do not start again."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str, int], Health] = {}

    def health(self, kind: str, job: str, number: int = 0) -> Health:
        """The counts of one section, by its number in the job."""
        return self._all.setdefault((kind, job, number), Health(kind, job))

    def all(self) -> Iterable[Health]:
        """Everything there is."""
        return self._all.values()

    def collect(self) -> Iterator[Metric]:
        """The counts, for a `prometheus_client` registry."""
        labels = ["kind", "job"]
        refreshes = CounterMetricFamily("vedette_sd_refreshes", "Times that discovery asked.", labels=labels)
        failures = CounterMetricFamily("vedette_sd_failures", "Times that it failed, in whole or part.", labels=labels)
        failing = GaugeMetricFamily("vedette_sd_failing", "Sources that fail now.", labels=labels)
        for health in self._all.values():
            refreshes.add_metric([health.kind, health.job], health.refreshes)
            failures.add_metric([health.kind, health.job], health.failures)
            failing.add_metric([health.kind, health.job], len(health.problems))
        yield from (refreshes, failures, failing)
