"""Memory: /proc/meminfo, each of its lines as `node_memory_<field>[_bytes]`."""

from __future__ import annotations

import re
from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

_LINE: Final = re.compile(rb"(\w+)(?:\((\w+)\))?:\s+(\d+)( kB)?\s*$", re.MULTILINE)


class MeminfoCollector:
    """Reads all fields, those that this kernel is the first to have included."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("meminfo")
        self._families: dict[tuple[bytes, bytes, bytes], Family] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for field, detail, value, unit in _LINE.findall(read_bytes(self._path)):
            family = self._families.get((field, detail, unit))
            if family is None:
                name = "_".join(part.decode() for part in (field, detail, b"bytes" if unit else b"") if part)
                family = Family(f"node_memory_{name}", MetricType.GAUGE, f"Memory information field {name}.")
                self._families[field, detail, unit] = family
            rows.put(family, float(value) * 1024 if unit else float(value))
