"""How long processes ran and waited on each processor: /proc/schedstat."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import NoDataError, read_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

RUNNING: Final = Family(
    "node_schedstat_running_seconds_total",
    MetricType.COUNTER,
    "Number of seconds CPU spent running a process.",
    ("cpu",),
)
WAITING: Final = Family(
    "node_schedstat_waiting_seconds_total",
    MetricType.COUNTER,
    "Number of seconds spent by processing waiting for this CPU.",
    ("cpu",),
)
TIMESLICES: Final = Family(
    "node_schedstat_timeslices_total", MetricType.COUNTER, "Number of timeslices executed by CPU.", ("cpu",)
)

_COLUMNS: Final = 10


class SchedstatCollector:
    """Reads the last three columns of each processor's line."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("schedstat")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        try:
            lines = read_text(self._path).splitlines()
        except FileNotFoundError as exc:
            raise NoDataError("the kernel keeps no scheduler statistics") from exc
        for line in lines:
            fields = line.split()
            if not line.startswith("cpu") or len(fields) < _COLUMNS:
                continue
            cpu = (fields[0][3:],)
            rows.put(RUNNING, float(fields[7]) / 1e9, cpu)
            rows.put(WAITING, float(fields[8]) / 1e9, cpu)
            rows.put(TIMESLICES, float(fields[9]), cpu)
