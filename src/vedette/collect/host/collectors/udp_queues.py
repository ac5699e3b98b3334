"""Bytes that wait in the queues of UDP sockets: /proc/net/udp and udp6."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import NoDataError, read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

QUEUES: Final = Family(
    "node_udp_queues",
    MetricType.GAUGE,
    "Number of allocated memory in the kernel for UDP datagrams in bytes.",
    ("queue", "ip"),
)

_QUEUES_FIELD: Final = 4


class UdpQueuesCollector:
    """Sums the queues over all sockets."""

    def __init__(self, settings: HostSettings) -> None:
        self._paths = {"v4": settings.proc("net", "udp"), "v6": settings.proc("net", "udp6")}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        found = False
        for version, path in self._paths.items():
            try:
                lines = read_bytes(path).splitlines()[1:]
            except FileNotFoundError:
                continue  # this version of IP is off
            found = True
            transmit = receive = 0
            for line in lines:
                fields = line.split()
                if len(fields) > _QUEUES_FIELD:
                    sent, _, received = fields[_QUEUES_FIELD].partition(b":")
                    transmit += int(sent, 16)
                    receive += int(received, 16)
            rows.put(QUEUES, transmit, ("tx", version))
            rows.put(QUEUES, receive, ("rx", version))
        if not found:
            raise NoDataError("no UDP")
