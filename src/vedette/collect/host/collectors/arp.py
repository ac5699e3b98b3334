"""How many neighbours the kernel knows, by network device: /proc/net/arp."""

from __future__ import annotations

from collections import Counter
from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

ENTRIES: Final = Family("node_arp_entries", MetricType.GAUGE, "ARP entries by device", ("device",))

_COLUMNS: Final = 6


class ArpCollector:
    """Counts the lines of /proc/net/arp by their last column."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("net", "arp")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        lines = read_bytes(self._path).decode("utf-8", "replace").splitlines()[1:]
        fields = [line.split() for line in lines]
        for device, count in Counter(f[5] for f in fields if len(f) >= _COLUMNS).items():
            rows.put(ENTRIES, count, (device,))
