"""One round over all collectors of host metrics: a collector that fails does not hurt the others.

As in node_exporter, `node_scrape_collector_success` says of each collector whether it delivered, and
`node_scrape_collector_duration_seconds` how long it took.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, runtime_checkable

import structlog

from vedette.collect.host.kernel_files import NoDataError
from vedette.collect.host.registry import build_collectors
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType
from vedette.wire.exposition.layout import ParsedScrape

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()

SUCCESS: Final = Family(
    "node_scrape_collector_success", MetricType.GAUGE, "node_exporter: Whether a collector succeeded.", ("collector",)
)
DURATION: Final = Family(
    "node_scrape_collector_duration_seconds",
    MetricType.GAUGE,
    "node_exporter: Duration of a collector scrape.",
    ("collector",),
)


@runtime_checkable
class _Closable(Protocol):
    """A collector that holds a thread or a handle."""

    def close(self) -> None: ...


class HostCollector:
    """All enabled collectors and the rows of their series.

    It blocks while it reads (some milliseconds; up to `mount_timeout_s` where a mount has just hung), so
    it belongs on a worker thread, one round at a time.
    """

    def __init__(self, settings: HostSettings | None = None) -> None:
        """Prepare the enabled collectors.

        Raises:
            ConfigError: settings name a collector that does not exist, or hold a bad pattern.
        """
        self._collectors = build_collectors(settings or HostSettings())
        self._rows = RowTable()
        self._complaints: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The collectors that run."""
        return tuple(self._collectors)

    def collect(self, now_ms: int) -> ParsedScrape:
        """Run all collectors.

        Args:
            now_ms: the time of this round, milliseconds since the epoch; it also is `node_time_seconds`.
        """
        rows = self._rows
        rows.begin(now_ms)
        for name, collector in self._collectors.items():
            started = time.perf_counter()
            complaint = ""
            try:
                collector.collect(rows)
            except NoDataError:
                succeeded = 0.0
            except Exception as exc:  # noqa: BLE001 - a collector is the unit of failure here
                succeeded = 0.0
                complaint = f"{type(exc).__name__}: {exc}"
            else:
                succeeded = 1.0
            rows.put(DURATION, time.perf_counter() - started, (name,))
            rows.put(SUCCESS, succeeded, (name,))
            self._complain(name, complaint)
        return rows.finish()

    def close(self) -> None:
        """Let go of threads and handles."""
        for collector in self._collectors.values():
            if isinstance(collector, _Closable):
                collector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _complain(self, name: str, complaint: str) -> None:
        # Said once, and again when it changes: a broken driver would fill the log at every round.
        if self._complaints.get(name, "") == complaint:
            return
        self._complaints[name] = complaint
        if complaint:
            log.warning("host collector failed", collector=name, error=complaint)
        else:
            log.info("host collector works again", collector=name)
