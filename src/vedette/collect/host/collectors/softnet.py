"""Packets that the processors took from network devices: /proc/net/softnet_stat."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

PROCESSED: Final = Family("node_softnet_processed_total", MetricType.COUNTER, "Number of processed packets", ("cpu",))
DROPPED: Final = Family("node_softnet_dropped_total", MetricType.COUNTER, "Number of dropped packets", ("cpu",))
SQUEEZED: Final = Family(
    "node_softnet_times_squeezed_total",
    MetricType.COUNTER,
    "Number of times processing packets ran out of quota",
    ("cpu",),
)

_COLUMNS: Final = 3
_CPU_COLUMN: Final = 12


class SoftnetCollector:
    """Reads one line of hexadecimal numbers per processor that is online."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("net", "softnet_stat")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for number, line in enumerate(read_bytes(self._path).splitlines()):
            counts = [int(field, 16) for field in line.split()]
            if len(counts) < _COLUMNS:
                continue
            # Kernels from 5.10 on say which processor it is; before, one that is offline shifts the rest.
            cpu = (str(counts[_CPU_COLUMN] if len(counts) > _CPU_COLUMN else number),)
            rows.put(PROCESSED, counts[0], cpu)
            rows.put(DROPPED, counts[1], cpu)
            rows.put(SQUEEZED, counts[2], cpu)
