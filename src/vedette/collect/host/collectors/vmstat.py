"""Paging and swapping: the wanted fields of /proc/vmstat."""

from __future__ import annotations

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.patterns import name_test
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType


class VmstatCollector:
    """Reads `name value` lines, and remembers of each name whether it is wanted."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("vmstat")
        self._wanted = name_test(settings.vmstat_fields, "vmstat_fields")
        self._families: dict[bytes, Family | None] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for line in read_bytes(self._path).splitlines():
            name, _, value = line.partition(b" ")
            if name not in self._families:
                self._families[name] = self._family(name.decode("utf-8", "replace"))
            family = self._families[name]
            if family is not None:
                rows.put(family, float(value))

    def _family(self, name: str) -> Family | None:
        if not self._wanted(name):
            return None
        return Family(f"node_vmstat_{name}", MetricType.UNKNOWN, f"/proc/vmstat information field {name}.")
