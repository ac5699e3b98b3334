"""How long work waited for processors, disks and memory: /proc/pressure."""

from __future__ import annotations

import errno
from typing import Final

from vedette.collect.host.kernel_files import NoDataError, read_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

WAITING: Final = {
    ("cpu", "some"): Family(
        "node_pressure_cpu_waiting_seconds_total",
        MetricType.COUNTER,
        "Total time in seconds that processes have waited for CPU time",
    ),
    ("io", "some"): Family(
        "node_pressure_io_waiting_seconds_total",
        MetricType.COUNTER,
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    ("io", "full"): Family(
        "node_pressure_io_stalled_seconds_total",
        MetricType.COUNTER,
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    ("memory", "some"): Family(
        "node_pressure_memory_waiting_seconds_total",
        MetricType.COUNTER,
        "Total time in seconds that processes have waited for memory",
    ),
    ("memory", "full"): Family(
        "node_pressure_memory_stalled_seconds_total",
        MetricType.COUNTER,
        "Total time in seconds no process could make progress due to memory congestion",
    ),
}
RESOURCES: Final = ("cpu", "io", "memory")


class PressureCollector:
    """Reads the totals of `some` (at least one waits) and `full` (all wait)."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.proc("pressure")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for resource in RESOURCES:
            try:
                lines = read_text(f"{self._root}/{resource}").splitlines()
            except OSError as exc:
                # EOPNOTSUPP: the kernel can do it but was started without `psi=1`.
                if exc.errno in (errno.ENOENT, errno.EOPNOTSUPP):
                    raise NoDataError("no pressure stall information") from exc
                raise
            for line in lines:
                kind, _, rest = line.partition(" ")
                family = WAITING.get((resource, kind))
                _, total, microseconds = rest.rpartition("total=")
                if family is not None and total:
                    rows.put(family, float(microseconds) / 1e6)
