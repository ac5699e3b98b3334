"""Load averages: /proc/loadavg."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

LOADS: Final = (
    Family("node_load1", MetricType.GAUGE, "1m load average."),
    Family("node_load5", MetricType.GAUGE, "5m load average."),
    Family("node_load15", MetricType.GAUGE, "15m load average."),
)


class LoadavgCollector:
    """Reads the three averages."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("loadavg")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        averages = read_bytes(self._path).split()[: len(LOADS)]
        for family, average in zip(LOADS, averages, strict=True):
            rows.put(family, float(average))
