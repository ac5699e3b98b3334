"""Since when the host runs and how busy it is: the second half of /proc/stat."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import parse_number, read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

FAMILIES: Final = {
    b"intr": Family("node_intr_total", MetricType.COUNTER, "Total number of interrupts serviced."),
    b"ctxt": Family("node_context_switches_total", MetricType.COUNTER, "Total number of context switches."),
    b"processes": Family("node_forks_total", MetricType.COUNTER, "Total number of forks."),
    b"btime": Family("node_boot_time_seconds", MetricType.GAUGE, "Node boot time, in unixtime."),
    b"procs_running": Family("node_procs_running", MetricType.GAUGE, "Number of processes in runnable state."),
    b"procs_blocked": Family(
        "node_procs_blocked", MetricType.GAUGE, "Number of processes blocked waiting for I/O to complete."
    ),
}


class StatCollector:
    """Reads the first number of the lines it knows."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("stat")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for line in read_bytes(self._path).split(b"\n"):
            name, _, rest = line.partition(b" ")
            family = FAMILIES.get(name)
            if family is not None:
                # Only the first number: `intr` goes on with one for each interrupt there may be.
                rows.put(family, parse_number(rest.partition(b" ")[0], f"{self._path}: {name.decode()}"))
