"""The kernel's pool of randomness: /proc/sys/kernel/random."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import read_number
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

AVAILABLE: Final = Family("node_entropy_available_bits", MetricType.GAUGE, "Bits of available entropy.")
POOL_SIZE: Final = Family("node_entropy_pool_size_bits", MetricType.GAUGE, "Bits of entropy pool.")


class EntropyCollector:
    """Reads the pool's size and content."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.proc("sys", "kernel", "random")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        rows.put(AVAILABLE, read_number(f"{self._root}/entropy_avail"))
        rows.put(POOL_SIZE, read_number(f"{self._root}/poolsize"))
