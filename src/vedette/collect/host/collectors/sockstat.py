"""Sockets in use: /proc/net/sockstat and sockstat6."""

from __future__ import annotations

import os
from typing import Final

from vedette.collect.host.kernel_files import read_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

USED: Final = Family("node_sockstat_sockets_used", MetricType.GAUGE, "Number of IPv4 sockets in use.")


class SockstatCollector:
    """Reads `PROTOCOL: name value name value` lines; a missing file means that the protocol is off."""

    def __init__(self, settings: HostSettings) -> None:
        self._paths = (settings.proc("net", "sockstat"), settings.proc("net", "sockstat6"))
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._families: dict[tuple[str, str], Family] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for path in self._paths:
            try:
                lines = read_text(path).splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                protocol, _, rest = line.partition(":")
                fields = rest.split()
                for name, value in zip(fields[::2], fields[1::2], strict=False):
                    self._put(rows, protocol, name, float(value))

    def _put(self, rows: RowTable, protocol: str, name: str, value: float) -> None:
        if protocol == "sockets":
            rows.put(USED, value)
            return
        rows.put(self._family(protocol, name), value)
        if name == "mem":
            rows.put(self._family(protocol, "mem_bytes"), value * self._page_bytes)

    def _family(self, protocol: str, name: str) -> Family:
        family = self._families.get((protocol, name))
        if family is None:
            family = Family(
                f"node_sockstat_{protocol}_{name}",
                MetricType.GAUGE,
                f"Number of {protocol} sockets in state {name}.",
            )
            self._families[protocol, name] = family
        return family
