"""Open files of the whole system: /proc/sys/fs/file-nr."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.errors import DecodeError
from vedette.model.samples import MetricType

ALLOCATED: Final = Family("node_filefd_allocated", MetricType.GAUGE, "File descriptor statistics: allocated.")
MAXIMUM: Final = Family("node_filefd_maximum", MetricType.GAUGE, "File descriptor statistics: maximum.")

_COLUMNS: Final = 3


class FilefdCollector:
    """Reads how many file descriptors are in use, and how many there may be."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("sys", "fs", "file-nr")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        fields = read_bytes(self._path).split()
        if len(fields) < _COLUMNS:
            raise DecodeError(f"{self._path}: expected three numbers, found {b' '.join(fields)[:60]!r}")
        rows.put(ALLOCATED, float(fields[0]))
        rows.put(MAXIMUM, float(fields[2]))
