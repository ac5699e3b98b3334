"""The connection tracking table: how full it is and what it lost."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import NoDataError, read_bytes, read_number
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

ENTRIES: Final = Family(
    "node_nf_conntrack_entries",
    MetricType.GAUGE,
    "Number of currently allocated flow entries for connection tracking.",
)
LIMIT: Final = Family("node_nf_conntrack_entries_limit", MetricType.GAUGE, "Maximum size of connection tracking table.")
STATISTICS: Final = {
    column: Family(f"node_nf_conntrack_stat_{column}", MetricType.GAUGE, text)
    for column, text in {
        "found": "Number of searched entries which were successful.",
        "invalid": "Number of packets seen which can not be tracked.",
        "ignore": "Number of packets seen which are already connected to a conntrack entry.",
        "insert": "Number of entries inserted into the list.",
        "insert_failed": "Number of entries for which list insertion was attempted but failed.",
        "drop": "Number of packets dropped due to conntrack failure.",
        "early_drop": "Number of dropped conntrack entries to make room for new ones, if maximum table size was"
        " reached.",
        "search_restart": "Number of conntrack table lookups which had to be restarted due to hashtable resizes.",
    }.items()
}


class ConntrackCollector:
    """Reads the table's size from sysctl and sums its per-CPU statistics."""

    def __init__(self, settings: HostSettings) -> None:
        self._count = settings.proc("sys", "net", "netfilter", "nf_conntrack_count")
        self._max = settings.proc("sys", "net", "netfilter", "nf_conntrack_max")
        self._statistics = settings.proc("net", "stat", "nf_conntrack")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        try:
            rows.put(ENTRIES, read_number(self._count))
            rows.put(LIMIT, read_number(self._max))
            header, *lines = read_bytes(self._statistics).decode("utf-8", "replace").splitlines() or [""]
        except FileNotFoundError as exc:
            raise NoDataError("connection tracking is not loaded") from exc
        columns = header.split()
        cpus = [[int(value, 16) for value in line.split()] for line in lines]
        for column, family in STATISTICS.items():
            if column in columns:
                index = columns.index(column)
                rows.put(family, sum(cpu[index] for cpu in cpus if len(cpu) > index))
            else:
                # Kernels drop columns that became meaningless (`ignore`); node_exporter says 0 then.
                rows.put(family, 0)
